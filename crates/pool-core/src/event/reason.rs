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
    /// It was opened [`max_lifetime`](crate::Builder::max_lifetime) ago, or nearly.
    MaxLifetime,
    /// It was handed out [`max_uses`](crate::Builder::max_uses) times.
    MaxUses,
    /// It was idle for [`idle_timeout`](crate::Builder::idle_timeout), and minsize did not need it.
    IdleTimeout,
    /// More connections were idle than [`max_idle`](crate::Builder::max_idle).
    MaxIdle,
    /// [`Pool::recycle_all`](crate::Pool::recycle_all) asked for it.
    Replaced,
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
            Self::MaxLifetime => 15,
            Self::MaxUses => 16,
            Self::IdleTimeout => 17,
            Self::MaxIdle => 18,
            Self::Replaced => 19,
        }
    }
}

/// The words of [`CloseReason::as_str`].
pub(crate) const NAMES: [&str; 20] = [
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
    "max_lifetime",
    "max_uses",
    "idle_timeout",
    "max_idle",
    "replaced",
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
            Self::MaxLifetime => "it was as old as max_lifetime allows",
            Self::MaxUses => "it was handed out as often as max_uses allows",
            Self::IdleTimeout => "it was idle for longer than idle_timeout",
            Self::MaxIdle => "more connections were idle than max_idle allows",
            Self::Replaced => "recycle_all was called",
        })
    }
}
