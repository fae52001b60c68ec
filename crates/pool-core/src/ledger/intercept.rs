//! What the ledger does for interceptors: what they refuse, and who hears of it.

use super::effects::Stale;
use super::job::Job;
use super::{Answer, ConnectionKey, Effects, Kind, Ledger, LedgerEntry, LedgerTypes, SharedError};

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

    /// Interceptors refuse a connection before its hand-out. If it was opened for the waiters just now, the first of them
    /// fails, as after a failed connect: otherwise an interceptor that refuses every connection would let the pool
    /// connect without end. The failure comes back if nobody has got it.
    pub(super) fn fail_head_for_new(
        &mut self,
        entry: &T::Entry,
        job: &Job<T>,
        failure: T::Failure,
        effects: &mut Effects<T>,
    ) -> Option<T::Failure> {
        let is_for_waiter = job.is_driven_by_waiter() && job.is_for_its_driver();
        let fails = job.kind == Kind::Check && entry.is_new() && is_for_waiter;
        let head = self.next_served();
        let Some(head) = head.filter(|_| fails && self.lifecycle.is_open()) else {
            return Some(failure);
        };
        self.answer(head, Answer::Failed(Box::new(failure)), effects);
        None
    }
}
