//! How connecting, pooling and cursors fail.

pub(crate) mod classify;
pub(crate) mod closed_because;
pub(crate) mod codes;
pub(crate) mod command_timeout;
pub(crate) mod connect_failed;
pub(crate) mod driver_error;
pub(crate) mod explained;
pub(crate) mod local_infile;
mod many_failed;
pub(crate) mod misfit;
mod one_line;
pub(crate) mod outcome;
mod parameters;

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use mysql_async::DriverError;
use pool_core::ConfigError;

use crate::error::closed_because::ClosedBecause;
use crate::error::connect_failed::cause_of;
use crate::error::driver_error::MySqlErrorExt;
use crate::error::explained::{reason_in, says_closed};
use crate::error::misfit::Misfit;
use crate::error::one_line::OneLine;
use crate::error::outcome::OutcomeUnknown;
use crate::error::parameters::{NoValue, WrongCount};

/// How connecting, pooling and cursors fail: the one error type that a handler needs.
///
/// `?` makes it from an error of the pool, `pool_core::Error<pool_mysql::Error>`, and from an error of the driver,
/// [`mysql_async::Error`]. Its `Display` is one line that contains the cause; an error of the server reads
/// `1062 (23000): Duplicate entry 'a' for key 'PRIMARY'`. [`source`](StdError::source) reaches the driver's error. No password
/// appears in any of them.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::mysql_async::prelude::Queryable;
/// use pool_mysql::{Error, Pool};
///
/// async fn register(pool: &Pool, name: &str) -> Result<(), Error> {
///     let mut conn = pool.acquire().await?; // an error of the pool
///     conn.query_drop("SET @source = 'web'").await?; // an error of the driver
///     let mut cur = conn.cursor();
///     cur.execute("INSERT INTO users (name) VALUES (?)", (name,)).await?; // already this error
///     Ok(())
/// }
/// ```
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
    ///
    /// The error of a connect is the driver's `Other`, whose text begins with the address and the user. The driver's error
    /// that made it fail is its [`source`](StdError::source).
    Driver(mysql_async::Error),
    /// The connection was closed before, and why.
    ///
    /// The methods with the driver's errors (`query`, `exec` and the others of its `Queryable`) answer
    /// [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed) instead. `?` makes this error of it; see
    /// [`Connection`](crate::Connection#why-it-is-closed).
    Closed(ClosedBecause),
    /// A verb of the pool failed; `Display` and `source` are those of the pool's error.
    Pool(Box<pool_core::Error<Self>>),
    /// The connection was lost between a COMMIT and its answer.
    OutcomeUnknown(OutcomeUnknown),
    /// The connect took longer than `connect_timeout`.
    #[non_exhaustive]
    ConnectTimeout {
        /// The address and the user, such as `127.0.0.1:3306 as app`.
        to: String,
        /// The limit.
        after: Duration,
    },
    /// The provider of [`ConnectOptions::credentials`](crate::ConnectOptions::credentials) has failed, and there are no
    /// earlier credentials that can still be used. Its error is the [`source`](StdError::source); all connects that waited for
    /// the same answer have the same.
    ///
    /// If the server has refused the earlier ones, the connect fails with that refusal instead: an [`Error::Driver`], whose text
    /// says how the provider failed.
    Credentials(Arc<dyn StdError + Send + Sync>),
    /// A used connection could not be made clean for the next user or the next statement, and was closed; the text says
    /// why.
    NotClean(&'static str),
    /// The cursor is closed.
    CursorClosed,
    /// There is no result to fetch from: call `execute` first.
    NotExecuted,
    /// A row or a value cannot be converted into the requested type; the row stays with the cursor.
    #[non_exhaustive]
    Conversion {
        /// The requested type.
        target: &'static str,
        /// The columns that the row has, with their types.
        columns: String,
        /// The value that does not fit. `None` where the number of columns is wrong, or where that cannot be found out.
        misfit: Option<Box<Misfit>>,
    },
    /// No value was given for a named parameter of the statement; the statement was not executed.
    #[non_exhaustive]
    MissingParameter {
        /// The name.
        name: String,
    },
    /// Parameters with names were given to a statement or procedure whose parameters have positions.
    NamedParameters,
    /// A [`Dict`](crate::Dict) has no column of that name.
    #[non_exhaustive]
    NoSuchColumn {
        /// The name.
        name: String,
    },
    /// `scroll` was called with a row that the result does not have.
    #[non_exhaustive]
    ScrollOutOfRange {
        /// The number of that row, from 0; negative where it would be before the first.
        position: i64,
        /// How many rows the result has.
        rows: u64,
    },
    /// `scroll` was called on a server-side cursor with a row that it has already passed.
    #[non_exhaustive]
    ScrollBackwards {
        /// The number of the row to go to.
        position: i64,
        /// The number of the row that is fetched next.
        rownumber: u64,
    },
    /// The number of parameters is wrong; the statement was not executed.
    #[non_exhaustive]
    ParameterCount {
        /// How many the statement has.
        expected: usize,
        /// How many were given.
        given: usize,
    },
    /// `executemany` failed after the statement was prepared; no later command was sent.
    ///
    /// `Display` contains the cause, and the methods of this type answer for the cause. Inside a transaction the changes of
    /// the commands before belong to the transaction. With autocommit on these changes stay, so a repetition must not begin
    /// with the first set.
    #[non_exhaustive]
    ManyFailed {
        /// The sets of parameters that the failed command carried, counted from 0.
        ///
        /// If there are several, one of them failed, and what the others have done depends on the statement. An INSERT or
        /// REPLACE has done nothing, if the engine has transactions. An UPDATE or DELETE, which MariaDB executes once for each
        /// set of a bulk, is done for the sets before the one that failed. If the connection was lost, nobody knows. A row
        /// number in the server's text counts from 1 within these sets.
        sets: Range<usize>,
        /// How many rows the commands before have changed, as `rowcount` counts them.
        affected: u64,
        /// Why the command failed.
        cause: Box<Self>,
    },
}

impl Error {
    /// The error number of the server, if the server refused; also if it refused the connect of an acquire.
    pub fn server_code(&self) -> Option<u16> {
        match self.root() {
            Self::Driver(error) => error.server_code(),
            _ => None,
        }
    }

    /// Whether the same may succeed when it is done again, and nothing of it was done: a full server, a deadlock, a lock
    /// wait that took too long, a pool without a free connection.
    ///
    /// "The same" is the whole transaction, after a rollback. `docs/mysql.md` has the list of numbers.
    pub fn is_retryable(&self) -> bool {
        match self.root() {
            Self::Driver(error) => error.is_retryable(),
            Self::ConnectTimeout { .. } | Self::Credentials(_) => true,
            Self::Pool(error) => matches!(
                **error,
                pool_core::Error::Timeout { .. }
                    | pool_core::Error::Exhausted
                    | pool_core::Error::QueueFull
                    | pool_core::Error::Shed
                    | pool_core::Error::Suspended
            ),
            _ => false,
        }
    }

    /// Whether the connection is gone. Unless [`is_retryable`](Self::is_retryable) is also true, nobody knows whether the
    /// server has carried out the command.
    pub fn is_connection_lost(&self) -> bool {
        match self.root() {
            Self::Driver(error) => error.is_connection_lost(),
            Self::OutcomeUnknown(_) | Self::Closed(_) => true,
            _ => false,
        }
    }

    /// Whether nobody knows if a COMMIT was carried out: [`Error::OutcomeUnknown`].
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self.root(), Self::OutcomeUnknown(_))
    }

    /// Whether a command took longer than [`command_timeout`](crate::ConnectOptions::command_timeout).
    ///
    /// The server has ended it, and then it has changed nothing, if its tables have transactions. Or the server says that it has
    /// gone well although it was told to end it, and then **it may have changed something or not**: in a transaction roll back,
    /// otherwise look before you repeat it; the message says which of the two it was. Or, where
    /// [`is_connection_lost`](Self::is_connection_lost) is true, there was no answer and the connection was closed.
    pub fn is_command_timeout(&self) -> bool {
        matches!(self.root(), Self::Driver(error) if error.is_command_timeout())
    }

    /// Whether the connection was closed before: by its user, because an earlier command was cancelled, or for another reason
    /// of [`ClosedBecause`].
    ///
    /// A closed pool is something else: `Error::Pool` with [`pool_core::Error::Closed`].
    pub fn is_closed(&self) -> bool {
        match self.root() {
            Self::Closed(_) => true,
            Self::Driver(error) => says_closed(cause_of(error)),
            _ => false,
        }
    }

    /// Why the connection was closed before, if [`is_closed`](Self::is_closed) and this error knows it: see
    /// [`Connection`](crate::Connection#why-it-is-closed). [`Connection::closed_because`](crate::Connection::closed_because) does.
    pub fn closed_because(&self) -> Option<ClosedBecause> {
        match self.root() {
            Self::Closed(because) => Some(*because),
            Self::Driver(error) => reason_in(error),
            _ => None,
        }
    }

    /// The error that the pool reports on behalf of a connect or a recycle, or that ended an `executemany`; otherwise the
    /// error itself.
    fn root(&self) -> &Self {
        use pool_core::Error::{BreakerOpen, Check, Connect, Recycle};
        match self {
            Self::Pool(error) => match &**error {
                Check(cause) | Connect(cause) | Recycle(cause) => cause.root(),
                BreakerOpen {
                    last_connect: Some(cause),
                    ..
                } => cause.root(),
                _ => self,
            },
            Self::ManyFailed { cause, .. } => cause.root(),
            _ => self,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => write!(f, "an option cannot be used: {error}"),
            Self::Driver(error) => match connect_failed::in_error(error) {
                Some(failed) => failed.fmt(f),
                None => OneLine(error).fmt(f),
            },
            Self::Closed(because) => write!(f, "the connection is closed: {because}"),
            Self::Pool(error) => error.fmt(f),
            Self::OutcomeUnknown(error) => error.fmt(f),
            Self::ConnectTimeout { to, after } => {
                write!(f, "connecting to {to} took longer than {after:?}")
            }
            Self::Credentials(error) => write!(f, "the credentials provider failed: {error}"),
            Self::NotClean(why) => write!(f, "the connection could not be made clean: {why}"),
            Self::CursorClosed => f.write_str("the cursor is closed"),
            Self::NotExecuted => f.write_str("there is no result yet: call execute first"),
            Self::Conversion {
                target,
                misfit: Some(misfit),
                ..
            } => write!(f, "{misfit}, which does not fit {target}"),
            Self::Conversion {
                target, columns, ..
            } => write!(f, "a row of {columns} does not fit {target}"),
            Self::MissingParameter { name } => NoValue(name).fmt(f),
            Self::NamedParameters => {
                f.write_str("named parameters were given, but this statement takes positional ones")
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
            &Self::ParameterCount { expected, given } => WrongCount { expected, given }.fmt(f),
            Self::ManyFailed {
                sets,
                affected,
                cause,
            } => many_failed::display(f, sets, *affected, cause),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Credentials(error) => Some(&**error),
            // The source would say the same again.
            Self::Driver(mysql_async::Error::Driver(DriverError::ConnectionClosed)) => None,
            Self::Driver(error) => Some(cause_of(error)),
            Self::Pool(error) => error.source(),
            Self::OutcomeUnknown(error) => error.source(),
            Self::ManyFailed { cause, .. } => Some(&**cause),
            _ => None,
        }
    }
}

impl From<pool_core::Error<Self>> for Error {
    fn from(error: pool_core::Error<Self>) -> Self {
        match error {
            pool_core::Error::Config(error) => Self::Config(error),
            error => Self::Pool(Box::new(error)),
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// The error of every command of the driver's on a connection that is closed.
pub(crate) fn closed() -> mysql_async::Error {
    DriverError::ConnectionClosed.into()
}

#[cfg(test)]
mod tests;
