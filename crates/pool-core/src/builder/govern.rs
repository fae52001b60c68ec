//! The settings that govern a pool: how long connections live, how the pool connects, and who may wait.

use std::time::Duration;

use super::Builder;
use crate::{Interceptor, Manager, StartPolicy};

impl<M: Manager> Builder<M> {
    /// How long after its connect a connection may be used; default `None`, without limit.
    ///
    /// It counts from the connect, whatever the connection did; [`pool_recycle`](Self::pool_recycle) and
    /// [`idle_timeout`](Self::idle_timeout) count from the last use. It is enforced when a connection is handed out, when
    /// it comes back, and in the background, so busy connections expire too. What expires is replaced as far as minsize
    /// and `min_idle` ask for it, and where there is room the new connection stands before the old one goes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder(Numbers).max_lifetime(Duration::from_secs(1800)).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn max_lifetime(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.max_lifetime = after.into();
        self
    }

    /// By how much `max_lifetime` is shortened at most; default `None`: a tenth of [`max_lifetime`](Self::max_lifetime).
    ///
    /// Each connection draws its own share once, when it is opened, so that connections that were opened together do
    /// not expire together. `Duration::ZERO` switches it off.
    pub fn max_lifetime_jitter(mut self, at_most: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.max_lifetime_jitter = at_most.into();
        self
    }

    /// How long a connection may be idle before it is closed, as long as minsize and `min_idle` are kept; default
    /// `None`, without limit.
    ///
    /// It only shrinks the pool; [`pool_recycle`](Self::pool_recycle) also replaces what is needed for minsize.
    pub fn idle_timeout(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.idle_timeout = after.into();
        self
    }

    /// How many connections the background keeps idle, while maxsize allows it; default 0.
    ///
    /// [`minsize`](Self::minsize) counts all connections, this one counts those that nobody uses.
    pub fn min_idle(mut self, connections: usize) -> Self {
        self.config.lifetimes.min_idle = connections;
        self
    }

    /// How many connections may be idle; one that comes back to a full idle list is closed. Default `None`, without
    /// limit.
    pub fn max_idle(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.config.lifetimes.max_idle = connections.into();
        self
    }

    /// After how many uses a connection is closed when it comes back; default `None`, without limit.
    pub fn max_uses(mut self, uses: impl Into<Option<u64>>) -> Self {
        self.config.lifetimes.max_uses = uses.into();
        self
    }

    /// How long a connection may be idle before the background checks that it still lives, those that have been idle
    /// for the longest time first; default `None`, never.
    ///
    /// One that fails is closed, and all that were idle then are checked before they are handed out.
    pub fn keepalive(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.config.lifetimes.keepalive = after.into();
        self
    }

    /// How many connects may run at once; default `None`, without limit other than maxsize.
    ///
    /// Those of acquires, of [`fill`](crate::Pool::fill) and [`build`](Self::build), and those of the background count
    /// together. Acquires come first, in order of arrival; the next connect starts when one ends.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// // A restart of the server, or of this service, costs the server four logins at a time.
    /// let pool = Pool::builder(Numbers).maxsize(100).max_connecting(4).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn max_connecting(mut self, connects: impl Into<Option<usize>>) -> Self {
        self.config.connects.max_connecting = connects.into();
        self
    }

    /// For how long a failed connect is tried again for an acquire that waits for it, within its time-out; default
    /// `None`: the failure is its answer.
    ///
    /// Only failures of the classes [`Transient`](crate::ErrorClass::Transient) and
    /// [`Overloaded`](crate::ErrorClass::Overloaded) are tried again, one connect at a time, with a pause that grows to
    /// 50 ms and is drawn at random. The time counts from the failure, or from the arrival of the acquire if that was
    /// later, to within a millisecond; the last attempt begins within it. An attempt that has begun is not cut short, so set
    /// [`connect_timeout`](Self::connect_timeout) too. Then all acquires whose time is over get the last failure
    /// together. If a connection is in use that can come back to them, only the first one does, after an attempt of its
    /// own.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// # #[cfg(feature = "timer")]
    /// // Acquires do not notice a restart of the server that takes less than three seconds.
    /// let pool = Pool::builder(Numbers).connect_retry(Duration::from_secs(3)).build_lazy()?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn connect_retry(mut self, within: impl Into<Option<Duration>>) -> Self {
        self.config.connects.connect_retry = within.into();
        self
    }

    /// What [`build`](Self::build) does about the first connections; default [`StartPolicy::FailFast`].
    pub fn start_policy(mut self, policy: StartPolicy) -> Self {
        self.config.connects.start_policy = policy;
        self
    }

    /// Adds an [`Interceptor`], which runs around the steps of each connection. It may be called several times; at each
    /// point the interceptors run in this order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use std::convert::Infallible;
    /// use pool_core::{ConnectionInfo, Interceptor, Pool};
    ///
    /// /// Counts from ten on, whatever the server begins with.
    /// struct FromTen;
    ///
    /// impl Interceptor<Numbers> for FromTen {
    ///     async fn after_connect(&self, conn: &mut u32, _: &ConnectionInfo) -> Result<(), Infallible> {
    ///         *conn = 10;
    ///         Ok(())
    ///     }
    ///     fn wants_before_acquire(&self) -> bool {
    ///         false
    ///     }
    ///     fn wants_after_release(&self) -> bool {
    ///         false
    ///     }
    /// }
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).interceptor(FromTen).build().await?;
    /// assert_eq!(*pool.acquire().await?, 10);
    /// # Ok::<(), pool_core::Error<Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn interceptor(mut self, interceptor: impl Interceptor<M>) -> Self {
        self.interceptors.add(interceptor);
        self
    }
}
