//! How connecting, pooling and cursors fail.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use mysql_async::{DriverError, IoError};
use pool_core::{ConfigError, ErrorClass};

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
    /// The connect took longer than `connect_timeout`.
    #[non_exhaustive]
    ConnectTimeout {
        /// The limit.
        after: Duration,
    },
    /// A used connection could not be made clean for the next user; the words say why.
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
            Self::ConnectTimeout { after } => {
                write!(f, "connecting took longer than {after:?}")
            }
            Self::NotClean(why) => write!(f, "the connection could not be made clean: {why}"),
            Self::CursorClosed => f.write_str("the cursor is closed"),
            Self::NotExecuted => f.write_str("there is no result yet: execute comes first"),
            Self::Conversion { target, columns } => {
                write!(f, "a row of {columns} does not fit {target}")
            }
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
            _ => None,
        }
    }
}

impl From<mysql_async::Error> for Error {
    fn from(error: mysql_async::Error) -> Self {
        Self::Driver(error)
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
        mysql_async::Error::Server(error) => classify_code(error.code),
        mysql_async::Error::Io(IoError::Io(error)) => classify_io(error),
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

fn classify_code(code: u16) -> ErrorClass {
    match code {
        // Access denied (to a database, to an account, by its plugin), host blocked or not allowed, password expired,
        // account locked (MySQL, MariaDB).
        1044 | 1045 | 1129 | 1130 | 1698 | 1820 | 1862 | 3118 | 4151 => ErrorClass::Auth,
        // Unknown database, character set or variable, a value that a variable does not take, a syntax error in the
        // init_command; authentication that this client or that server does not know; TLS required.
        1049 | 1064 | 1115 | 1193 | 1231 | 1251 | 1524 | 2061 | 3159 => ErrorClass::Config,
        // Out of memory, too many connections of all, threads, of this user.
        1040 | 1041 | 1135 | 1203 | 1226 => ErrorClass::Overloaded,
        // Read only: the table, the server's option, the transaction, the storage engine.
        1036 | 1290 | 1792 | 1836 => ErrorClass::ReadOnly,
        _ => ErrorClass::Transient,
    }
}

fn classify_io(error: &std::io::Error) -> ErrorClass {
    use std::io::ErrorKind::{InvalidInput, PermissionDenied};
    if matches!(error.kind(), InvalidInput | PermissionDenied) {
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
mod tests {
    use std::io;

    use mysql_async::ServerError;

    use super::*;

    fn server(code: u16) -> Error {
        Error::Driver(mysql_async::Error::Server(ServerError {
            code,
            message: "what the server says".into(),
            state: "HY000".into(),
        }))
    }

    #[test]
    fn server_errors_are_classified_by_their_number() {
        for (class, codes) in [
            (ErrorClass::Auth, &[1045, 1044, 1698][..]),
            (ErrorClass::Config, &[1049]),
            (ErrorClass::Overloaded, &[1040, 1203, 1226]),
            (ErrorClass::ReadOnly, &[1290, 1792, 1836]),
            (ErrorClass::Transient, &[1053, 1213, 4031]),
        ] {
            for &code in codes {
                assert_eq!(classify(&server(code)), class, "{code}");
            }
        }
    }

    #[test]
    fn a_network_that_fails_may_work_the_next_time() {
        for kind in [
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::NotFound,
            io::ErrorKind::UnexpectedEof,
        ] {
            let error = Error::from(mysql_async::Error::from(io::Error::from(kind)));
            assert_eq!(classify(&error), ErrorClass::Transient);
        }
        let lookup = |why: &str| {
            let text = format!("failed to lookup address information: {why}");
            classify(&Error::from(mysql_async::Error::from(io::Error::other(
                text,
            ))))
        };
        assert_eq!(lookup("Name or service not known"), ErrorClass::Config);
        assert_eq!(
            lookup("Temporary failure in name resolution"),
            ErrorClass::Transient
        );
    }

    #[test]
    fn messages_do_not_repeat_their_source() {
        let error = server(1045);
        assert_eq!(
            error.to_string(),
            "the server refused with error 1045 (HY000)"
        );
        assert_eq!(error.server_code(), Some(1045));
        let source = error.source().expect("the driver's error");
        assert!(source.to_string().contains("what the server says"));
        let error = Error::from(ConfigError::new("port", "0 is no port"));
        assert_eq!(error.to_string(), "an option cannot be used");
        assert_eq!(
            error.source().map(ToString::to_string).as_deref(),
            Some("port: 0 is no port")
        );
    }
}
