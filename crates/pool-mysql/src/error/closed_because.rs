//! Why a connection was closed under its user.

use std::fmt;
use std::io::ErrorKind;

use mysql_async::{DriverError, Error, IoError};

use crate::error::codes::meaning_of;

/// Why a connection cannot be used any more. Its `Display` says what has happened, and then what to do.
///
/// [`Connection::closed_because`](crate::Connection::closed_because) tells it, and [`Error::Closed`](crate::Error::Closed)
/// carries it. [`CloseReason::Broken`](pool_core::CloseReason::Broken) of a pool's events has its [`what`](Self::what).
///
/// # Examples
///
/// ```
/// use pool_mysql::ClosedBecause;
///
/// let because = ClosedBecause::Cancelled;
/// assert_eq!(because.what(), "a command was cancelled");
/// assert_eq!(because.to_string(), format!("{}; {}", because.what(), because.advice()));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClosedBecause {
    /// Its holder called `close` or `ensure_closed`.
    ClosedByHolder,
    /// [`Pool::terminate`](pool_core::Pool::terminate) was called while somebody held it.
    Terminated,
    /// The future of a command was dropped before its answer was read, or it panicked.
    Cancelled,
    /// A command took longer than `command_timeout`, and the server did not say in time that it had ended it.
    CommandTimeout,
    /// The rest of a result was too long to be read.
    LeftUnread,
    /// The server, or something between it and the client, has ended the connection.
    ServerClosed,
    /// The connection to the server was lost during a command, by another I/O error than its end.
    ConnectionLost,
    /// The driver gave a command up in the middle, for example after a packet that was too large.
    DriverGaveUp,
    /// A file for `LOAD DATA LOCAL INFILE` could not be read to its end, so the command was given up.
    LocalFileFailed,
    /// The server refused to roll back to a savepoint.
    NotRolledBack,
    /// The tokio runtime on which its socket lived has ended.
    RuntimeEnded,
}

/// What was wrong and what to do where a long result was left unread, for all errors that say it.
pub(crate) const LEFT_UNREAD: &str = "a long result was left unread; fetch its rows to the end, \
     await the close of the ss_cursor, or ask for fewer rows with LIMIT";

/// What has happened and what to do, for each reason.
struct Words {
    what: &'static str,
    advice: &'static str,
}

impl ClosedBecause {
    const fn words(self) -> Words {
        let (what, advice) = match self {
            Self::ClosedByHolder => (
                "its holder has closed it",
                "open another connection, or acquire one from the pool",
            ),
            Self::Terminated => (
                "the pool was terminated",
                "the command under way may have been carried out: look before you repeat it",
            ),
            Self::Cancelled => (
                "a command was cancelled",
                "its future was dropped before the answer came, for example by a time-out around it: use another connection, \
                 and limit commands with command_timeout",
            ),
            Self::CommandTimeout => (
                "a command took longer than command_timeout",
                "the server did not say in time that it has ended it: look whether it was carried out, and use another \
                 connection",
            ),
            Self::LeftUnread => (
                "a long result was left unread",
                "fetch its rows to the end, await the close of the ss_cursor, or ask for fewer rows with LIMIT",
            ),
            Self::ServerClosed => (
                "the server closed it",
                "it was restarted, has killed the session, or was told to by its wait_timeout: use another connection, and \
                 look into the server's log",
            ),
            Self::ConnectionLost => (
                "the connection was lost during a command",
                "look whether the command was carried out, and use another connection",
            ),
            Self::DriverGaveUp => (
                "the driver gave up a command in the middle",
                "the error of that command says why: use another connection",
            ),
            Self::LocalFileFailed => (
                "a local file could not be read to its end",
                "a table with transactions has none of its rows, and the log has its name: use another connection",
            ),
            Self::NotRolledBack => (
                "the server refused to roll back to a savepoint",
                "the whole transaction is rolled back: begin it again on another connection",
            ),
            Self::RuntimeEnded => (
                "the tokio runtime of its socket has ended",
                "use another connection, and IoRuntime::Background where runtimes come and go",
            ),
        };
        Words { what, advice }
    }

    /// What has happened, such as `a command was cancelled`.
    pub const fn what(self) -> &'static str {
        self.words().what
    }

    /// What to do.
    pub const fn advice(self) -> &'static str {
        self.words().advice
    }

    /// Why the connection is closed after this error of a command; `None` where it is not.
    pub(crate) fn after(error: &Error) -> Option<Self> {
        match error {
            Error::Io(error) => Some(Self::after_io(error)),
            Error::Driver(DriverError::ConnectionClosed) => Some(Self::ServerClosed),
            Error::Driver(_) => Some(Self::DriverGaveUp),
            Error::Server(error) if meaning_of(error.code).lost => Some(Self::ServerClosed),
            Error::Server(_) | Error::Url(_) | Error::Other(_) => None,
        }
    }

    fn after_io(error: &IoError) -> Self {
        // The driver reports a failed write as the end of the file, too.
        let has_ended = |kind| {
            matches!(
                kind,
                ErrorKind::UnexpectedEof
                    | ErrorKind::BrokenPipe
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
            )
        };
        // The codec's words for an end in the middle of a packet; it gives them no `ErrorKind`.
        let was_cut =
            |error: &std::io::Error| error.to_string().contains("bytes remaining on stream");
        match error {
            IoError::Io(error) if has_ended(error.kind()) || was_cut(error) => Self::ServerClosed,
            _ => Self::ConnectionLost,
        }
    }
}

impl fmt::Display for ClosedBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words { what, advice } = self.words();
        write!(f, "{what}; {advice}")
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_long_result_has_the_same_words_everywhere() {
        assert_eq!(ClosedBecause::LeftUnread.to_string(), LEFT_UNREAD);
    }

    #[test]
    fn an_error_of_a_command_says_what_has_closed_the_connection() {
        let io = |kind| ClosedBecause::after(&io::Error::from(kind).into());
        for kind in [
            ErrorKind::UnexpectedEof,
            ErrorKind::BrokenPipe,
            ErrorKind::ConnectionReset,
        ] {
            assert_eq!(io(kind), Some(ClosedBecause::ServerClosed));
        }
        let cut = io::Error::other("bytes remaining on stream");
        assert_eq!(
            ClosedBecause::after(&cut.into()),
            Some(ClosedBecause::ServerClosed)
        );
        assert_eq!(io(ErrorKind::TimedOut), Some(ClosedBecause::ConnectionLost));
        let driver = |error: DriverError| ClosedBecause::after(&error.into());
        assert_eq!(
            driver(DriverError::ConnectionClosed),
            Some(ClosedBecause::ServerClosed)
        );
        assert_eq!(
            driver(DriverError::PacketTooLarge),
            Some(ClosedBecause::DriverGaveUp)
        );
        assert_eq!(ClosedBecause::after(&Error::Other("x".into())), None);
    }
}
