//! The ways in which the driver's connection ends.

use std::io;
use std::thread;
use std::time::Duration;

use mysql_async::Conn;

use crate::transport::io_runtime::{drop_without_driver, poll_once, within};
use crate::transport::unread::{Form, has_unread_result, skip_unread_result};

/// How long the server may take to hear the goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Closes a connection now, without waiting for anything and without reading what the server may still send.
///
/// Where the connection is idle the server is told (COM_QUIT), as far as one write goes. `in_step` says that no command was
/// left in the middle.
pub(crate) fn at_once(mut conn: Conn, in_step: bool) {
    // The driver's goodbye first reads an unread result to its end, however long it is.
    let idle =
        in_step && !thread::panicking() && !conn.is_disconnected() && !has_unread_result(&mut conn);
    match idle {
        true => drop(poll_once(conn.disconnect())),
        false => drop_without_driver(conn),
    }
}

/// Tells the server (COM_QUIT) and closes the connection, in at most a second.
///
/// # Errors
///
/// When the server was not told; the connection is closed all the same.
pub(crate) async fn politely(conn: Conn, in_step: bool, form: Form) -> mysql_async::Result<()> {
    let mut leaving = Leaving(Some(conn));
    let Some(conn) = leaving.0.as_mut().filter(|_| in_step) else {
        return Ok(());
    };
    if conn.is_disconnected()
        || (has_unread_result(conn) && !skip_unread_result(conn, form).await?)
    {
        return Ok(());
    }
    let Some(conn) = leaving.0.take() else {
        return Ok(());
    };
    match within(Some(GOODBYE), conn.disconnect()).await {
        Some(result) => result,
        None => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

/// A connection that is closed also when the future that says goodbye is dropped.
struct Leaving(Option<Conn>);

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            drop_without_driver(conn);
        }
    }
}
