//! The deadlines of the waiters, and the one timer that serves them all.

use std::time::Instant;

use super::{After, Ledger, Stock};
use crate::jobs::Tender;
use crate::keys::Ticket;
use crate::waiters::Deadline;

impl<S: Stock> Ledger<S> {
    /// A waiter whose deadline struck too early is put back into its old place; `true`: that changed something.
    pub(crate) fn resume(&mut self, ticket: Ticket, now: Instant, after: &mut After<S>) -> bool {
        self.waiters.time(ticket);
        if self.waiters.is_queued(ticket) || self.waiters.is_answered(ticket) {
            return self.waiters.is_answered(ticket);
        }
        self.waiters.requeue(ticket);
        self.supply(now, after);
        true
    }

    /// Whether the timer is set for this instant or an earlier one.
    #[inline]
    fn timer_strikes_by(&self, at: Instant) -> bool {
        self.timer_at.is_some_and(|timer| timer <= at)
    }

    /// Whether the timer would strike too late for this deadline.
    #[inline]
    pub(super) fn timer_is_late(&self, deadline: Option<Deadline>) -> bool {
        deadline.is_some_and(|deadline| !self.timer_strikes_by(deadline.at()))
    }

    /// Whether the timer is not set although there may be a deadline.
    #[inline]
    pub(super) fn timer_is_missing(&self) -> bool {
        self.timer_at.is_none() && self.waiters.no_deadline_before().is_some()
    }

    /// Whether the timer must be set anew, and for when.
    pub(crate) fn timer_to_set(&mut self) -> bool {
        let bound = self.waiters.no_deadline_before();
        if bound.is_none_or(|at| self.timer_strikes_by(at)) {
            return false;
        }
        match self.waiters.next_deadline() {
            Some(at) if !self.timer_strikes_by(at) => {
                self.timer_at = Some(at);
                true
            }
            _ => false,
        }
    }

    /// The timer could not be set.
    pub(crate) fn timer_is_not_set(&mut self) {
        self.timer_at = None;
    }

    /// For when the timer is to be set.
    pub(crate) fn timer_at(&self) -> Option<Instant> {
        self.timer_at
    }

    /// The timer struck: those who are due leave the queue and are woken to see for themselves.
    ///
    /// This may run inside the runtime's own timer, so it must not lead back there: no task is spawned, and what the
    /// expired were driving waits for the next who is polled. The next in line and upkeep are woken as well, and
    /// whoever is polled first sets the timer again.
    pub(crate) fn timer_struck(&mut self, after: &mut After<S>) {
        let Some(at) = self.timer_at.take() else {
            return;
        };
        self.waiters.look_behind_the_horizon(at);
        while let Some(ticket) = self.waiters.pop_due(at) {
            if !self.waiters.is_queued(ticket) {
                continue;
            }
            self.waiters.unqueue(ticket);
            if let Some(key) = self.waiters.set_job(ticket, None) {
                self.jobs.set_tender(key, Tender::Nobody);
                self.adopt_the_unattended(after);
                self.wake_for_unattended(after);
                self.wake_upkeep(after);
            }
            self.wake(ticket, after);
        }
        // Somebody has to set the timer for the others.
        if let Some(next) = self.waiters.somebody_with_a_deadline() {
            self.wake(next, after);
            self.wake_upkeep(after);
        }
    }

    /// Gives jobs that nobody drives to the needy; starts nothing.
    fn adopt_the_unattended(&mut self, after: &mut After<S>) {
        while let Some(needy) = self.waiters.first_needy() {
            match self.jobs.unattended().first() {
                Some(key) => self.adopt(*key, needy, after),
                None => return,
            }
        }
    }
}
