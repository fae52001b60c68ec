//! The settings of the queue: who may wait, and for whom places are kept.

use super::Builder;
use crate::{Manager, Shedding};

impl<M: Manager> Builder<M> {
    /// How many acquires may wait; more get [`Error::QueueFull`](crate::Error::QueueFull) at once. Default `None`,
    /// without limit.
    ///
    /// Those count for whom the pool can do nothing but let them wait. An acquire that finds a connection, or a place for
    /// a new one, does not count. So with 0 an acquire gets what is idle or can be opened, and nobody waits for others.
    /// [`Stats::rejected`](crate::Stats::rejected) counts those that are refused.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use pool_core::{Error, Pool};
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).maxsize(1).max_waiters(0).build().await?;
    /// let held = pool.acquire().await?;
    /// assert!(matches!(pool.acquire().await, Err(Error::QueueFull)));
    /// # drop(held);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn max_waiters(mut self, waiters: impl Into<Option<usize>>) -> Self {
        self.config.waiting.max_waiters = waiters.into();
        self
    }

    /// How many places only acquires of [`Priority::High`](crate::Priority::High) may use; default 0.
    ///
    /// Others are served only while fewer than maxsize less this number of connections are held, whoever holds them. It has
    /// to be less than maxsize. [`Pool::try_acquire`](crate::Pool::try_acquire) has the normal priority.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use pool_core::{Error, Pool, Priority};
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).maxsize(2).reserved(1).build().await?;
    /// let held = pool.acquire().await?;
    /// assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
    /// let urgent = pool.acquire().priority(Priority::High).await?;
    /// # drop((held, urgent));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn reserved(mut self, places: usize) -> Self {
        self.config.waiting.reserved = places;
        self
    }

    /// Whether acquires are refused with [`Error::Shed`](crate::Error::Shed) while the queue is too slow; default
    /// `None`, never.
    ///
    /// In an overload that lasts, a queue that grows makes everybody wait for longer than their users do, and the work
    /// that is done in the end is for nothing. So as soon as the first of the queue has waited for longer than a target, at
    /// each acquire of a whole interval, those that come are refused, until the wait of the first is below the target or
    /// the queue is empty. Those that wait already keep their turn. An acquire for which something can be started, or with
    /// [`Priority::High`](crate::Priority::High), is never refused. The clock is read only where an acquire that waits
    /// reads it anyway. This is the rule of CoDel (Nichols and Jacobson, "Controlling Queue Delay"), as DBConnection of
    /// Elixir has it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use std::time::Duration;
    /// use pool_core::{Pool, Shedding};
    ///
    /// let shedding = Shedding::new(Duration::from_millis(50), Duration::from_secs(1));
    /// let pool = Pool::builder(Numbers).shedding(shedding.dry_run(true)).build_lazy()?;
    /// assert_eq!(pool.stats().would_shed(), 0);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn shedding(mut self, shedding: impl Into<Option<Shedding>>) -> Self {
        self.config.waiting.shedding = shedding.into();
        self
    }
}
