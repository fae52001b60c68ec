//! Releasing: how connections come back, and how their places become free.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::connections::Return;
use super::driving::WaitClosed;
use super::effects::{Departing, Exit, Stale};
use super::{ConnectionKey, Effects, JobKey, Kind, Ledger, LedgerEntry, LedgerTypes, Note, Stage};
use crate::{CloseReason, Verdict};

/// What becomes of a connection that comes back, and why.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Why it is closed, if it is.
    pub(crate) reason: CloseReason,
    /// It was lost: what happened to it may have happened to the others, too.
    pub(crate) is_lost: bool,
}

impl Judgement {
    pub(crate) fn of(verdict: Verdict, reason: CloseReason) -> Self {
        Self {
            verdict,
            reason,
            is_lost: false,
        }
    }
}

/// What an awaited release has to drive.
pub(crate) enum Returned<T: LedgerTypes> {
    /// Nothing: the connection is idle or with a waiter.
    Kept,
    /// Its recycle, or its close if the manager does not want it back or the pool is closed.
    Job(JobKey),
    /// The ledger does not count it any more. Here it is, to be dropped.
    WrittenOff(T::Entry),
}

impl<T: LedgerTypes> Ledger<T> {
    /// The fast case of a guard that is dropped: a clean connection goes to the idle list, or to the head of the queue,
    /// whose waker comes out.
    ///
    /// # Errors
    ///
    /// Returns the connection where more than that has to be done, and the time is needed.
    #[inline]
    pub(crate) fn give_back_fast(
        &mut self,
        mut entry: T::Entry,
        verdict: Verdict,
        now: Option<Instant>,
    ) -> Result<Option<Waker>, T::Entry> {
        let is_plain = verdict == Verdict::Reuse
            && self.lifecycle.returns_fast()
            && now.is_none_or(|now| self.lifetimes.next().is_none_or(|at| at > now))
            && !self.idle.return_needs_time()
            // A job that loses its driver may serve another waiter, and for that the time is needed.
            && !self.queue.has_driving();
        if !is_plain {
            return Err(entry);
        }
        entry.set_idle_since(now);
        self.held -= 1;
        let head = self.give_clean(entry);
        Ok(head.and_then(|(ticket, _)| self.queue.take_waker(ticket)))
    }

    /// A guard is dropped.
    pub(crate) fn give_back(
        &mut self,
        mut entry: T::Entry,
        judgement: Judgement,
        effects: &mut Effects<T>,
    ) {
        self.idle.note_return(&mut entry, effects.now());
        self.note_return(entry.key(), effects.now());
        self.note_use(&mut entry, effects);
        self.give_back_noted(entry, judgement, effects);
    }

    /// A leak of this connection was suspected.
    pub(crate) fn is_suspected(&self, key: ConnectionKey) -> bool {
        self.connections.is_suspected(key)
    }

    /// A connection that was handed out is the pool's again.
    pub(crate) fn note_return(&mut self, key: ConnectionKey, now: Instant) {
        let Some(back) = self.connections.take_back_at(key, now) else {
            return;
        };
        if let Some(held) = self.end_of_hold(key, back) {
            self.history.note(|| Note::Released(key.id, held));
        }
    }

    /// A connection is not held any more. It comes out how long it was, if that was measured.
    fn end_of_hold(&mut self, key: ConnectionKey, back: Return) -> Option<Duration> {
        let Return { held, suspected } = back;
        let held = held?;
        self.history.held(held);
        if let Some((place, label)) = suspected {
            self.history.note(|| Note::Leak {
                connection: key.id,
                held,
                place,
                label,
                is_resolved: true,
            });
        }
        Some(held)
    }

    pub(super) fn give_back_noted(
        &mut self,
        entry: T::Entry,
        judgement: Judgement,
        effects: &mut Effects<T>,
    ) {
        if self.lifecycle.stage() == Stage::Terminated {
            return effects.drop_later(Stale::Entry(entry));
        }
        self.held -= 1;
        let Judgement {
            verdict,
            reason,
            is_lost,
        } = judgement;
        if is_lost && self.lifecycle.is_open() {
            self.suspect_siblings(effects.now());
        }
        if let Some(reason) = self.retires_at_return(entry.key(), verdict) {
            self.start_close(entry, reason, effects);
            return self.supply(effects);
        }
        let needs_step = self.idle.always_needs_step() || !entry.marks().is_plain();
        match (self.lifecycle.stage(), verdict) {
            (Stage::Open, Verdict::Reuse) if !needs_step => {
                self.hand_out(entry, effects);
            }
            (Stage::Open, Verdict::Recycle) if self.can_begin_at_once(&entry) => {
                let first = self.next_unassigned().expect("somebody waits");
                self.start_job_for(Kind::Recycle, Some(entry), first, effects);
                effects.sets_timer |= self.timer_is_late();
            }
            (Stage::Open, Verdict::Reuse | Verdict::Recycle) => {
                self.idle.push(entry, verdict == Verdict::Recycle);
                self.request_recycle_task(effects);
                self.supply_head_too(effects);
                self.revoke_recycle_task(effects);
            }
            // It is not kept for a `wait_closed` that may never be called: `Pool::close` promises that it leaves when it
            // comes back.
            (Stage::Closing, _) if self.nobody_will_drive(Kind::Close, WaitClosed::Waiting) => {
                self.drop_entry(entry, reason, effects);
            }
            _ => {
                self.start_close(entry, reason, effects);
                // Where the background task is never run, a waiter that needs the place drives the close.
                self.supply(effects);
            }
        }
    }

    /// Whether the recycle of a connection that has just come back begins at once for the first waiter without a job: beside
    /// it [`supply`](Self::supply) would find nothing.
    fn can_begin_at_once(&self, entry: &T::Entry) -> bool {
        self.has_nothing_beside(1)
            && self.next_unassigned().is_some()
            && self.lifecycle.serves()
            && !self.lifecycle.is_shrinking()
            && !self.governor.is_open()
            && !self.governor.has_others()
            && entry.marks().is_plain()
            && self
                .idle
                .limit_of(entry)
                .is_none_or(|limit| !limit.is_zero())
    }

    /// A guard is released by a caller that waits for the end of it.
    pub(crate) fn give_back_awaited(
        &mut self,
        mut entry: T::Entry,
        judgement: Judgement,
        effects: &mut Effects<T>,
    ) -> Returned<T> {
        self.idle.note_return(&mut entry, effects.now());
        self.note_return(entry.key(), effects.now());
        self.note_use(&mut entry, effects);
        if self.lifecycle.stage() == Stage::Terminated {
            return Returned::WrittenOff(entry);
        }
        let verdict = judgement.verdict;
        let is_surplus = self.is_oversized();
        self.held -= 1;
        let retires = self.retires_at_return(entry.key(), verdict);
        let why = is_surplus.then_some(CloseReason::Resized).or(retires);
        let key = match (self.lifecycle.stage(), verdict, why) {
            (Stage::Open, Verdict::Reuse, None) => {
                self.held += 1;
                self.give_back_noted(entry, judgement, effects);
                return Returned::Kept;
            }
            (Stage::Open, Verdict::Recycle, None) => {
                self.insert_owned_job(Kind::Recycle, Some(entry))
            }
            (Stage::Open, Verdict::Reuse | Verdict::Recycle, Some(why)) => {
                self.insert_owned_close(entry, why)
            }
            _ => {
                if judgement.is_lost && self.lifecycle.is_open() {
                    self.suspect_siblings(effects.now());
                }
                self.insert_owned_close(entry, judgement.reason)
            }
        };
        // The caller may never poll the job: a waiter or a `wait_closed` can drive it.
        self.supply(effects);
        if !self.lifecycle.is_open() {
            self.notify_closed(effects);
        }
        Returned::Job(key)
    }

    /// A ping has acquired a connection and wants it to be checked. Until then nobody has used it, so it is clean.
    pub(crate) fn give_back_to_check(
        &mut self,
        mut entry: T::Entry,
        effects: &mut Effects<T>,
    ) -> Returned<T> {
        self.idle.note_return(&mut entry, effects.now());
        self.note_return(entry.key(), effects.now());
        match self.lifecycle.stage() {
            Stage::Open => {
                self.held -= 1;
                entry.set_new(false);
                let key = self.insert_owned_job(Kind::Check, Some(entry));
                // The ping may never poll the job: a waiter can drive it.
                self.supply(effects);
                Returned::Job(key)
            }
            Stage::Closing => {
                let judgement = Judgement::of(Verdict::Discard, CloseReason::PoolClosed);
                self.give_back_noted(entry, judgement, effects);
                Returned::Kept
            }
            Stage::Terminated => Returned::WrittenOff(entry),
        }
    }

    /// A guard gives its connection to its holder for good: the place is free at once.
    pub(crate) fn detach(&mut self, key: ConnectionKey, effects: &mut Effects<T>) {
        if self.lifecycle.stage() != Stage::Terminated {
            self.held -= 1;
            let back = self.connections.take_back_at(key, effects.now());
            let held = back.and_then(|back| self.end_of_hold(key, back));
            let held = held.unwrap_or_default();
            self.history.counters.detached += 1;
            self.history.note(|| Note::Detached(key.id, held));
            if self.governor.is_open() {
                self.session_ended(effects.now());
            }
            self.departed(Some(key), effects);
            self.supply(effects);
        }
    }

    /// A guard is dropped in such a way that its connection cannot be trusted.
    pub(crate) fn give_back_broken(
        &mut self,
        entry: T::Entry,
        reason: CloseReason,
        effects: &mut Effects<T>,
    ) {
        self.note_return(entry.key(), effects.now());
        if self.lifecycle.stage() == Stage::Terminated {
            return effects.drop_later(Stale::Entry(entry));
        }
        self.held -= 1;
        self.drop_entry(entry, reason, effects);
    }

    /// A connection leaves without a close; its place is departing until the connection is dropped.
    ///
    /// `Shared::perform` drops it after the lock is released and reports that to [`dropped`](Self::dropped), which frees the
    /// place.
    pub(super) fn drop_entry(
        &mut self,
        entry: T::Entry,
        reason: CloseReason,
        effects: &mut Effects<T>,
    ) {
        self.departing += 1;
        self.forget_life(entry.key());
        self.connections.take_back(entry.key());
        self.forget_abort_handle(Some(entry.key()), effects);
        let exit = Exit {
            connection: Some(entry.key()),
            reason,
            is_connect: false,
        };
        let stale = Stale::Entry(entry);
        effects.rare().departing.push(Departing { stale, exit });
    }

    /// A departing connection, or a cancelled job, has been dropped.
    pub(crate) fn dropped(&mut self, exit: Exit, effects: &mut Effects<T>) {
        self.departing -= 1;
        self.left(exit, None, effects);
        self.supply(effects);
    }
}
