//! Why an acquire failed, as one word.

use super::{Error, Phase};

/// Why an acquire failed, if it was not its time-out; see [`Stats::failures`](crate::Stats::failures).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// The pool is closed, or was closed while the acquire waited.
    Closed,
    /// A connect failed.
    Connect,
    /// A connect took longer than [`connect_timeout`](crate::Builder::connect_timeout).
    ConnectTimeout,
    /// The pool does not connect for a while, because its last connects have failed.
    BreakerOpen,
    /// As many acquires as [`max_waiters`](crate::Builder::max_waiters) allows waited.
    QueueFull,
    /// The queue was too slow ([`shedding`](crate::Builder::shedding)).
    Shed,
    /// An [`Interceptor`](crate::Interceptor) refused a new connection before its hand-out.
    Check,
    /// An [`Interceptor`](crate::Interceptor) took longer than [`check_timeout`](crate::Builder::check_timeout) with a new
    /// connection.
    CheckTimeout,
    /// The manager's connect or check panicked.
    Panicked,
    /// No timer can keep a time-out.
    Config,
}

impl FailureReason {
    /// The word for metrics and log fields, such as `breaker_open`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pool_core::FailureReason;
    ///
    /// assert_eq!(FailureReason::ConnectTimeout.as_str(), "connect_timeout");
    /// ```
    pub fn as_str(self) -> &'static str {
        NAMES[self.index()]
    }

    /// Each reason has a counter.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Closed => 0,
            Self::Connect => 1,
            Self::ConnectTimeout => 2,
            Self::BreakerOpen => 3,
            Self::QueueFull => 4,
            Self::Shed => 5,
            Self::Check => 6,
            Self::CheckTimeout => 7,
            Self::Panicked => 8,
            Self::Config => 9,
        }
    }
}

/// The words of [`FailureReason::as_str`].
pub(crate) const NAMES: [&str; 10] = [
    "closed",
    "connect",
    "connect_timeout",
    "breaker_open",
    "queue_full",
    "shed",
    "check",
    "check_timeout",
    "panicked",
    "config",
];

impl<E> Error<E> {
    /// Why an acquire failed with this error, which is not its own time-out.
    pub(crate) fn failure_reason(&self) -> FailureReason {
        match self {
            Self::Closed => FailureReason::Closed,
            Self::Connect(_) => FailureReason::Connect,
            Self::BreakerOpen { .. } => FailureReason::BreakerOpen,
            Self::QueueFull => FailureReason::QueueFull,
            Self::Shed => FailureReason::Shed,
            Self::Panicked { .. } => FailureReason::Panicked,
            Self::Config(_) => FailureReason::Config,
            Self::Timeout {
                phase: Phase::Connect,
                ..
            } => FailureReason::ConnectTimeout,
            Self::Timeout { .. } => FailureReason::CheckTimeout,
            // Of the errors that are left, an acquire has only `Check`.
            _ => FailureReason::Check,
        }
    }
}
