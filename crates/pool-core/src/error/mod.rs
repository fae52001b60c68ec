//! The errors of the pool's verbs.

mod failure;
mod report;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::failure::FailureReason;
pub(crate) use self::failure::NAMES as FAILURE_NAMES;
pub(crate) use self::report::LastConnect;
pub use self::report::TimeoutReport;
use crate::words::{OneLine, Rounded};
use crate::{Borrowed, ConfigError, ErrorClass, Nested, Status};

/// The error of the pool's verbs. `E` is the manager's error.
///
/// Its `Display` is one line that contains the cause; that of a time-out may have a second line, which says who holds a
/// connection for the longest time. [`source`](StdError::source) reaches the manager's error, if
/// there is one.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use std::time::Duration;
/// use pool_core::{Error, Phase, Pool};
///
/// # #[cfg(feature = "timer")]
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).maxsize(1).build().await.unwrap();
/// let held = pool.acquire().await.unwrap();
/// match pool.acquire().timeout(Duration::from_millis(1)).await {
///     Err(Error::Timeout { phase, status, .. }) => {
///         assert_eq!((phase, status.held()), (Phase::Wait, 1));
///     }
///     other => panic!("the only connection is held: {other:?}"),
/// }
/// # drop(held);
/// # });
/// ```
#[non_exhaustive]
#[derive(Debug)]
pub enum Error<E> {
    /// The pool is closed, or was closed while this call waited.
    Closed,
    /// `wait_closed` needs a `close` or a `terminate` before it.
    NotClosing,
    /// `try_acquire` found no connection that could be had without waiting.
    Exhausted,
    /// A time-out was reached.
    #[non_exhaustive]
    Timeout {
        /// The phase in which it happened.
        phase: Phase,
        /// How long it took.
        after: Duration,
        /// The pool's counts at that moment.
        status: Status,
        /// The last error of a connect, if the last connect failed; also the `source`.
        last_connect: Option<Arc<E>>,
        /// What else the pool knew: see [`pool_name`](Self::pool_name), [`longest_holder`](Self::longest_holder) and
        /// [`last_connect`](Self::last_connect).
        report: Box<TimeoutReport>,
    },
    /// As many acquires as [`max_waiters`](crate::Builder::max_waiters) allows wait already.
    QueueFull,
    /// The queue is too slow ([`shedding`](crate::Builder::shedding)).
    Shed,
    /// `try_acquire` found the pool suspended ([`Pool::suspend`](crate::Pool::suspend)). An acquire waits instead.
    Suspended,
    /// The last connects failed in such a way that the pool does not connect for a while, and no connection could come
    /// back for this caller.
    #[non_exhaustive]
    BreakerOpen {
        /// The pool's name.
        pool: Arc<str>,
        /// What kind of failure the last one was.
        class: ErrorClass,
        /// The manager's error, if the last connect did not panic or time out; also the `source`.
        last_connect: Option<Arc<E>>,
        /// How long it is until the next attempt.
        retry_after: Duration,
    },
    /// Connecting failed.
    Connect(Arc<E>),
    /// Recycling failed; the connection was discarded.
    Recycle(Arc<E>),
    /// The check of [`Pool::ping`](crate::Pool::ping) failed, or an [`Interceptor`](crate::Interceptor) refused a new
    /// connection before its hand-out; the connection was discarded.
    Check(Arc<E>),
    /// The connection was not kept although nothing failed: its manager said
    /// [`Verdict::Discard`](crate::Verdict::Discard), or the pool was cleared during its recycle.
    Discarded,
    /// A method of the manager panicked; its connection was dropped.
    #[non_exhaustive]
    Panicked {
        /// The phase in which it happened.
        phase: Phase,
        /// The message of the panic.
        message: String,
    },
    /// A setting has a value that cannot be used, or a time-out that no timer can keep.
    Config(ConfigError),
}

/// What an acquire or a release was doing.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for a connection to come back or for a place.
    Wait,
    /// Connecting.
    Connect,
    /// Checking an idle connection.
    Check,
    /// Recycling a used connection.
    Recycle,
    /// Closing a connection.
    Close,
}

impl Phase {
    /// The setting that limits this phase.
    pub(crate) fn timeout_field(self) -> &'static str {
        match self {
            Self::Wait => "acquire_timeout",
            Self::Connect => "connect_timeout",
            Self::Check => "check_timeout",
            Self::Recycle => "recycle_timeout",
            Self::Close => "close_timeout",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wait => "waiting for a connection",
            Self::Connect => "connecting",
            Self::Check => "checking a connection",
            Self::Recycle => "recycling a connection",
            Self::Close => "closing a connection",
        })
    }
}

impl<E> Clone for Error<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Closed => Self::Closed,
            Self::NotClosing => Self::NotClosing,
            Self::Exhausted => Self::Exhausted,
            Self::Timeout {
                phase,
                after,
                status,
                last_connect,
                report,
            } => Self::Timeout {
                phase: *phase,
                after: *after,
                status: *status,
                last_connect: last_connect.clone(),
                report: report.clone(),
            },
            Self::QueueFull => Self::QueueFull,
            Self::Shed => Self::Shed,
            Self::Suspended => Self::Suspended,
            Self::BreakerOpen {
                pool,
                class,
                last_connect,
                retry_after,
            } => Self::BreakerOpen {
                pool: Arc::clone(pool),
                class: *class,
                last_connect: last_connect.clone(),
                retry_after: *retry_after,
            },
            Self::Connect(error) => Self::Connect(Arc::clone(error)),
            Self::Recycle(error) => Self::Recycle(Arc::clone(error)),
            Self::Check(error) => Self::Check(Arc::clone(error)),
            Self::Discarded => Self::Discarded,
            Self::Panicked { phase, message } => Self::Panicked {
                phase: *phase,
                message: message.clone(),
            },
            Self::Config(error) => Self::Config(error.clone()),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the pool is closed"),
            Self::NotClosing => {
                f.write_str("wait_closed was called before close: call close or terminate first")
            }
            Self::Exhausted => f.write_str("no connection is free"),
            Self::Timeout {
                phase,
                after,
                status,
                last_connect,
                report,
            } => {
                let pool = &report.pool;
                write!(f, "pool {pool:?} timed out after {} while {phase}; {status}",
                    Rounded(*after))?;
                report.last_connect(last_connect.as_deref(), f)?;
                report.holders(f)
            }
            Self::QueueFull => {
                f.write_str("as many acquires wait as max_waiters allows: try again later, or raise it")
            }
            Self::Shed => f.write_str(
                "acquires are refused while those that wait have waited for too long: try again later",
            ),
            Self::Suspended => f.write_str("the pool is suspended until resume is called"),
            Self::BreakerOpen {
                pool,
                class,
                last_connect,
                retry_after,
            } => {
                write!(
                    f,
                    "pool {pool:?} does not connect for {}, because connecting failed ({})",
                    Rounded(*retry_after),
                    class.as_str()
                )?;
                match last_connect {
                    Some(error) => write!(f, ": {}", OneLine(error)),
                    None => Ok(()),
                }
            }
            Self::Connect(error) => {
                // A manager may say itself that connecting failed, and to where; the pool need not say it twice.
                let text = OneLine(error).to_string();
                match text.starts_with("connecting ") {
                    true => f.write_str(&text),
                    false => write!(f, "connecting failed: {text}"),
                }
            }
            Self::Recycle(error) => {
                write!(
                    f,
                    "recycling failed, and the connection was discarded: {}",
                    OneLine(error)
                )
            }
            Self::Check(error) => {
                write!(
                    f,
                    "checking failed, and the connection was discarded: {}",
                    OneLine(error)
                )
            }
            Self::Discarded => f.write_str("the connection was discarded: its manager did not want it back, or the pool was cleared"),
            Self::Panicked { phase, message } => {
                write!(f, "the manager panicked while {phase}: {}", OneLine(message))
            }
            Self::Config(error) => {
                write!(f, "a setting of the pool cannot be used: {}", OneLine(error))
            },
        }
    }
}

impl<E> Error<E> {
    /// The manager's error of a connect.
    pub(crate) fn connect(&self) -> Option<Arc<E>> {
        match self {
            Self::Connect(error) => Some(Arc::clone(error)),
            _ => None,
        }
    }

    fn report(&self) -> Option<&TimeoutReport> {
        match self {
            Self::Timeout { report, .. } => Some(report),
            _ => None,
        }
    }

    /// The name of the pool, of a time-out and of [`BreakerOpen`](Self::BreakerOpen).
    pub fn pool_name(&self) -> Option<&str> {
        match self {
            Self::BreakerOpen { pool, .. } => Some(pool),
            other => other.report().map(|report| &*report.pool),
        }
    }

    /// Who held a connection for the longest time when a time-out struck.
    pub fn longest_holder(&self) -> Option<&Borrowed> {
        self.report().and_then(|report| report.holder.as_ref())
    }

    /// The last connect error when a time-out struck, if the last connect had failed with one: its class, and how long ago
    /// that was. A connect that took too long or panicked has no error of its own; the `Display` of a time-out tells of it.
    pub fn last_connect(&self) -> Option<(&E, ErrorClass, Duration)> {
        let Self::Timeout {
            last_connect: Some(error),
            report,
            ..
        } = self
        else {
            return None;
        };
        let last = report.last_connect.as_ref()?;
        Some((error, last.class, last.age))
    }

    /// How the last connect had failed when a time-out struck, if it had, also where it took too long or panicked: the class
    /// of the failure, and how long ago that was.
    pub fn last_connect_failure(&self) -> Option<(ErrorClass, Duration)> {
        let last = self.report()?.last_connect.as_ref()?;
        Some((last.class, last.age))
    }

    /// One of the tasks that held every place and waited for another connection of the same pool, when a time-out struck,
    /// as far as [`labelled`](crate::labelled) tells.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use std::time::Duration;
    /// use pool_core::{Pool, labelled};
    ///
    /// # #[cfg(feature = "timer")]
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).maxsize(1).build().await?;
    /// let request = labelled("request 7", async {
    ///     let first = pool.acquire().await?;
    ///     let second = pool.acquire().timeout(Duration::from_millis(10)).await?;
    ///     drop((first, second));
    ///     Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// });
    /// let error = request.await.unwrap_err();
    /// let nested = error.nested().expect("it waits for itself");
    /// assert_eq!(nested.label(), "request 7");
    /// assert_eq!(nested.waits_at().line(), nested.holds_since().line() + 1);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn nested(&self) -> Option<&Nested> {
        self.report()?.nested.as_ref()
    }

    /// Whether every place was held by a task that waited for another connection of the same pool, when a time-out struck,
    /// as far as [`labelled`](crate::labelled) tells.
    pub fn is_nested(&self) -> bool {
        self.nested().is_some()
    }
}

impl<E: StdError + 'static> StdError for Error<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) | Self::Recycle(error) | Self::Check(error) => Some(&**error),
            Self::Timeout { last_connect, .. } | Self::BreakerOpen { last_connect, .. } => {
                last_connect
                    .as_deref()
                    .map(|e| e as &(dyn StdError + 'static))
            }
            Self::Config(error) => Some(error),
            _ => None,
        }
    }
}

impl<E> From<ConfigError> for Error<E> {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

#[cfg(test)]
mod tests;
