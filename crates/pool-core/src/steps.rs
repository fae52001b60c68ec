//! The four steps of a connection's life as futures: each calls one method of the manager, under its own deadline, and
//! survives its panics. They know nothing of the pool's books.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::entry::Entry;
use crate::error::{Error, Phase};
use crate::jobs::{Kind, Work};
use crate::ledger::{Outcome, Stock};
use crate::{BoxFuture, ErrorClass, Manager, Runtime, Status};

/// The real stock of the books.
pub(crate) struct Goods<M>(std::marker::PhantomData<M>);

impl<M: Manager> Stock for Goods<M> {
    type Entry = Box<Entry<M::Connection>>;
    type Job = BoxFuture<'static, Outcome<Goods<M>>>;
    type Failure = Error<M::Error>;
}

/// What the steps need: the manager, the clock and the deadlines.
///
/// It is apart from the pool's shared state, so that a future that lies in the books does not keep the books alive.
pub(crate) struct Backend<M> {
    pub(crate) manager: M,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) config: Config,
    next_id: AtomicU64,
    /// Whether the runtime's clock is the real one.
    ///
    /// The built-in timer then keeps the pool's time, so that deadlines strike also where nobody drives the runtime.
    real_time: bool,
}

/// How a limited future ended.
enum Ended<T> {
    Done(T),
    TimedOut(Duration),
    Panicked(String),
}

impl<M: Manager> Backend<M> {
    pub(crate) fn new(manager: M, runtime: Arc<dyn Runtime>, config: Config) -> Self {
        Self {
            real_time: runtime.is_real_time(),
            manager,
            runtime,
            config,
            next_id: AtomicU64::new(1),
        }
    }

    /// Completes at the given instant.
    pub(crate) fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        #[cfg(feature = "timer")]
        if self.real_time {
            return crate::ThreadTimer::new().sleep_until(at);
        }
        self.runtime.sleep_until(at)
    }

    /// Whether the timer can be set again while it strikes.
    pub(crate) fn timer_is_reentrant(&self) -> bool {
        (cfg!(feature = "timer") && self.real_time) || self.runtime.is_reentrant()
    }

    /// The present; asking a runtime for it costs more than the clock itself.
    pub(crate) fn now(&self) -> Instant {
        if self.real_time {
            Instant::now()
        } else {
            self.runtime.now()
        }
    }

    /// The future of a step, from where the work stands.
    pub(crate) fn job(
        self: &Arc<Self>,
        kind: Kind,
        work: Work<<Goods<M> as Stock>::Entry, <Goods<M> as Stock>::Job>,
    ) -> <Goods<M> as Stock>::Job {
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
            (Work::Polled, _) => unreachable!("work is taken by one at a time"),
        }
    }

    async fn connect(&self) -> Outcome<Goods<M>> {
        let limit = self.config.connect_timeout;
        // The manager is called inside the future, so that a panic before its first await is caught as well.
        let connect = async { self.manager.connect().await };
        let (failure, class) = match self.limited(limit, connect).await {
            Ended::Done(Ok(conn)) => return self.connected(conn),
            Ended::Done(Err(error)) => {
                let class = quietly(|| self.manager.classify(&error));
                (Error::Connect(Arc::new(error)), class)
            }
            Ended::TimedOut(after) => (timeout(Phase::Connect, after), None),
            Ended::Panicked(message) => (panicked(Phase::Connect, message), None),
        };
        Outcome::Failed {
            entry: None,
            failure,
            goodbye: false,
            hopeless: matches!(
                class,
                Some(ErrorClass::Auth | ErrorClass::Config | ErrorClass::Fatal)
            ),
        }
    }

    fn connected(&self, conn: M::Connection) -> Outcome<Goods<M>> {
        let now = self.now();
        let idle_limit = quietly(|| self.manager.idle_limit(&conn)).flatten();
        let entry = Box::new(Entry {
            conn,
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            born: now,
            idle_since: Some(now),
            idle_limit,
            uses: 0,
        });
        let abort = quietly(|| self.manager.abort_handle(&entry.conn)).flatten();
        Outcome::Ready(entry, abort)
    }

    async fn check(&self, mut entry: Box<Entry<M::Connection>>) -> Outcome<Goods<M>> {
        let limit = self.config.check_timeout;
        let check = async { self.manager.check(&mut entry.conn).await };
        match self.limited(limit, check).await {
            Ended::Done(Ok(())) => Outcome::Ready(entry, None),
            // Nobody hears of a failed check: the next connection is tried.
            Ended::Done(Err(_)) => failed(entry, Error::Discarded, true),
            Ended::TimedOut(after) => failed(entry, timeout(Phase::Check, after), false),
            Ended::Panicked(message) => failed(entry, panicked(Phase::Check, message), false),
        }
    }

    async fn recycle(&self, mut entry: Box<Entry<M::Connection>>) -> Outcome<Goods<M>> {
        let limit = self.config.recycle_timeout;
        let recycle = async { self.manager.recycle(&mut entry.conn).await };
        match self.limited(limit, recycle).await {
            Ended::Done(Ok(())) => Outcome::Ready(entry, None),
            Ended::Done(Err(error)) => failed(entry, Error::Recycle(Arc::new(error)), true),
            Ended::TimedOut(after) => failed(entry, timeout(Phase::Recycle, after), false),
            Ended::Panicked(message) => failed(entry, panicked(Phase::Recycle, message), false),
        }
    }

    async fn close(&self, entry: Box<Entry<M::Connection>>) -> Outcome<Goods<M>> {
        let limit = self.config.close_timeout;
        let conn = entry.conn;
        let close = async { self.manager.close(conn).await };
        // A goodbye that failed is a goodbye: the connection was dropped with it.
        let _ = self.limited(limit, close).await;
        Outcome::Gone
    }

    /// Polls a future until it is done, panics or has taken too long; the time starts with its first wait.
    async fn limited<T>(
        &self,
        limit: Option<Duration>,
        future: impl Future<Output = T> + Send,
    ) -> Ended<T> {
        let mut future = pin!(future);
        let mut sleep = None;
        poll_fn(|cx| {
            match caught(|| future.as_mut().poll(cx)) {
                Ok(Poll::Ready(output)) => return Poll::Ready(Ended::Done(output)),
                Err(words) => return Poll::Ready(Ended::Panicked(words)),
                Ok(Poll::Pending) => {}
            }
            let Some(limit) = limit else {
                return Poll::Pending;
            };
            let sleep = sleep.get_or_insert_with(|| match self.now().checked_add(limit) {
                Some(at) => self.sleep_until(at),
                None => Box::pin(std::future::pending()),
            });
            sleep.as_mut().poll(cx).map(|()| Ended::TimedOut(limit))
        })
        .await
    }
}

fn failed<M: Manager>(
    entry: Box<Entry<M::Connection>>,
    failure: Error<M::Error>,
    goodbye: bool,
) -> Outcome<Goods<M>> {
    Outcome::Failed {
        entry: Some(entry),
        failure,
        goodbye,
        hopeless: false,
    }
}

fn timeout<E>(phase: Phase, after: Duration) -> Error<E> {
    Error::Timeout {
        phase,
        after,
        status: Status::default(),
        last_connect: None,
    }
}

fn panicked<E>(phase: Phase, message: String) -> Error<E> {
    Error::Panicked { phase, message }
}

/// The words of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without a message".to_owned(),
    }
}

/// Calls foreign code that must not stop us; `None` if it panicked.
pub(crate) fn quietly<T>(call: impl FnOnce() -> T) -> Option<T> {
    caught(call).ok()
}

/// Calls foreign code that must not stop us.
///
/// # Errors
///
/// The words of its panic.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let words = message(&*panic);
        // Even dropping the panic's payload is foreign code.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
        words
    })
}
