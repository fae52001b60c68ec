//! The manager for the server in memory. Without a fault it keeps the contract.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use pool_core::{AbortHandle, Manager, Verdict};

use super::server::{Answer, Server};

/// One way to get the manager wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    CheckAlwaysSaysOk,
    CheckPanicsOnBroken,
    RecycleCleansNothing,
    RecycleHangsOnBroken,
    ReleaseReusesDirty,
    ReleaseReusesLost,
    ReleaseWaits,
    CloseLeaksTheSession,
    CloseBlocksOnBroken,
    DropLeaksTheSession,
    ConnectDroppedHalfWayLeaves,
    ConnectIgnoresErrors,
    /// It gives a session that somebody has, if there is one.
    ConnectSharesASession,
    /// It does so only if there are three.
    ConnectSharesInACrowd,
    CheckDroppedHalfWayLeaves,
    AbortDoesNothing,
    AbortWaits,
}

pub(crate) struct MemoryManager {
    server: Arc<Server>,
    fault: Option<Fault>,
}

/// A session, which ends with it.
pub(crate) struct MemoryConnection {
    id: u64,
    server: Arc<Server>,
    is_used: bool,
    /// A command has no answer.
    is_lost: bool,
    is_aborted: Arc<AtomicBool>,
    leaks: bool,
}

impl MemoryConnection {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) async fn ask(&mut self, command: &str) -> io::Result<Answer> {
        self.is_used = true;
        self.is_lost = true;
        let is_aborted = || self.is_aborted.load(Ordering::SeqCst);
        let answer = self.server.ask(self.id, command, is_aborted).await?;
        self.is_lost = false;
        Ok(answer)
    }
}

impl Drop for MemoryConnection {
    fn drop(&mut self) {
        if !self.leaks {
            self.server.end(self.id);
        }
    }
}

impl MemoryManager {
    pub(crate) fn new(server: &Arc<Server>, fault: Option<Fault>) -> Self {
        Self {
            server: Arc::clone(server),
            fault,
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn open(&self) -> io::Result<MemoryConnection> {
        let id = match self.server.open() {
            Err(_) if self.has(Fault::ConnectIgnoresErrors) => 0,
            id => id?,
        };
        Ok(MemoryConnection {
            id,
            server: Arc::clone(&self.server),
            is_used: false,
            is_lost: false,
            is_aborted: Arc::default(),
            leaks: false,
        })
    }
}

impl Manager for MemoryManager {
    type Connection = MemoryConnection;
    type Error = io::Error;

    async fn connect(&self) -> io::Result<MemoryConnection> {
        let mut conn = self.open()?;
        if conn.id == 0 {
            return Ok(conn);
        }
        conn.leaks =
            self.has(Fault::ConnectDroppedHalfWayLeaves) || self.has(Fault::DropLeaksTheSession);
        conn.ask("hello").await?;
        conn.leaks = self.has(Fault::DropLeaksTheSession);
        conn.is_used = false;
        let fewest = match self.fault {
            Some(Fault::ConnectSharesASession) => 1,
            Some(Fault::ConnectSharesInACrowd) => 3,
            _ => usize::MAX,
        };
        if let Some(other) = self.server.other_of(conn.id, fewest) {
            self.server.end(conn.id);
            conn.id = other;
        }
        Ok(conn)
    }

    async fn check(&self, conn: &mut MemoryConnection) -> io::Result<()> {
        if self.has(Fault::CheckAlwaysSaysOk) {
            return Ok(());
        }
        if self.has(Fault::CheckDroppedHalfWayLeaves) {
            conn.leaks = true;
        }
        let answer = conn.ask("ping").await;
        conn.leaks = self.has(Fault::DropLeaksTheSession);
        if self.has(Fault::CheckPanicsOnBroken) {
            answer.as_ref().expect("the server answers");
        }
        answer.map(drop)
    }

    async fn recycle(&self, conn: &mut MemoryConnection) -> io::Result<()> {
        let command = match self.has(Fault::RecycleCleansNothing) {
            true => "ping",
            false => "forget",
        };
        let answer = conn.ask(command).await;
        if self.has(Fault::RecycleHangsOnBroken) && answer.is_err() {
            pending::<()>().await;
        }
        conn.is_used = false;
        answer.map(drop)
    }

    fn on_release(&self, conn: &mut MemoryConnection) -> Verdict {
        if self.has(Fault::ReleaseWaits) {
            sleep(Duration::from_millis(60));
        }
        match conn {
            MemoryConnection { is_lost: true, .. } => match self.has(Fault::ReleaseReusesLost) {
                true => Verdict::Reuse,
                false => Verdict::Discard,
            },
            MemoryConnection { is_used: true, .. } => match self.has(Fault::ReleaseReusesDirty) {
                true => Verdict::Reuse,
                false => Verdict::Recycle,
            },
            _ => Verdict::Reuse,
        }
    }

    async fn close(&self, mut conn: MemoryConnection) {
        let answer = conn.ask("goodbye").await;
        if self.has(Fault::CloseBlocksOnBroken) && answer.is_err() {
            sleep(Duration::from_secs(600));
        }
        conn.leaks |= self.has(Fault::CloseLeaksTheSession);
        if self.has(Fault::DropLeaksTheSession) {
            self.server.end(conn.id);
        }
    }

    fn abort_handle(&self, conn: &MemoryConnection) -> Option<AbortHandle> {
        let does_nothing = self.has(Fault::AbortDoesNothing);
        let waits = self.has(Fault::AbortWaits);
        let (is_aborted, server) = (Arc::clone(&conn.is_aborted), Arc::clone(&self.server));
        Some(AbortHandle::new(move || {
            if waits {
                sleep(Duration::from_millis(200));
            }
            if !does_nothing {
                is_aborted.store(true, Ordering::SeqCst);
                server.wake_all();
            }
        }))
    }
}
