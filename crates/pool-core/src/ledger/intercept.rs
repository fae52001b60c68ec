//! What the ledger does for interceptors: what they refuse, and who hears of it.

use super::effects::Stale;
use super::job::Job;
use super::{ConnectionKey, Effects, Kind, Ledger, LedgerEntry, LedgerTypes, SharedError, Ticket};

impl<T: LedgerTypes> Ledger<T> {
    /// From now on each connection needs a step before it is handed out.
    pub(crate) fn intercept_hand_outs(&mut self) {
        self.idle.intercept();
    }

    /// An interceptor has refused a connection. Observers hear why when the connection has left.
    pub(super) fn refused(
        &mut self,
        connection: ConnectionKey,
        why: SharedError,
        effects: &mut Effects<T>,
    ) {
        if let Some(why) = self.history.refused(connection.id, why) {
            effects.drop_later(Stale::Error(why));
        }
    }

    /// The waiter that fails because interceptors refuse this connection before its hand-out: the first one, if the
    /// connection was opened for the waiters just now, as after a failed connect. Otherwise an interceptor that refuses
    /// every connection would let the pool connect without end.
    pub(super) fn head_that_fails(&self, entry: &T::Entry, job: &Job<T>) -> Option<Ticket> {
        let is_for_waiter = job.is_driven_by_waiter() && job.is_for_its_driver();
        let fails = job.kind == Kind::Check && entry.is_new() && is_for_waiter;
        self.next_served()
            .filter(|_| fails && self.lifecycle.is_open())
    }
}
