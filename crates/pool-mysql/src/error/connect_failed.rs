//! A connect that failed, with where it went.

use std::error::Error as StdError;
use std::fmt;

use mysql_async::{DriverError, Error, IoError};

use crate::error::one_line::OneLine;

/// The error of a connect, with the server and the account that it went to.
///
/// It travels in the driver's variant `Other`, so that a failed connect is an [`Error::Driver`](crate::Error::Driver) like
/// every other error of the driver. Whoever asks what an error means asks its cause, through [`cause_of`].
#[derive(Debug)]
pub(crate) struct ConnectFailed {
    /// The address and the user, as text.
    to: String,
    cause: Error,
    /// Why there are no other credentials than those that the server has refused.
    no_others: Option<String>,
}

impl fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connecting to {} failed: ", self.to)?;
        match &self.cause {
            // `OneLine` would say once more that the connection or the driver failed.
            Error::Io(IoError::Io(error)) => error.fmt(f)?,
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            Error::Io(IoError::Tls(error)) => error.fmt(f)?,
            Error::Driver(DriverError::ConnectionClosed) => {
                f.write_str("the connection was closed")?;
            }
            Error::Driver(error) => error.fmt(f)?,
            cause => OneLine(cause).fmt(f)?,
        }
        match &self.no_others {
            Some(why) => write!(f, "; {why}"),
            None => Ok(()),
        }
    }
}

impl StdError for ConnectFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.cause)
    }
}

/// The error of a connect to this address and user.
pub(crate) fn of(to: String, cause: Error) -> Error {
    Error::Other(Box::new(ConnectFailed {
        to,
        cause,
        no_others: None,
    }))
}

/// The refusal of a connect, which says as well why there are no other credentials.
pub(crate) fn without_others(mut refusal: Error, why: String) -> Error {
    if let Error::Other(error) = &mut refusal
        && let Some(failed) = error.downcast_mut::<ConnectFailed>()
    {
        failed.no_others = Some(why);
    }
    refusal
}

/// What made a connect fail, if this is the error of one.
pub(super) fn in_error(error: &Error) -> Option<&ConnectFailed> {
    match error {
        Error::Other(error) => error.downcast_ref(),
        _ => None,
    }
}

/// The error itself, or the cause of a failed connect.
pub(super) fn cause_of(error: &Error) -> &Error {
    in_error(error).map_or(error, |failed| &failed.cause)
}
