//! The four steps of a connection's life as futures. Each calls one method of the manager, and the interceptors around it,
//! under its own deadline, and contains their panics. They use the ledger's types, never the ledger.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deadline::StepFailure;
use super::{Backend, Entry, PoolTypes};
use crate::error::{Error, Phase};
use crate::extensions::Extensions;
use crate::ledger::{
    ConnectionKey, Kind, LedgerTypes, Marks, Outcome, SharedError, StepReport, Work,
};
use crate::panics::{DROP_PANICKED, catch_panic, ignore_panic};
use crate::{AbortHandle, ConnectionInfo, ErrorClass, Manager};

type EntryOf<M> = <PoolTypes<M> as LedgerTypes>::Entry;
type FutureOf<M> = <PoolTypes<M> as LedgerTypes>::Future;
/// How a step has ended, and what there is to tell of it.
type Ended<M> = (Outcome<PoolTypes<M>>, StepReport);

/// The number of a connection that is none of the pool's.
const OUTSIDE: u64 = 0;

/// How far a step is that calls the manager and then the interceptors.
struct Progress {
    /// In a pool that measures.
    began: Option<Instant>,
    /// The manager is called. Otherwise only the interceptors are.
    is_of_manager: bool,
    manager_is_done: bool,
    /// How long the manager took.
    took: Option<Duration>,
}

impl Progress {
    fn begin<C>(entry: &mut Entry<C>, began: Option<Instant>) -> Self {
        Self {
            began,
            is_of_manager: std::mem::replace(&mut entry.calls_manager, true),
            manager_is_done: false,
            took: None,
        }
    }

    fn manager_is_done(&mut self, took: Option<Duration>) {
        self.manager_is_done = true;
        self.took = took;
    }
}

impl<M: Manager> Backend<M> {
    /// The future of a step, from where the work is.
    pub(crate) fn job(
        self: &Arc<Self>,
        kind: Kind,
        connection: Option<ConnectionKey>,
        work: Work<EntryOf<M>, FutureOf<M>>,
        limit: Option<Duration>,
    ) -> FutureOf<M> {
        let backend = Arc::clone(self);
        match (work, kind) {
            (Work::Parked(job), _) => job,
            (Work::Fresh(None), _) => {
                let key = connection.expect("a connect that begins has a number");
                Box::pin(async move { backend.connect(key, limit).await })
            }
            (Work::Fresh(Some(entry)), Kind::Check) => {
                Box::pin(async move { backend.check(entry, limit).await })
            }
            (Work::Fresh(Some(entry)), Kind::Recycle) => {
                Box::pin(async move { backend.recycle(entry, limit).await })
            }
            (Work::Fresh(Some(entry)), _) => {
                Box::pin(async move { backend.close(entry, limit).await })
            }
            (Work::Polled, _) => unreachable!("a job is polled by one caller at a time"),
        }
    }

    async fn connect(&self, key: ConnectionKey, limit: Option<Duration>) -> Ended<M> {
        let began = self.now();
        // The manager is called inside the future, so that a panic before its first await is contained too.
        let mut connected_at = None;
        let connect = self.connect_intercepted(key.id, &mut connected_at);
        let connect = crate::spans::within(Phase::Connect, &self.config.name, key.id, connect);
        let result = {
            let mut connect = pin!(Some(connect));
            let polled = poll_fn(|cx| match connect.as_mut().as_pin_mut() {
                Some(connect) => connect.poll(cx),
                None => unreachable!("it is dropped after its last poll"),
            });
            let result = self.within(limit, self.keeps_deadlines(), polled).await;
            // Here, so that it is known how long a connect took whose drop panics.
            match catch_panic(|| connect.set(None)) {
                Ok(()) => result,
                Err(_) => {
                    ignore_panic(|| drop(result));
                    Err(StepFailure::Panicked(DROP_PANICKED.to_owned()))
                }
            }
        };
        let now = self.now();
        let took = Some(now.saturating_duration_since(began));
        let failure = match result {
            Ok(conn) => {
                let connected_at = connected_at.unwrap_or(now);
                let outcome = self.connected(conn, key, connected_at, now);
                return (outcome, StepReport::of_success(took));
            }
            Err(failure) => failure,
        };
        let class = match &failure {
            StepFailure::Error(error) => ignore_panic(|| self.manager.classify(error)),
            _ => None,
        };
        let class = class.unwrap_or(ErrorClass::Transient);
        // A panic is a mistake in a program: to try again only hides it.
        let may_repeat = matches!(failure, StepFailure::Error(_) | StepFailure::TimedOut(_));
        let failure = failure.into_error(Phase::Connect, |error| Error::Connect(Arc::new(error)));
        let report = StepReport {
            took,
            error: Some(shared(&failure)),
            class,
            is_of_manager: true,
            refusal: None,
        };
        let outcome = Outcome::NotConnected {
            failure: Box::new(failure),
            class,
            may_repeat,
        };
        (outcome, report)
    }

    /// Opens a connection, and calls the interceptors before and after.
    ///
    /// Where there are any, it notes when the manager was done.
    async fn connect_intercepted(
        &self,
        id: u64,
        connected_at: &mut Option<Instant>,
    ) -> Result<M::Connection, M::Error> {
        self.interceptors.before_connect().await?;
        let mut conn = self.manager.connect().await?;
        if !self.interceptors.is_empty() {
            *connected_at = Some(self.now());
            let info = ConnectionInfo {
                id,
                age: Duration::ZERO,
                idle_for: Duration::ZERO,
                uses: 0,
            };
            self.interceptors.after_connect(&mut conn, &info).await?;
        }
        Ok(conn)
    }

    /// Opens a connection that is none of the pool's.
    pub(crate) async fn connect_apart(&self) -> Result<M::Connection, Error<M::Error>> {
        let mut connected_at = None;
        let connect = self.connect_intercepted(OUTSIDE, &mut connected_at);
        let limit = self.limits.connect.get();
        let result = self.within(limit, false, connect).await;
        let own = |error| Error::Connect(Arc::new(error));
        result.map_err(|failure| failure.into_error(Phase::Connect, own))
    }

    fn connected(
        &self,
        conn: M::Connection,
        key: ConnectionKey,
        connected_at: Instant,
        now: Instant,
    ) -> Outcome<PoolTypes<M>> {
        let (entry, abort) = self.entry(conn, key, connected_at, now);
        Outcome::Ready(entry, abort)
    }

    /// A connection that the pool is to keep, and how to abort it.
    pub(crate) fn entry(
        &self,
        conn: M::Connection,
        key: ConnectionKey,
        connected_at: Instant,
        now: Instant,
    ) -> (EntryOf<M>, Option<AbortHandle>) {
        let idle_limit = ignore_panic(|| self.manager.idle_limit(&conn)).flatten();
        let entry = Box::new(Entry {
            conn,
            key,
            connected_at,
            idle_since: Some(now),
            idle_limit,
            uses: 0,
            calls_manager: true,
            calls_interceptors: true,
            marks: Marks::default(),
            was_opened_for_waiters: false,
            extensions: Extensions::default(),
        });
        let abort = ignore_panic(|| self.manager.abort_handle(&entry.conn)).flatten();
        (entry, abort)
    }

    async fn check(&self, mut entry: EntryOf<M>, limit: Option<Duration>) -> Ended<M> {
        let id = entry.key.id;
        let mut progress = Progress::begin(&mut entry, self.began());
        let calls_interceptors = std::mem::replace(&mut entry.calls_interceptors, true);
        // Pinned here: each call that it was moved through would keep room for it in the future of the job.
        let check = async {
            if progress.is_of_manager {
                self.manager.check(&mut entry.conn).await?;
                progress.manager_is_done(self.took(progress.began));
            }
            match self.info(&entry).filter(|_| calls_interceptors) {
                Some(info) => {
                    self.interceptors
                        .before_acquire(&mut entry.conn, &info)
                        .await
                }
                None => Ok(()),
            }
        };
        let result = {
            let check = crate::spans::within(Phase::Check, &self.config.name, id, check);
            let check = pin!(check);
            self.within(limit, self.keeps_deadlines(), check).await
        };
        self.ended(entry, Phase::Check, progress, result)
    }

    async fn recycle(&self, mut entry: EntryOf<M>, limit: Option<Duration>) -> Ended<M> {
        let id = entry.key.id;
        let mut progress = Progress::begin(&mut entry, self.began());
        let recycle = async {
            if progress.is_of_manager {
                self.manager.recycle(&mut entry.conn).await?;
                progress.manager_is_done(self.took(progress.began));
            }
            match self.info(&entry) {
                Some(info) => {
                    self.interceptors
                        .after_release(&mut entry.conn, &info)
                        .await
                }
                None => Ok(()),
            }
        };
        let result = {
            let recycle = crate::spans::within(Phase::Recycle, &self.config.name, id, recycle);
            let recycle = pin!(recycle);
            self.within(limit, self.keeps_deadlines(), recycle).await
        };
        self.ended(entry, Phase::Recycle, progress, result)
    }

    async fn close(&self, entry: EntryOf<M>, limit: Option<Duration>) -> Ended<M> {
        let info = self.info(&entry);
        let (mut conn, key) = (entry.conn, entry.key);
        let mut report = StepReport::of_success(None);
        let close = async {
            if let Some(info) = &info {
                let asked = self.interceptors.before_close(&mut conn, info).await;
                report.error = asked.err().map(|error| Arc::new(error) as SharedError);
            }
            self.manager.close(conn).await;
            Ok::<(), M::Error>(())
        };
        let result = {
            let close = crate::spans::within(Phase::Close, &self.config.name, key.id, close);
            let close = pin!(close);
            self.within(limit, self.keeps_deadlines(), close).await
        };
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

    /// How long a step took that began at this instant.
    fn took(&self, began: Option<Instant>) -> Option<Duration> {
        began.map(|began| self.now().saturating_duration_since(began))
    }

    /// What the interceptors are told of a connection, if there are any.
    fn info(&self, entry: &Entry<M::Connection>) -> Option<ConnectionInfo> {
        (!self.interceptors.is_empty()).then(|| {
            let now = self.now();
            let idle_since = entry.idle_since.unwrap_or(now);
            entry.info(now, now.saturating_duration_since(idle_since))
        })
    }

    /// What the end of a check or a recycle means for its connection.
    fn ended(
        &self,
        entry: EntryOf<M>,
        phase: Phase,
        progress: Progress,
        result: Result<(), StepFailure<M::Error>>,
    ) -> Ended<M> {
        let is_of_manager = progress.is_of_manager && !progress.manager_is_done;
        let took = match is_of_manager {
            true => self.took(progress.began),
            false => progress.took,
        };
        let mut report = StepReport::of_success(took);
        report.is_of_manager = progress.is_of_manager;
        let failure = match result {
            Ok(()) => return (Outcome::Ready(entry, None), report),
            Err(failure) => failure,
        };
        // After a panic or a time-out nobody knows what the connection would answer.
        let can_close = matches!(failure, StepFailure::Error(_));
        let failure = failure.into_error(phase, |own| match phase {
            // Only a ping hears of a failed check. Elsewhere the next connection is tried.
            Phase::Check => Error::Check(Arc::new(own)),
            _ => Error::Recycle(Arc::new(own)),
        });
        let error = Some(shared(&failure));
        match is_of_manager {
            true => report.error = error,
            false => report.refusal = error,
        }
        let outcome = Outcome::Broken {
            entry,
            failure: Box::new(failure),
            can_close,
        };
        (outcome, report)
    }
}

/// A failure of a step as it is told to observers: the manager's own error where there is one.
fn shared<E: std::error::Error + Send + Sync + 'static>(failure: &Error<E>) -> SharedError {
    match failure {
        Error::Connect(own) | Error::Recycle(own) | Error::Check(own) => {
            Arc::clone(own) as SharedError
        }
        other => Arc::new(other.clone()),
    }
}
