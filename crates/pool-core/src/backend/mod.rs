//! The manager, the clock and the settings of a pool, and what the pool keeps: its entries.
//!
//! A [`Backend`] is apart from the pool's shared state, so that a future that is stored in the ledger does not keep the
//! ledger alive.

mod deadline;
mod limits;
mod steps;

use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use self::limits::Limits;
use crate::config::{Config, ConfigError};
use crate::error::{Error, FailureReason};
use crate::extensions::Extensions;
use crate::interceptor::Interceptors;
use crate::ledger::{
    ConnectionKey, Judgement, LedgerEntry, LedgerFailure, LedgerTypes, Marks, Outcome, StepReport,
};
use crate::panics::{catch_panic, ignore_panic};
use crate::{BoxFuture, CloseReason, ConnectionInfo, ErrorClass, Manager, Runtime, Verdict};

/// The ledger's types for the pool of a manager.
pub(crate) struct PoolTypes<M>(PhantomData<M>);

impl<M: Manager> LedgerTypes for PoolTypes<M> {
    type Entry = Box<Entry<M::Connection>>;
    type Future = BoxFuture<'static, (Outcome<PoolTypes<M>>, StepReport)>;
    /// It is boxed, because what a step has led to is moved a few times, and seldom is a failure.
    type Failure = Box<Error<M::Error>>;
}

impl<E> LedgerFailure for Box<Error<E>> {
    fn as_refusal(&self, pool: &Arc<str>, class: ErrorClass, retry_after: Duration) -> Self {
        Self::new(Error::BreakerOpen {
            pool: Arc::clone(pool),
            class,
            last_connect: self.connect(),
            retry_after,
        })
    }
    fn reason(&self) -> FailureReason {
        self.failure_reason()
    }
}

/// A connection and what the pool knows of it. It is boxed once, so that a large connection never moves.
pub(crate) struct Entry<C> {
    pub(crate) conn: C,
    pub(crate) key: ConnectionKey,
    pub(crate) connected_at: Instant,
    /// When it came back; `None`: after the last tick of the idle clock.
    pub(crate) idle_since: Option<Instant>,
    /// How long its manager lets it be idle.
    idle_limit: Option<Duration>,
    pub(crate) uses: u64,
    /// The next check or recycle calls the manager, not only the interceptors.
    calls_manager: bool,
    /// The next check calls the interceptors, not only the manager.
    calls_interceptors: bool,
    marks: Marks,
    /// It was opened for the waiters. It is new until it is handed out.
    was_opened_for_waiters: bool,
    pub(crate) extensions: Extensions,
}

impl<C> Entry<C> {
    /// What a user is told of the connection, which has been idle for so long.
    pub(crate) fn info(&self, now: Instant, idle_for: Duration) -> ConnectionInfo {
        let age = now.saturating_duration_since(self.connected_at);
        ConnectionInfo {
            id: self.key.id,
            age,
            // Where nobody knows it, it counts as longer than it can be.
            idle_for: idle_for.min(age),
            uses: self.uses,
        }
    }
}

impl<C> LedgerEntry for Box<Entry<C>> {
    fn key(&self) -> ConnectionKey {
        self.key
    }
    fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }
    fn set_idle_since(&mut self, since: Option<Instant>) {
        self.idle_since = since;
    }
    fn idle_limit(&self) -> Option<Duration> {
        self.idle_limit
    }
    fn set_calls_manager(&mut self, calls_manager: bool) {
        self.calls_manager = calls_manager;
    }
    fn set_calls_interceptors(&mut self, calls_interceptors: bool) {
        self.calls_interceptors = calls_interceptors;
    }
    fn marks(&self) -> &Marks {
        &self.marks
    }
    fn marks_mut(&mut self) -> &mut Marks {
        &mut self.marks
    }
    fn connected_at(&self) -> Option<Instant> {
        Some(self.connected_at)
    }
    fn uses(&self) -> u64 {
        self.uses
    }
    fn set_new(&mut self, is_new: bool) {
        self.was_opened_for_waiters = is_new;
    }
    fn is_new(&self) -> bool {
        self.was_opened_for_waiters && self.uses == 0
    }
}

pub(crate) struct Backend<M: Manager> {
    pub(crate) manager: M,
    pub(crate) interceptors: Interceptors<M>,
    pub(crate) runtime: Arc<dyn Runtime>,
    /// The settings that the pool was built with. Those that [`limits`](Self::limits) or the ledger has can change.
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    /// The runtime's clock is the real one.
    ///
    /// The built-in timer then keeps the pool's time, so that deadlines strike also where nobody drives the runtime.
    is_real_time: bool,
}

impl<M: Manager> Backend<M> {
    pub(crate) fn new(
        manager: M,
        runtime: Arc<dyn Runtime>,
        config: Config,
        interceptors: Interceptors<M>,
    ) -> Self {
        Self {
            is_real_time: runtime.is_real_time(),
            manager,
            interceptors,
            runtime,
            limits: Limits::new(&config),
            config,
        }
    }

    /// Whether the built-in timer keeps the pool's time.
    pub(crate) fn uses_thread_timer(&self) -> bool {
        cfg!(feature = "timer") && self.is_real_time
    }

    /// A future that completes at the given instant.
    ///
    /// # Errors
    ///
    /// What to tell the user: there is no timer that could keep this.
    pub(crate) fn sleep_until(&self, at: Instant) -> Result<BoxFuture<'static, ()>, String> {
        #[cfg(feature = "timer")]
        if self.is_real_time {
            crate::ThreadTimer::start()?;
            return Ok(crate::ThreadTimer::new().sleep_until(at));
        }
        catch_panic(|| self.runtime.sleep_until(at)).map_err(timer_panicked)
    }

    /// Whether the pool's timer can strike at this instant.
    ///
    /// # Errors
    ///
    /// What to tell the user: there is no timer that could keep this.
    pub(crate) fn timer_keeps(&self, at: Instant) -> Result<(), String> {
        #[cfg(feature = "timer")]
        if self.is_real_time {
            return crate::ThreadTimer::start();
        }
        // A timer that panics does so now.
        let mut sleep = self.sleep_until(at)?;
        poll_timer(&mut sleep, &mut Context::from_waker(Waker::noop())).map(drop)
    }

    /// Whether the timer can be set again while it strikes.
    pub(crate) fn timer_is_reentrant(&self) -> bool {
        self.uses_thread_timer() || self.runtime.is_reentrant()
    }

    /// The present. To ask a runtime for it costs more than the clock itself.
    pub(crate) fn now(&self) -> Instant {
        if self.is_real_time {
            Instant::now()
        } else {
            // This is asked in every Drop, too: a clock that panics must not lose a connection its place.
            ignore_panic(|| self.runtime.now()).unwrap_or_else(Instant::now)
        }
    }

    /// What becomes of a connection that comes back. Every way back that may take its time asks here.
    ///
    /// # Errors
    ///
    /// The message of the manager's panic.
    pub(crate) fn judge_return(
        &self,
        entry: &mut Entry<M::Connection>,
    ) -> Result<Judgement, String> {
        let verdict = self.verdict(entry)?;
        let verdict = self.verdict_with_interceptors(entry, verdict);
        Ok(self.judgement(entry, verdict))
    }

    /// What the manager wants done with a connection that comes back.
    ///
    /// # Errors
    ///
    /// The message of its panic.
    #[inline]
    pub(crate) fn verdict(&self, entry: &mut Entry<M::Connection>) -> Result<Verdict, String> {
        catch_panic(|| self.manager.on_release(&mut entry.conn))
    }

    /// What becomes of a connection with this verdict where interceptors want every connection that comes back: one that
    /// needs no recycle goes the way of a recycle, in which only they are called.
    pub(crate) fn verdict_with_interceptors(
        &self,
        entry: &mut Entry<M::Connection>,
        verdict: Verdict,
    ) -> Verdict {
        entry.calls_manager = true;
        if verdict == Verdict::Reuse && self.interceptors.want_after_release() {
            entry.calls_manager = false;
            return Verdict::Recycle;
        }
        verdict
    }

    /// What the verdict of its manager means for a connection that comes back.
    pub(crate) fn judgement(&self, entry: &Entry<M::Connection>, verdict: Verdict) -> Judgement {
        if verdict != Verdict::Discard {
            return Judgement::of(verdict, CloseReason::PoolClosed);
        }
        let words = ignore_panic(|| self.manager.discard_reason(&entry.conn)).flatten();
        let words = words.unwrap_or("its manager did not want it back".into());
        Judgement {
            is_lost: ignore_panic(|| self.manager.is_lost(&entry.conn)) == Some(true),
            ..Judgement::of(verdict, CloseReason::Broken(words))
        }
    }
}

/// Polls a future of [`Backend::sleep_until`].
///
/// # Errors
///
/// What to tell the user: the timer panicked.
pub(crate) fn poll_timer(
    sleep: &mut BoxFuture<'static, ()>,
    cx: &mut Context<'_>,
) -> Result<Poll<()>, String> {
    catch_panic(|| sleep.as_mut().poll(cx)).map_err(timer_panicked)
}

fn timer_panicked(message: String) -> String {
    format!("the runtime's timer panicked: {message}")
}

/// A time-out that nothing can keep.
pub(crate) fn no_timer<E>(field: &'static str, reason: String) -> Error<E> {
    Error::Config(ConfigError::new(field, reason))
}
