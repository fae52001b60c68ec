//! Ends connections at the server with KILL.
//!
//! A server does not notice that the client of a long query has gone: it goes on with the query. Only KILL, sent through
//! another connection, ends it.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use pool_core::{ErrorClass, Runtime};

use crate::IoRuntime;
use crate::error::Error;
use crate::error::classify::classify;
use crate::transport::close::{DropQuietly, close_gracefully};
use crate::transport::connector::Connector;
use crate::transport::dial::dial_side_connection;
use crate::transport::io_runtime::{MySqlRuntime, within};
use crate::transport::kill_queue::Victim;
use crate::transport::server::{self, Server};
use crate::transport::unread::Form;

/// How long one side connection may take for all the connections that it kills.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause before the next attempt, when a full server has refused the side connection.
const PAUSE: Duration = Duration::from_millis(50);

impl Connector {
    /// Tells the server to end a connection: a background task sends KILL through a side connection. All connections that
    /// are to be killed at the same time share that side connection.
    ///
    /// It does not wait and does not read a file, so it can be called in `Drop`.
    pub(crate) fn kill(self: &Arc<Self>, victim: Victim) {
        if !self.kill_queue.add(victim) {
            return;
        }
        let connector = Arc::clone(self);
        let task = async move {
            let connector = &connector;
            let kill = |victims| within(Some(KILL_TIMEOUT), kill_all(connector, victims));
            connector.kill_queue.empty(kill).await;
        };
        // It needs nothing of the caller's runtime, which may be about to end.
        let runtime = MySqlRuntime::beside(IoRuntime::Background);
        if runtime.spawn(Box::pin(task)).is_err() {
            self.kill_queue.has_no_task();
        }
    }
}

/// Returns whether the servers were told about all of them. There are several only behind a name with several addresses.
async fn kill_all(connector: &Connector, mut victims: Vec<Victim>) -> bool {
    let mut told_all = true;
    while let Some(first) = victims.first().cloned() {
        let same = |victim: &mut Victim| {
            let login = |victim: &Victim| victim.issued.as_ref().map(Arc::as_ptr);
            victim.reached == first.reached && login(victim) == login(&first)
        };
        let group: Vec<Victim> = victims.extract_if(.., same).collect();
        told_all &= kill_at(connector, &first, group).await;
    }
    told_all
}

async fn kill_at(connector: &Connector, first: &Victim, victims: Vec<Victim>) -> bool {
    let Some(side) = side_connection(connector, first).await else {
        return false;
    };
    let mut side = DropQuietly::new(side);
    let conn = side.conn();
    let Some((server, uptime)) = server_and_uptime(conn).await else {
        return false;
    };
    let mut told_all = true;
    for victim in victims {
        if is_same(&server, uptime, &victim) {
            let kill = format!("KILL {}", victim.connection_id);
            // Error 1094, no such connection, is as good as success.
            let result = conn.query_drop(kill).await;
            let is_lost =
                conn.is_disconnected() || matches!(result, Err(mysql_async::Error::Io(_)));
            told_all &= !is_lost;
        }
    }
    let _ = close_gracefully(side.into_conn(), true, Form::Text).await;
    told_all
}

/// A connection to the server of this victim, as its user.
async fn side_connection(connector: &Connector, victim: &Victim) -> Option<Conn> {
    let runtime = MySqlRuntime::new();
    loop {
        let dial = dial_side_connection(connector, victim.issued.as_deref(), victim.reached);
        let error = match dial.await {
            Ok(conn) => return Some(conn),
            Err(error) => Error::from(connector.connect_failed(error)),
        };
        if classify(&error) != ErrorClass::Overloaded {
            tracing::debug!(%error, "KILL could not be sent");
            return None;
        }
        // The connections that are to be killed may be those that fill the server. They are being closed.
        runtime.sleep_until(runtime.now() + PAUSE).await;
    }
}

/// Whether a side connection has come to the server of a victim. It has not, if that server was started after the victim
/// was opened: then somebody else may have the victim's number.
pub(super) async fn is_at_server_of(conn: &mut Conn, victim: &Victim) -> bool {
    match server_and_uptime(conn).await {
        Some((server, uptime)) => is_same(&server, uptime, victim),
        None => false,
    }
}

fn is_same(server: &Server, uptime: u64, victim: &Victim) -> bool {
    server.identity.as_ref() == Some(&victim.identity)
        && uptime >= victim.opened.elapsed().as_secs()
}

/// Which server this is, and for how many seconds it has been running.
async fn server_and_uptime(conn: &mut Conn) -> Option<(Server, u64)> {
    let mut server = Server::from_greeting(conn);
    server.learn(conn.query_first(server::QUESTION).await.ok()??);
    let row: Option<(String, u64)> = conn
        .query_first("SHOW GLOBAL STATUS LIKE 'Uptime'")
        .await
        .ok()?;
    row.map(|(_, seconds)| (server, seconds))
}
