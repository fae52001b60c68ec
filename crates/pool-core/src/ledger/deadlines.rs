//! The deadlines of the waiters, and the one timer that serves them all.

use std::time::Instant;

use super::{After, Ledger, Stock};
use crate::jobs::Tender;
use crate::keys::Ticket;
use crate::waiters::List;

impl<S: Stock> Ledger<S> {
    /// A waiter whose deadline struck too early is put back into its old place; `true`: that changed something.
    pub(crate) fn resume(&mut self, ticket: Ticket, now: Instant, after: &mut After<S>) -> bool {
        self.waiters.time(ticket);
        if self.waiters.is_queued(ticket) || self.waiters.is_answered(ticket) {
            return self.waiters.is_answered(ticket);
        }
        self.waiters.insert(List::Queue, ticket);
        if self.waiters.job(ticket).is_none() {
            self.waiters.insert(List::Needy, ticket);
        }
        self.supply(now, after);
        true
    }

    /// Whether the timer must be set anew, and for when.
    pub(crate) fn timer_to_set(&mut self) -> bool {
        let Some((at, _)) = self.waiters.next_deadline() else {
            return false;
        };
        if self.timer_at.is_some_and(|set| set <= at) {
            return false;
        }
        self.timer_at = Some(at);
        true
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
        while let Some(ticket) = self.waiters.pop_due(at) {
            if !self.waiters.is_queued(ticket) {
                continue;
            }
            self.waiters.unlink(List::Queue, ticket);
            self.waiters.unlink(List::Needy, ticket);
            if let Some(key) = self.waiters.set_job(ticket, None) {
                self.jobs.set_tender(key, Tender::Nobody);
                self.adopt_the_unattended(after);
                self.wake_for_unattended(after);
                self.wake_upkeep(after);
            }
            self.wake(ticket, after);
        }
        if let Some((_, next)) = self.waiters.next_deadline() {
            self.wake(next, after);
            self.wake_upkeep(after);
        }
    }

    /// Gives jobs that nobody drives to the needy; starts nothing.
    fn adopt_the_unattended(&mut self, after: &mut After<S>) {
        while let Some(needy) = self.waiters.first(List::Needy) {
            match self.jobs.unattended().first() {
                Some(key) => self.adopt(*key, needy, after),
                None => return,
            }
        }
    }
}
