//! The class of an error of connect, which decides how soon the pool tries again.

use mysql_async::{DriverError, IoError};
use pool_core::ErrorClass;

use crate::error::Error;
use crate::error::codes::meaning_of;
use crate::error::connect_failed::cause_of;

/// The class of an error; after a class for which a retry is hopeless the pool waits longer before the next background
/// connect.
pub(crate) fn classify(error: &Error) -> ErrorClass {
    match error {
        Error::Config(_) => ErrorClass::Config,
        Error::Driver(error) => classify_driver(error),
        Error::ManyFailed { cause, .. } => classify(cause),
        _ => ErrorClass::Transient,
    }
}

/// The same for an error of the driver.
pub(crate) fn classify_driver(error: &mysql_async::Error) -> ErrorClass {
    match cause_of(error) {
        mysql_async::Error::Server(error) => meaning_of(error.code).class,
        mysql_async::Error::Io(IoError::Io(error)) => classify_io(error),
        // The certificate was not accepted, or the two sides have no cipher in common.
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
    // The standard library has no `ErrorKind` for a host name that cannot be resolved, so the text is searched.
    let text = error.to_string();
    let unknown_host = text.contains("failed to lookup address information")
        && !text.contains("Temporary failure")
        && !text.contains("Try again");
    match unknown_host {
        true => ErrorClass::Config,
        false => ErrorClass::Transient,
    }
}
