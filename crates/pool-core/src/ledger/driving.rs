//! How jobs begin, change hands and are cancelled.

use std::task::Waker;

use super::effects::Stale;
use super::job::{Driver, Job};
use super::{Effects, JobKey, Kind, Ledger, LedgerEntry, LedgerTypes, Note, Poller, Take, Work};
use crate::CloseReason;

/// Which `wait_closed` counts as one that drives what is left of a closed pool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitClosed {
    /// One that waits now, or that can still be called: a `Pool` is left.
    Possible,
    /// Only one that waits now.
    Waiting,
}

/// What became of a job that was polled and is not done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterPoll {
    /// It waits for its next poll.
    Waiting,
    /// Something has happened meanwhile: its driver has to look again.
    LookAgain,
}

impl<T: LedgerTypes> Ledger<T> {
    /// Adds a job; its place counts from here on.
    pub(super) fn insert_job(
        &mut self,
        kind: Kind,
        mut entry: Option<T::Entry>,
        driver: Driver,
    ) -> JobKey {
        if let Some(entry) = &mut entry {
            self.idle.stamp(entry);
        }
        let connection = entry.as_ref().map(LedgerEntry::key);
        if let Some(key) = connection.filter(|_| kind == Kind::Close) {
            self.forget_life(key);
        }
        let clears = self.lifecycle.clears();
        let key = self.jobs.insert(kind, entry, connection, driver, clears);
        if kind == Kind::Connect {
            self.governor.started(key);
        }
        key
    }

    /// Adds a job for a verb that drives it and wants to know how it ends.
    pub(super) fn insert_owned_job(&mut self, kind: Kind, entry: Option<T::Entry>) -> JobKey {
        let key = self.insert_job(kind, entry, Driver::Verb);
        self.jobs.set_owned(key, true);
        key
    }

    /// Adds a close for a verb that drives it and wants to know how it ends.
    pub(super) fn insert_owned_close(&mut self, entry: T::Entry, reason: CloseReason) -> JobKey {
        let key = self.insert_owned_job(Kind::Close, Some(entry));
        self.jobs.set_reason(key, reason);
        key
    }

    /// Takes a job out. A connect that begins gets the number of its connection.
    pub(super) fn take_to_poll(&mut self, key: JobKey, poller: Poller) -> Take<T> {
        if self.jobs.begins_connect(key) {
            let connection = self.connections.begin();
            self.lifetimes.conceived(connection);
            self.jobs.set_connection(key, connection);
            // One that is given up before it begins was never tried.
            if self.governor.probe() == Some(key) {
                self.history.counters.connect_retries += 1;
            }
            self.history.note(|| Note::ConnectStarted(connection.id));
        }
        self.jobs.note_limit(key, self.step_limits);
        self.jobs.take(key, poller)
    }

    /// Takes a job out, to be polled by a caller that may poll it.
    pub(crate) fn take_job(
        &mut self,
        key: JobKey,
        poller: Poller,
        effects: &mut Effects<T>,
    ) -> Take<T> {
        if poller.hears_the_end() {
            if let Some(settled) = self.jobs.take_end(key) {
                return Take::Ended(settled);
            }
        }
        let Some(driver) = self.jobs.get(key).map(|job| job.driver) else {
            return Take::Gone;
        };
        let may_poll = match poller {
            Poller::Waiter(ticket) => driver == Driver::Waiter(ticket),
            Poller::Background(number) => driver == Driver::Background(number),
            // Whoever else drives it may never be polled again.
            Poller::Owner | Poller::Ping | Poller::TryAcquire | Poller::WaitClosed => true,
            // The waker of a waiter has to stay in a job that nobody drives.
            Poller::Helper(current) => {
                driver == Driver::Nobody && (current.is_some() || self.queue.is_empty())
            }
        };
        if !may_poll {
            return Take::Busy;
        }
        let mut take = self.take_to_poll(key, poller);
        let is_verb = poller.hears_the_end() || poller == Poller::WaitClosed;
        if let (Take::Job(job), true) = (&mut take, is_verb) {
            // While the pool closes, any `wait_closed` can drive the job.
            job.is_shared |= !self.lifecycle.is_open();
            if !matches!(driver, Driver::Waiter(_)) {
                effects.wake_all(self.jobs.set_driver(key, Driver::Verb));
            }
        }
        take
    }

    /// The jobs that a `wait_closed` can drive.
    pub(crate) fn jobs_for_close(&self) -> Vec<JobKey> {
        self.jobs.all_adoptable()
    }

    /// Stores how to wake the verb that started a job, while somebody else polls it. The old waker comes out.
    ///
    /// # Errors
    ///
    /// The waker comes back if nobody polls the job now.
    pub(crate) fn set_job_owner(
        &mut self,
        key: JobKey,
        waker: Waker,
    ) -> Result<Option<Waker>, Waker> {
        match self.jobs.get(key).is_some_and(Job::is_polled) {
            true => Ok(self.jobs.set_owner(key, Some(waker))),
            false => Err(waker),
        }
    }

    /// The jobs that nobody drives.
    pub(crate) fn undriven(&self) -> Vec<JobKey> {
        self.jobs.undriven()
    }

    /// Puts back a job that was polled and is not done. `waker` wakes its background task, or the verb that started it,
    /// when others change the job.
    pub(crate) fn park(
        &mut self,
        key: JobKey,
        work: T::Future,
        poller: Poller,
        waker: Option<Waker>,
        effects: &mut Effects<T>,
    ) -> AfterPoll {
        effects.drop_waker(self.jobs.park(key, work, poller, waker));
        self.step_waits(key, effects);
        if self.jobs.take_wake(key) {
            self.wake_for_job(key, effects);
        }
        match self.jobs.get(key) {
            // The reason was noted when it was cancelled.
            Some(job) if job.is_cancelled => self.cancel(key, CloseReason::Terminated, effects),
            // Its waiter was served while it was polled, or a helper has polled it: the next waiter may need it.
            Some(job) if job.driver == Driver::Nobody => {
                self.supply(effects);
                effects.spawn_driver(key);
                self.drive_undriven(effects);
            }
            _ => return AfterPoll::Waiting,
        }
        AfterPoll::LookAgain
    }

    /// A job that several can drive goes on. All of them are woken, because the one that polled it last may never be
    /// polled again.
    pub(crate) fn wake_for_job(&mut self, key: JobKey, effects: &mut Effects<T>) {
        if let Some(Driver::Waiter(ticket)) = self.jobs.get(key).map(|job| job.driver) {
            self.wake(ticket, effects);
        }
        self.jobs.note_wake(key);
        effects.wake_all(self.jobs.take_wakers(key));
        if !self.lifecycle.is_open() {
            self.notify_closed(effects);
        }
    }

    /// Nobody drives the job any more. The verb that started it is woken, to drive it again.
    pub(super) fn undrive(&mut self, key: JobKey, effects: &mut Effects<T>) {
        effects.drop_waker(self.jobs.set_driver(key, Driver::Nobody));
        effects.wake_all(self.jobs.set_owner(key, None));
    }

    /// A job has lost its driver. If it has not started it is undone. Otherwise it goes on for whoever needs it next,
    /// except a step whose caller gave up on it and that no deadline would ever end.
    pub(super) fn driver_left(&mut self, key: JobKey, gave_up: bool, effects: &mut Effects<T>) {
        self.undrive(key, effects);
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        let (kind, has_started, is_owned) = (job.kind, !job.is_fresh(), job.is_owned);
        if self.lifecycle.is_open() && !is_owned {
            // Where background tasks recycle, a recycle that was started for a waiter goes on like any other.
            let goes_on = kind == Kind::Connect
                || (kind == Kind::Recycle && self.background.can_spawn())
                || job.limit.is_some();
            let nothing_ends_it = gave_up && has_started && !goes_on;
            if nothing_ends_it {
                return self.cancel(key, CloseReason::Abandoned, effects);
            }
        }
        if !is_owned && self.nobody_will_drive(kind, WaitClosed::Possible) {
            return self.cancel(key, CloseReason::PoolClosed, effects);
        }
        // Where nothing can be spawned and nobody waits, what is missing for minsize is for the next acquire, and does not count
        // until then.
        let is_driven = self.background.can_spawn() || !self.queue.is_empty();
        let fills = kind == Kind::Connect && is_driven && self.connect_fills();
        if has_started || is_owned || fills || kind == Kind::Close {
            effects.spawn_driver(key);
            return self.drive_undriven(effects);
        }
        let was_cleared = job.clears < self.lifecycle.clears();
        let kept_alive = job.sequence;
        match (kind, self.jobs.remove(key).map(|job| job.work)) {
            (Kind::Check, Some(Work::Fresh(Some(mut entry)))) => {
                entry.set_calls_manager(true);
                entry.set_calls_interceptors(true);
                self.mark(&mut entry, effects.now());
                match kept_alive {
                    None => self.idle.put_next(entry, false),
                    Some(_) if was_cleared => {
                        self.start_close(entry, CloseReason::Cleared, effects);
                    }
                    Some(sequence) => {
                        self.idle.put_back(sequence, entry);
                        self.wake_upkeep(effects);
                    }
                }
            }
            // It was to be closed after its recycle.
            (Kind::Recycle, Some(Work::Fresh(Some(entry)))) if was_cleared => {
                self.start_close(entry, CloseReason::Cleared, effects);
            }
            (Kind::Recycle, Some(Work::Fresh(Some(mut entry)))) => {
                self.mark(&mut entry, effects.now());
                self.idle.put_next(entry, true);
                self.request_recycle_task(effects);
            }
            _ => return self.departed(None, effects),
        }
        // Those who still wait may all drive something slower.
        self.supply_head_too(effects);
    }

    /// Undoes the steps that nobody drives and that have not begun: the deadline of their waiter struck before it was
    /// polled, or their task was dropped. Where somebody waits without a job, he gets them; a pool that closes drives
    /// what is left.
    pub(super) fn undo_unbegun(&mut self, effects: &mut Effects<T>) {
        let takes_them = self.lifecycle.serves() && self.next_unassigned().is_some();
        let is_needed = !self.lifecycle.is_open() || takes_them;
        if self.jobs.undriven_count() == 0 || is_needed {
            return;
        }
        for key in self.jobs.undriven() {
            let is_unbegun = |job: &Job<T>| {
                job.kind != Kind::Close
                    && job.driver == Driver::Nobody
                    && !job.is_owned
                    && job.is_fresh()
            };
            if self.jobs.get(key).is_some_and(is_unbegun) {
                self.driver_left(key, true, effects);
            }
        }
    }

    /// A verb is dropped: it does not drive the job any more. If it has started the job, it does not want to know any
    /// more how it ends.
    pub(crate) fn caller_dropped(&mut self, key: JobKey, poller: Poller, effects: &mut Effects<T>) {
        if poller.hears_the_end() {
            effects.drop_waker(self.jobs.set_owned(key, false));
            if let Some(ended) = self.jobs.take_end(key) {
                effects.drop_later(Stale::Settled(ended));
            }
        }
        // Nobody else has asked for the check, and a waiter that has taken it over can do better than wait for it.
        let hangs =
            |job: &Job<T>| job.kind == Kind::Check && !job.is_fresh() && job.limit.is_none();
        if poller == Poller::Ping && self.jobs.get(key).is_some_and(hangs) {
            return self.cancel(key, CloseReason::Abandoned, effects);
        }
        // A waiter that had taken it over may have left it since, and this verb was to drive it again.
        let is_left = |job: &Job<T>| matches!(job.driver, Driver::Verb | Driver::Nobody);
        if self.jobs.get(key).is_some_and(is_left) {
            self.driver_left(key, false, effects);
            self.supply(effects);
        }
    }

    /// Gives a job that nobody drives to a background task: its number. `None`: the job needs no task any more.
    pub(crate) fn assign_task(&mut self, key: JobKey) -> Option<u64> {
        // A job that is polled now asks again when it is put back.
        let needs_task = |job: &Job<T>| job.driver == Driver::Nobody && !job.is_polled();
        if !self.background.can_spawn() || !self.jobs.get(key).is_some_and(needs_task) {
            return None;
        }
        let number = self.background.next_task();
        self.jobs.set_driver(key, Driver::Background(number));
        Some(number)
    }

    /// The background task of a job was dropped, or could not be spawned.
    pub(crate) fn task_dropped(&mut self, key: JobKey, number: u64, effects: &mut Effects<T>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        if job.driver != Driver::Background(number) {
            return;
        }
        self.spawn_failed();
        self.undrive(key, effects);
        // The others that nobody drives have waited for tasks, too.
        for key in self.jobs.undriven() {
            let is_lost = |job: &Job<T>| {
                !job.is_owned && self.nobody_will_drive(job.kind, WaitClosed::Possible)
            };
            if self.jobs.get(key).is_some_and(is_lost) {
                self.cancel(key, CloseReason::PoolClosed, effects);
            }
        }
        self.undo_unbegun(effects);
        self.supply(effects);
        self.drive_undriven(effects);
    }

    /// Whether nobody would drive a job of this kind to its end, so that its connection has to be dropped. A verb that
    /// has started the job drives it in any case; the caller asks for that.
    ///
    /// Where background tasks can be spawned, one of them drives it. Otherwise, in an open pool, an acquire drives
    /// whatever it needs, but nobody needs a close. In a closed pool a `wait_closed` drives all that is left.
    pub(super) fn nobody_will_drive(&self, kind: Kind, by: WaitClosed) -> bool {
        if self.background.can_spawn() {
            return false;
        }
        match (self.lifecycle.is_open(), by) {
            (true, _) => kind == Kind::Close,
            (false, WaitClosed::Possible) => !self.lifecycle.can_be_waited_for(),
            (false, WaitClosed::Waiting) => !self.lifecycle.has_close_waiters(),
        }
    }

    /// Finds somebody who polls the jobs that nobody drives: the head of the queue, a background task, or a
    /// `wait_closed`.
    pub(crate) fn drive_undriven(&mut self, effects: &mut Effects<T>) {
        if self.background.can_spawn() && self.queue.is_empty() {
            self.spawn_drivers(effects);
        }
        self.wake_for_undriven(effects);
    }

    /// Asks for a background task for each job that nobody drives.
    pub(super) fn spawn_drivers(&mut self, effects: &mut Effects<T>) {
        if self.background.can_spawn() {
            for key in self.jobs.undriven() {
                effects.spawn_driver(key);
            }
        }
    }

    /// As [`drive_undriven`](Self::drive_undriven), but asks for no background task.
    pub(super) fn wake_for_undriven(&mut self, effects: &mut Effects<T>) {
        if self.jobs.undriven_count() > 0 {
            if let Some(head) = self.queue.head() {
                self.wake(head, effects);
            }
            effects.wake_all(self.governor.take_fill_wakers());
            if !self.lifecycle.is_open() {
                self.notify_closed(effects);
            }
        }
    }
}
