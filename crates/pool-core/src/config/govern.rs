//! The settings that say how a pool connects.

use std::time::Duration;

use super::ConfigError;

/// How the pool connects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connects {
    pub(crate) max_connecting: Option<usize>,
    pub(crate) connect_retry: Option<Duration>,
    pub(crate) start_policy: StartPolicy,
}

/// What [`Builder::build`](crate::Builder::build) does about the first connections.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{Pool, StartPolicy};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).start_policy(StartPolicy::Lazy).build().await?;
/// assert_eq!(pool.size(), 0);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StartPolicy {
    /// It opens minsize connections, or fails and closes those that it has opened. This is the default.
    #[default]
    FailFast,
    /// It tries to open minsize connections. At the first failure it returns the pool anyway, and the background goes on
    /// trying, or the next acquire where nothing can be spawned. [`Pool::readiness`](crate::Pool::readiness) says how far
    /// it is.
    Degraded,
    /// It opens none, as [`Builder::build_lazy`](crate::Builder::build_lazy).
    Lazy,
}

fn zero(field: &'static str, what: &'static str) -> ConfigError {
    ConfigError::new(field, what)
}

impl Connects {
    /// Checks each setting.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.max_connecting == Some(0) {
            return Err(zero(
                "max_connecting",
                "0 would let nothing connect: give at least 1, or None for no limit",
            ));
        }
        Ok(())
    }
}
