//! A connection to a server.

pub(crate) mod answer;
pub(crate) mod convert;
pub(crate) mod exec;
pub(crate) mod inspect;
pub(crate) mod kept;
mod kill;
mod load_local;
pub(crate) mod open;
pub(crate) mod queryable;
pub(crate) mod recycle;
mod refusal;
pub(crate) mod reset;
pub(crate) mod run;
mod time_limit;
mod verbs;
pub(crate) mod warning;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use mysql_async::{Conn, Error as DriverError};

use crate::connection::kept::KeptStatements;
use crate::connection::refusal::{refused, told};
use crate::credentials::Issued;
use crate::error::closed_because::ClosedBecause;
use crate::error::explained::{explained, says_closed};
use crate::error::{Error, closed};
use crate::options::ConnectOptions;
use crate::session::state::SessionState;
use crate::transport::abort::Signal;
use crate::transport::close;
use crate::transport::connector::Connector;
use crate::transport::infile::Infile;
use crate::transport::io_runtime::RuntimeWatch;
use crate::transport::server::Server;

/// A connection to a MySQL or MariaDB server, alone or from a pool.
///
/// It has the names of aiomysql's connection, and it implements the driver's
/// [`Queryable`](mysql_async::prelude::Queryable), so that `query`, `exec`, `exec_batch`, `query_iter` and the other methods
/// work on it. Three things differ from the driver's own connection:
///
/// - **A cancelled command closes it.** When the future of a command is dropped before it is done, every later command
///   answers [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed). Otherwise the server's answer to the old command
///   would be read as the answer to the next one. For the same reason the driver's connection is never handed out.
/// - A row that does not fit the requested type is an error, not a panic (except in a stream).
/// - Dropping it needs no runtime and downloads nothing: the socket is closed at once.
///
/// # Why it is closed
///
/// The methods that return [`mysql_async::Result`] answer `ConnectionClosed` on a connection that is closed, whatever has closed
/// it, because users of the driver match on that. It cannot carry a reason. These have it ([`ClosedBecause`]):
///
/// - [`Error`](crate::Error): `?` makes [`Error::Closed`](crate::Error::Closed) of `ConnectionClosed`, in the task that has got it
///   (without tokio: on its thread). If several connections of that task were refused for different reasons, and their errors were
///   not converted yet, the text is only `the connection is closed`;
/// - the errors of cursors, and those of [`transaction`](Self::transaction);
/// - [`closed_because`](Self::closed_because), at any time, also where the error became one of another type, such as `anyhow`'s;
/// - the event of the pool that closes it.
///
/// # Closing it
///
/// [`close`](Self::close) closes the connection, as in aiomysql. The driver's method of that name closes a prepared
/// statement; call it as `Queryable::close(&mut conn, statement)`.
///
/// The driver's own result types (`QueryResult`, `ResultSetStream`) show the password in their `Debug` form: do not print
/// them.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::mysql_async::prelude::Queryable;
/// use pool_mysql::{ConnectOptions, connect};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut conn = connect(ConnectOptions::new().host("127.0.0.1").user("root")).await?;
/// let names: Vec<String> = conn.query("SHOW DATABASES").await?;
/// # drop(names);
/// conn.ensure_closed().await?;
/// # Ok(())
/// # }
/// ```
pub struct Connection {
    /// `None` once it is closed.
    pub(crate) conn: Option<Conn>,
    pub(crate) state: SessionState,
    pub(crate) kept: KeptStatements,
    /// Ends the command under way from outside.
    pub(crate) signal: Arc<Signal>,
    /// Tells whether the runtime of the socket has ended.
    pub(crate) watch: RuntimeWatch,
    pub(crate) infile: Arc<Infile>,
    pub(crate) connector: Arc<Connector>,
    pub(crate) server: Server,
    pub(crate) opened: Instant,
    /// What it has logged in with, if a provider said it.
    pub(crate) issued: Option<Arc<Issued>>,
    pub(crate) echo: bool,
    /// Whether the session commits by itself, as the server or the user said last.
    pub(crate) autocommit: bool,
}

impl Connection {
    /// A connection that the driver has just opened.
    pub(crate) fn adopt(
        conn: Conn,
        connector: Arc<Connector>,
        infile: Arc<Infile>,
        watch: RuntimeWatch,
        echo: bool,
    ) -> Self {
        let signal = Arc::default();
        infile.belongs_to(&signal);
        Self {
            state: SessionState::default(),
            kept: KeptStatements::default(),
            signal,
            infile,
            server: Server::from_greeting(&conn),
            conn: Some(conn),
            watch,
            connector,
            opened: Instant::now(),
            issued: None,
            echo,
            autocommit: true,
        }
    }

    /// Closes the connection at once: it waits for nothing, and does not read what the server may still send.
    ///
    /// The server is told (COM_QUIT) unless a command was left in the middle. Every later command answers
    /// [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed); closing twice is fine.
    pub fn close(&mut self) {
        self.close_because(ClosedBecause::ClosedByHolder);
    }

    /// The same, for a reason that later errors tell.
    pub(crate) fn close_because(&mut self, because: ClosedBecause) {
        self.note_end(because);
        if let Some(conn) = self.conn.take() {
            close::close_now(conn, !self.state.is_busy());
        }
    }

    /// Tells the server (COM_QUIT) and closes the connection, in at most one second.
    ///
    /// Every later command answers [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed); closing twice is fine.
    ///
    /// # Errors
    ///
    /// When the server could not be told; the connection is closed in any case.
    ///
    /// # Cancel safety
    ///
    /// The connection is also closed when the future is dropped after its first poll.
    pub async fn ensure_closed(&mut self) -> mysql_async::Result<()> {
        self.note_end(ClosedBecause::ClosedByHolder);
        match self.conn.take() {
            Some(conn) => {
                close::close_gracefully(conn, !self.state.is_busy(), self.state.form()).await
            }
            None => Ok(()),
        }
    }

    /// Whether the connection cannot be used any more: closed, broken, aborted, or left in the middle of a command.
    ///
    /// An error with which the server ends the session (such as 1053, shutdown, or 1927, killed) closes the connection at once.
    /// If the server has closed it without a word, only the next command notices. [`closed_because`](Self::closed_because)
    /// says why it is closed.
    pub fn is_closed(&self) -> bool {
        self.state.is_busy()
            || self.signal.is_aborted()
            || self.conn.as_ref().is_none_or(Conn::is_disconnected)
            || (self.watch.has_ended() && self.state.is_used())
    }

    /// Why the connection cannot be used any more; `None` where it can ([`is_closed`](Self::is_closed)).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use pool_mysql::ClosedBecause;
    /// use pool_mysql::mysql_async::prelude::Queryable;
    ///
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// // A time-out around a command drops its future.
    /// let _ = tokio::time::timeout(Duration::from_millis(50), conn.query_drop("DO SLEEP(10)")).await;
    /// assert_eq!(conn.closed_because(), Some(ClosedBecause::Cancelled));
    ///
    /// let error = conn.cursor().execute("SELECT 1", ()).await.unwrap_err();
    /// // the connection is closed: a command was cancelled; its future was dropped before the answer came, …
    /// println!("{error}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn closed_because(&self) -> Option<ClosedBecause> {
        if !self.is_closed() {
            return None;
        }
        let is_gone = self.conn.as_ref().is_none_or(Conn::is_disconnected);
        let aborted = self.signal.because();
        Some(match self.state.ended_by() {
            // The end of its runtime is an I/O error to a command.
            Some(ClosedBecause::ConnectionLost | ClosedBecause::ServerClosed)
                if self.watch.has_ended() =>
            {
                ClosedBecause::RuntimeEnded
            }
            // The driver gives some commands up without closing the connection.
            Some(because) if because != ClosedBecause::DriverGaveUp => because,
            _ if aborted.is_some() => aborted?,
            _ if self.state.is_busy() => ClosedBecause::Cancelled,
            Some(because) if is_gone => because,
            // The driver has found out while somebody read rows from it.
            _ if is_gone => ClosedBecause::ServerClosed,
            _ => ClosedBecause::RuntimeEnded,
        })
    }

    fn note_end(&mut self, because: ClosedBecause) {
        if !self.is_closed() {
            self.state.ended(because);
        }
    }

    /// The error of a command of the driver's on a connection that is closed.
    pub(crate) fn why_closed(&self) -> DriverError {
        match self.closed_because() {
            Some(because @ ClosedBecause::LeftUnread) => explained(because),
            Some(because) => refused(self.connection_id(), because),
            None => closed(),
        }
    }

    /// An error of a verb of this crate: where it says that the connection is closed, it says why.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match error {
            // The reason in it may be that of another connection.
            Error::Closed(because) => Error::Closed(self.closed_because().unwrap_or(because)),
            Error::Driver(error) if says_closed(&error) => match self.closed_because() {
                Some(because) => Error::Closed(because),
                None => Error::Driver(error),
            },
            Error::ManyFailed {
                sets,
                affected,
                cause,
            } => Error::ManyFailed {
                sets,
                affected,
                cause: Box::new(self.explain(*cause)),
            },
            error => error,
        }
    }

    /// The same for a verb whose errors are the driver's.
    pub(crate) fn explain_driver(&self, error: DriverError) -> DriverError {
        match self.closed_because() {
            Some(because) if says_closed(&error) => {
                // It tells the reason by itself.
                told();
                explained(because)
            }
            _ => error,
        }
    }

    /// The options, with what their option file adds.
    pub(crate) fn options(&self) -> &ConnectOptions {
        self.connector.options()
    }
}

/// The socket is closed at once; nothing is read, no runtime is needed.
impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.server.connection_id)
            .field("server", &self.server.info)
            .field("options", self.options())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
