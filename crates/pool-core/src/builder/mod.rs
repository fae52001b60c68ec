//! How a pool is built: its settings, and the two ways to start.

mod govern;
mod lifetimes;
mod waiting;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Backend;
use crate::config::Config;
use crate::error::Error;
use crate::event::Observer;
use crate::interceptor::Interceptors;
use crate::pool::Pool;
use crate::runtime::{self, NoTimer};
use crate::shared::{Observers, Shared};
use crate::{CheckPolicy, IdleOrder, Manager, Runtime, StartPolicy, fill, upkeep};

/// Collects the settings of a [`Pool`]; made by [`Pool::builder`].
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use std::time::Duration;
/// use pool_core::{IdleOrder, Pool};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers)
///     .minsize(2)
///     .maxsize(20)
///     .pool_recycle(Duration::from_secs(3600))
///     .idle_order(IdleOrder::Lifo)
///     .build()
///     .await?;
/// # drop(pool);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[must_use = "a builder does nothing until build or build_lazy"]
pub struct Builder<M: Manager> {
    manager: M,
    config: Config,
    runtime: Option<Arc<dyn Runtime>>,
    observers: Vec<Arc<dyn Observer>>,
    interceptors: Interceptors<M>,
}

impl<M: Manager> Pool<M> {
    /// Begins to build a pool over a manager.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use pool_core::Pool;
    ///
    /// let pool = Pool::builder(Numbers).maxsize(20).build_lazy()?;
    /// assert_eq!((pool.minsize(), pool.maxsize()), (1, 20));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn builder(manager: M) -> Builder<M> {
        Builder {
            manager,
            config: Config::default(),
            runtime: None,
            observers: Vec::new(),
            interceptors: Interceptors::new(),
        }
    }
}

impl<M: Manager> Builder<M> {
    /// How many connections are opened by [`build`](Builder::build) and kept open; default 1.
    pub fn minsize(mut self, minsize: usize) -> Self {
        self.config.minsize = minsize;
        self
    }

    /// The largest number of connections, including those that are being opened or closed; default 10, 0 means
    /// unlimited.
    pub fn maxsize(mut self, maxsize: usize) -> Self {
        self.config.maxsize = maxsize;
        self
    }

    /// How long a connection may be idle before it is closed instead of handed out; default `None`, without limit.
    ///
    /// The name is aiomysql's. It has nothing to do with [`Manager::recycle`], which cleans a connection.
    ///
    /// The time counts from its last use, as in aiomysql, and not from its connect: a connection that is always in
    /// use lives on. In real time the pool measures idle time in ticks of a quarter of the shortest idle limit
    /// (this one, or [`CheckPolicy::IdleFor`]): a connection may be replaced up to such a quarter early, never late.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder(Numbers).pool_recycle(Duration::from_secs(3600)).build_lazy()?;
    /// # drop(pool);
    /// let never = Pool::builder(Numbers).pool_recycle(None).build_lazy()?;
    /// # drop(never);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn pool_recycle(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.config.pool_recycle = after.into();
        self
    }

    /// How long an acquire may take in all; default `None`, without limit.
    pub fn acquire_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.acquire_timeout = timeout.into();
        self
    }

    /// How long one [`Manager::connect`] may take; default `None`, without limit.
    pub fn connect_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.connect_timeout = timeout.into();
        self
    }

    /// How long one [`Manager::check`] may take; default `None`, without limit.
    pub fn check_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.check_timeout = timeout.into();
        self
    }

    /// How long one [`Manager::recycle`] may take; default `None`, without limit.
    pub fn recycle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.recycle_timeout = timeout.into();
        self
    }

    /// How long one [`Manager::close`] may take; default `None`, without limit.
    pub fn close_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.config.close_timeout = timeout.into();
        self
    }

    /// In which order idle connections are handed out; default [`IdleOrder::Fifo`].
    pub fn idle_order(mut self, order: IdleOrder) -> Self {
        self.config.idle_order = order;
        self
    }

    /// Which idle connections are checked before they are handed out; default those idle for a second or longer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    /// use pool_core::CheckPolicy;
    ///
    /// let pool = Pool::builder(Numbers)
    ///     .check_policy(CheckPolicy::IdleFor(Duration::from_secs(30)))
    ///     .build_lazy()?;
    /// # drop(pool);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn check_policy(mut self, policy: CheckPolicy) -> Self {
        self.config.check_policy = policy;
        self
    }

    /// Whether minsize is restored, and expired connections are closed and kept alive in the background; default `true`.
    ///
    /// It needs a runtime that can spawn. On other runtimes, and with `false`, the next acquire does it.
    pub fn upkeep(mut self, upkeep: bool) -> Self {
        self.config.upkeep = upkeep;
        self
    }

    /// The runtime that runs the pool's tasks and keeps its time.
    ///
    /// By default it is the tokio adapter if a tokio runtime is current when the pool is built, the async-std adapter
    /// if the caller runs in a task of async-std (each with the feature of that name), else the built-in timer without
    /// background tasks. smol is used only if it is named here.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # #[cfg(feature = "timer")]
    /// # futures_lite::future::block_on(async {
    /// use pool_core::{Pool, ThreadTimer};
    ///
    /// // No background tasks, whatever executor is there.
    /// let pool = Pool::builder(Numbers).runtime(ThreadTimer::new()).build().await?;
    /// # drop(pool);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// Whether the manager logs what is executed ([`Manager::set_echo`]); default `false`.
    pub fn echo(mut self, echo: bool) -> Self {
        self.config.echo = echo;
        self
    }

    /// The name of the pool in time-outs, events, spans and metrics; default `pool`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// let pool = Pool::builder(Numbers).name("orders").build_lazy()?;
    /// assert_eq!(pool.name(), "orders");
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = Arc::from(name.into());
        self
    }

    /// Adds an observer, which hears of every [`Event`](crate::Event) of the pool. It may be called several times.
    ///
    /// Without observers, [`slow_acquire_after`](Self::slow_acquire_after) and
    /// [`leak_warning_after`](Self::leak_warning_after) the pool reads no clock for a hand-out or a return.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// After which time an acquire that still waits is told as [`Event::SlowAcquire`](crate::Event::SlowAcquire), once,
    /// and counted by [`Stats::slow_acquires`](crate::Stats::slow_acquires); default `None`, never.
    pub fn slow_acquire_after(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.config.slow_acquire_after = after.into();
        self
    }

    /// After which time a connection that is still held is told as [`Event::LeakSuspected`](crate::Event::LeakSuspected)
    /// with the place of its acquire, once, and counted by
    /// [`Stats::suspected_leaks`](crate::Stats::suspected_leaks); default `None`, never.
    ///
    /// When it comes back after all, [`Event::LeakResolved`](crate::Event::LeakResolved) says so. HikariCP calls this
    /// `leakDetectionThreshold`.
    pub fn leak_warning_after(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.config.leak_warning_after = after.into();
        self
    }

    /// Builds the pool and opens minsize connections in parallel.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a setting that cannot be used. [`Error::Connect`], [`Error::Timeout`] or
    /// [`Error::Panicked`] with the first cause if a connect fails; the connections that were opened are closed before.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the connections that it had opened.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(3).build().await?;
    /// assert_eq!(pool.freesize(), 3);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub async fn build(self) -> Result<Pool<M>, Error<M::Error>> {
        let policy = self.config.connects.start_policy;
        let pool = self.prepare()?;
        let filled = match policy {
            StartPolicy::Lazy => Ok(()),
            StartPolicy::Degraded => fill::fill(pool.shared()).await.or(Ok(())),
            StartPolicy::FailFast => fill::fill(pool.shared()).await,
        };
        if let Err(error) = filled {
            pool.terminate();
            // It was terminated, so this cannot fail, and what is still open is closed under its deadline.
            let _ = pool.wait_closed().await;
            return Err(error);
        }
        upkeep::start(pool.shared());
        Ok(pool)
    }

    /// Builds the pool and connects nothing; the first acquire opens minsize connections.
    ///
    /// If the runtime can spawn and upkeep is on, minsize connections are opened in the background instead.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for a setting that cannot be used.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use std::sync::LazyLock;
    /// use pool_core::Pool;
    ///
    /// static POOL: LazyLock<Pool<Numbers>> =
    ///     LazyLock::new(|| Pool::builder(Numbers).build_lazy().expect("the settings can be used"));
    ///
    /// # futures_lite::future::block_on(async {
    /// assert_eq!(*POOL.acquire().await?, 7);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn build_lazy(self) -> Result<Pool<M>, Error<M::Error>> {
        let pool = self.prepare()?;
        upkeep::start(pool.shared());
        Ok(pool)
    }

    fn prepare(mut self) -> Result<Pool<M>, Error<M::Error>> {
        let runtime = self.runtime.or_else(runtime::detect);
        let has_timer = runtime.is_some();
        self.config.validate(has_timer)?;
        self.manager.validate()?;
        self.manager.set_echo(self.config.echo);
        let runtime = runtime.unwrap_or_else(|| Arc::new(NoTimer));
        self.config.observers = self.observers.len();
        let observers = Observers::new(self.observers);
        let backend = Backend::new(self.manager, runtime, self.config, self.interceptors);
        let shared = Shared::new(backend, observers, has_timer);
        shared.observers_meet_pool();
        Ok(Pool::from_shared(shared))
    }
}

impl<M: Manager> fmt::Debug for Builder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the manager: it may hold a password.
        f.debug_struct("Builder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::Pool;
    use crate::doc_manager::Numbers;

    #[cfg(not(feature = "timer"))]
    #[test]
    fn without_a_timer_a_time_out_is_refused() {
        use crate::{Builder, Error};

        type Setting = fn(Builder<Numbers>) -> Builder<Numbers>;
        const LIMIT: Duration = Duration::from_secs(1);
        let settings: [(&str, Setting); 6] = [
            ("acquire_timeout", |builder| builder.acquire_timeout(LIMIT)),
            ("connect_timeout", |builder| builder.connect_timeout(LIMIT)),
            ("check_timeout", |builder| builder.check_timeout(LIMIT)),
            ("recycle_timeout", |builder| builder.recycle_timeout(LIMIT)),
            ("close_timeout", |builder| builder.close_timeout(LIMIT)),
            ("connect_retry", |builder| builder.connect_retry(LIMIT)),
        ];
        for (name, setting) in settings {
            match setting(Pool::builder(Numbers)).build_lazy() {
                Err(Error::Config(error)) => assert_eq!(error.field(), name),
                other => panic!("{name}: {other:?}"),
            }
        }
        let pool = Pool::builder(Numbers).build_lazy().expect("no time-out");
        let acquired = futures_lite::future::block_on(pool.acquire().timeout(LIMIT));
        assert!(matches!(acquired, Err(Error::Config(_))));
        assert!(futures_lite::future::block_on(pool.acquire()).is_ok());
    }

    #[cfg(feature = "timer")]
    #[test]
    fn with_the_built_in_timer_time_outs_are_kept() {
        let limit = Duration::from_secs(60);
        let pool = Pool::builder(Numbers).maxsize(1).acquire_timeout(limit);
        let pool = pool.build_lazy().expect("there is a timer");
        futures_lite::future::block_on(async {
            let held = pool.acquire().await.expect("a place is free");
            let short = pool.acquire().timeout(Duration::from_millis(1)).await;
            assert!(matches!(short, Err(crate::Error::Timeout { .. })));
            drop(held);
        });
    }
}
