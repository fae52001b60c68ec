//! A server in memory, a backend for it that keeps the contract, and the faults that can be put into its manager.

pub(crate) mod manager;
pub(crate) mod server;

use std::sync::Arc;
use std::time::Duration;

use pool_conformance::Backend;

use self::manager::{Fault, MemoryConnection, MemoryManager};
use self::server::{Answer, Server};

/// A backend with every means.
pub(crate) struct MemoryBackend {
    server: Arc<Server>,
    fault: Option<Fault>,
}

impl MemoryBackend {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self {
            server: Arc::new(Server::default()),
            fault,
        }
    }
}

impl Backend for MemoryBackend {
    type Manager = MemoryManager;

    fn manager(&self) -> MemoryManager {
        MemoryManager::new(&self.server, self.fault)
    }

    async fn ping(&self, conn: &mut MemoryConnection) -> Option<bool> {
        Some(conn.ask("ping").await.is_ok())
    }

    async fn identity(&self, conn: &mut MemoryConnection) -> Option<String> {
        Some(conn.id().to_string())
    }

    async fn break_connection(&self, conn: &mut MemoryConnection) -> Option<()> {
        self.server.end(conn.id());
        Some(())
    }

    async fn make_dirty(&self, conn: &mut MemoryConnection) -> Option<()> {
        conn.ask("remember").await.expect("a live session");
        Some(())
    }

    async fn is_clean(&self, conn: &mut MemoryConnection) -> Option<bool> {
        let answer = conn.ask("what do you remember?").await;
        Some(answer.expect("a live session") == Answer::Nothing)
    }

    async fn long_command(&self, conn: &mut MemoryConnection) -> Option<()> {
        assert!(conn.ask("think").await.is_err(), "it thinks for ever");
        Some(())
    }

    async fn sessions(&self) -> Option<usize> {
        Some(self.server.sessions())
    }

    async fn stop_server(&self) -> Option<()> {
        self.server.stop();
        Some(())
    }

    async fn start_server(&self) -> Option<()> {
        self.server.start();
        Some(())
    }

    async fn pause_server(&self) -> Option<()> {
        self.server.pause(true);
        Some(())
    }

    async fn resume_server(&self) -> Option<()> {
        self.server.pause(false);
        Some(())
    }

    fn step_limit(&self) -> Duration {
        Duration::from_secs(1)
    }
}
