//! What an acquire that waits tells the observers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Acquire, Progress};
use crate::Manager;
use crate::backend::PoolTypes;
use crate::borrowed::Borrower;
use crate::error::Error;
use crate::ledger::{Answer, LedgerEntry, Note, Refusal, Ticket};
use crate::shared::{PoolLedger, Shared};

/// How an acquire leaves the queue before it has looked for its answer.
pub(super) enum Leaving<'a, M: Manager> {
    /// It was dropped.
    Dropped,
    /// It fails with this error, unless its answer is there.
    With(&'a Error<M::Error>),
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
    /// This acquire must not wait.
    #[cold]
    pub(super) fn refused(&mut self, refusal: Refusal) -> Error<M::Error> {
        self.progress = Progress::Done;
        let error = match refusal {
            Refusal::Closed => Error::Closed,
            Refusal::QueueFull => Error::QueueFull,
            Refusal::Shed => Error::Shed,
        };
        self.shared.tell_rejected(&self.borrower, &error);
        error
    }

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

    /// Notes how this waiter was answered, in the lock in which it takes its answer.
    #[cold]
    pub(super) fn note_answer(
        &self,
        ledger: &mut PoolLedger<M>,
        answer: &Answer<PoolTypes<M>>,
        now: Instant,
    ) {
        let Progress::Waiting(waiting) = &self.progress else {
            return;
        };
        let waited = now.saturating_duration_since(waiting.since);
        match answer {
            Answer::Entry(entry) => {
                ledger.lent_at(entry.key(), Some(waiting.mark), waited, now);
            }
            failed => note_failure(ledger, waiting.mark, waited, failed),
        }
    }

    /// Tells the observers how this waiter was answered, in a pool that measures.
    #[cold]
    pub(super) fn tell_answer(&self) {
        let watches_leaks = self.shared.backend.limits.leak_warning.get().is_some();
        self.shared.after_hand_out(watches_leaks);
    }
}

/// Counts a waiter that has left without a connection, in the lock in which it leaves. `answer`: its answer had come.
#[cold]
pub(super) fn count_left<M: Manager>(
    ledger: &mut PoolLedger<M>,
    leaving: &Leaving<'_, M>,
    answer: Option<&Answer<PoolTypes<M>>>,
) {
    match (leaving, answer) {
        (Leaving::Dropped, _) => ledger.count_cancelled(),
        (_, Some(answer)) => ledger.count_failed_answer(answer),
        // A time-out here is that of the acquire. The time-out of a connect comes as an answer.
        (Leaving::With(Error::Timeout { .. }), None) => ledger.count_timeout(),
        (Leaving::With(error), None) => ledger.count_failure(error.failure_reason()),
    }
}

/// Notes that a waiter has left without a connection, in the lock in which it leaves. `answer`: its answer had come.
#[cold]
pub(super) fn note_left<M: Manager>(
    ledger: &mut PoolLedger<M>,
    who: &Borrower,
    (waiter, waited): (u64, Duration),
    leaving: Leaving<'_, M>,
    answer: Option<&Answer<PoolTypes<M>>>,
) {
    match (leaving, answer) {
        (Leaving::Dropped, _) => ledger.note(|| Note::Cancelled(waiter, waited)),
        (_, Some(answer)) => note_failure(ledger, waiter, waited, answer),
        (Leaving::With(error @ Error::Timeout { phase, status, .. }), None) => {
            ledger.note(|| Note::TimedOut {
                waiter,
                waited,
                phase: *phase,
                status: *status,
                place: who.place,
                label: who.label.as_ref().map(|label| label.text.clone()),
                error: Arc::new(error.clone()),
            });
        }
        (Leaving::With(error), None) => note_error(ledger, waiter, waited, error),
    }
}

fn note_failure<M: Manager>(
    ledger: &mut PoolLedger<M>,
    waiter: u64,
    waited: Duration,
    answer: &Answer<PoolTypes<M>>,
) {
    match answer {
        // The ledger has noted that it was handed out.
        Answer::Entry(_) => {}
        Answer::Failed(error) => note_error(ledger, waiter, waited, error),
        Answer::Closed => note_error(ledger, waiter, waited, &Error::Closed),
    }
}

/// The acquire keeps the error itself, so the note is not its only owner.
fn note_error<M: Manager>(
    ledger: &mut PoolLedger<M>,
    waiter: u64,
    waited: Duration,
    error: &Error<M::Error>,
) {
    let reason = error.failure_reason();
    ledger.note(|| Note::AcquireFailed(waiter, waited, reason, Arc::new(error.clone())));
}
