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
pub(crate) mod reset;
pub(crate) mod run;
mod time_limit;
mod verbs;
pub(crate) mod warning;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use mysql_async::Conn;

use crate::connection::kept::KeptStatements;
use crate::error::closed;
use crate::error::left_unread::left_unread;
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
///   answers [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed). Otherwise the server's answer to the old
///   command would be read as the answer to the next one. For the same reason the driver's connection is never handed out.
/// - A row that does not fit the requested type is an error, not a panic (except in a stream).
/// - Dropping it needs no runtime and downloads nothing: the socket is closed at once.
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
            echo,
            autocommit: true,
        }
    }

    /// Closes the connection at once: it waits for nothing, and does not read what the server may still send.
    ///
    /// The server is told (COM_QUIT) unless a command was left in the middle. Every later command answers
    /// [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed); closing twice is fine.
    pub fn close(&mut self) {
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
        match self.conn.take() {
            Some(conn) => {
                close::close_gracefully(conn, !self.state.is_busy(), self.state.form()).await
            }
            None => Ok(()),
        }
    }

    /// Whether the connection cannot be used any more: closed, broken, aborted, or left in the middle of a command.
    ///
    /// Only the next command notices that the server has closed the connection.
    pub fn is_closed(&self) -> bool {
        self.state.is_busy()
            || self.signal.is_aborted()
            || self.conn.as_ref().is_none_or(Conn::is_disconnected)
            || (self.watch.has_ended() && self.state.is_used())
    }

    /// The error of a command on a connection that is closed.
    pub(crate) fn why_closed(&self) -> mysql_async::Error {
        match self.state.gave_rows_up() {
            true => left_unread(),
            false => closed(),
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
