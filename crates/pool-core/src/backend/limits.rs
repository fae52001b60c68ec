//! The time-outs that can change while the pool runs, as they are read without the lock.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::config::Config;
use crate::sync::AtomicU64;

/// The time-outs of acquires, and of connects that are none of the pool's; the thresholds of what is told.
pub(crate) struct Limits {
    pub(crate) acquire: Limit,
    pub(crate) connect: Limit,
    pub(crate) slow_acquire: Limit,
    pub(crate) leak_warning: Limit,
}

impl Limits {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            acquire: Limit::new(config.acquire_timeout),
            connect: Limit::new(config.connect_timeout),
            slow_acquire: Limit::new(config.slow_acquire_after),
            leak_warning: Limit::new(config.leak_warning_after),
        }
    }

    /// The settings have changed. What has begun keeps the limit that it has begun with.
    pub(crate) fn reconfigured(&self, config: &Config) {
        self.acquire.set(config.acquire_timeout);
        self.connect.set(config.connect_timeout);
        self.slow_acquire.set(config.slow_acquire_after);
        self.leak_warning.set(config.leak_warning_after);
    }
}

/// A duration in nanoseconds, or none.
pub(crate) struct Limit(AtomicU64);

impl Limit {
    const NONE: u64 = u64::MAX;

    fn new(limit: Option<Duration>) -> Self {
        Self(AtomicU64::new(Self::encode(limit)))
    }

    fn encode(limit: Option<Duration>) -> u64 {
        let nanos = limit.map(|limit| u64::try_from(limit.as_nanos()));
        // More than five hundred years: no clock reaches that far.
        nanos.map_or(Self::NONE, |nanos| nanos.unwrap_or(Self::NONE))
    }

    fn set(&self, limit: Option<Duration>) {
        self.0.store(Self::encode(limit), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<Duration> {
        match self.0.load(Ordering::Relaxed) {
            Self::NONE => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_was_set_last() {
        let limit = Limit::new(None);
        assert_eq!(limit.get(), None);
        for set in [Some(Duration::from_nanos(1)), Some(Duration::ZERO), None] {
            limit.set(set);
            assert_eq!(limit.get(), set);
        }
        limit.set(Some(Duration::MAX));
        assert_eq!(limit.get(), None, "it would never strike");
    }
}
