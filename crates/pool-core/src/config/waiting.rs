//! Who may wait, and in which order waiters are served.

use std::time::Duration;

use super::ConfigError;

/// How soon an acquire is served if it has to wait; see [`Acquire::priority`](crate::Acquire::priority).
///
/// A priority moves an acquire ahead in the queue or back, by a fixed time. So those of low priority still progress: the
/// queue serves whoever has come first, where one of high priority counts as if it had come 10 s earlier, and one of low
/// priority as if it had come 10 s later. Among equal priorities the order of arrival decides. Those that wait when the
/// first acquire with another priority than the default joins the queue count as if they had come at that moment.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{Pool, Priority};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).build().await?;
/// let conn = pool.acquire().priority(Priority::Low).await?;
/// # drop(conn);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// It counts as if it had come 10 s earlier, and it may use the [`reserved`](crate::Builder::reserved) places.
    High,
    /// Its arrival counts as it is. This is the default.
    #[default]
    Normal,
    /// It counts as if it had come 10 s later.
    Low,
}

/// When a pool refuses acquires because its queue is too slow; see [`Builder::shedding`](crate::Builder::shedding).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shedding {
    pub(crate) target: Duration,
    pub(crate) interval: Duration,
    pub(crate) is_dry_run: bool,
}

impl Shedding {
    /// Acquires are refused while the first waiter of the queue has waited for longer than `target`, as soon as that has
    /// been so for a whole `interval`.
    ///
    /// DBConnection of Elixir uses 50 ms and 1 s. The pool measures the wait in steps of a millisecond.
    pub fn new(target: Duration, interval: Duration) -> Self {
        Self {
            target,
            interval,
            is_dry_run: false,
        }
    }

    /// With `true` nobody is refused; [`Stats::would_shed`](crate::Stats::would_shed) counts who would have been. Default `false`.
    #[must_use]
    pub fn dry_run(mut self, is_dry_run: bool) -> Self {
        self.is_dry_run = is_dry_run;
        self
    }
}

/// Who may wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) max_waiters: Option<usize>,
    /// So many places are only for those of high priority.
    pub(crate) reserved: usize,
    pub(crate) shedding: Option<Shedding>,
}

impl Waiting {
    /// Checks each setting. `maxsize` is 0 where it is unlimited.
    pub(super) fn validate(&self, maxsize: usize) -> Result<(), ConfigError> {
        let reserved = self.reserved;
        if reserved > 0 && maxsize == 0 {
            return Err(ConfigError::new(
                "reserved",
                "maxsize is unlimited, so there is no last place to be reserved: set maxsize, or leave reserved out",
            ));
        }
        if reserved > 0 && reserved >= maxsize {
            return Err(ConfigError::new(
                "reserved",
                format!(
                    "{reserved} of {maxsize} places leave none for others: lower reserved or raise maxsize"
                ),
            ));
        }
        if let Some(shedding) = self.shedding {
            let is_zero = [shedding.target, shedding.interval].contains(&Duration::ZERO);
            if is_zero {
                return Err(ConfigError::new(
                    "shedding",
                    "a target or an interval of zero would refuse whoever has to wait: give a longer time, or None to switch it off",
                ));
            }
        }
        Ok(())
    }
}
