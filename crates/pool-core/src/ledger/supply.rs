//! Who gets what comes back, and which job is started for whom.

use super::idle::Next;
use super::job::Driver;
use super::{Answer, Effects, JobKey, Kind, Ledger, LedgerEntry, LedgerTypes, Stage, Ticket};
use crate::CloseReason;

impl<T: LedgerTypes> Ledger<T> {
    /// Starts what the waiters need, as far as there is anything: an idle connection, a job that can be taken over, a
    /// free place.
    pub(crate) fn supply(&mut self, effects: &mut Effects<T>) {
        if self.lifecycle.is_shrinking() {
            self.shrink(effects);
        }
        if self.governor.is_open() {
            self.refuse_stranded(effects);
        }
        self.supply_waiters(effects);
        // What was idle may have expired.
        if self.governor.is_open() && self.refuse_stranded(effects) {
            self.supply_waiters(effects);
        }
        if self.governor.has_others() {
            self.go_on_filling(effects);
        }
        if self.idle.has_too_many() && self.queue.is_empty() && self.lifecycle.is_open() {
            self.trim_idle(effects);
        }
        effects.sets_timer |= self.timer_is_late();
    }

    /// Whether there is nothing that a waiter could get, take over or start: no idle connection, no job without a waiter, no
    /// free place. `uncounted` places are taken although they count nowhere at the moment.
    pub(super) fn has_nothing_beside(&self, uncounted: usize) -> bool {
        self.idle.len() == 0
            && self.jobs.none_can_be_taken()
            && self.size() + uncounted >= self.fill.limit()
    }

    fn supply_waiters(&mut self, effects: &mut Effects<T>) {
        if self.has_nothing_beside(0) {
            return;
        }
        while self.lifecycle.serves() {
            let Some(ticket) = self.next_unassigned() else {
                return self.connect_instead_of_closing(effects);
            };
            if let Some((entry, step)) = self.take_idle(effects) {
                match step {
                    None => self.hand_out_clean(entry, effects),
                    Some(kind) => self.start_job_for(kind, Some(entry), ticket, effects),
                }
            } else if let Some(key) = self.jobs.adoptable_connect() {
                self.adopt(key, ticket, effects);
            } else if self.can_connect(effects) {
                self.start_job_for(Kind::Connect, None, ticket, effects);
            } else if let Some(key) = self.jobs.adoptable_other() {
                self.adopt(key, ticket, effects);
            } else {
                return;
            }
        }
    }

    /// Whether a place is free and a connect in it would be of use.
    pub(super) fn needs_connect(&self) -> bool {
        self.size() < self.fill.limit() && self.jobs.count(Kind::Connect) < self.servable()
    }

    /// Whether such a connect may start now.
    fn can_connect(&self, effects: &Effects<T>) -> bool {
        self.needs_connect() && self.connects_allowed(effects.now()) > 0
    }

    /// Takes the next idle connection, and the step that has to be run first. Those that have expired are closed on the
    /// way.
    pub(super) fn take_idle(
        &mut self,
        effects: &mut Effects<T>,
    ) -> Option<(T::Entry, Option<Kind>)> {
        if self.idle.len() == 0 {
            return None;
        }
        loop {
            let now = effects.now();
            let can_spawn = self.background.can_spawn();
            let next = self.idle.next(Some(now), can_spawn);
            let is_unneeded = next != Next::Expired
                && self.idle.next_is_unneeded(now, can_spawn)
                && self.can_spare_idle();
            let mut entry = self.idle.take(can_spawn)?;
            if is_unneeded {
                self.start_close(entry, CloseReason::IdleTimeout, effects);
                continue;
            }
            match next {
                Next::Ready => return Some((entry, None)),
                Next::Suspect | Next::Intercepted => {
                    entry.set_calls_manager(next == Next::Suspect);
                    return Some((entry, Some(Kind::Check)));
                }
                Next::Dirty => return Some((entry, Some(Kind::Recycle))),
                Next::Expired => {
                    let reason = self.expired_by(&entry);
                    self.start_close(entry, reason, effects);
                }
                Next::Nothing => unreachable!("there is an entry"),
                Next::Unknown => unreachable!("the time is known"),
            }
        }
    }

    /// As [`supply`](Self::supply), for a connection that has just been put into the idle list. If every waiter drives
    /// a job, that connection may serve the head of the queue sooner: the head drives its check or recycle beside its
    /// own job.
    pub(super) fn supply_head_too(&mut self, effects: &mut Effects<T>) {
        self.supply(effects);
        let Some(head) = self.next_served().filter(|_| self.lifecycle.serves()) else {
            return;
        };
        match self.take_idle(effects) {
            None => {}
            Some((entry, None)) => {
                self.hand_out_clean(entry, effects);
                // The connect that the head has not begun has left a place.
                self.supply(effects);
            }
            Some((entry, Some(kind))) => {
                self.insert_job(kind, Some(entry), Driver::Nobody);
                self.wake(head, effects);
            }
        }
    }

    /// A waiter that closes a connection to get its place need not wait for that once another place is free.
    fn connect_instead_of_closing(&mut self, effects: &mut Effects<T>) {
        if self.jobs.count(Kind::Close) == 0 || !self.can_connect(effects) {
            return;
        }
        let Some((ticket, key)) = self.first_that_closes() else {
            return;
        };
        self.queue.set_job(ticket, None);
        self.driver_left(key, false, effects);
        self.start_job_for(Kind::Connect, None, ticket, effects);
    }

    /// The first waiter that closes a connection to get its place, and that job.
    pub(super) fn first_that_closes(&self) -> Option<(Ticket, JobKey)> {
        let closes = |key| {
            self.jobs
                .get(key)
                .is_some_and(|job| job.kind == Kind::Close)
        };
        self.queue.driving().find(|(_, key)| closes(*key))
    }

    /// Gives a clean connection to the head of the queue, which comes out to be woken, with the job that it has driven.
    /// If nobody waits, the connection goes to the idle list.
    ///
    /// The caller has counted the connection out of where it was.
    #[inline]
    pub(super) fn give_clean(&mut self, mut entry: T::Entry) -> Option<(Ticket, Option<JobKey>)> {
        let Some(head) = self.next_served() else {
            self.idle.push(entry, false);
            return None;
        };
        self.idle.stamp(&mut entry);
        self.held += 1;
        let job = self.queue.answer(head, Answer::Entry(entry));
        Some((head, job))
    }

    /// Gives a clean connection to the head of the queue or to the idle list. The job that the head has driven is for
    /// the next waiter.
    pub(super) fn hand_out_clean(&mut self, entry: T::Entry, effects: &mut Effects<T>) {
        if self.lifecycle.is_suspended() {
            return self.idle.push(entry, false);
        }
        if let Some((head, job)) = self.give_clean(entry) {
            self.wake_answered(head, job, effects);
        }
    }

    /// Gives a waiter its answer. The job that it has driven is for the next waiter.
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer<T>, effects: &mut Effects<T>) {
        let job = self.queue.answer(ticket, answer);
        self.wake_answered(ticket, job, effects);
    }

    /// Wakes a waiter that has its answer. The job that it has driven is for the next waiter.
    fn wake_answered(&mut self, ticket: Ticket, job: Option<JobKey>, effects: &mut Effects<T>) {
        self.wake(ticket, effects);
        let Some(key) = job else {
            return;
        };
        match self.next_unassigned().filter(|_| self.adopts_at_once(key)) {
            Some(next) => self.adopt(key, next, effects),
            None => self.driver_left(key, false, effects),
        }
    }

    /// Whether a job that has lost its driver is for the first waiter without one, because there is nothing else for it:
    /// [`supply`](Self::supply) would come to the same.
    fn adopts_at_once(&self, key: JobKey) -> bool {
        self.has_nothing_beside(0)
            && self.lifecycle.serves()
            && !self.governor.is_open()
            && self.jobs.get(key).is_some_and(|job| {
                job.kind == Kind::Recycle && !job.is_fresh() && !job.is_polled() && !job.is_owned
            })
    }

    /// A clean connection: to the head of the queue or to the idle list, or closed if the pool is closed.
    pub(super) fn hand_out(&mut self, entry: T::Entry, effects: &mut Effects<T>) {
        match self.lifecycle.stage() {
            Stage::Open if self.is_one_too_many() => {
                self.start_close(entry, CloseReason::Resized, effects);
                self.supply(effects);
            }
            Stage::Open => {
                self.hand_out_clean(entry, effects);
                self.supply(effects);
            }
            Stage::Closing => {
                self.start_close(entry, CloseReason::PoolClosed, effects);
            }
            Stage::Terminated => self.drop_entry(entry, CloseReason::Terminated, effects),
        }
    }

    /// Starts a job that the waiter drives.
    pub(super) fn start_job_for(
        &mut self,
        kind: Kind,
        entry: Option<T::Entry>,
        ticket: Ticket,
        effects: &mut Effects<T>,
    ) {
        let key = self.insert_job(kind, entry, Driver::Waiter(ticket));
        self.queue.set_job(ticket, Some(key));
        self.wake(ticket, effects);
    }

    /// The waiter takes over a job from whoever drives it.
    pub(super) fn adopt(&mut self, key: JobKey, ticket: Ticket, effects: &mut Effects<T>) {
        effects.wake_all(self.jobs.adopt(key, ticket));
        self.queue.set_job(ticket, Some(key));
        self.wake(ticket, effects);
    }

    /// Wakes a waiter, except the one whose poll this is.
    #[inline]
    pub(super) fn wake(&mut self, ticket: Ticket, effects: &mut Effects<T>) {
        if effects.current == Some(ticket) {
            return;
        }
        if let Some(waker) = self.queue.take_waker(ticket) {
            effects.wake(waker);
        }
    }
}
