//! An error of the driver that says why its connection is closed.

use std::error::Error as StdError;
use std::fmt;

use mysql_async::{DriverError, Error};

use crate::error::closed_because::ClosedBecause;

/// It travels in the driver's variant `Other`.
#[derive(Debug)]
struct Closed(ClosedBecause);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection is closed: {}", self.0)
    }
}

impl StdError for Closed {}

/// The error of a command on a connection that is closed for this reason.
pub(crate) fn explained(because: ClosedBecause) -> Error {
    Error::Other(Box::new(Closed(because)))
}

/// Why the connection is closed, if this error says it.
pub(crate) fn reason_in(error: &Error) -> Option<ClosedBecause> {
    match error {
        Error::Other(error) => error.downcast_ref().map(|Closed(because)| *because),
        _ => None,
    }
}

/// Whether this is the error of a command on a connection that is closed.
pub(crate) fn says_closed(error: &Error) -> bool {
    matches!(error, Error::Driver(DriverError::ConnectionClosed)) || reason_in(error).is_some()
}
