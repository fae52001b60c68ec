//! The verbs that change the settings of a pool while it runs: `resize` and `reconfigure`.

use std::sync::Arc;

use crate::config::Config;
use crate::error::Error;
use crate::ledger::Stage;
use crate::pool::Pool;
use crate::shared::Shared;
use crate::{ConfigError, Knobs, Manager, Settings};

impl<M: Manager> Pool<M> {
    /// Changes maxsize; 0 means unlimited.
    ///
    /// A larger pool serves those who wait at once. A smaller one closes idle connections, those that have been idle longest
    /// first, and gives up connects that have not begun; those in use are closed when they come back, and until then there
    /// are more of them than maxsize. Nothing connects beyond maxsize. The reason of these closes is
    /// [`CloseReason::Resized`](crate::CloseReason::Resized).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if minsize or another setting does not fit, and [`Error::Closed`]; then nothing has changed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(2).maxsize(4).build().await?;
    /// pool.resize(2)?;
    /// assert_eq!(pool.maxsize(), 2);
    /// assert!(pool.resize(1).is_err()); // minsize is 2
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn resize(&self, maxsize: usize) -> Result<(), Error<M::Error>> {
        self.reconfigure(|knobs| knobs.maxsize(maxsize))
    }

    /// Changes several settings at once.
    ///
    /// All of them are checked together, as by [`Builder::build`](crate::Builder::build), and take effect together or not at
    /// all. A step or an acquire that has begun keeps the time-out that it has begun with. Two callers at once change what
    /// each of them has named. See [`resize`](Self::resize) for maxsize; what is missing for a larger minsize is opened in
    /// the background, or by the next acquire.
    ///
    /// What a pool is made of cannot change: its manager, its runtime, `upkeep`, `echo`, its name, its observers, its
    /// interceptors, `reserved` and its start policy. [`slow_acquire_after`](Knobs::slow_acquire_after) and
    /// [`leak_warning_after`](Knobs::leak_warning_after) can be set where one of them was set when the pool was built, or
    /// the pool has an observer, because other pools measure nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] with the name of a setting that cannot be used, and [`Error::Closed`]; then nothing has changed.
    ///
    /// # Panics
    ///
    /// When `change` panics. Then nothing has changed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// # #[cfg(feature = "timer")] {
    /// let pool = Pool::builder(Numbers).build_lazy()?;
    /// pool.reconfigure(|knobs| {
    ///     knobs.maxsize(2 * knobs.settings().maxsize());
    ///     knobs.acquire_timeout(Duration::from_secs(5));
    /// })?;
    /// assert_eq!(pool.maxsize(), 20);
    /// # }
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn reconfigure(&self, change: impl FnOnce(&mut Knobs)) -> Result<(), Error<M::Error>> {
        let shared = self.shared();
        let mut knobs = Knobs::new(self.settings());
        // It is the user's, so it runs without the lock.
        change(&mut knobs);
        apply(shared, &knobs)?;
        shared.set_timer_if_needed();
        Ok(())
    }

    /// The settings as they are now.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// let pool = Pool::builder(Numbers).max_waiters(100).build_lazy()?;
    /// assert_eq!(pool.settings().max_waiters(), Some(100));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn settings(&self) -> Settings {
        Settings::of(self.shared().ledger().settings())
    }
}

fn apply<M: Manager>(shared: &Arc<Shared<M>>, knobs: &Knobs) -> Result<(), Error<M::Error>> {
    let ticks = shared.backend.uses_thread_timer();
    shared.change(None, |ledger, effects| {
        if ledger.stage() != Stage::Open {
            return Err(Error::Closed);
        }
        let config = knobs.applied_to(ledger.settings());
        config.validate(shared.has_timer)?;
        can_measure(&config, shared.measures)?;
        shared.backend.limits.reconfigured(&config);
        if config.lifetimes.max_lifetime.is_some() {
            shared.watch_lifetimes();
        }
        ledger.reconfigure(config, ticks, effects);
        Ok(())
    })
}

/// A pool that has measured nothing so far does not know who waits and who holds since when.
fn can_measure(config: &Config, measures: bool) -> Result<(), ConfigError> {
    let thresholds = [
        ("slow_acquire_after", config.slow_acquire_after),
        ("leak_warning_after", config.leak_warning_after),
    ];
    let set = thresholds.into_iter().find(|(_, after)| after.is_some());
    match set.filter(|_| !measures) {
        None => Ok(()),
        Some((field, _)) => Err(ConfigError::new(
            field,
            "the pool measures nothing: set it, or an observer, when the pool is built",
        )),
    }
}
