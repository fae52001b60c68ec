//! A pool that is larger than maxsize: how it gets smaller.

use super::{Effects, JobKey, Kind, Ledger, LedgerTypes};
use crate::CloseReason;

impl<T: LedgerTypes> Ledger<T> {
    /// Whether there are more connections than maxsize, without those that are on their way out.
    ///
    /// Only after a resize can this be so, because nothing connects beyond maxsize.
    pub(super) fn is_oversized(&self) -> bool {
        self.lifecycle.is_shrinking() && self.staying() > self.fill.limit()
    }

    /// Whether there is no place for a connection that has been counted out of where it was.
    pub(super) fn is_one_too_many(&self) -> bool {
        self.lifecycle.is_shrinking() && self.staying() >= self.fill.limit()
    }

    fn staying(&self) -> usize {
        self.size() - self.jobs.count(Kind::Close) - self.departing
    }

    /// Maxsize is smaller than before.
    pub(super) fn begin_to_shrink(&mut self, effects: &mut Effects<T>) {
        // No connect begins in a place that there is not any more, also not beside a close that has not ended.
        let too_many = self.size().saturating_sub(self.fill.limit());
        let unbegun = self.jobs.iter().filter(|(_, job)| job.is_unbegun_connect());
        let unbegun: Vec<JobKey> = unbegun.map(|(key, _)| key).collect();
        for key in unbegun.into_iter().take(too_many) {
            self.cancel(key, CloseReason::Resized, effects);
        }
        self.set_shrinking(true);
        self.shrink(effects);
    }

    /// Closes idle connections, those that have been idle longest first, as long as the pool is larger than maxsize.
    /// What is in use or under way is let go when it comes back.
    pub(super) fn shrink(&mut self, effects: &mut Effects<T>) {
        while self.is_oversized() {
            let Some(entry) = self.idle.take_oldest() else {
                return;
            };
            self.start_close(entry, CloseReason::Resized, effects);
        }
        if self.size() <= self.fill.limit() {
            self.set_shrinking(false);
        }
    }

    fn set_shrinking(&mut self, is_shrinking: bool) {
        self.lifecycle.set_shrinking(is_shrinking);
        self.fill.set_shrinking(is_shrinking);
    }
}
