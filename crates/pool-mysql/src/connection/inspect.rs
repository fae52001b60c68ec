//! What a connection knows about itself, its session and its server. Nothing here asks the server.

use std::path::Path;

use mysql_async::consts::StatusFlags;

use crate::connection::Connection;
use crate::transport::unread::has_unread_result;

/// Whether a session is inside a transaction.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::TransactionStatus;
///
/// # async fn example(conn: &mut pool_mysql::Connection) -> pool_mysql::mysql_async::Result<()> {
/// conn.begin().await?;
/// assert_eq!(conn.transaction_status(), TransactionStatus::Open);
/// conn.rollback().await?;
/// assert_eq!(conn.transaction_status(), TransactionStatus::None);
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionStatus {
    /// The session is outside a transaction.
    None,
    /// The session is inside a transaction.
    Open,
    /// Not known: the server's last answer was an error, or was not read to its end.
    Unknown,
}

impl Connection {
    /// The connection's number at the server, as in `SHOW PROCESSLIST` and `KILL`.
    pub fn connection_id(&self) -> u64 {
        self.server.connection_id
    }

    /// The same under aiomysql's name.
    pub fn thread_id(&self) -> u64 {
        self.connection_id()
    }

    /// The server's version.
    pub fn server_version(&self) -> (u16, u16, u16) {
        self.server.version
    }

    /// The server's version in its own words, such as `10.11.6-MariaDB-0+deb12u1`.
    #[doc(alias = "get_server_info")]
    pub fn server_info(&self) -> &str {
        &self.server.info
    }

    /// Whether the server is a MariaDB.
    pub fn is_mariadb(&self) -> bool {
        self.server_info().contains("MariaDB")
    }

    /// The host that was connected to; not used with [`unix_socket`](Self::unix_socket).
    pub fn host(&self) -> &str {
        self.options().host_name()
    }

    /// The port that was connected to; not used with [`unix_socket`](Self::unix_socket).
    pub fn port(&self) -> u16 {
        self.options().port_number()
    }

    /// The unix socket that was connected to, if it was one.
    pub fn unix_socket(&self) -> Option<&Path> {
        self.options().unix_socket.as_deref()
    }

    /// The user who is logged in.
    pub fn user(&self) -> Option<&str> {
        match &self.issued {
            Some(issued) => Some(issued.credentials.user()),
            None => self.connector.resolved.opts.user(),
        }
    }

    /// The database that the session started in, if any.
    pub fn db(&self) -> Option<&str> {
        self.options().db.as_deref()
    }

    /// The character set that the session started with: the configured one, else `utf8mb4`.
    #[doc(alias = "character_set_name")]
    pub fn charset(&self) -> &str {
        self.options().charset.as_deref().unwrap_or("utf8mb4")
    }

    /// Whether each statement is logged, with its time and without its parameters (see
    /// [`ConnectOptions::echo`](crate::ConnectOptions::echo)).
    pub fn echo(&self) -> bool {
        self.echo
    }

    /// Whether each statement commits by itself, as far as the server has said.
    pub fn get_autocommit(&self) -> bool {
        match self.status_flags() {
            Some(flags) => flags.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT),
            None => self.autocommit,
        }
    }

    /// Whether the session is inside a transaction, as far as the server has said; it needs `&mut` to see a result that
    /// was not read to its end.
    pub fn transaction_status(&mut self) -> TransactionStatus {
        if self.is_closed() || self.has_unread_result() {
            return TransactionStatus::Unknown;
        }
        if self.state.owes_rollback() {
            return TransactionStatus::Open;
        }
        match self.status_flags() {
            None => TransactionStatus::Unknown,
            Some(flags) if flags.contains(StatusFlags::SERVER_STATUS_IN_TRANS) => {
                TransactionStatus::Open
            }
            Some(_) => TransactionStatus::None,
        }
    }

    /// Whether the session may be inside a transaction: `true` also where that is unknown.
    pub fn in_transaction(&mut self) -> bool {
        self.transaction_status() != TransactionStatus::None
    }

    /// The number that the last INSERT has drawn for an AUTO_INCREMENT column; `None` where it has not.
    pub fn last_insert_id(&self) -> Option<u64> {
        self.conn
            .as_ref()
            .filter(|_| self.state.has_ok_packet())
            .and_then(mysql_async::Conn::last_insert_id)
    }

    /// The same under aiomysql's name.
    pub fn insert_id(&self) -> Option<u64> {
        self.last_insert_id()
    }

    /// How many rows the last statement has changed.
    pub fn affected_rows(&self) -> u64 {
        self.conn
            .as_ref()
            .filter(|_| self.state.has_ok_packet())
            .map_or(0, mysql_async::Conn::affected_rows)
    }

    /// How many warnings the last statement has raised; `SHOW WARNINGS` tells them.
    pub fn warnings(&self) -> u16 {
        self.conn
            .as_ref()
            .filter(|_| self.state.has_ok_packet())
            .map_or(0, mysql_async::Conn::get_warnings)
    }

    /// The flags of the server's last answer, unless it had none.
    pub(crate) fn status_flags(&self) -> Option<StatusFlags> {
        self.state.status_flags(|| {
            let packet = self.conn.as_ref()?.last_ok_packet()?;
            Some(packet.status_flags())
        })
    }

    pub(crate) fn has_unread_result(&mut self) -> bool {
        self.conn.as_mut().is_some_and(has_unread_result)
    }
}
