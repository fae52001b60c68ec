//! How a job is polled once, whoever polls it.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use super::{PoolEffects, PoolLedger, Shared};
use crate::backend::PoolTypes;
use crate::borrowed::Borrower;
use crate::error::Error;
use crate::ledger::{
    AfterPoll, JobKey, Kind, LedgerEntry, Outcome, Poller, Settled, StepReport, Take, TakenJob,
    Ticket,
};
use crate::panics::{DROP_PANICKED, ignore_panic};
use crate::{ErrorClass, Manager};

/// What one poll of a job has led to.
pub(crate) enum Driven<M: Manager> {
    Pending(AfterPoll),
    Settled(Settled<PoolTypes<M>>),
}

impl<M: Manager> Driven<M> {
    /// Whether a check has failed; whoever has driven it may have to hear of that.
    pub(crate) fn is_failed_check(&self, kind: Kind) -> bool {
        let Self::Settled(Settled::Lost { failure, .. }) = self else {
            return false;
        };
        kind == Kind::Check && failure.is_some()
    }
}

impl<M: Manager> Settled<PoolTypes<M>> {
    /// The panic of a check, which is for the caller to hear; after any other failed step the next connection is tried.
    pub(crate) fn panic_of_a_check(self, kind: Kind) -> Option<Error<M::Error>> {
        match self {
            Self::Lost {
                failure: Some(error),
                ..
            } if kind == Kind::Check && matches!(*error, Error::Panicked { .. }) => Some(*error),
            // The drop of the manager's error is foreign code.
            other => {
                ignore_panic(|| drop(other));
                None
            }
        }
    }
}

impl<M: Manager> TakenJob<PoolTypes<M>> {
    /// Polls the job, and puts it back or settles it.
    pub(crate) fn poll(self, shared: &Arc<Shared<M>>, cx: &mut Context<'_>) -> Driven<M> {
        self.poll_for(None, shared, cx)
    }

    /// As [`poll`](Self::poll). If the connection is for the caller, it is lent to this borrower.
    pub(crate) fn poll_for(
        self,
        borrower: Option<&mut Borrower>,
        shared: &Arc<Shared<M>>,
        cx: &mut Context<'_>,
    ) -> Driven<M> {
        let lend = |ledger: &mut PoolLedger<M>,
                    driven: &Driven<M>,
                    effects: &mut PoolEffects<M>| {
            // In the same lock: a `terminate` afterwards finds out who holds the connection.
            if let (Driven::Settled(Settled::Taken(entry)), Some(borrower)) = (driven, borrower) {
                ledger.lend_at_once(entry.key(), borrower, effects);
            }
        };
        self.poll_and(shared, cx, lend).0
    }

    /// As [`poll`](Self::poll). `then` is called when the job was put back or settled, in the same lock.
    pub(crate) fn poll_and<R>(
        self,
        shared: &Arc<Shared<M>>,
        cx: &mut Context<'_>,
        then: impl FnOnce(&mut PoolLedger<M>, &Driven<M>, &mut PoolEffects<M>) -> R,
    ) -> (Driven<M>, R) {
        let Self {
            key,
            kind,
            connection,
            work,
            poller,
            is_shared,
            limit,
        } = self;
        // The connect that begins is told before the manager is called.
        shared.tell();
        let mut job = shared.backend.job(kind, connection, work, limit);
        let poll = if is_shared {
            let waker = Waker::from(Arc::new(SharedJobWaker {
                shared: Arc::downgrade(shared),
                key,
            }));
            ignore_panic(|| job.as_mut().poll(&mut Context::from_waker(&waker)))
        } else {
            ignore_panic(|| job.as_mut().poll(cx))
        };
        if let Some(Poll::Pending) = poll {
            let stores_waker = poller.stores_waker();
            let waker = stores_waker
                .then(|| ignore_panic(|| cx.waker().clone()))
                .flatten();
            return shared.change(poller.waiter(), |ledger, effects| {
                let driven = Driven::Pending(ledger.park(key, job, poller, waker, effects));
                let result = then(ledger, &driven, effects);
                (driven, result)
            });
        }
        ignore_panic(|| drop(job));
        let (outcome, report) = match poll {
            Some(Poll::Ready((outcome, mut report))) => {
                shared.complete(&mut report);
                (shared.explained(outcome), report)
            }
            // A `Drop` inside the step panicked, and the connection is gone with it. The waiter of a connect has to know.
            _ => gone(kind),
        };
        shared.change(poller.waiter(), |ledger, effects| {
            let driven = Driven::Settled(ledger.settle(key, poller, outcome, report, effects));
            let result = then(ledger, &driven, effects);
            (driven, result)
        })
    }
}

impl<M: Manager> Shared<M> {
    /// Adds the pool's name and counts to a time-out that is told to observers.
    fn complete(&self, report: &mut StepReport) {
        if !self.is_observed() {
            return;
        }
        for told in [&mut report.error, &mut report.refusal] {
            let known = told.as_ref();
            let known = known.and_then(|error| error.downcast_ref::<Error<M::Error>>());
            if let Some(error @ Error::Timeout { .. }) = known {
                let error = self.with_context(error.clone(), None);
                *told = Some(Arc::new(error));
            }
        }
    }

    /// Adds the pool's counts to a time-out.
    fn explained(&self, mut outcome: Outcome<PoolTypes<M>>) -> Outcome<PoolTypes<M>> {
        if let Outcome::NotConnected { failure, .. } | Outcome::Broken { failure, .. } =
            &mut outcome
        {
            if matches!(**failure, Error::Timeout { .. }) {
                **failure = self.with_context((**failure).clone(), None);
            }
        }
        outcome
    }
}

/// How a step has ended in which a `Drop` panicked: its connection is gone. The waiter of a connect has to know.
fn gone<M: Manager>(kind: Kind) -> (Outcome<PoolTypes<M>>, StepReport) {
    let failure = Error::<M::Error>::Panicked {
        phase: Kind::phase(Some(kind)),
        message: DROP_PANICKED.to_owned(),
    };
    let report = StepReport {
        took: None,
        error: Some(Arc::new(failure.clone())),
        class: ErrorClass::Transient,
        is_of_manager: true,
        refusal: None,
    };
    let outcome = match kind {
        Kind::Connect => Outcome::NotConnected {
            failure: Box::new(failure),
            class: ErrorClass::Transient,
            may_repeat: false,
        },
        _ => Outcome::Gone,
    };
    (outcome, report)
}

/// Polls each job that nobody drives once, so that callers that wait move things on where nothing can be spawned.
/// `true`: one of the jobs has ended.
///
/// A caller that does not wait (`current` is `None`) can poll them only as long as nobody waits.
pub(crate) fn poll_undriven<M: Manager>(
    shared: &Arc<Shared<M>>,
    current: Option<Ticket>,
    cx: &mut Context<'_>,
) -> bool {
    let mut any_ended = false;
    let keys = shared.ledger().undriven();
    for key in keys {
        let taken = shared.change_without_time(|ledger, effects| {
            ledger.take_job(key, Poller::Helper(current), effects)
        });
        if let Take::Job(job) = taken {
            any_ended |= matches!(job.poll(shared, cx), Driven::Settled(_));
        }
    }
    any_ended
}

/// The waker of a job that several can drive.
struct SharedJobWaker<M: Manager> {
    shared: Weak<Shared<M>>,
    key: JobKey,
}

impl<M: Manager> Wake for SharedJobWaker<M> {
    fn wake(self: Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            // A runtime's timer may call this, and it is no place for an observer.
            shared.change_untold(|ledger, effects| {
                ledger.wake_for_job(self.key, effects);
            });
        }
    }
}
