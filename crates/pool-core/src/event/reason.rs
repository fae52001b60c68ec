//! Why a connection left its pool.

use std::borrow::Cow;
use std::fmt;

use crate::words::OneLine;

/// Why a connection was closed. Its `Display` is a sentence for people.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// It was idle for [`pool_recycle`](crate::Builder::pool_recycle).
    PoolRecycle,
    /// It was idle for as long as its manager allows ([`Manager::idle_limit`](crate::Manager::idle_limit)).
    IdleLimit,
    /// [`Pool::retain`](crate::Pool::retain) asked for it.
    Evicted,
    /// The pool was made smaller.
    Resized,
    /// An [`Interceptor`](crate::Interceptor) refused it, panicked or took too long.
    Intercepted,
    /// Its check failed, panicked or took too long.
    CheckFailed,
    /// Its recycle failed, panicked or took too long.
    RecycleFailed,
    /// Its holder called [`PooledConnection::discard`](crate::PooledConnection::discard).
    Discarded,
    /// Its manager did not want it back, and why in the manager's words
    /// ([`Manager::discard_reason`](crate::Manager::discard_reason)).
    Broken(Cow<'static, str>),
    /// Its holder's thread panicked.
    HolderPanicked,
    /// A method of its manager, or the drop of a future of its manager, panicked.
    ManagerPanicked,
    /// The pool was cleared.
    Cleared,
    /// Its acquire was dropped during a check or a recycle that no time-out would have ended, or its ping during such a
    /// check.
    Abandoned,
    /// The pool was closed.
    PoolClosed,
    /// The pool was terminated.
    Terminated,
}

impl CloseReason {
    /// The word for metrics and log fields, such as `pool_recycle`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pool_core::CloseReason;
    ///
    /// assert_eq!(CloseReason::CheckFailed.as_str(), "check_failed");
    /// assert_eq!(CloseReason::CheckFailed.to_string(), "its check failed");
    /// ```
    pub fn as_str(&self) -> &'static str {
        NAMES[self.index()]
    }

    /// Each reason has a counter.
    pub(crate) fn index(&self) -> usize {
        match self {
            Self::PoolRecycle => 0,
            Self::IdleLimit => 1,
            Self::CheckFailed => 2,
            Self::RecycleFailed => 3,
            Self::Discarded => 4,
            Self::Broken(_) => 5,
            Self::HolderPanicked => 6,
            Self::ManagerPanicked => 7,
            Self::Cleared => 8,
            Self::Abandoned => 9,
            Self::PoolClosed => 10,
            Self::Terminated => 11,
            Self::Evicted => 12,
            Self::Resized => 13,
            Self::Intercepted => 14,
        }
    }
}

/// The words of [`CloseReason::as_str`].
pub(crate) const NAMES: [&str; 15] = [
    "pool_recycle",
    "idle_limit",
    "check_failed",
    "recycle_failed",
    "discarded",
    "broken",
    "holder_panicked",
    "manager_panicked",
    "cleared",
    "abandoned",
    "pool_closed",
    "terminated",
    "evicted",
    "resized",
    "intercepted",
];

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PoolRecycle => "it was idle for longer than pool_recycle",
            Self::IdleLimit => "it was idle for as long as its server allows",
            Self::CheckFailed => "its check failed",
            Self::RecycleFailed => "its recycle failed",
            Self::Discarded => "its holder discarded it",
            Self::Broken(words) => {
                return write!(f, "it cannot be used again: {}", OneLine(words));
            }
            Self::HolderPanicked => "its holder's thread panicked",
            Self::ManagerPanicked => "its manager panicked",
            Self::Cleared => "the pool was cleared",
            Self::Abandoned => {
                "its acquire or ping was dropped during a step that no time-out would have ended"
            }
            Self::PoolClosed => "the pool was closed",
            Self::Terminated => "the pool was terminated",
            Self::Evicted => "retain did not keep it",
            Self::Resized => "the pool was made smaller",
            Self::Intercepted => "an interceptor refused it",
        })
    }
}
