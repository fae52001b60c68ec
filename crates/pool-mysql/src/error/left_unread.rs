//! A connection that was closed because too much of a result was left unread.

use std::error::Error as StdError;
use std::fmt;

use mysql_async::Error;

/// What was wrong and what to do, for all errors that say it.
pub(crate) const LEFT_UNREAD: &str = "a long result was left unread; fetch its rows to the end, \
     await the close of the ss_cursor, or ask for fewer rows with LIMIT";

/// The error of every command on such a connection. It travels in the driver's variant `Other`.
#[derive(Debug)]
struct LeftUnread;

impl fmt::Display for LeftUnread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection is closed: {LEFT_UNREAD}")
    }
}

impl StdError for LeftUnread {}

pub(crate) fn left_unread() -> Error {
    Error::Other(Box::new(LeftUnread))
}

/// Whether this is the error of a command on such a connection.
pub(super) fn is_left_unread(error: &Error) -> bool {
    matches!(error, Error::Other(error) if error.is::<LeftUnread>())
}
