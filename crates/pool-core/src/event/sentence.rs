//! Events as sentences for people.

use std::fmt;

use super::Event;
use crate::borrowed::PlaceAndLabel;
use crate::error::FailureReason;
use crate::words::{Maxsize, OneLine, Rounded};

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
                "connecting number {connection} failed after {took} ({}): {}",
                class.as_str(),
                OneLine(error),
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
                "the check of connection {connection} failed after {took}: {}",
                OneLine(error),
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
                "the recycle of connection {connection} failed after {took}: {}",
                OneLine(error),
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
                "acquire {waiter} failed after {waited}: {}",
                OneLine(error),
                waited = Rounded(waited)
            ),
            Self::Rejected {
                place,
                label,
                reason,
                status,
                max_waiters,
                target,
                error,
                ..
            } => {
                write!(
                    f,
                    "an acquire at {} was refused: {}; {status}",
                    PlaceAndLabel { place, label },
                    OneLine(error)
                )?;
                match (reason, max_waiters, target) {
                    (FailureReason::QueueFull, Some(most), _) => write!(f, ", max_waiters {most}"),
                    (FailureReason::Shed, _, Some(target)) => {
                        write!(f, ", target {}", Rounded(target))
                    }
                    _ => Ok(()),
                }
            }
            // The second line of a time-out says who holds a connection.
            Self::TimedOut {
                waiter,
                place,
                label,
                error,
                ..
            } => write!(
                f,
                "acquire {waiter} at {}: {error}",
                PlaceAndLabel { place, label }
            ),
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
                    Some(error) => write!(f, "; {}", OneLine(error)),
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
                "the breaker has opened: the next connect is tried in {} ({}): {}",
                Rounded(retry_after),
                class.as_str(),
                OneLine(error)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Phase;
    use crate::{CloseReason, ErrorClass, Status};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_foreign_error_of_several_lines_is_part_of_one() {
        let (pool, waiter, connection) = ("orders", 1, 1);
        let (took, waited, class) = (SECOND, SECOND, ErrorClass::Transient);
        let status = Status::default();
        let place = std::panic::Location::caller();
        let error = std::io::Error::other("no route\n  to host\r\n\nat all\n");
        let error = &error;
        let broken = CloseReason::Broken("lost\n[2026] ERROR forged".into());
        let (retry_after, reason) = (SECOND, &broken);
        let events = [
            Event::ConnectFailed {
                pool,
                connection,
                took,
                error,
                class,
            },
            Event::CheckFailed {
                pool,
                connection,
                took,
                error,
            },
            Event::RecycleFailed {
                pool,
                connection,
                took,
                error,
            },
            Event::AcquireFailed {
                pool,
                waiter,
                waited,
                reason: FailureReason::Connect,
                error,
            },
            Event::Rejected {
                pool,
                place,
                label: Some("two\nlines"),
                reason: FailureReason::Config,
                status,
                max_waiters: None,
                target: None,
                error,
            },
            Event::Closed {
                pool,
                connection,
                reason,
                error: Some(error),
            },
            Event::BreakerOpened {
                pool,
                class,
                error,
                retry_after,
            },
            Event::ConnectCancelled {
                pool,
                connection,
                reason,
            },
        ];
        for event in events {
            let text = event.to_string();
            assert!(!text.contains(['\n', '\r']), "{text:?}");
            let cause = match event {
                Event::ConnectCancelled { .. } => "lost [2026] ERROR forged",
                _ => "no route to host at all",
            };
            assert!(text.contains(cause), "{text}");
        }
        let own = std::io::Error::other("timed out\nheld longest: connection 1");
        let phase = Phase::Wait;
        let error = &own;
        let timed_out = Event::TimedOut {
            pool,
            waiter,
            waited,
            phase,
            status,
            place,
            label: None,
            error,
        };
        assert_eq!(timed_out.to_string().lines().count(), 2);
    }
}
