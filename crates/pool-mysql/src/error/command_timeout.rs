//! A command that took longer than the options allow.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use mysql_async::Error;

/// The error of such a command. It travels in the driver's variant `Other`.
#[derive(Debug)]
struct CommandTimeout {
    limit: Duration,
    end: End,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The server has ended it.
    Ended,
    /// The server was told to end it, and says that it has gone well.
    Unclear,
    /// There was no answer, and the connection was closed.
    GivenUp,
}

impl fmt::Display for CommandTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, end } = self;
        write!(
            f,
            "the command took longer than {limit:?} (command_timeout) "
        )?;
        f.write_str(match end {
            End::Ended => "and was ended at the server",
            End::Unclear => {
                "and the server, which was told to end it, says that it has gone well; MariaDB also says so of an \
                 UPDATE that it has ended, so nobody knows what it has changed: roll back, or look"
            }
            End::GivenUp => {
                "and the server did not say that it has ended it, so the connection was closed"
            }
        })
    }
}

impl StdError for CommandTimeout {}

/// The command was ended by the server.
pub(crate) fn ended(limit: Duration) -> Error {
    error(limit, End::Ended)
}

/// The server was told to end the command, and says that it has gone well.
pub(crate) fn unclear(limit: Duration) -> Error {
    error(limit, End::Unclear)
}

/// Nobody knows what has become of the command; the connection is closed.
pub(crate) fn given_up(limit: Duration) -> Error {
    error(limit, End::GivenUp)
}

fn error(limit: Duration, end: End) -> Error {
    Error::Other(Box::new(CommandTimeout { limit, end }))
}

/// Whether this is the error of a command that took too long.
pub(super) fn is_command_timeout(error: &Error) -> bool {
    in_error(error).is_some()
}

/// Whether the connection was closed because of it.
pub(super) fn is_given_up(error: &Error) -> bool {
    in_error(error).is_some_and(|timeout| timeout.end == End::GivenUp)
}

fn in_error(error: &Error) -> Option<&CommandTimeout> {
    match error {
        Error::Other(error) => error.downcast_ref(),
        _ => None,
    }
}
