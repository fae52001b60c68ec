//! What an error of the driver means for the caller of a command.

use std::io::ErrorKind;

use mysql_async::{DriverError, Error, IoError};

use crate::error::codes::meaning_of;
use crate::error::command_timeout::{self, is_given_up};
use crate::error::connect_failed::cause_of;
use crate::error::explained::reason_in;
use crate::error::local_infile;
use crate::error::outcome;

/// What the caller of a command can do about an error of the driver.
///
/// [`Error`](crate::Error) has methods with the same names.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::MySqlErrorExt;
/// use pool_mysql::mysql_async::{self, prelude::Queryable};
///
/// # async fn example(conn: &mut pool_mysql::Connection) -> mysql_async::Result<()> {
/// // Outside a transaction, so that there is no more to repeat than this.
/// while let Err(error) = conn.query_drop("UPDATE hits SET n = n + 1").await {
///     if !error.is_retryable() || error.is_connection_lost() {
///         return Err(error);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub trait MySqlErrorExt {
    /// The error number of the server, if the server refused.
    fn server_code(&self) -> Option<u16>;

    /// Whether the same may succeed when it is done again, and nothing of it was done; see
    /// [`Error::is_retryable`](crate::Error::is_retryable).
    fn is_retryable(&self) -> bool;

    /// Whether the connection is gone; see [`Error::is_connection_lost`](crate::Error::is_connection_lost).
    fn is_connection_lost(&self) -> bool;

    /// Whether nobody knows if a COMMIT was carried out; see [`OutcomeUnknown`](crate::OutcomeUnknown).
    fn is_outcome_unknown(&self) -> bool;

    /// Whether the command took longer than `command_timeout`; see
    /// [`Error::is_command_timeout`](crate::Error::is_command_timeout).
    fn is_command_timeout(&self) -> bool;
}

impl MySqlErrorExt for Error {
    fn server_code(&self) -> Option<u16> {
        match cause_of(self) {
            Self::Server(error) => Some(error.code),
            _ => None,
        }
    }

    fn is_retryable(&self) -> bool {
        match cause_of(self) {
            Self::Server(error) => meaning_of(error.code).retryable,
            Self::Io(error) => was_never_connected(error),
            _ => false,
        }
    }

    fn is_connection_lost(&self) -> bool {
        match cause_of(self) {
            Self::Server(error) => meaning_of(error.code).lost,
            Self::Io(error) => !was_never_connected(error),
            Self::Driver(error) => is_given_up_after(error),
            Self::Other(_) => {
                self.is_outcome_unknown() || reason_in(self).is_some() || is_given_up(self)
            }
            Self::Url(_) => false,
        }
    }

    fn is_outcome_unknown(&self) -> bool {
        outcome::in_error(cause_of(self)).is_some()
    }

    fn is_command_timeout(&self) -> bool {
        command_timeout::is_command_timeout(self)
    }
}

/// Whether the driver closes the connection with this error: it does so for every error in the middle of a command.
fn is_given_up_after(error: &DriverError) -> bool {
    match error {
        DriverError::LocalInfile(error) => !local_infile::was_not_asked_for(error),
        DriverError::ConnectionClosed
        | DriverError::PacketOutOfOrder
        | DriverError::PacketTooLarge
        | DriverError::UnexpectedPacket { .. }
        | DriverError::BadCompressedPacketHeader
        | DriverError::Params(_)
        | DriverError::StmtParamsMismatch { .. }
        | DriverError::StmtParamsNumberExceedsLimit { .. }
        | DriverError::BulkExecute(_) => true,
        _ => false,
    }
}

/// Whether the connection was refused because nothing listens on the port or socket: nothing was sent.
fn was_never_connected(error: &IoError) -> bool {
    match error {
        IoError::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::NotFound
        ),
        #[allow(unreachable_patterns)]
        _ => false,
    }
}
