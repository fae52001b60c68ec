//! Acquiring: the fast case, the queue, and what a waiter finds when it looks.

use std::task::Waker;
use std::time::Instant;

use super::queue::Left;
use super::{
    ConnectionKey, Deadline, Effects, JobKey, Kind, Ledger, LedgerEntry, LedgerFailure,
    LedgerTypes, Note, Poller, Refusal, Stage, Take, TakenJob, Ticket,
};
use crate::Priority;
use crate::borrowed::Borrower;
use crate::error::FailureReason;

/// What a waiter waits for.
pub(crate) enum Answer<T: LedgerTypes> {
    /// A connection that can be used; it counts as held.
    Entry(T::Entry),
    /// A connect failed.
    Failed(T::Failure),
    /// The pool was closed.
    Closed,
}

impl<T: LedgerTypes> Answer<T> {
    /// The connection that lies ready.
    pub(super) fn entry(&self) -> Option<&T::Entry> {
        match self {
            Self::Entry(entry) => Some(entry),
            _ => None,
        }
    }
}

/// A new waiter.
pub(crate) struct Queued {
    pub(crate) ticket: Ticket,
    /// There is nothing that the waiter can do but wait.
    pub(crate) only_waits: bool,
    /// The timer has to be set for its deadline.
    pub(crate) set_timer: bool,
}

/// What a waiter finds when it looks.
pub(crate) enum Found<T: LedgerTypes> {
    /// Its answer.
    Answered(Answered<T>),
    /// Its job, to be polled.
    Job(TakenJob<T>),
    /// Nothing yet.
    Nothing {
        /// There are jobs that nobody drives, and this waiter is the one to poll them.
        polls_undriven: bool,
        /// It is in the queue, has nothing to poll, and the timer strikes at its deadline or before.
        is_timed: bool,
        /// The timer has to be set for the next attempt of an open breaker.
        sets_timer: bool,
    },
    /// Nothing yet, and the waker of this poll has to be stored: a wake-up has taken the old one, or another task polls.
    StoreWaker,
}

/// The answer of a waiter that has left the queue with it.
pub(crate) struct Answered<T: LedgerTypes> {
    pub(crate) answer: Answer<T>,
    /// Nobody needs it any more.
    pub(crate) waker: Option<Waker>,
    /// There are jobs that nobody drives.
    pub(crate) undriven: bool,
    /// The timer has to be set for the others.
    pub(crate) set_timer: bool,
}

/// What `try_acquire` finds.
pub(crate) enum Tried<T: LedgerTypes> {
    Entry(T::Entry),
    /// A job for the next idle connection; the caller polls it.
    Job(JobKey),
    Exhausted,
    Suspended,
    Closed,
}

impl<T: LedgerTypes> Ledger<T> {
    /// The fast case: takes an idle connection that needs no step, if nobody waits and there is nothing else to do.
    ///
    /// `now` may be left out where no setting depends on the idle time.
    #[inline(always)]
    pub(crate) fn take_ready(
        &mut self,
        now: Option<Instant>,
        by: &mut Borrower,
    ) -> Option<T::Entry> {
        if let Some(now) = now {
            self.catch_up(now);
        }
        let is_quiet = self.queue.is_empty()
            && self.jobs.undriven_count() == 0
            // The first comparison nearly always shows that nothing is missing for minsize, and always fails in a pool
            // that closes or is suspended.
            && (self.idle.clean_len() + self.held >= self.fill.enough() || self.is_complete());
        if !is_quiet {
            return None;
        }
        let ready = self.idle.take_ready(now, self.background.can_spawn())?;
        self.held += 1;
        self.connections.lend(ready.key(), by);
        Some(ready)
    }

    /// Writes down who gets a connection.
    pub(crate) fn lend(&mut self, key: ConnectionKey, to: &mut Borrower) {
        self.connections.lend(key, to);
    }

    /// Whether the pool hands out connections and nothing is missing for minsize.
    #[inline(never)]
    fn is_complete(&self) -> bool {
        self.lifecycle.serves() && self.missing() == 0 && self.leaves_enough_idle()
    }

    /// Adds a waiter.
    ///
    /// # Errors
    ///
    /// Why it must not wait. The waker comes back, to be dropped without the lock.
    #[inline]
    pub(crate) fn enqueue(
        &mut self,
        waker: Waker,
        deadline: Option<Deadline>,
        priority: Priority,
        now: Instant,
    ) -> Result<Queued, (Refusal, Waker)> {
        if !self.lifecycle.is_open() {
            self.history.count_failure(FailureReason::Closed);
            return Err((Refusal::Closed, waker));
        }
        // Where every place is in somebody's hands, nothing is idle, under way or missing.
        let all_are_held = self.held == self.fill.full();
        if self.gate.is_some() {
            self.arrives(priority, now);
            if all_are_held {
                if let Some(refusal) = self.refusal_by_gate(self.queue.unassigned_len()) {
                    return Err((refusal, waker));
                }
            }
        }
        let nothing_to_do = all_are_held || self.all_are_taken();
        let ticket = self.queue.push(waker, deadline, priority, now);
        let deadline = deadline.map(|deadline| deadline.at);
        Ok(self.queued(ticket, nothing_to_do, deadline, now))
    }

    /// Whether every place is in somebody's hands, or has a job that a waiter drives or somebody polls, so that a newcomer
    /// finds nothing to start or to take over.
    fn all_are_taken(&self) -> bool {
        self.held + self.jobs.len() == self.fill.full()
            && self.has_nothing_beside(0)
            && self.jobs.count(Kind::Close) == 0
            && self.gate.is_none()
            && !self.governor.is_open()
    }

    /// Notes that a waiter has joined the queue, in a pool that measures. Its number comes out.
    #[cold]
    pub(crate) fn note_waiting(&mut self, ticket: Ticket) -> u64 {
        let number = self.queue.number(ticket);
        self.history.note(|| Note::Waiting(number));
        number
    }

    #[inline]
    fn queued(
        &mut self,
        ticket: Ticket,
        nothing_to_do: bool,
        deadline: Option<Instant>,
        now: Instant,
    ) -> Queued {
        let only_waits = nothing_to_do && deadline.is_none_or(|deadline| deadline > now);
        Queued {
            ticket,
            only_waits,
            // A waiter that has something to poll does that first and sets the timer afterwards.
            set_timer: only_waits && deadline.is_some_and(|at| self.timer_to_set_for(at)),
        }
    }

    /// Starts what can be started for a waiter that has just been added.
    ///
    /// # Errors
    ///
    /// There is nothing, and it must not wait; it has left the queue again.
    pub(crate) fn start_for(
        &mut self,
        ticket: Ticket,
        deadline: Option<Instant>,
        effects: &mut Effects<T>,
    ) -> Result<Queued, Refusal> {
        effects.current = Some(ticket);
        self.catch_up(effects.now());
        if self.governor.is_open() {
            self.governor
                .arrived(self.queue.number(ticket), effects.now());
        }
        self.supply(effects);
        self.fill(effects);
        if !self.background.has_upkeep() {
            self.retire_idle(effects);
        }
        if self.gate.is_some() {
            if let Some(refusal) = self.refuse(ticket, effects) {
                return Err(refusal);
            }
        }
        let nothing_to_do = self.jobs.undriven_count() == 0
            // What is still to be done may lead to something.
            && effects.are_plain()
            && !self.queue.is_answered(ticket)
            && self.queue.job(ticket).is_none();
        Ok(self.queued(ticket, nothing_to_do, deadline, effects.now()))
    }

    /// The answer of a waiter, if it is there; then the waiter has left the queue.
    #[inline]
    pub(crate) fn take_answer(&mut self, ticket: Ticket, by: &mut Borrower) -> Option<Answered<T>> {
        let (answer, waker) = self.queue.take_answer(ticket)?;
        match &answer {
            Answer::Entry(entry) => self.connections.lend(entry.key(), by),
            failed => self.count_failed_answer(failed),
        }
        Some(Answered {
            answer,
            waker,
            undriven: self.jobs.undriven_count() > 0,
            set_timer: self.timer_at.is_none() && self.timer_to_set(),
        })
    }

    /// An acquire has this answer, which is no connection.
    #[cold]
    pub(crate) fn count_failed_answer(&mut self, answer: &Answer<T>) {
        match answer {
            Answer::Entry(_) => {}
            Answer::Failed(failure) => self.history.count_failure(failure.reason()),
            Answer::Closed => self.history.count_failure(FailureReason::Closed),
        }
    }

    /// What there is for the waiter, other than the job that it has just polled.
    pub(crate) fn find_for(
        &mut self,
        ticket: Ticket,
        deadline: Option<Instant>,
        polled: Option<JobKey>,
        by: &mut Borrower,
    ) -> Found<T> {
        match self.take_answer(ticket, by) {
            Some(answered) => Found::Answered(answered),
            None => self.find_work(ticket, deadline, polled, None),
        }
    }

    /// The same for a waiter whose answer is not there. `waker`, if it is given, is the one that polls.
    pub(crate) fn find_work(
        &mut self,
        ticket: Ticket,
        deadline: Option<Instant>,
        polled: Option<JobKey>,
        waker: Option<&Waker>,
    ) -> Found<T> {
        // This is asked once in a poll: a waker need not recognise its own clone.
        if waker.is_some_and(|waker| !self.queue.is_woken_by(ticket, waker)) {
            return Found::StoreWaker;
        }
        let job = self.queue.job(ticket).filter(|key| Some(*key) != polled);
        if let Some(key) = job {
            if let Take::Job(job) = self.take_to_poll(key, Poller::Waiter(ticket)) {
                return Found::Job(job);
            }
        }
        // The head polls these beside its own job, after it has polled that.
        let is_free = job.is_none() && self.queue.head() == Some(ticket);
        let polls_undriven = is_free && self.jobs.undriven_count() > 0;
        let timer_covers = |at| self.timer_at.is_some_and(|timer| timer <= at);
        Found::Nothing {
            polls_undriven,
            is_timed: !polls_undriven
                && deadline.is_some_and(timer_covers)
                && self.queue.is_queued(ticket)
                && self.queue.has_deadline(ticket),
            sets_timer: self.timer_is_late(),
        }
    }

    /// Stores another waker for the waiter; the old one comes back, to be dropped without the lock.
    pub(crate) fn set_waker(&mut self, ticket: Ticket, waker: Waker) -> Option<Waker> {
        self.queue.set_waker(ticket, waker)
    }

    /// A waiter goes, served or not. What was meant for it goes to the next, except a connection, which it takes along.
    pub(crate) fn leave(
        &mut self,
        ticket: Ticket,
        effects: &mut Effects<T>,
    ) -> Left<Answer<T>, JobKey> {
        let left = self.queue.remove(ticket);
        if let Some(key) = left.job {
            self.driver_left(key, true, effects);
        }
        self.undo_unbegun(effects);
        // Also if others wait, because each of them may drive a job of its own.
        self.spawn_drivers(effects);
        self.supply(effects);
        self.drive_undriven(effects);
        left
    }

    /// A connection that was meant for a waiter that went.
    pub(crate) fn pass_on(&mut self, mut entry: T::Entry, effects: &mut Effects<T>) {
        self.held -= 1;
        match self.lifecycle.stage() {
            // Through the idle list, because it may have become too old meanwhile.
            Stage::Open => {
                self.mark(&mut entry, effects.now());
                self.idle.put_next(entry, false);
                self.supply_head_too(effects);
            }
            _ => self.hand_out(entry, effects),
        }
    }

    /// For `try_acquire`: takes the next idle connection, or starts the step that it needs, if nobody waits.
    pub(crate) fn try_take(&mut self, by: &mut Borrower, effects: &mut Effects<T>) -> Tried<T> {
        if !self.lifecycle.is_open() {
            self.history.count_failure(FailureReason::Closed);
            return Tried::Closed;
        }
        if !self.lifecycle.serves() {
            return Tried::Suspended;
        }
        if !self.queue.is_empty() || self.serves_only_high() {
            return Tried::Exhausted;
        }
        self.catch_up(effects.now());
        match self.take_idle(effects) {
            None => Tried::Exhausted,
            Some((entry, None)) => {
                self.held += 1;
                self.refill(effects);
                self.lend_at_once(entry.key(), by, effects);
                Tried::Entry(entry)
            }
            Some((entry, Some(kind))) => Tried::Job(self.insert_owned_job(kind, Some(entry))),
        }
    }
}
