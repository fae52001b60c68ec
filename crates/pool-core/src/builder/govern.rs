//! The settings that govern a pool: how it connects, and what runs around each step.

use std::time::Duration;

use super::Builder;
use crate::{Interceptor, Manager, StartPolicy};

impl<M: Manager> Builder<M> {
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
