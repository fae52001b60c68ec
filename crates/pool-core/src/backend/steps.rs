//! The four steps of a connection's life as futures. Each calls one method of the manager, under its own deadline, and
//! contains its panics. They use the ledger's types, never the ledger.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use super::{Backend, Entry, PoolTypes, no_timer, poll_timer};
use crate::error::{Error, Phase};
use crate::ledger::{Kind, LedgerTypes, Outcome, Work};
use crate::panics::{catch_panic, ignore_panic};
use crate::{ErrorClass, Manager, Status};

type EntryOf<M> = <PoolTypes<M> as LedgerTypes>::Entry;
type FutureOf<M> = <PoolTypes<M> as LedgerTypes>::Future;

/// How a step under a deadline failed.
enum StepFailure<E> {
    Error(E),
    TimedOut(Duration),
    Panicked(String),
    /// No timer can keep the deadline, and why.
    NoTimer(String),
}

impl<M: Manager> Backend<M> {
    /// The future of a step, from where the work is.
    pub(crate) fn job(
        self: &Arc<Self>,
        kind: Kind,
        work: Work<EntryOf<M>, FutureOf<M>>,
    ) -> FutureOf<M> {
        let backend = Arc::clone(self);
        match (work, kind) {
            (Work::Parked(job), _) => job,
            (Work::Fresh(None), _) => Box::pin(async move { backend.connect().await }),
            (Work::Fresh(Some(entry)), Kind::Check) => {
                Box::pin(async move { backend.check(entry).await })
            }
            (Work::Fresh(Some(entry)), Kind::Recycle) => {
                Box::pin(async move { backend.recycle(entry).await })
            }
            (Work::Fresh(Some(entry)), _) => Box::pin(async move { backend.close(entry).await }),
            (Work::Polled, _) => unreachable!("a job is polled by one caller at a time"),
        }
    }

    async fn connect(&self) -> Outcome<PoolTypes<M>> {
        // The manager is called inside the future, so that a panic before its first await is contained too.
        let connect = async { self.manager.connect().await };
        let failure = match self.within(self.config.connect_timeout, connect).await {
            Ok(conn) => return self.connected(conn),
            Err(failure) => failure,
        };
        let class = match &failure {
            StepFailure::Error(error) => ignore_panic(|| self.manager.classify(error)),
            _ => None,
        };
        Outcome::NotConnected {
            failure: failure.into_error(Phase::Connect, |error| Error::Connect(Arc::new(error))),
            hopeless: matches!(
                class,
                Some(ErrorClass::Auth | ErrorClass::Config | ErrorClass::Fatal)
            ),
        }
    }

    fn connected(&self, conn: M::Connection) -> Outcome<PoolTypes<M>> {
        let now = self.now();
        let idle_limit = ignore_panic(|| self.manager.idle_limit(&conn)).flatten();
        let entry = Box::new(Entry {
            conn,
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            connected_at: now,
            idle_since: Some(now),
            idle_limit,
            uses: 0,
        });
        let abort = ignore_panic(|| self.manager.abort_handle(&entry.conn)).flatten();
        Outcome::Ready(entry, abort)
    }

    async fn check(&self, mut entry: EntryOf<M>) -> Outcome<PoolTypes<M>> {
        let check = async { self.manager.check(&mut entry.conn).await };
        let result = self.within(self.config.check_timeout, check).await;
        // No caller hears of a failed check: the next connection is tried.
        outcome(entry, Phase::Check, result, |_| Error::Discarded)
    }

    async fn recycle(&self, mut entry: EntryOf<M>) -> Outcome<PoolTypes<M>> {
        let recycle = async { self.manager.recycle(&mut entry.conn).await };
        let result = self.within(self.config.recycle_timeout, recycle).await;
        outcome(entry, Phase::Recycle, result, |error| {
            Error::Recycle(Arc::new(error))
        })
    }

    async fn close(&self, entry: EntryOf<M>) -> Outcome<PoolTypes<M>> {
        let conn = entry.conn;
        let close = async {
            self.manager.close(conn).await;
            Ok::<(), M::Error>(())
        };
        // Where the close failed, the connection was dropped with its future.
        let _ = self.within(self.config.close_timeout, close).await;
        Outcome::Gone
    }

    /// Polls a future until it is done, panics, or has taken too long. The time starts with its first wait.
    async fn within<T>(
        &self,
        limit: Option<Duration>,
        future: impl Future<Output = Result<T, M::Error>> + Send,
    ) -> Result<T, StepFailure<M::Error>> {
        let mut future = pin!(future);
        let mut sleep = None;
        poll_fn(|cx| {
            match catch_panic(|| future.as_mut().poll(cx)) {
                Ok(Poll::Ready(result)) => return Poll::Ready(result.map_err(StepFailure::Error)),
                Err(message) => return Poll::Ready(Err(StepFailure::Panicked(message))),
                Ok(Poll::Pending) => {}
            }
            let Some(limit) = limit else {
                return Poll::Pending;
            };
            if sleep.is_none() {
                // A limit that reaches beyond the clock never strikes.
                let Some(at) = self.now().checked_add(limit) else {
                    return Poll::Pending;
                };
                match self.sleep_until(at) {
                    Ok(new) => sleep = Some(new),
                    Err(why) => return Poll::Ready(Err(StepFailure::NoTimer(why))),
                }
            }
            let sleep = sleep.as_mut().expect("it was made just now");
            match poll_timer(sleep, cx) {
                Ok(struck) => struck.map(|()| Err(StepFailure::TimedOut(limit))),
                Err(why) => Poll::Ready(Err(StepFailure::NoTimer(why))),
            }
        })
        .await
    }
}

impl<E> StepFailure<E> {
    fn into_error(self, phase: Phase, error: impl FnOnce(E) -> Error<E>) -> Error<E> {
        match self {
            Self::Error(own) => error(own),
            Self::TimedOut(after) => Error::Timeout {
                phase,
                after,
                status: Status::default(),
                last_connect: None,
            },
            Self::Panicked(message) => Error::Panicked { phase, message },
            Self::NoTimer(why) => no_timer(phase.timeout_field(), why),
        }
    }
}

/// What a check or a recycle means for its connection.
fn outcome<M: Manager>(
    entry: EntryOf<M>,
    phase: Phase,
    result: Result<(), StepFailure<M::Error>>,
    error: impl FnOnce(M::Error) -> Error<M::Error>,
) -> Outcome<PoolTypes<M>> {
    match result {
        Ok(()) => Outcome::Ready(entry, None),
        Err(failure) => Outcome::Broken {
            entry,
            // After a panic or a time-out nobody knows what the connection would answer.
            can_close: matches!(failure, StepFailure::Error(_)),
            failure: failure.into_error(phase, error),
        },
    }
}
