//! Ends the command of a connection at the server, and keeps the connection.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::prelude::Queryable;

use crate::transport::close::{DropQuietly, close_gracefully};
use crate::transport::connector::Connector;
use crate::transport::dial::dial_side_connection;
use crate::transport::io_runtime::within;
use crate::transport::kill::is_at_server_of;
use crate::transport::kill_queue::Victim;
use crate::transport::unread::Form;

/// How long the server may take to end a command, with the side connection that tells it to.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the server was told to end the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It has said that it does so. What it does then comes before whatever is sent to it from now on.
    Yes,
    /// Nothing was sent.
    No,
    /// It may do so at any time.
    Unknown,
}

impl Connector {
    /// Sends KILL QUERY through a side connection, on the runtime of the sockets.
    pub(crate) async fn kill_query(self: &Arc<Self>, victim: Victim) -> Told {
        let connector = Arc::clone(self);
        let kill = move |_| {
            let (connector, victim) = (Arc::clone(&connector), victim.clone());
            async move { kill(&connector, &victim).await }
        };
        self.placement.open(kill).await.unwrap_or(Told::No)
    }
}

async fn kill(connector: &Connector, victim: &Victim) -> Told {
    let side = match within(
        Some(PATIENCE),
        dial_side_connection(connector, victim.issued.as_deref(), victim.reached),
    )
    .await
    {
        Some(Ok(side)) => side,
        Some(Err(error)) => {
            let error = connector.connect_failed(error);
            tracing::debug!(%error, "KILL QUERY could not be sent");
            return Told::No;
        }
        None => return Told::No,
    };
    let mut side = DropQuietly::new(side);
    if !is_at_server_of(side.conn(), victim).await {
        return Told::No;
    }
    let kill = format!("KILL QUERY {}", victim.connection_id);
    let told = match side.conn().query_drop(kill).await {
        Ok(()) => Told::Yes,
        // There is no such session, or it may not be killed.
        Err(mysql_async::Error::Server(_)) => Told::No,
        Err(_) => Told::Unknown,
    };
    let _ = close_gracefully(side.into_conn(), true, Form::Text).await;
    told
}
