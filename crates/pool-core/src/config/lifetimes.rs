//! The settings that say how long connections live, and how many may be idle.

use std::time::Duration;

use super::{Config, ConfigError};

/// How long connections live, and how many may be idle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifetimes {
    pub(crate) max_lifetime: Option<Duration>,
    /// `None`: a tenth of `max_lifetime`.
    pub(crate) max_lifetime_jitter: Option<Duration>,
    pub(crate) max_uses: Option<u64>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) min_idle: usize,
    pub(crate) max_idle: Option<usize>,
    pub(crate) keepalive: Option<Duration>,
}

impl Lifetimes {
    /// How much earlier than after `max_lifetime` a connection can be replaced.
    pub(crate) fn jitter(&self) -> Duration {
        let longest = self.max_lifetime.unwrap_or_default();
        let jitter = self.max_lifetime_jitter.unwrap_or(longest / 10);
        jitter.min(longest)
    }

    /// Checks each setting. `all`: the other settings.
    pub(super) fn validate(&self, all: &Config) -> Result<(), ConfigError> {
        for (field, value, what) in [
            (
                "max_lifetime",
                self.max_lifetime,
                "zero would close every connection before it is used again: give a longer time, or None to switch it off",
            ),
            (
                "idle_timeout",
                self.idle_timeout,
                "zero would close every connection that comes back: give a longer time, None to switch it off, or max_idle 0",
            ),
            (
                "keepalive",
                self.keepalive,
                "zero would check all the time: give a longer time, None to switch it off, or CheckPolicy::Always",
            ),
        ] {
            if value == Some(Duration::ZERO) {
                return Err(ConfigError::new(field, what));
            }
        }
        if self.max_uses == Some(0) {
            return Err(ConfigError::new(
                "max_uses",
                "0 would hand nothing out: give at least 1, or None for no limit",
            ));
        }
        if self.max_lifetime_jitter.is_some() && self.max_lifetime.is_none() {
            return Err(ConfigError::new(
                "max_lifetime_jitter",
                "there is no max_lifetime that it could shorten: set that too, or remove it",
            ));
        }
        if self.min_idle > all.limit() {
            return Err(ConfigError::new(
                "min_idle",
                format!(
                    "{} is more than maxsize, which is {}: lower min_idle or raise maxsize",
                    self.min_idle, all.maxsize
                ),
            ));
        }
        let Some(max_idle) = self.max_idle else {
            return Ok(());
        };
        for (field, least) in [("minsize", all.minsize), ("min_idle", self.min_idle)] {
            if max_idle < least {
                return Err(ConfigError::new(
                    "max_idle",
                    format!(
                        "{max_idle} is less than {field}, which is {least}: raise max_idle or lower {field}"
                    ),
                ));
            }
        }
        Ok(())
    }
}
