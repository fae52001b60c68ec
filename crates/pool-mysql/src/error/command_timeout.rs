//! A command that took longer than the options allow.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use mysql_async::Error;

/// The error of such a command. It travels in the driver's variant `Other`.
#[derive(Debug)]
struct CommandTimeout {
    limit: Duration,
    /// The server has ended the command, and the connection can be used.
    is_kept: bool,
}

impl fmt::Display for CommandTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, is_kept } = self;
        write!(
            f,
            "the command took longer than {limit:?} (command_timeout) "
        )?;
        f.write_str(match is_kept {
            true => "and was ended at the server",
            false => {
                "and the server did not say that it has ended it, so the connection was closed"
            }
        })
    }
}

impl StdError for CommandTimeout {}

/// The command was ended by the server.
pub(crate) fn ended(limit: Duration) -> Error {
    let is_kept = true;
    Error::Other(Box::new(CommandTimeout { limit, is_kept }))
}

/// Nobody knows what has become of the command; the connection is closed.
pub(crate) fn given_up(limit: Duration) -> Error {
    let is_kept = false;
    Error::Other(Box::new(CommandTimeout { limit, is_kept }))
}

/// Whether this is the error of a command that took too long.
pub(super) fn is_command_timeout(error: &Error) -> bool {
    in_error(error).is_some()
}

/// Whether the connection was closed because of it.
pub(super) fn is_given_up(error: &Error) -> bool {
    in_error(error).is_some_and(|timeout| !timeout.is_kept)
}

fn in_error(error: &Error) -> Option<&CommandTimeout> {
    match error {
        Error::Other(error) => error.downcast_ref(),
        _ => None,
    }
}
