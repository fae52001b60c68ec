//! Events as sentences for people.

use std::fmt;

use super::Event;
use crate::borrowed::PlaceAndLabel;
use crate::words::{Maxsize, Rounded};

impl Event<'_> {
    /// The name of the pool.
    pub fn pool(&self) -> &str {
        match self {
            Self::ConnectStarted { pool, .. }
            | Self::Connected { pool, .. }
            | Self::ConnectFailed { pool, .. }
            | Self::ConnectCancelled { pool, .. }
            | Self::Checked { pool, .. }
            | Self::CheckFailed { pool, .. }
            | Self::Recycled { pool, .. }
            | Self::RecycleFailed { pool, .. }
            | Self::Waiting { pool, .. }
            | Self::Acquired { pool, .. }
            | Self::AcquireFailed { pool, .. }
            | Self::TimedOut { pool, .. }
            | Self::Rejected { pool, .. }
            | Self::Cancelled { pool, .. }
            | Self::SlowAcquire { pool, .. }
            | Self::Released { pool, .. }
            | Self::Detached { pool, .. }
            | Self::LeakSuspected { pool, .. }
            | Self::LeakResolved { pool, .. }
            | Self::Closed { pool, .. }
            | Self::BreakerOpened { pool, .. }
            | Self::BreakerClosed { pool, .. }
            | Self::PoolClosing { pool, .. }
            | Self::PoolTerminated { pool, .. }
            | Self::PoolClosed { pool }
            | Self::PoolSuspended { pool, .. }
            | Self::PoolResumed { pool, .. }
            | Self::Resized { pool, .. }
            | Self::Added { pool, .. }
            | Self::SpawnFailed { pool }
            | Self::Lagged { pool, .. } => pool,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pool {:?}: ", self.pool())?;
        match *self {
            Self::ConnectStarted { connection, .. } => {
                write!(f, "connecting number {connection}")
            }
            Self::Connected {
                connection, took, ..
            } => write!(
                f,
                "connection {connection} was opened in {took}",
                took = Rounded(took)
            ),
            Self::ConnectFailed {
                connection,
                took,
                error,
                class,
                ..
            } => write!(
                f,
                "connecting number {connection} failed after {took} ({}): {error}",
                class.as_str(),
                took = Rounded(took)
            ),
            Self::ConnectCancelled {
                connection, reason, ..
            } => write!(f, "connecting number {connection} was given up: {reason}"),
            Self::Checked {
                connection, took, ..
            } => write!(
                f,
                "connection {connection} passed its check in {took}",
                took = Rounded(took)
            ),
            Self::CheckFailed {
                connection,
                took,
                error,
                ..
            } => write!(
                f,
                "the check of connection {connection} failed after {took}: {error}",
                took = Rounded(took)
            ),
            Self::Recycled {
                connection, took, ..
            } => write!(
                f,
                "connection {connection} was recycled in {took}",
                took = Rounded(took)
            ),
            Self::RecycleFailed {
                connection,
                took,
                error,
                ..
            } => write!(
                f,
                "the recycle of connection {connection} failed after {took}: {error}",
                took = Rounded(took)
            ),
            Self::Waiting { waiter, .. } => write!(f, "acquire {waiter} waits"),
            Self::Acquired {
                connection,
                waited,
                place,
                label,
                ..
            } => write!(
                f,
                "connection {connection} was acquired at {} after {waited}",
                PlaceAndLabel { place, label },
                waited = Rounded(waited)
            ),
            Self::AcquireFailed {
                waiter,
                waited,
                error,
                ..
            } => write!(
                f,
                "acquire {waiter} failed after {waited}: {error}",
                waited = Rounded(waited)
            ),
            Self::Rejected {
                place,
                label,
                error,
                ..
            } => write!(
                f,
                "an acquire at {} was refused: {error}",
                PlaceAndLabel { place, label }
            ),
            Self::TimedOut { waiter, error, .. } => write!(f, "acquire {waiter}: {error}"),
            Self::Cancelled { waiter, waited, .. } => {
                write!(
                    f,
                    "acquire {waiter} was dropped after {waited}",
                    waited = Rounded(waited)
                )
            }
            Self::SlowAcquire {
                waiter,
                waited,
                phase,
                status,
                place,
                label,
                ..
            } => write!(
                f,
                "acquire {waiter} at {} has waited for {waited} and is still {phase}; {status}",
                PlaceAndLabel { place, label },
                waited = Rounded(waited)
            ),
            Self::Released {
                connection, held, ..
            } => write!(
                f,
                "connection {connection} was released after {held}",
                held = Rounded(held)
            ),
            Self::Detached {
                connection, held, ..
            } => write!(
                f,
                "connection {connection} was detached after {held}",
                held = Rounded(held)
            ),
            Self::LeakSuspected {
                connection,
                held,
                place,
                label,
                ..
            } => write!(
                f,
                "connection {connection} has been held for {held}, since it was acquired at {}: is it leaked?",
                PlaceAndLabel { place, label },
                held = Rounded(held)
            ),
            Self::LeakResolved {
                connection,
                held,
                place,
                label,
                ..
            } => write!(
                f,
                "connection {connection}, acquired at {}, came back after {held}",
                PlaceAndLabel { place, label },
                held = Rounded(held)
            ),
            Self::Closed {
                connection,
                reason,
                error,
                ..
            } => {
                write!(f, "connection {connection} was closed: {reason}")?;
                match error {
                    Some(error) => write!(f, "; {error}"),
                    None => Ok(()),
                }
            }
            Self::BreakerOpened {
                class,
                error,
                retry_after,
                ..
            } => write!(
                f,
                "the breaker has opened: the next connect is tried in {} ({}): {error}",
                Rounded(retry_after),
                class.as_str()
            ),
            Self::BreakerClosed { open_for, .. } => {
                write!(f, "the breaker has closed after {}", Rounded(open_for))
            }
            Self::PoolClosing { status, .. } => write!(f, "the pool closes; {status}"),
            Self::PoolTerminated { held, .. } => {
                write!(
                    f,
                    "the pool was terminated while {held} connections were held"
                )
            }
            Self::PoolClosed { .. } => f.write_str("the pool is closed"),
            Self::PoolSuspended { status, .. } => write!(f, "the pool is suspended; {status}"),
            Self::PoolResumed { status, .. } => write!(f, "the pool is resumed; {status}"),
            Self::Resized { from, to, .. } => {
                write!(f, "maxsize was {}, and is {}", Maxsize(from), Maxsize(to))
            }
            Self::Added { connection, .. } => {
                write!(f, "connection {connection} was added from outside")
            }
            Self::SpawnFailed { .. } => {
                f.write_str("the runtime takes no background tasks: callers do their work")
            }
            Self::Lagged { missed, .. } => write!(
                f,
                "the observers are too slow: {missed} events were dropped here"
            ),
        }
    }
}
