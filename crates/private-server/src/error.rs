//! Why a server could not be started.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a private server could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// No server program is installed. The message says what to install.
    NotFound,
    /// The operating system refused something; `what` says what was attempted.
    Io {
        /// What was attempted, with the path it was attempted on.
        what: String,
        /// What the operating system answered.
        source: io::Error,
    },
    /// The MariaDB program is there, but the SQL files that describe the system tables are not.
    NoSystemTables {
        /// The server program whose files were looked for.
        program: PathBuf,
    },
    /// The program could not prepare an empty data directory.
    Bootstrap {
        /// How the program ended.
        status: ExitStatus,
        /// The last lines it wrote.
        log: String,
    },
    /// The server ended before it was ready.
    Died {
        /// How the server ended.
        status: ExitStatus,
        /// The last lines of its log.
        log: String,
    },
    /// The server runs but did not greet in time.
    TimedOut {
        /// How long it was given.
        after: Duration,
        /// The last lines of its log.
        log: String,
    },
    /// Something else holds the port that the server has to come back on, or every port that was tried.
    PortTaken {
        /// The port tried last.
        port: u16,
    },
    /// `start_again` was called on a server that runs.
    AlreadyRunning,
}

impl ServerError {
    /// For `map_err`: wraps an answer of the operating system with what was attempted.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(
                "no MariaDB or MySQL server program was found \
                 (looked for mariadbd and mysqld in PATH, /usr/sbin, /usr/local/sbin and /usr/libexec). Install one:\n  \
                 Debian, Ubuntu: apt-get update && apt-get install -y --no-install-recommends mariadb-server-core\n  \
                 Fedora:         dnf install -y mariadb-server\n  \
                 Alpine:         apk add mariadb\n  \
                 Arch:           pacman -S mariadb\n  \
                 macOS:          brew install mariadb",
            ),
            Self::Io { what, .. } => write!(f, "could not {what}"),
            Self::NoSystemTables { program } => write!(
                f,
                "the SQL files of the system tables (mysql_system_tables.sql) that belong to {} were not found",
                program.display()
            ),
            Self::Bootstrap { status, log } => {
                write!(
                    f,
                    "preparing the data directory failed ({status}); the last lines of its log:\n{log}"
                )
            }
            Self::Died { status, log } => {
                write!(
                    f,
                    "the server ended before it was ready ({status}); the last lines of its log:\n{log}"
                )
            }
            Self::TimedOut { after, log } => {
                write!(
                    f,
                    "the server did not greet within {after:?}; the last lines of its log:\n{log}"
                )
            }
            Self::PortTaken { port } => write!(f, "port {port} of 127.0.0.1 is in use"),
            Self::AlreadyRunning => f.write_str("the server already runs"),
        }
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
