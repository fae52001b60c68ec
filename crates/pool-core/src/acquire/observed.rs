//! What an acquire that waits tells the observers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Acquire, Progress};
use crate::Manager;
use crate::backend::PoolTypes;
use crate::error::Error;
use crate::ledger::{Answer, LedgerEntry, Note, Ticket};
use crate::shared::{PoolLedger, Shared};

/// How an acquire leaves the queue before it has looked for its answer.
pub(super) enum Leaving<'a, M: Manager> {
    /// It was dropped.
    Dropped,
    /// It fails with this error, unless its answer is there.
    With(&'a Error<M::Error>),
}

impl<M: Manager> Leaving<'_, M> {
    pub(super) fn is_time_out(&self) -> bool {
        matches!(self, Self::With(Error::Timeout { .. }))
    }
}

impl<M: Manager> Shared<M> {
    /// After an acquire has joined the queue, in a pool that measures.
    #[cold]
    pub(super) fn after_join(self: &Arc<Self>) {
        self.tell();
        if self.backend.limits.slow_acquire.get().is_some() {
            self.set_timer_if_needed();
        }
    }
}

impl<M: Manager> Acquire<'_, M> {
    /// Notes that this acquire has joined the queue, in a pool that measures, or with a label. What it has to keep comes
    /// out: [`Waiting::mark`](super::Waiting::mark).
    #[cold]
    pub(super) fn note_join(
        &self,
        ledger: &mut PoolLedger<M>,
        ticket: Ticket,
        since: Instant,
    ) -> u64 {
        ledger.watch(ticket, &self.borrower, since);
        match self.shared.measures {
            true => ledger.note_waiting(ticket),
            false => ledger.hand_outs(),
        }
    }

    /// Notes that this waiter has its connection, in the moment in which it takes it.
    #[cold]
    pub(super) fn note_hand_out(
        &self,
        ledger: &mut PoolLedger<M>,
        answer: &Answer<PoolTypes<M>>,
        now: Instant,
    ) {
        if let (Answer::Entry(entry), Progress::Waiting(waiting)) = (answer, &self.progress) {
            let waited = now.saturating_duration_since(waiting.since);
            ledger.lent_at(entry.key(), Some(waiting.mark), waited, now);
        }
    }

    /// Tells the observers how this waiter was answered, in a pool that measures.
    #[cold]
    pub(super) fn tell_answer(&self, answer: &Answer<PoolTypes<M>>) {
        if let Progress::Waiting(waiting) = &self.progress {
            if self.shared.is_observed() {
                let waited = self.shared.now().saturating_duration_since(waiting.since);
                self.note_failure(waiting.mark, waited, answer);
            }
        }
        let watches_leaks = self.shared.backend.limits.leak_warning.get().is_some();
        self.shared.after_hand_out(watches_leaks);
    }

    /// Tells the observers that this waiter has left without looking for its answer.
    #[cold]
    pub(super) fn note_left(
        &self,
        waiter: u64,
        waited: Duration,
        leaving: Leaving<'_, M>,
        answer: Option<&Answer<PoolTypes<M>>>,
    ) {
        match (leaving, answer) {
            (Leaving::Dropped, _) => self.shared.note(|| Note::Cancelled(waiter, waited)),
            (_, Some(answer)) => self.note_failure(waiter, waited, answer),
            (Leaving::With(error), None) => self.note_gave_up(waiter, waited, error),
        }
        self.shared.tell();
    }

    fn note_failure(&self, waiter: u64, waited: Duration, answer: &Answer<PoolTypes<M>>) {
        match answer {
            // The ledger has noted that it was handed out.
            Answer::Entry(_) => {}
            Answer::Failed(error) => self.note_error(waiter, waited, error),
            Answer::Closed => self.note_error(waiter, waited, &Error::Closed),
        }
    }

    fn note_error(&self, waiter: u64, waited: Duration, error: &Error<M::Error>) {
        self.shared
            .note(|| Note::AcquireFailed(waiter, waited, Arc::new(error.clone())));
    }

    /// A time-out here is that of the acquire. The time-out of a connect comes as an answer.
    fn note_gave_up(&self, waiter: u64, waited: Duration, error: &Error<M::Error>) {
        let Error::Timeout { phase, status, .. } = error else {
            return self.note_error(waiter, waited, error);
        };
        self.shared.note(|| Note::TimedOut {
            waiter,
            waited,
            phase: *phase,
            status: *status,
            error: Arc::new(error.clone()),
        });
    }
}
