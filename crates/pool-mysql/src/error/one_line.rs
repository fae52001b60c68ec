//! The text of an error of the driver, in one line.

use std::fmt;

use mysql_async::params::ParamsError;
use mysql_async::{DriverError, Error, IoError};

use crate::error::command_timeout::is_command_timeout;
use crate::error::explained::reason_in;
use crate::error::parameters::{NoValue, WrongCount};

/// Displays an error of the driver as one line: that of the server as `number (state): message`, others with their cause.
/// The error of a failed connect has a text of its own.
pub(crate) struct OneLine<'a>(pub(crate) &'a Error);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Error::Server(error) => {
                write!(f, "{} ({}): {}", error.code, error.state, error.message)
            }
            Error::Io(IoError::Io(error)) => {
                write!(f, "the connection to the server failed: {error}")
            }
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            Error::Io(IoError::Tls(error)) => {
                write!(f, "the connection to the server failed: {error}")
            }
            Error::Driver(DriverError::ConnectionClosed) => f.write_str("the connection is closed"),
            Error::Driver(DriverError::Params(ParamsError::Missing(error))) => {
                NoValue(&String::from_utf8_lossy(&error.0)).fmt(f)
            }
            Error::Driver(DriverError::StmtParamsMismatch { required, supplied }) => WrongCount {
                expected: (*required).into(),
                given: *supplied,
            }
            .fmt(f),
            Error::Driver(error) => write!(f, "the driver failed: {error}"),
            Error::Url(error) => write!(f, "the driver failed: {error}"),
            Error::Other(error) if reason_in(self.0).is_some() || is_command_timeout(self.0) => {
                error.fmt(f)
            }
            Error::Other(error) => write!(f, "the driver failed: {error}"),
        }
    }
}
