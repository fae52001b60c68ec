//! A second connection to the server, which counts and kills the sessions of others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pool_core::Runtime;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, MySqlRuntime, connect};

pub(crate) struct Watcher {
    options: ConnectOptions,
    /// Nobody else has it while it is in use.
    conn: Mutex<Option<Connection>>,
}

impl Watcher {
    pub(crate) fn new(options: ConnectOptions) -> Self {
        Self {
            options,
            conn: Mutex::new(None),
        }
    }

    fn conn(&self) -> MutexGuard<'_, Option<Connection>> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self) -> Connection {
        let kept = self.conn().take();
        match kept {
            Some(conn) => conn,
            None => connect(self.options.clone())
                .await
                .expect("the server takes it"),
        }
    }

    /// Gives the connection up, because its server stops.
    pub(crate) fn leave(&self) {
        self.conn().take();
    }

    /// The numbers of all other sessions.
    pub(crate) async fn sessions(&self) -> Vec<u64> {
        let mut conn = self.take().await;
        let query = "SELECT ID FROM information_schema.PROCESSLIST \
            WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Daemon'";
        let sessions = conn.query(query).await.expect("the server answers");
        *self.conn() = Some(conn);
        sessions
    }

    /// Ends a session, and waits until it is gone.
    pub(crate) async fn kill(&self, id: u64) {
        let mut conn = self.take().await;
        conn.query_drop(format!("KILL {id}"))
            .await
            .expect("the server kills it");
        *self.conn() = Some(conn);
        while self.sessions().await.contains(&id) {
            let runtime = MySqlRuntime::new();
            runtime
                .sleep_until(runtime.now() + Duration::from_millis(1))
                .await;
        }
    }
}
