//! pool-mysql keeps the whole contract of a backend, on a private server.

#[path = "mysql_conformance/watcher.rs"]
mod watcher;

use std::sync::Arc;
use std::time::Duration;

use pool_conformance::{Backend, run};
use pool_core::Runtime;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, MySqlManager, MySqlRuntime, ResetPolicy};
use private_server::PrivateServer;

use crate::watcher::Watcher;

/// A private server with every means.
struct MySqlBackend {
    server: PrivateServer,
    watcher: Watcher,
    options: ConnectOptions,
}

impl MySqlBackend {
    fn new(reset_policy: ResetPolicy) -> Self {
        let server = PrivateServer::start().expect("a server starts");
        let options = ConnectOptions::new()
            .host(server.host())
            .port(server.port())
            .user(server.user())
            .password(server.password())
            .db("test");
        Self {
            watcher: Watcher::new(options.clone()),
            options: options.reset_policy(reset_policy),
            server,
        }
    }
}

impl Backend for MySqlBackend {
    type Manager = MySqlManager;

    fn manager(&self) -> MySqlManager {
        MySqlManager::new(self.options.clone())
    }

    async fn ping(&self, conn: &mut Connection) -> Option<bool> {
        Some(conn.query_drop("DO 1").await.is_ok())
    }

    async fn identity(&self, conn: &mut Connection) -> Option<String> {
        let id: Option<u64> = conn
            .query_first("SELECT CONNECTION_ID()")
            .await
            .expect("a live session");
        id.map(|id| id.to_string())
    }

    async fn break_connection(&self, conn: &mut Connection) -> Option<()> {
        self.watcher.kill(conn.thread_id()).await;
        Some(())
    }

    async fn make_dirty(&self, conn: &mut Connection) -> Option<()> {
        conn.query_drop("SET @left = 1")
            .await
            .expect("a live session");
        Some(())
    }

    async fn is_clean(&self, conn: &mut Connection) -> Option<bool> {
        let is_null = conn.query_first("SELECT @left IS NULL").await;
        is_null.expect("a live session")
    }

    async fn long_command(&self, conn: &mut Connection) -> Option<()> {
        let _ = conn.query_drop("DO SLEEP(600)").await;
        Some(())
    }

    async fn sessions(&self) -> Option<usize> {
        Some(self.watcher.sessions().await.len())
    }

    async fn stop_server(&self) -> Option<()> {
        self.watcher.leave();
        self.server.stop();
        Some(())
    }

    async fn start_server(&self) -> Option<()> {
        self.server.start_again().expect("the server starts again");
        Some(())
    }

    async fn pause_server(&self) -> Option<()> {
        self.server.pause();
        Some(())
    }

    async fn resume_server(&self) -> Option<()> {
        self.server.resume();
        Some(())
    }

    fn runtime(&self) -> Option<Arc<dyn Runtime>> {
        Some(Arc::new(MySqlRuntime::new()))
    }

    fn step_limit(&self) -> Duration {
        Duration::from_secs(30)
    }
}

#[track_caller]
fn passes_everything(reset_policy: ResetPolicy) {
    let report = run(MySqlBackend::new(reset_policy));
    println!("{report}");
    assert_eq!(report.passed().len(), report.findings().len(), "{report}");
}

#[test]
fn pool_mysql_conforms() {
    passes_everything(ResetPolicy::Always);
}

#[test]
fn pool_mysql_conforms_where_clean_sessions_are_not_reset() {
    passes_everything(ResetPolicy::IfDirty);
}
