//! A server in memory, a backend for it that keeps the contract, and the faults that can be put into its manager.

pub(crate) mod fault;
pub(crate) mod manager;
pub(crate) mod server;

use std::sync::Arc;
use std::time::Duration;

use pool_conformance::Backend;

use self::fault::Fault;
use self::manager::{MemoryConnection, MemoryManager};
use self::server::{Answer, Server};

/// A backend with every means, or with those of the guide only.
pub(crate) struct MemoryBackend {
    server: Arc<Server>,
    fault: Option<Fault>,
    has_all_means: bool,
}

impl MemoryBackend {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self {
            server: Arc::new(Server::default()),
            fault,
            has_all_means: true,
        }
    }

    /// With the means that the backend of docs/write-a-backend.md has: no `ping`, and nothing that stops the server.
    pub(crate) fn as_in_the_guide(fault: Fault) -> Self {
        Self {
            has_all_means: false,
            ..Self::new(Some(fault))
        }
    }

    /// What stops the server or lets it go on.
    fn control(&self, control: impl FnOnce(&Server)) -> Option<()> {
        self.has_all_means.then(|| control(&self.server))
    }
}

impl Backend for MemoryBackend {
    type Manager = MemoryManager;

    fn manager(&self) -> MemoryManager {
        MemoryManager::new(&self.server, self.fault)
    }

    async fn ping(&self, conn: &mut MemoryConnection) -> Option<bool> {
        match self.has_all_means {
            true => Some(conn.ask("ping").await.is_ok()),
            false => None,
        }
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
        self.control(Server::stop)
    }

    async fn start_server(&self) -> Option<()> {
        self.control(Server::start)
    }

    async fn pause_server(&self) -> Option<()> {
        self.control(|server| server.pause(true))
    }

    async fn resume_server(&self) -> Option<()> {
        self.control(|server| server.pause(false))
    }

    fn step_limit(&self) -> Duration {
        Duration::from_secs(1)
    }
}
