//! What a pool tells its observers: one event for each change in the life of a connection or of a waiter.

mod observed;
mod observer;
mod reason;
mod sentence;

use std::error::Error as StdError;
use std::panic::Location;
use std::time::Duration;

pub use self::observed::ObservedPool;
pub use self::observer::Observer;
pub use self::reason::CloseReason;
pub(crate) use self::reason::NAMES as REASON_NAMES;
use crate::error::{FailureReason, Phase};
use crate::{ErrorClass, Status};

/// An error inside of an [`Event`].
pub type EventError<'a> = &'a (dyn StdError + Send + Sync + 'static);

/// A change in the life of a connection, of a waiter, or of the pool. Its `Display` is a sentence that names the pool.
///
/// `pool` is the pool's name. `connection` is the number that [`PooledConnection::id`] tells; a connect that fails has used
/// one up. `waiter` is the number of an acquire that had to queue.
///
/// The history of a connection is: connect started; connected, failed or cancelled; then any number of acquired and
/// released, checked and recycled; at last closed or detached. That of a connection that was added from outside begins with
/// added. The history of a waiter is: waiting; then acquired, timed out, failed or cancelled. An acquire that does not join
/// the queue is acquired or rejected, and has no number.
///
/// A sentence is one line, whatever the errors and words in it are; only that of a time-out may have a second one, which
/// says who holds a connection.
///
/// [`PooledConnection::id`]: crate::PooledConnection::id
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A connect began.
    #[non_exhaustive]
    ConnectStarted {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection to be.
        connection: u64,
    },
    /// A connection was opened.
    #[non_exhaustive]
    Connected {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        connection: u64,
        /// How long the connect took.
        took: Duration,
    },
    /// A connect failed, panicked or took too long.
    #[non_exhaustive]
    ConnectFailed {
        /// The pool's name.
        pool: &'a str,
        /// The number that the connection would have had.
        connection: u64,
        /// How long it took.
        took: Duration,
        /// Why.
        error: EventError<'a>,
        /// What kind of failure its manager says it is.
        class: ErrorClass,
    },
    /// A connect was dropped before its end.
    #[non_exhaustive]
    ConnectCancelled {
        /// The pool's name.
        pool: &'a str,
        /// The number that the connection would have had.
        connection: u64,
        /// Why.
        reason: &'a CloseReason,
    },
    /// An idle connection passed its check.
    #[non_exhaustive]
    Checked {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long the check took.
        took: Duration,
    },
    /// An idle connection did not pass its check. It is closed next.
    #[non_exhaustive]
    CheckFailed {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long the check took.
        took: Duration,
        /// Why.
        error: EventError<'a>,
    },
    /// A connection that came back was recycled.
    #[non_exhaustive]
    Recycled {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long the recycle took.
        took: Duration,
    },
    /// The recycle of a connection failed. The connection is closed next.
    #[non_exhaustive]
    RecycleFailed {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long the recycle took.
        took: Duration,
        /// Why.
        error: EventError<'a>,
    },
    /// An acquire joined the queue.
    #[non_exhaustive]
    Waiting {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        waiter: u64,
    },
    /// A connection was handed out.
    #[non_exhaustive]
    Acquired {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// The number of the waiter, if the acquire had to queue.
        waiter: Option<u64>,
        /// How long the acquire took.
        waited: Duration,
        /// The place of the acquire.
        place: &'static Location<'static>,
        /// Its label.
        label: Option<&'a str>,
    },
    /// An acquire that had joined the queue failed with this error, which is not its time-out: a connect failed, took too
    /// long or panicked; the breaker is open; an [`Interceptor`](crate::Interceptor) refused a new connection; a check
    /// panicked; the pool was closed; or no timer can keep its time-out.
    #[non_exhaustive]
    AcquireFailed {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        waiter: u64,
        /// How long it had waited.
        waited: Duration,
        /// Why it failed.
        reason: FailureReason,
        /// The error that it returned.
        error: EventError<'a>,
    },
    /// An acquire did not join the queue: too many wait, or for too long; the pool is closed; or no timer can keep its
    /// time-out.
    #[non_exhaustive]
    Rejected {
        /// The pool's name.
        pool: &'a str,
        /// The place of the acquire.
        place: &'static Location<'static>,
        /// Its label.
        label: Option<&'a str>,
        /// Why it was refused.
        reason: FailureReason,
        /// The pool's counts.
        status: Status,
        /// How many may wait: [`max_waiters`](crate::Builder::max_waiters).
        max_waiters: Option<usize>,
        /// For how long the first one may wait: the target of the pool's [`shedding`](crate::Builder::shedding).
        target: Option<Duration>,
        /// The error that it returned.
        error: EventError<'a>,
    },
    /// An acquire ran into its time-out.
    #[non_exhaustive]
    TimedOut {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        waiter: u64,
        /// How long it had waited.
        waited: Duration,
        /// What it was doing.
        phase: Phase,
        /// The pool's counts at that moment.
        status: Status,
        /// The place of the acquire.
        place: &'static Location<'static>,
        /// Its label.
        label: Option<&'a str>,
        /// The error that it returned. Its `Display` has the rest.
        error: EventError<'a>,
    },
    /// An acquire that waited was dropped.
    #[non_exhaustive]
    Cancelled {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        waiter: u64,
        /// How long it had waited.
        waited: Duration,
    },
    /// An acquire has waited for longer than [`slow_acquire_after`](crate::Builder::slow_acquire_after). It goes on.
    #[non_exhaustive]
    SlowAcquire {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        waiter: u64,
        /// How long it has waited.
        waited: Duration,
        /// What it is doing.
        phase: Phase,
        /// The pool's counts.
        status: Status,
        /// The place of the acquire.
        place: &'static Location<'static>,
        /// Its label.
        label: Option<&'a str>,
    },
    /// A connection came back.
    #[non_exhaustive]
    Released {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long it was held.
        held: Duration,
    },
    /// A connection was taken out of the pool for good, by [`PooledConnection::detach`](crate::PooledConnection::detach).
    #[non_exhaustive]
    Detached {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long it was held.
        held: Duration,
    },
    /// A connection has been held for longer than [`leak_warning_after`](crate::Builder::leak_warning_after).
    #[non_exhaustive]
    LeakSuspected {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long it has been held.
        held: Duration,
        /// The place of the acquire.
        place: &'static Location<'static>,
        /// Its label.
        label: Option<&'a str>,
    },
    /// A connection came back after a [`LeakSuspected`](Self::LeakSuspected).
    #[non_exhaustive]
    LeakResolved {
        /// The pool's name.
        pool: &'a str,
        /// The number of the connection.
        connection: u64,
        /// How long it was held.
        held: Duration,
        /// The place of the acquire.
        place: &'static Location<'static>,
        /// Its label.
        label: Option<&'a str>,
    },
    /// A connection has left the pool.
    #[non_exhaustive]
    Closed {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        connection: u64,
        /// Why it was closed.
        reason: &'a CloseReason,
        /// Why the close itself failed, if it panicked or took longer than `close_timeout`.
        error: Option<EventError<'a>>,
    },
    /// The breaker has opened: connecting has failed in such a way that nobody connects for a while, and after that one
    /// connect at a time is tried until one succeeds.
    #[non_exhaustive]
    BreakerOpened {
        /// The pool's name.
        pool: &'a str,
        /// What kind of failure it was.
        class: ErrorClass,
        /// The failure.
        error: EventError<'a>,
        /// How long it is until the next attempt.
        retry_after: Duration,
    },
    /// The breaker has closed: a connect has succeeded, or each acquire tries on its own again.
    #[non_exhaustive]
    BreakerClosed {
        /// The pool's name.
        pool: &'a str,
        /// How long it was open.
        open_for: Duration,
    },
    /// The pool begins to close.
    #[non_exhaustive]
    PoolClosing {
        /// The pool's name.
        pool: &'a str,
        /// Its counts at that moment.
        status: Status,
    },
    /// The pool was terminated.
    #[non_exhaustive]
    PoolTerminated {
        /// The pool's name.
        pool: &'a str,
        /// How many connections somebody held.
        held: usize,
    },
    /// The pool is closed and its last connection is gone.
    #[non_exhaustive]
    PoolClosed {
        /// The pool's name.
        pool: &'a str,
    },
    /// The pool hands out nothing until it is resumed ([`Pool::suspend`](crate::Pool::suspend)).
    #[non_exhaustive]
    PoolSuspended {
        /// The pool's name.
        pool: &'a str,
        /// Its counts at that moment.
        status: Status,
    },
    /// The pool hands out connections again ([`Pool::resume`](crate::Pool::resume)).
    #[non_exhaustive]
    PoolResumed {
        /// The pool's name.
        pool: &'a str,
        /// Its counts at that moment.
        status: Status,
    },
    /// Maxsize was changed ([`Pool::resize`](crate::Pool::resize), [`Pool::reconfigure`](crate::Pool::reconfigure)).
    #[non_exhaustive]
    Resized {
        /// The pool's name.
        pool: &'a str,
        /// Maxsize before; 0 means unlimited.
        from: usize,
        /// Maxsize now; 0 means unlimited.
        to: usize,
    },
    /// A connection was added from outside ([`Pool::add`](crate::Pool::add)).
    #[non_exhaustive]
    Added {
        /// The pool's name.
        pool: &'a str,
        /// Its number.
        connection: u64,
    },
    /// The runtime has refused or dropped a background task: from now on callers do the work.
    #[non_exhaustive]
    SpawnFailed {
        /// The pool's name.
        pool: &'a str,
    },
    /// The observers were slower than the events, and this many events were dropped here. [`Pool::stats`] has counted
    /// what they were about.
    ///
    /// [`Pool::stats`]: crate::Pool::stats
    #[non_exhaustive]
    Lagged {
        /// The pool's name.
        pool: &'a str,
        /// How many events will not be told.
        missed: u64,
    },
}
