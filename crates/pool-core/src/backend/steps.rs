//! The four steps of a connection's life as futures. Each calls one method of the manager, under its own deadline, and
//! contains its panics. They use the ledger's types, never the ledger.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::{Backend, Entry, PoolTypes, no_timer, poll_timer};
use crate::error::{Error, Phase};
use crate::extensions::Extensions;
use crate::ledger::{ConnectionKey, Kind, LedgerTypes, Outcome, SharedError, StepReport, Work};
use crate::panics::{catch_panic, ignore_panic};
use crate::{AbortHandle, ErrorClass, Manager, Status};

type EntryOf<M> = <PoolTypes<M> as LedgerTypes>::Entry;
type FutureOf<M> = <PoolTypes<M> as LedgerTypes>::Future;
/// How a step has ended, and what there is to tell of it.
type Ended<M> = (Outcome<PoolTypes<M>>, StepReport);

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
        connection: Option<ConnectionKey>,
        work: Work<EntryOf<M>, FutureOf<M>>,
    ) -> FutureOf<M> {
        let backend = Arc::clone(self);
        match (work, kind) {
            (Work::Parked(job), _) => job,
            (Work::Fresh(None), _) => {
                let key = connection.expect("a connect that begins has a number");
                Box::pin(async move { backend.connect(key).await })
            }
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

    async fn connect(&self, key: ConnectionKey) -> Ended<M> {
        let began = self.now();
        // The manager is called inside the future, so that a panic before its first await is contained too.
        let connect = async { self.manager.connect().await };
        let connect = crate::spans::within(Phase::Connect, &self.config.name, key.id, connect);
        let result = self.within(self.limits.connect.get(), connect).await;
        let now = self.now();
        let took = Some(now.saturating_duration_since(began));
        let failure = match result {
            Ok(conn) => return (self.connected(conn, key, now), StepReport::of_success(took)),
            Err(failure) => failure,
        };
        let class = match &failure {
            StepFailure::Error(error) => ignore_panic(|| self.manager.classify(error)),
            _ => None,
        };
        let class = class.unwrap_or(ErrorClass::Transient);
        let failure = failure.into_error(Phase::Connect, |error| Error::Connect(Arc::new(error)));
        let report = StepReport {
            took,
            error: Some(shared(&failure)),
            class,
        };
        let outcome = Outcome::NotConnected { failure, class };
        (outcome, report)
    }

    /// Opens a connection that is none of the pool's.
    pub(crate) async fn connect_apart(&self) -> Result<M::Connection, Error<M::Error>> {
        let connect = async { self.manager.connect().await };
        let result = self.within(self.limits.connect.get(), connect).await;
        let own = |error| Error::Connect(Arc::new(error));
        result.map_err(|failure| failure.into_error(Phase::Connect, own))
    }

    fn connected(
        &self,
        conn: M::Connection,
        key: ConnectionKey,
        now: Instant,
    ) -> Outcome<PoolTypes<M>> {
        let (entry, abort) = self.entry(conn, key, now);
        Outcome::Ready(entry, abort)
    }

    /// A connection that the pool is to keep, and how to abort it.
    pub(crate) fn entry(
        &self,
        conn: M::Connection,
        key: ConnectionKey,
        now: Instant,
    ) -> (EntryOf<M>, Option<AbortHandle>) {
        let idle_limit = ignore_panic(|| self.manager.idle_limit(&conn)).flatten();
        let entry = Box::new(Entry {
            conn,
            key,
            connected_at: now,
            idle_since: Some(now),
            idle_limit,
            uses: 0,
            extensions: Extensions::default(),
        });
        let abort = ignore_panic(|| self.manager.abort_handle(&entry.conn)).flatten();
        (entry, abort)
    }

    async fn check(&self, mut entry: EntryOf<M>) -> Ended<M> {
        let (began, key) = (self.began(), entry.key);
        let check = async { self.manager.check(&mut entry.conn).await };
        let check = crate::spans::within(Phase::Check, &self.config.name, key.id, check);
        let result = self.within(self.limits.check.get(), check).await;
        self.ended(entry, Phase::Check, began, result)
    }

    /// Checks a connection that somebody holds. `true` beside the error: it may still be spoken to.
    pub(crate) async fn check_held(
        &self,
        entry: &mut Entry<M::Connection>,
    ) -> Result<(), (Error<M::Error>, bool)> {
        let id = entry.key.id;
        let check = async { self.manager.check(&mut entry.conn).await };
        let check = crate::spans::within(Phase::Check, &self.config.name, id, check);
        let result = self.within(self.limits.check.get(), check).await;
        result.map_err(|failure| {
            let can_close = matches!(failure, StepFailure::Error(_));
            let error = failure.into_error(Phase::Check, |own| Error::Check(Arc::new(own)));
            (error, can_close)
        })
    }

    async fn recycle(&self, mut entry: EntryOf<M>) -> Ended<M> {
        let (began, key) = (self.began(), entry.key);
        let recycle = async { self.manager.recycle(&mut entry.conn).await };
        let recycle = crate::spans::within(Phase::Recycle, &self.config.name, key.id, recycle);
        let result = self.within(self.limits.recycle.get(), recycle).await;
        self.ended(entry, Phase::Recycle, began, result)
    }

    async fn close(&self, entry: EntryOf<M>) -> Ended<M> {
        let (conn, key) = (entry.conn, entry.key);
        let close = async {
            self.manager.close(conn).await;
            Ok::<(), M::Error>(())
        };
        let close = crate::spans::within(Phase::Close, &self.config.name, key.id, close);
        let result = self.within(self.limits.close.get(), close).await;
        let mut report = StepReport::of_success(None);
        // Where the close failed, the connection was dropped with its future.
        if let Err(failure) = result {
            let failure = failure.into_error(Phase::Close, |error| Error::Connect(Arc::new(error)));
            report.error = Some(shared(&failure));
        }
        (Outcome::Gone, report)
    }

    /// When a step begins, in a pool that measures.
    fn began(&self) -> Option<Instant> {
        self.config.measures().then(|| self.now())
    }

    /// What the end of a check or a recycle means for its connection.
    fn ended(
        &self,
        entry: EntryOf<M>,
        phase: Phase,
        began: Option<Instant>,
        result: Result<(), StepFailure<M::Error>>,
    ) -> Ended<M> {
        let took = began.map(|began| self.now().saturating_duration_since(began));
        let failure = match result {
            Ok(()) => return (Outcome::Ready(entry, None), StepReport::of_success(took)),
            Err(failure) => failure,
        };
        // After a panic or a time-out nobody knows what the connection would answer.
        let can_close = matches!(failure, StepFailure::Error(_));
        let (failure, error) = match (failure, phase) {
            // No caller hears of a failed check: the next connection is tried.
            (StepFailure::Error(own), Phase::Check) => {
                (Error::Discarded, Arc::new(own) as SharedError)
            }
            (StepFailure::Error(own), _) => {
                let own = Arc::new(own);
                (Error::Recycle(Arc::clone(&own)), own as SharedError)
            }
            (failure, _) => {
                let failure = failure.into_error(phase, |own| Error::Recycle(Arc::new(own)));
                let error = shared(&failure);
                (failure, error)
            }
        };
        let report = StepReport {
            took,
            error: Some(error),
            class: ErrorClass::Transient,
        };
        let outcome = Outcome::Broken {
            entry,
            failure,
            can_close,
        };
        (outcome, report)
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
                report: Box::default(),
            },
            Self::Panicked(message) => Error::Panicked { phase, message },
            Self::NoTimer(why) => no_timer(phase.timeout_field(), why),
        }
    }
}

/// A failure of a step as it is told to observers: the manager's own error where there is one.
fn shared<E: std::error::Error + Send + Sync + 'static>(failure: &Error<E>) -> SharedError {
    match failure {
        Error::Connect(own) | Error::Recycle(own) => Arc::clone(own) as SharedError,
        other => Arc::new(other.clone()),
    }
}
