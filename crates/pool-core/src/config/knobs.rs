//! The settings that can change while a pool runs: to be read, and to be changed.

use std::fmt;
use std::time::Duration;

use super::Config;
use crate::{CheckPolicy, IdleOrder, Shedding};

/// The settings of a pool as they are now; see [`Pool::settings`](crate::Pool::settings). Each has the name of its
/// method of [`Builder`](crate::Builder), which says what it means.
#[derive(Clone)]
pub struct Settings {
    config: Box<Config>,
}

/// The settings that can change while a pool runs; see [`Pool::reconfigure`](crate::Pool::reconfigure). Each method has
/// the name of its twin of [`Builder`](crate::Builder), which says what it means.
pub struct Knobs {
    before: Settings,
    wanted: Settings,
}

impl Settings {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            config: Box::new(config.clone()),
        }
    }
}

impl Knobs {
    pub(crate) fn new(now: Settings) -> Self {
        Self {
            before: now.clone(),
            wanted: now,
        }
    }

    /// The settings, with the changes that were made so far.
    pub fn settings(&self) -> &Settings {
        &self.wanted
    }
}

macro_rules! knobs {
    ($($name:ident: $argument:ty => $type:ty, $($field:ident).+;)*) => {
        impl Settings {
            $(
                #[doc = concat!("The setting `", stringify!($name), "`: see the builder's method of this name.")]
                pub fn $name(&self) -> $type {
                    self.config.$($field).+
                }
            )*
        }

        impl Knobs {
            $(
                #[doc = concat!("The setting `", stringify!($name), "`: see the builder's method of this name.")]
                pub fn $name(&mut self, value: $argument) {
                    self.wanted.config.$($field).+ = value.into();
                }
            )*

            /// These settings with the changes that were made. What was not touched stays as it is there, because somebody
            /// else may have changed it meanwhile.
            pub(crate) fn applied_to(&self, now: &Config) -> Config {
                let mut config = now.clone();
                $(
                    if self.wanted.$name() != self.before.$name() {
                        config.$($field).+ = self.wanted.$name();
                    }
                )*
                config
            }
        }

        impl fmt::Debug for Settings {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("Settings")
                    $(.field(stringify!($name), &self.$name()))*
                    .finish()
            }
        }
    };
}

knobs! {
    minsize: usize => usize, minsize;
    maxsize: usize => usize, maxsize;
    pool_recycle: impl Into<Option<Duration>> => Option<Duration>, pool_recycle;
    acquire_timeout: impl Into<Option<Duration>> => Option<Duration>, acquire_timeout;
    connect_timeout: impl Into<Option<Duration>> => Option<Duration>, connect_timeout;
    check_timeout: impl Into<Option<Duration>> => Option<Duration>, check_timeout;
    recycle_timeout: impl Into<Option<Duration>> => Option<Duration>, recycle_timeout;
    close_timeout: impl Into<Option<Duration>> => Option<Duration>, close_timeout;
    idle_order: IdleOrder => IdleOrder, idle_order;
    check_policy: CheckPolicy => CheckPolicy, check_policy;
    slow_acquire_after: impl Into<Option<Duration>> => Option<Duration>, slow_acquire_after;
    leak_warning_after: impl Into<Option<Duration>> => Option<Duration>, leak_warning_after;
    max_connecting: impl Into<Option<usize>> => Option<usize>, connects.max_connecting;
    connect_retry: impl Into<Option<Duration>> => Option<Duration>, connects.connect_retry;
    max_lifetime: impl Into<Option<Duration>> => Option<Duration>, lifetimes.max_lifetime;
    max_lifetime_jitter: impl Into<Option<Duration>> => Option<Duration>, lifetimes.max_lifetime_jitter;
    max_uses: impl Into<Option<u64>> => Option<u64>, lifetimes.max_uses;
    idle_timeout: impl Into<Option<Duration>> => Option<Duration>, lifetimes.idle_timeout;
    min_idle: usize => usize, lifetimes.min_idle;
    max_idle: impl Into<Option<usize>> => Option<usize>, lifetimes.max_idle;
    keepalive: impl Into<Option<Duration>> => Option<Duration>, lifetimes.keepalive;
    max_waiters: impl Into<Option<usize>> => Option<usize>, waiting.max_waiters;
    shedding: impl Into<Option<Shedding>> => Option<Shedding>, waiting.shedding;
}

impl fmt::Debug for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knobs")
            .field("settings", &self.wanted)
            .finish_non_exhaustive()
    }
}
