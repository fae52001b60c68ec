//! The settings of a pool and their validation.

mod govern;
mod knobs;
mod lifetimes;
mod waiting;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::govern::Connects;
pub use self::govern::StartPolicy;
pub use self::knobs::{Knobs, Settings};
pub(crate) use self::lifetimes::Lifetimes;
pub(crate) use self::waiting::Waiting;
pub use self::waiting::{Priority, Shedding};

/// What to tell a user whose time-out cannot be kept.
pub(crate) const NO_TIMER: &str = "this build has no timer: enable pool-core's `timer` feature or a runtime's, or pass a runtime with Builder::runtime";

/// In which order idle connections are handed out.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{IdleOrder, Pool, PooledConnection};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).minsize(2).idle_order(IdleOrder::Lifo).build().await?;
/// let (one, two) = (pool.acquire().await?, pool.acquire().await?);
/// let last = PooledConnection::id(&two);
/// PooledConnection::release(one).await?;
/// PooledConnection::release(two).await?;
///
/// let next = pool.acquire().await?;
/// assert_eq!(PooledConnection::id(&next), last);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IdleOrder {
    /// The connection that came back first is handed out first, so all connections stay in use. This is the default, as
    /// in aiomysql.
    #[default]
    Fifo,
    /// The connection that came back last is handed out first, so few connections stay in use and the others expire.
    Lifo,
}

/// Which idle connections are checked before they are handed out.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pool_core::CheckPolicy;
///
/// assert_eq!(CheckPolicy::default(), CheckPolicy::IdleFor(Duration::from_secs(1)));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckPolicy {
    /// No connection.
    Never,
    /// Each connection.
    Always,
    /// The connections that have been idle for this long or longer.
    ///
    /// In real time the pool measures idle time in ticks of a quarter of the shortest idle limit (this one,
    /// `pool_recycle`, `idle_timeout` or `keepalive`), so that a connection in constant use needs no clock. A connection may be checked up to such a
    /// quarter early. After a suspension of the machine, a connection that came back less than a tick before it can be
    /// handed out unchecked until the next tick; [`Always`](Self::Always) avoids that.
    IdleFor(Duration),
}

impl Default for CheckPolicy {
    /// [`CheckPolicy::IdleFor`] one second.
    fn default() -> Self {
        Self::IdleFor(Duration::from_secs(1))
    }
}

/// A setting has a value that cannot be used.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{Error, Pool};
///
/// let Err(Error::Config(error)) = Pool::builder(Numbers).minsize(5).maxsize(2).build_lazy() else {
///     panic!("5 is more than 2");
/// };
/// assert_eq!(error.field(), "minsize");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    field: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl ConfigError {
    /// An error about one setting. The message says what is wrong with it and what to do.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The name of the setting.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with the setting, and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for ConfigError {}

/// All settings of a pool, as the builder collects them.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) minsize: usize,
    pub(crate) maxsize: usize,
    pub(crate) pool_recycle: Option<Duration>,
    pub(crate) acquire_timeout: Option<Duration>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) check_timeout: Option<Duration>,
    pub(crate) recycle_timeout: Option<Duration>,
    pub(crate) close_timeout: Option<Duration>,
    pub(crate) idle_order: IdleOrder,
    pub(crate) check_policy: CheckPolicy,
    pub(crate) upkeep: bool,
    pub(crate) echo: bool,
    pub(crate) name: Arc<str>,
    pub(crate) slow_acquire_after: Option<Duration>,
    pub(crate) leak_warning_after: Option<Duration>,
    /// The number of observers.
    pub(crate) observers: usize,
    pub(crate) connects: Connects,
    pub(crate) waiting: Waiting,
    pub(crate) lifetimes: Lifetimes,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minsize: 1,
            maxsize: 10,
            pool_recycle: None,
            acquire_timeout: None,
            connect_timeout: None,
            check_timeout: None,
            recycle_timeout: None,
            close_timeout: None,
            idle_order: IdleOrder::Fifo,
            check_policy: CheckPolicy::default(),
            upkeep: true,
            echo: false,
            name: Arc::from("pool"),
            slow_acquire_after: None,
            leak_warning_after: None,
            observers: 0,
            connects: Connects::default(),
            waiting: Waiting::default(),
            lifetimes: Lifetimes::default(),
        }
    }
}

impl Config {
    /// The largest number of connections; `usize::MAX` where it is unlimited.
    pub(crate) fn limit(&self) -> usize {
        match self.maxsize {
            0 => usize::MAX,
            n => n,
        }
    }

    /// The shortest idle time that a setting names.
    pub(crate) fn shortest_idle_limit(&self) -> Option<Duration> {
        let check = match self.check_policy {
            CheckPolicy::IdleFor(limit) => Some(limit),
            CheckPolicy::Never | CheckPolicy::Always => None,
        };
        let Lifetimes {
            idle_timeout,
            keepalive,
            ..
        } = self.lifetimes;
        let limits = [check, self.pool_recycle, idle_timeout, keepalive];
        limits.into_iter().flatten().min()
    }

    /// Whether somebody observes the pool.
    pub(crate) fn is_observed(&self) -> bool {
        self.observers > 0
    }

    /// Whether each hand-out and each return reads the clock.
    pub(crate) fn measures(&self) -> bool {
        self.is_observed() || self.slow_acquire_after.is_some() || self.leak_warning_after.is_some()
    }

    /// Checks each setting. `timer` says whether time-outs can be kept.
    pub(crate) fn validate(&self, timer: bool) -> Result<(), ConfigError> {
        if self.minsize > self.limit() {
            return Err(ConfigError::new(
                "minsize",
                format!(
                    "{} is more than maxsize, which is {}: lower minsize or raise maxsize",
                    self.minsize, self.maxsize
                ),
            ));
        }
        for (field, value) in [
            ("acquire_timeout", self.acquire_timeout),
            ("connect_timeout", self.connect_timeout),
            ("check_timeout", self.check_timeout),
            ("recycle_timeout", self.recycle_timeout),
            ("close_timeout", self.close_timeout),
            ("slow_acquire_after", self.slow_acquire_after),
            ("leak_warning_after", self.leak_warning_after),
            ("connect_retry", self.connects.connect_retry),
        ] {
            match value {
                Some(Duration::ZERO) => {
                    let is_warning = field.ends_with("_after");
                    return Err(ConfigError::new(
                        field,
                        match is_warning {
                            true => {
                                "zero would warn every time: give a longer time, or None to switch it off"
                            }
                            false if field == "connect_retry" => {
                                "zero would try nothing again: give a longer time, or None to switch it off"
                            }
                            false => {
                                "zero would fail at once: give a longer time, or None for no limit"
                            }
                        },
                    ));
                }
                Some(_) if !timer => {
                    return Err(ConfigError::new(field, NO_TIMER));
                }
                _ => {}
            }
        }
        if self.pool_recycle == Some(Duration::ZERO) {
            return Err(ConfigError::new(
                "pool_recycle",
                "zero would close every connection before it is used again: give a longer time, or None to switch it off",
            ));
        }
        if self.check_policy == CheckPolicy::IdleFor(Duration::ZERO) {
            return Err(ConfigError::new(
                "check_policy",
                "IdleFor(0) checks every connection: say CheckPolicy::Always",
            ));
        }
        self.lifetimes.validate(self)?;
        self.waiting.validate(self.maxsize)?;
        self.connects.validate()
    }
}
