//! How jobs are cancelled, and how the close of a connection begins.

use super::driving::WaitClosed;
use super::effects::{Departing, Exit, Stale};
use super::job::{Driver, Job};
use super::{Effects, JobKey, Kind, Ledger, LedgerTypes};
use crate::CloseReason;

impl<T: LedgerTypes> Ledger<T> {
    /// Ends a job where it is. A job that is polled now ends when its poll returns.
    ///
    /// The job is dropped after the lock is released; then its place is free. Whoever drives it, or has started it,
    /// finds it gone. A close that is cancelled keeps its own reason.
    pub(super) fn cancel(&mut self, key: JobKey, reason: CloseReason, effects: &mut Effects<T>) {
        if self.jobs.get(key).is_some_and(Job::is_polled) {
            return self.jobs.cancel_after_poll(key, reason);
        }
        let Some(mut job) = self.jobs.remove(key) else {
            return;
        };
        if let Driver::Waiter(ticket) = job.driver {
            self.queue.set_job(ticket, None);
        }
        effects.wake_all(job.background.take().into_iter().chain(job.owner.take()));
        self.next_keepalive(&job, effects);
        self.departing += 1;
        self.forget_abort_handle(job.connection, effects);
        if let Some(connection) = job.connection {
            self.forget_life(connection);
        }
        let exit = Exit {
            connection: job.connection,
            reason: job.reason.take().unwrap_or(reason),
            is_connect: job.kind == Kind::Connect,
        };
        let stale = Stale::Job(Box::new(job));
        effects.rare().departing.push(Departing { stale, exit });
    }

    /// Starts to close a connection in the background. Where nobody would drive that, the connection is dropped.
    pub(super) fn start_close(
        &mut self,
        entry: T::Entry,
        reason: CloseReason,
        effects: &mut Effects<T>,
    ) {
        if self.nobody_will_drive(Kind::Close, WaitClosed::Possible) {
            return self.drop_entry(entry, reason, effects);
        }
        let key = self.insert_job(Kind::Close, Some(entry), Driver::Nobody);
        self.jobs.set_reason(key, reason);
        effects.spawn_driver(key);
        if !self.lifecycle.is_open() {
            self.notify_closed(effects);
        }
    }
}
