//! How connecting, pooling and cursors fail.

pub(crate) mod codes;
pub(crate) mod driver_error;
pub(crate) mod local_infile;
pub(crate) mod outcome;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use mysql_async::{DriverError, IoError};
use pool_core::{ConfigError, ErrorClass};

use crate::error::codes::meaning_of;
use crate::error::driver_error::MySqlErrorExt;
use crate::error::outcome::OutcomeUnknown;

/// How connecting, pooling and cursors fail.
///
/// What the server or the driver said is the [`source`](StdError::source) of [`Error::Driver`]. No password appears in
/// it.
///
/// # Examples
///
/// ```
/// use pool_mysql::{Error, mysql_async};
///
/// let error = Error::from(mysql_async::Error::from(mysql_async::DriverError::ConnectionClosed));
/// assert!(error.is_closed());
/// assert_eq!(error.to_string(), "the connection is closed");
/// ```
#[non_exhaustive]
#[derive(Debug)]
pub enum Error {
    /// An option cannot be used.
    Config(ConfigError),
    /// The server refused, the connection broke, or the driver gave up.
    Driver(mysql_async::Error),
    /// The connection was lost between a COMMIT and its answer.
    OutcomeUnknown(OutcomeUnknown),
    /// The connect took longer than `connect_timeout`.
    #[non_exhaustive]
    ConnectTimeout {
        /// The limit.
        after: Duration,
    },
    /// A used connection could not be made clean for what comes next, and was closed; the words say why.
    NotClean(&'static str),
    /// The cursor is closed.
    CursorClosed,
    /// There is nothing to fetch: `execute` comes first.
    NotExecuted,
    /// A row does not fit the type that was asked for; the row stays with the cursor.
    #[non_exhaustive]
    Conversion {
        /// The type that was asked for.
        target: &'static str,
        /// The columns that the row has, with their types.
        columns: String,
    },
    /// A statement has a parameter with a name for which no value was given; it was not executed.
    #[non_exhaustive]
    MissingParameter {
        /// The name.
        name: String,
    },
    /// Parameters with names were given where they go by their position.
    NamedParameters,
    /// A [`Dict`](crate::Dict) has no column of that name.
    #[non_exhaustive]
    NoSuchColumn {
        /// The name.
        name: String,
    },
    /// A cursor was to scroll to a row that its result does not have.
    #[non_exhaustive]
    ScrollOutOfRange {
        /// The number of that row, from 0; negative where it would be before the first.
        position: i64,
        /// How many rows the result has.
        rows: u64,
    },
    /// A cursor that has one row at a time was to scroll back.
    #[non_exhaustive]
    ScrollBackwards {
        /// The number of the row to go to.
        position: i64,
        /// The number of the row that is fetched next.
        rownumber: u64,
    },
    /// A statement got a wrong number of parameters; it was not executed.
    #[non_exhaustive]
    ParameterCount {
        /// How many the statement has.
        expected: usize,
        /// How many were given.
        given: usize,
    },
}

impl Error {
    /// The error number of the server, if it was the server that refused.
    pub fn server_code(&self) -> Option<u16> {
        match self {
            Self::Driver(mysql_async::Error::Server(error)) => Some(error.code),
            _ => None,
        }
    }

    /// Whether the same may succeed when it is done again, and nothing of it was done: a full server, a deadlock, a lock that
    /// was waited for too long.
    ///
    /// "The same" is the whole transaction, after a rollback. `docs/mysql.md` has the list of numbers.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Driver(error) => error.is_retryable(),
            Self::ConnectTimeout { .. } => true,
            _ => false,
        }
    }

    /// Whether the connection is gone. Unless [`is_retryable`](Self::is_retryable) says so too, nobody knows whether the
    /// server has carried out the command.
    pub fn is_connection_lost(&self) -> bool {
        match self {
            Self::Driver(error) => error.is_connection_lost(),
            Self::OutcomeUnknown(_) => true,
            _ => false,
        }
    }

    /// Whether nobody knows if a COMMIT was carried out: [`Error::OutcomeUnknown`].
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown(_))
    }

    /// Whether the connection was closed, by its user or because an earlier command was cancelled.
    pub fn is_closed(&self) -> bool {
        matches!(
            self,
            Self::Driver(mysql_async::Error::Driver(DriverError::ConnectionClosed))
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(_) => f.write_str("an option cannot be used"),
            Self::Driver(mysql_async::Error::Server(error)) => write!(
                f,
                "the server refused with error {} ({})",
                error.code, error.state
            ),
            Self::Driver(mysql_async::Error::Io(_)) => {
                f.write_str("the connection to the server failed")
            }
            Self::Driver(mysql_async::Error::Driver(DriverError::ConnectionClosed)) => {
                f.write_str("the connection is closed")
            }
            Self::Driver(_) => f.write_str("the driver failed"),
            Self::OutcomeUnknown(error) => error.fmt(f),
            Self::ConnectTimeout { after } => {
                write!(f, "connecting took longer than {after:?}")
            }
            Self::NotClean(why) => write!(f, "the connection could not be made clean: {why}"),
            Self::CursorClosed => f.write_str("the cursor is closed"),
            Self::NotExecuted => f.write_str("there is no result yet: execute comes first"),
            Self::Conversion { target, columns } => {
                write!(f, "a row of {columns} does not fit {target}")
            }
            Self::MissingParameter { name } => {
                write!(f, "there is no value for the parameter {name}")
            }
            Self::NamedParameters => {
                f.write_str("parameters with names were given where they go by their position")
            }
            Self::NoSuchColumn { name } => write!(f, "there is no column {name}"),
            Self::ScrollOutOfRange { position, rows } => write!(
                f,
                "there is no row {position} to scroll to: the result has {rows}, numbered from 0"
            ),
            Self::ScrollBackwards {
                position,
                rownumber,
            } => write!(
                f,
                "this cursor cannot scroll back: it is at row {rownumber}, and row {position} is gone"
            ),
            Self::ParameterCount { expected, given } => write!(
                f,
                "the statement has {expected} parameters, but {given} were given"
            ),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            // Its text is already all of ours.
            Self::Driver(mysql_async::Error::Driver(DriverError::ConnectionClosed)) => None,
            Self::Driver(error) => Some(error),
            Self::OutcomeUnknown(error) => error.source(),
            _ => None,
        }
    }
}

impl From<mysql_async::Error> for Error {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Other(error) => match error.downcast() {
                Ok(unknown) => Self::OutcomeUnknown(*unknown),
                Err(error) => Self::Driver(mysql_async::Error::Other(error)),
            },
            error => Self::Driver(error),
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// The answer of every command on a connection that cannot be used any more.
pub(crate) fn closed() -> mysql_async::Error {
    DriverError::ConnectionClosed.into()
}

/// What kind of failure an error is; the pool waits longer after a background connect that is hopeless.
pub(crate) fn classify(error: &Error) -> ErrorClass {
    match error {
        Error::Config(_) => ErrorClass::Config,
        Error::Driver(error) => classify_driver(error),
        _ => ErrorClass::Transient,
    }
}

fn classify_driver(error: &mysql_async::Error) -> ErrorClass {
    match error {
        mysql_async::Error::Server(error) => meaning_of(error.code).class,
        mysql_async::Error::Io(IoError::Io(error)) => classify_io(error),
        // A certificate that is not believed, or no common way to encrypt.
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        mysql_async::Error::Io(IoError::Tls(_)) => ErrorClass::Config,
        mysql_async::Error::Url(_) => ErrorClass::Config,
        mysql_async::Error::Driver(
            DriverError::UnknownAuthPlugin { .. }
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::CleartextPluginDisabled
            | DriverError::NoClientSslFlagFromServer
            | DriverError::NamedPipesDisabled,
        ) => ErrorClass::Config,
        _ => ErrorClass::Transient,
    }
}

fn classify_io(error: &std::io::Error) -> ErrorClass {
    use std::io::ErrorKind::{InvalidInput, PermissionDenied};
    if matches!(error.kind(), InvalidInput | PermissionDenied) {
        return ErrorClass::Config;
    }
    #[cfg(feature = "rustls")]
    if error
        .get_ref()
        .is_some_and(|cause| cause.is::<rustls::Error>())
    {
        return ErrorClass::Config;
    }
    // The standard library has no kind of error for names that cannot be resolved.
    let text = error.to_string();
    let unknown_host = text.contains("failed to lookup address information")
        && !text.contains("Temporary failure")
        && !text.contains("Try again");
    match unknown_host {
        true => ErrorClass::Config,
        false => ErrorClass::Transient,
    }
}

#[cfg(test)]
mod tests;
