//! Why a command was refused, for the error that `?` makes of the driver's.
//!
//! On a connection that is closed, the driver's `ConnectionClosed` is what its users match on. It carries nothing, and `From`
//! cannot ask the connection. So the reason is noted here, under the caller that gets the error, and `From` looks it up.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mysql_async::{DriverError, Error as DriverFailure};

use crate::error::closed_because::ClosedBecause;
use crate::error::explained::reason_in;
use crate::error::{Error, closed};
use crate::transport::io_runtime::Caller;

/// How many connections are remembered for one caller, and for all. A caller that handles the driver's error by itself never
/// asks for the reason, so the oldest are forgotten.
const MOST_OF_ONE: usize = 8;
const MOST: usize = 1024;

/// Nothing but this list is touched under its lock.
static UNTOLD: Mutex<Untold> = Mutex::new(Untold(VecDeque::new()));

/// The refusals whose reason nobody has asked for, the oldest first.
struct Untold(VecDeque<Refusal>);

struct Refusal {
    caller: Caller,
    connection: u64,
    because: ClosedBecause,
    /// How many errors the caller has got for it.
    errors: usize,
}

impl Untold {
    /// The caller gets an error.
    fn note(&mut self, caller: Caller, connection: u64, because: ClosedBecause) {
        let is_same = |it: &Refusal| it.caller == caller && it.connection == connection;
        let old = self.0.iter().position(is_same);
        let errors = old
            .and_then(|old| self.0.remove(old))
            .map_or(0, |old| old.errors);
        let of_caller = self.0.iter().filter(|it| it.caller == caller).count();
        let oldest = match of_caller >= MOST_OF_ONE {
            true => self.0.iter().position(|it| it.caller == caller),
            false => (self.0.len() >= MOST).then_some(0),
        };
        oldest.and_then(|oldest| self.0.remove(oldest));
        self.0.push_back(Refusal {
            caller,
            connection,
            because,
            errors: errors + 1,
        });
    }

    /// The reason of one of the caller's errors; `None` if it has none, or if they have different reasons, because nothing tells
    /// then which of them is asked for.
    fn tell(&mut self, caller: Caller) -> Option<ClosedBecause> {
        let last = self.0.iter().rposition(|it| it.caller == caller)?;
        let because = self.0[last].because;
        let differs = |it: &Refusal| it.caller == caller && it.because != because;
        if self.0.iter().any(differs) {
            self.0.retain(|it| it.caller != caller);
            return None;
        }
        self.0[last].errors -= 1;
        if self.0[last].errors == 0 {
            self.0.remove(last);
        }
        Some(because)
    }
}

fn untold() -> MutexGuard<'static, Untold> {
    UNTOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The current caller gets the driver's error for a command on this connection, for this reason.
pub(super) fn note(connection: u64, because: ClosedBecause) {
    untold().note(Caller::current(), connection, because);
}

/// That error, whose reason is noted.
pub(super) fn refused(connection: u64, because: ClosedBecause) -> DriverFailure {
    note(connection, because);
    closed()
}

/// Whether this is the driver's error for a command on a connection that is closed.
pub(super) fn is_refusal(error: &DriverFailure) -> bool {
    matches!(error, DriverFailure::Driver(DriverError::ConnectionClosed))
}

/// The reason of an error that the current caller has got, once for each of them.
pub(super) fn told() -> Option<ClosedBecause> {
    untold().tell(Caller::current())
}

/// It knows why a connection is closed as long as the caller that got the error converts it: see [`Error::Closed`].
impl From<DriverFailure> for Error {
    fn from(error: DriverFailure) -> Self {
        let because = match is_refusal(&error) {
            true => told(),
            false => reason_in(&error),
        };
        match (because, error) {
            (Some(because), _) => Self::Closed(because),
            (None, DriverFailure::Other(error)) => match error.downcast() {
                Ok(unknown) => Self::OutcomeUnknown(*unknown),
                Err(error) => Self::Driver(DriverFailure::Other(error)),
            },
            (None, error) => Self::Driver(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(error: DriverFailure) -> Option<ClosedBecause> {
        let error = Error::from(error);
        assert!(error.is_closed());
        error.closed_because()
    }

    #[test]
    fn each_error_has_the_reason_of_its_refusal_once() {
        let first = refused(1, ClosedBecause::Cancelled);
        assert_eq!(converted(first), Some(ClosedBecause::Cancelled));
        assert_eq!(converted(closed()), None, "it was told");
        let second = refused(2, ClosedBecause::ServerClosed);
        assert_eq!(converted(second), Some(ClosedBecause::ServerClosed));
    }

    #[test]
    fn another_thread_and_another_error_have_no_reason() {
        let refused = refused(1, ClosedBecause::Cancelled);
        let elsewhere = std::thread::spawn(|| converted(closed())).join();
        assert_eq!(elsewhere.expect("no panic"), None);
        let other = Error::from(DriverFailure::from(DriverError::PacketOutOfOrder));
        assert!(!other.is_closed());
        assert_eq!(converted(refused), Some(ClosedBecause::Cancelled));
    }

    #[test]
    fn a_task_keeps_its_reason_on_every_thread_and_has_none_of_another_task() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("tokio starts");
        runtime.block_on(async {
            let task = async {
                let refused = refused(1, ClosedBecause::Cancelled);
                tokio::task::yield_now().await;
                converted(refused)
            };
            let other = async {
                // It has matched on the error, and kept nothing.
                drop(refused(2, ClosedBecause::Terminated));
                tokio::task::yield_now().await;
            };
            let (task, other) = (tokio::spawn(task), tokio::spawn(other));
            assert_eq!(
                task.await.expect("no panic"),
                Some(ClosedBecause::Cancelled)
            );
            other.await.expect("no panic");
            assert_eq!(converted(closed()), None);
        });
    }

    #[test]
    fn two_connections_that_are_closed_for_two_reasons_are_not_mixed_up() {
        let one = refused(1, ClosedBecause::Cancelled);
        let two = refused(2, ClosedBecause::ServerClosed);
        assert_eq!((converted(one), converted(two)), (None, None));
        let one = refused(1, ClosedBecause::Terminated);
        let two = refused(2, ClosedBecause::Terminated);
        let both = (converted(two), converted(one));
        let terminated = Some(ClosedBecause::Terminated);
        assert_eq!(both, (terminated, terminated));
    }

    #[test]
    fn all_errors_of_one_connection_have_its_reason() {
        let errors = [1, 1, 1].map(|id| refused(id, ClosedBecause::Cancelled));
        let told = errors.map(converted);
        assert_eq!(told, [Some(ClosedBecause::Cancelled); 3]);
        assert_eq!(converted(closed()), None, "all were told");
    }

    #[test]
    fn callers_that_never_ask_take_no_memory_and_no_reason_of_others() {
        let new_caller = || {
            let thread = std::thread::spawn(Caller::current);
            thread.join().expect("no panic")
        };
        let (quiet, loud) = (new_caller(), new_caller());
        let mut untold = Untold(VecDeque::new());
        untold.note(quiet, 1, ClosedBecause::Cancelled);
        for connection in 0..1000 {
            untold.note(loud, connection, ClosedBecause::Terminated);
        }
        assert_eq!(untold.0.len(), 1 + MOST_OF_ONE);
        assert_eq!(untold.tell(quiet), Some(ClosedBecause::Cancelled));
        for _ in 0..=MOST / MOST_OF_ONE {
            let caller = new_caller();
            for connection in 0..10 {
                untold.note(caller, connection, ClosedBecause::Terminated);
            }
        }
        assert_eq!(untold.0.len(), MOST);
        assert_eq!(untold.tell(loud), None, "the oldest are forgotten");
    }
}
