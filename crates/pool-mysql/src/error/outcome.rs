//! A commit whose answer never came.

use std::error::Error as StdError;
use std::fmt;

use mysql_async::Error as DriverError;

use crate::error::command_timeout::is_given_up;
use crate::error::explained::reason_in;
use crate::error::one_line::OneLine;

/// Nobody knows whether a transaction was committed: the connection was lost between the COMMIT and its answer.
///
/// The driver's error carries it in its variant `Other`: [`MySqlErrorExt::is_outcome_unknown`] finds it there, and
/// [`Error::OutcomeUnknown`](crate::Error::OutcomeUnknown) has it as itself. What was lost is its
/// [`source`](StdError::source). Nothing was sent again; ask the database what has become of it before you do.
///
/// [`MySqlErrorExt::is_outcome_unknown`]: crate::MySqlErrorExt::is_outcome_unknown
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::MySqlErrorExt;
/// use pool_mysql::mysql_async;
///
/// # async fn example(conn: &mut pool_mysql::Connection) -> mysql_async::Result<()> {
/// match conn.commit().await {
///     Err(error) if error.is_outcome_unknown() => println!("look whether it is there: {error}"),
///     result => result?,
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OutcomeUnknown {
    source: DriverError,
}

impl OutcomeUnknown {
    /// What ended the connection.
    pub fn cause(&self) -> &DriverError {
        &self.source
    }
}

impl fmt::Display for OutcomeUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the connection was lost before the answer to a COMMIT, and whether it was carried out is unknown: {}",
            OneLine(&self.source)
        )
    }
}

impl StdError for OutcomeUnknown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

/// The error of a command; that of a commit which may be through says so.
pub(crate) fn of(error: DriverError, is_commit: bool) -> DriverError {
    let may_be_through = match &error {
        DriverError::Server(error) => is_end_of_connection(error.code),
        DriverError::Driver(_) | DriverError::Io(_) => true,
        DriverError::Other(_) => is_given_up(&error) || reason_in(&error).is_some(),
        _ => false,
    };
    match is_commit && may_be_through {
        true => DriverError::Other(Box::new(OutcomeUnknown { source: error })),
        false => error,
    }
}

/// The server was shut down, or the session killed, while it did its work.
fn is_end_of_connection(code: u16) -> bool {
    matches!(code, 1053 | 1927 | 3169)
}

/// What an error says about an unknown outcome, if it is one.
pub(crate) fn in_error(error: &DriverError) -> Option<&OutcomeUnknown> {
    match error {
        DriverError::Other(error) => error.downcast_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::{DriverError as Refusal, ServerError};

    use super::*;

    #[test]
    fn only_a_commit_that_may_be_through_is_unknown() {
        let lost = || DriverError::from(Refusal::ConnectionClosed);
        let refused = |code| {
            DriverError::Server(ServerError {
                code,
                message: "no".into(),
                state: "HY000".into(),
            })
        };
        let unknown = |error, is_commit| in_error(&of(error, is_commit)).is_some();
        assert!(unknown(lost(), true));
        assert!(!unknown(lost(), false));
        assert!(unknown(refused(1927), true));
        assert!(!unknown(refused(1213), true));
        let error = of(lost(), true);
        let cause = in_error(&error).map(OutcomeUnknown::cause);
        assert!(matches!(
            cause,
            Some(DriverError::Driver(Refusal::ConnectionClosed))
        ));
    }
}
