//! The ways in which the driver's connection is closed.

use std::io;
use std::thread;
use std::time::Duration;

use mysql_async::Conn;

use crate::transport::io_runtime::{drop_without_driver, poll_once, within};
use crate::transport::unread::{Form, has_unread_result, skip_unread_result};

/// How long sending COM_QUIT may take.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Closes a connection now: it waits for nothing and does not read what the server may still send.
///
/// If the connection is idle, COM_QUIT is written, as far as one poll gets. `is_in_step` says that no command was left in
/// the middle.
pub(crate) fn close_now(mut conn: Conn, is_in_step: bool) {
    // With an unread result the driver would read it to its end before it sends COM_QUIT, however long it is.
    let is_idle = is_in_step
        && !thread::panicking()
        && !conn.is_disconnected()
        && !has_unread_result(&mut conn);
    match is_idle {
        true => drop(poll_once(conn.disconnect())),
        false => drop_without_driver(conn),
    }
}

/// Sends COM_QUIT and closes the connection, in at most a second.
///
/// # Errors
///
/// When COM_QUIT could not be sent; the connection is closed in any case.
///
/// # Cancel safety
///
/// Dropping the future closes the connection.
pub(crate) async fn close_gracefully(
    conn: Conn,
    is_in_step: bool,
    form: Form,
) -> mysql_async::Result<()> {
    let mut guard = DropQuietly::new(conn);
    let conn = guard.conn();
    if !is_in_step
        || conn.is_disconnected()
        || (has_unread_result(conn) && !skip_unread_result(conn, form).await?)
    {
        return Ok(());
    }
    match within(Some(QUIT_TIMEOUT), guard.into_conn().disconnect()).await {
        Some(result) => result,
        None => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

/// A connection that is dropped with [`drop_without_driver`].
pub(super) struct DropQuietly(Option<Conn>);

impl DropQuietly {
    pub(super) fn new(conn: Conn) -> Self {
        Self(Some(conn))
    }

    pub(super) fn conn(&mut self) -> &mut Conn {
        self.0.as_mut().expect("only `into_conn` takes it")
    }

    pub(super) fn into_conn(mut self) -> Conn {
        self.0.take().expect("only `into_conn` takes it")
    }
}

impl Drop for DropQuietly {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            drop_without_driver(conn);
        }
    }
}
