//! The pool's knobs and what makes them unusable.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What to do about a time-out that cannot be kept.
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
    /// The one that was returned first goes first: keeps all connections warm. The default, as in aiomysql.
    #[default]
    Fifo,
    /// The one that was returned last goes first: keeps few connections warm and lets the others expire.
    Lifo,
}

/// Which idle connections are checked on the way out.
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
    /// None.
    Never,
    /// Every one.
    Always,
    /// Those that were idle for this long or longer.
    ///
    /// On a real clock the time is told in ticks of a quarter of the shortest idle time that a knob names (this one, or
    /// `pool_recycle`), so that a connection in constant use costs no look at the clock: one may be checked up to such a
    /// quarter early, none is handed out unchecked that was idle for all of the time.
    IdleFor(Duration),
}

impl Default for CheckPolicy {
    /// [`CheckPolicy::IdleFor`] one second.
    fn default() -> Self {
        Self::IdleFor(Duration::from_secs(1))
    }
}

/// A knob has a value that cannot be used.
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
    /// An error about one knob; the message says what is wrong with it and what to do.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The knob's name.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it and what to do.
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

/// All knobs of a pool, as the builder collects them.
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
        }
    }
}

impl Config {
    /// The largest number of connections as a number that can be compared.
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
        check.into_iter().chain(self.pool_recycle).min()
    }

    /// Checks every knob; `timer` says whether there is a clock that can wake.
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
        ] {
            match value {
                Some(Duration::ZERO) => {
                    return Err(ConfigError::new(
                        field,
                        "zero would fail at once: give a longer time, or None for no limit",
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
        Ok(())
    }
}
