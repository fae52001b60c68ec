//! The text of an `executemany` that failed in the middle.

use std::fmt;
use std::ops::Range;

/// Says which sets of parameters the command carried that failed, what was changed before it, and why it failed.
pub(super) fn display(
    f: &mut fmt::Formatter<'_>,
    sets: &Range<usize>,
    affected: u64,
    cause: &dyn fmt::Display,
) -> fmt::Result {
    let first = sets.start;
    let rows = match affected {
        1 => "1 row".to_owned(),
        _ => format!("{affected} rows"),
    };
    match sets.len() {
        0 | 1 => write!(
            f,
            "parameter set {first} (counted from 0) failed; the commands before it changed {rows}: {cause}"
        ),
        _ => write!(
            f,
            "one of the parameter sets {first} to {} (counted from 0) failed; the commands before them changed {rows}: {cause}",
            sets.end - 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::sync::Arc;

    use mysql_async::{DriverError, ServerError};
    use pool_core::ErrorClass;

    use crate::error::classify::classify;
    use crate::error::{Error, outcome};

    fn server(code: u16) -> mysql_async::Error {
        mysql_async::Error::Server(ServerError {
            code,
            message: "what the server says".into(),
            state: "HY000".into(),
        })
    }

    fn failed(sets: std::ops::Range<usize>, cause: impl Into<Error>) -> Error {
        Error::ManyFailed {
            sets,
            affected: 7,
            cause: Box::new(cause.into()),
        }
    }

    #[test]
    fn the_text_names_one_set_or_the_first_and_the_last_of_several() {
        assert_eq!(
            failed(7..8, server(1062)).to_string(),
            "parameter set 7 (counted from 0) failed; the commands before it changed 7 rows: \
             1062 (HY000): what the server says"
        );
        assert_eq!(
            failed(4..8, server(1062)).to_string(),
            "one of the parameter sets 4 to 7 (counted from 0) failed; the commands before them changed 7 rows: \
             1062 (HY000): what the server says"
        );
    }

    #[test]
    fn all_questions_are_answered_by_the_cause() {
        let error = failed(0..1, server(1213));
        assert_eq!(error.server_code(), Some(1213));
        assert!(error.is_retryable() && !error.is_connection_lost());
        let source = error.source().expect("the cause");
        assert_eq!(source.to_string(), "1213 (HY000): what the server says");
        assert!(source.is::<Error>());
        assert!(
            source
                .source()
                .is_some_and(|e| e.is::<mysql_async::Error>())
        );

        let error = failed(
            0..1,
            mysql_async::Error::from(DriverError::ConnectionClosed),
        );
        assert!(error.is_closed() && error.is_connection_lost() && !error.is_retryable());
        let error = failed(0..1, outcome::of(server(1053), true));
        assert!(error.is_outcome_unknown() && error.is_connection_lost());
        for (code, class) in [(1045, ErrorClass::Auth), (1290, ErrorClass::ReadOnly)] {
            assert_eq!(classify(&failed(0..1, server(code))), class);
        }
        let connect = pool_core::Error::Connect(Arc::new(failed(0..1, server(1040))));
        assert_eq!(Error::from(connect).server_code(), Some(1040));
    }
}
