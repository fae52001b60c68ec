//! The settings that govern a pool: how long connections live, how the pool connects, and who may wait.

use std::time::Duration;

use super::ConfigError;

/// How long connections live, and how many are kept idle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifetimes {
    pub(crate) max_lifetime: Option<Duration>,
    /// `None`: a tenth of `max_lifetime`.
    pub(crate) max_lifetime_jitter: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) min_idle: usize,
    pub(crate) max_idle: Option<usize>,
    pub(crate) max_uses: Option<u64>,
    pub(crate) keepalive: Option<Duration>,
}

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

impl Lifetimes {
    /// Checks each setting beside the others.
    pub(super) fn validate(&self, minsize: usize, limit: usize) -> Result<(), ConfigError> {
        const ZERO: Option<Duration> = Some(Duration::ZERO);
        for (field, value) in [
            ("max_lifetime", self.max_lifetime),
            ("idle_timeout", self.idle_timeout),
        ] {
            if value == ZERO {
                return Err(zero(
                    field,
                    "zero would close every connection before it is used again: give a longer time, or None to switch it off",
                ));
            }
        }
        if self.keepalive == ZERO {
            return Err(zero(
                "keepalive",
                "zero would check idle connections without a pause: give a longer time, or None to switch it off",
            ));
        }
        if self.max_uses == Some(0) {
            return Err(zero(
                "max_uses",
                "0 would close every connection before its first use: give a larger number, or None for no limit",
            ));
        }
        if let (Some(jitter), Some(lifetime)) = (self.max_lifetime_jitter, self.max_lifetime) {
            if jitter > lifetime {
                return Err(ConfigError::new(
                    "max_lifetime_jitter",
                    format!(
                        "{jitter:?} is more than max_lifetime, which is {lifetime:?}: lower the jitter or raise max_lifetime"
                    ),
                ));
            }
        }
        if self.max_lifetime_jitter.is_some() && self.max_lifetime.is_none() {
            return Err(zero(
                "max_lifetime_jitter",
                "there is no max_lifetime to be shortened: set max_lifetime, or leave the jitter out",
            ));
        }
        if self.min_idle > limit {
            return Err(ConfigError::new(
                "min_idle",
                format!(
                    "{} is more than maxsize, which is {limit}: lower min_idle or raise maxsize",
                    self.min_idle
                ),
            ));
        }
        if let Some(max_idle) = self.max_idle {
            for (field, value) in [("min_idle", self.min_idle), ("minsize", minsize)] {
                if max_idle < value {
                    return Err(ConfigError::new(
                        "max_idle",
                        format!(
                            "{max_idle} is less than {field}, which is {value}: raise max_idle or lower {field}"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    /// How much earlier than `max_lifetime` a connection may expire at most.
    pub(crate) fn jitter(&self) -> Duration {
        let tenth = self.max_lifetime.map(|lifetime| lifetime / 10);
        self.max_lifetime_jitter.or(tenth).unwrap_or_default()
    }
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
