//! Suspended: nothing is handed out until the pool is resumed.

use std::cmp::Reverse;
use std::time::Instant;

use super::job::{Driver, Job};
use super::{Answer, Effects, JobKey, Kind, Ledger, LedgerTypes, Note};
use crate::CloseReason;

impl<T: LedgerTypes> Ledger<T> {
    /// From now on acquires only wait. Steps that run go on, and what comes out of them becomes idle; what has not begun
    /// is undone.
    pub(crate) fn suspend(&mut self, effects: &mut Effects<T>) {
        if !self.lifecycle.set_suspended(true) {
            return;
        }
        self.fill.stop();
        let status = self.status();
        self.history.note(|| Note::PoolSuspended(status));
        self.take_answers_back(effects.now());
        let is_unbegun = |job: &Job<T>| job.is_unbegun_connect() && !job.is_owned;
        self.cancel_all(is_unbegun, CloseReason::Abandoned, effects);
        self.undo_steps_of_waiters(effects);
        self.wake_upkeep(effects);
    }

    /// Takes back the connections that lie ready for waiters. Each of them was woken for it, so it looks again by itself
    /// and finds itself in the queue, in its old place.
    pub(super) fn take_answers_back(&mut self, now: Instant) {
        let mut tickets = self.queue.tickets();
        // So that the connection of the first of them is the next one again.
        tickets.sort_by_key(|ticket| Reverse(self.queue.number(*ticket)));
        for ticket in tickets {
            match self.queue.revoke(ticket) {
                Some(Answer::Entry(mut entry)) => {
                    self.held -= 1;
                    self.mark(&mut entry, now);
                    self.idle.put_next(entry, false);
                    self.queue.requeue(ticket);
                }
                Some(other) => {
                    self.queue.answer(ticket, other);
                }
                None => {}
            }
        }
    }

    /// Undoes the checks and recycles that waiters were to drive and have not begun.
    fn undo_steps_of_waiters(&mut self, effects: &mut Effects<T>) {
        let is_unbegun = |job: &Job<T>| {
            let is_for_waiters = matches!(job.driver, Driver::Waiter(_) | Driver::Nobody);
            is_for_waiters && job.is_fresh() && !job.is_owned && job.kind != Kind::Close
        };
        let all = self.jobs.iter().filter(|(_, job)| is_unbegun(job));
        let keys: Vec<(JobKey, Driver)> = all.map(|(key, job)| (key, job.driver)).collect();
        for (key, driver) in keys {
            if let Driver::Waiter(ticket) = driver {
                self.queue.set_job(ticket, None);
            }
            self.driver_left(key, false, effects);
        }
    }

    /// The pool hands out connections again, to those who wait first.
    pub(crate) fn end_suspension(&mut self, effects: &mut Effects<T>) {
        if !self.lifecycle.set_suspended(false) {
            return;
        }
        self.fill.start();
        let status = self.status();
        self.history.note(|| Note::PoolResumed(status));
        let most = self.idle.len().min(self.queue.len());
        self.supply(effects);
        // Those who still drive a step get what is idle, too.
        for _ in 0..most {
            self.supply_head_too(effects);
        }
        self.drive_undriven(effects);
        self.wake_upkeep(effects);
    }
}
