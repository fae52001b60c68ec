//! The manager for the server in memory. Without a fault it keeps the contract.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::{self, sleep};
use std::time::Duration;

use pool_core::{AbortHandle, Manager, Verdict};

use super::server::{Answer, Server};

/// One way to get the manager wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    ConnectGivesADeadOne,
    ConnectIgnoresErrors,
    /// It gives a session that somebody has, if there is one.
    ConnectSharesASession,
    /// It does so only if there are three.
    ConnectSharesInACrowd,
    CheckAlwaysSaysOk,
    CheckTrustsASilentServer,
    CheckBlocksOnASilentServer,
    CheckRefusesEverything,
    CheckPanicsOnBroken,
    RecycleCleansNothing,
    RecycleForgetsToCleanNowAndThen,
    RecycleLeaksNowAndThen,
    RecycleHangsOnBroken,
    ReleaseReusesDirty,
    ReleaseReusesLost,
    ReleaseWaits,
    CloseLeaksTheSession,
    CloseBlocksOnBroken,
    DropLeaksTheSession,
    /// If the step is dropped half-way, its session stays.
    DroppedHalfWayLeaves(Step),
    /// The step wakes the task that polled it first, also if another one polls it by then.
    WakesTheFirstTask(Step),
    AbortDoesNothing,
    AbortWaits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Connect,
    Check,
    Recycle,
    Close,
}

/// Each so-many-th recycle has the faults that occur now and then.
const NOW_AND_THEN: usize = 10;

pub(crate) struct MemoryManager {
    server: Arc<Server>,
    fault: Option<Fault>,
    recycles: AtomicUsize,
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
            recycles: AtomicUsize::new(0),
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

    /// Sends the command of a step, with the faults that every step can have.
    async fn ask(
        &self,
        step: Step,
        conn: &mut MemoryConnection,
        command: &str,
    ) -> io::Result<Answer> {
        if self.has(Fault::WakesTheFirstTask(step)) {
            wakes_the_first_task().await;
        }
        conn.leaks = self.has(Fault::DroppedHalfWayLeaves(step));
        let answer = conn.ask(command).await;
        conn.leaks = self.has(Fault::DropLeaksTheSession);
        answer
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
        self.ask(Step::Connect, &mut conn, "hello").await?;
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
        if self.has(Fault::ConnectGivesADeadOne) {
            self.server.end(conn.id);
        }
        Ok(conn)
    }

    async fn check(&self, conn: &mut MemoryConnection) -> io::Result<()> {
        match self.fault {
            Some(Fault::CheckAlwaysSaysOk) => return Ok(()),
            Some(Fault::CheckRefusesEverything) => return Err(io::ErrorKind::Other.into()),
            Some(Fault::CheckTrustsASilentServer) if self.server.is_paused() => return Ok(()),
            Some(Fault::CheckBlocksOnASilentServer) => {
                while self.server.is_paused() {
                    sleep(Duration::from_millis(10));
                }
            }
            _ => {}
        }
        let answer = self.ask(Step::Check, conn, "ping").await;
        if self.has(Fault::CheckPanicsOnBroken) {
            answer.as_ref().expect("the server answers");
        }
        answer.map(drop)
    }

    async fn recycle(&self, conn: &mut MemoryConnection) -> io::Result<()> {
        let number = self.recycles.fetch_add(1, Ordering::SeqCst) + 1;
        let now = number % NOW_AND_THEN == 0;
        let command = match self.fault {
            Some(Fault::RecycleCleansNothing) => "ping",
            Some(Fault::RecycleForgetsToCleanNowAndThen) if now => "ping",
            _ => "forget",
        };
        if self.has(Fault::RecycleLeaksNowAndThen) && now {
            self.server.open()?;
        }
        let answer = self.ask(Step::Recycle, conn, command).await;
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
        if conn.is_lost && !self.has(Fault::ReleaseReusesLost) {
            return Verdict::Discard;
        }
        if conn.is_used && !conn.is_lost && !self.has(Fault::ReleaseReusesDirty) {
            return Verdict::Recycle;
        }
        Verdict::Reuse
    }

    async fn close(&self, mut conn: MemoryConnection) {
        let answer = self.ask(Step::Close, &mut conn, "goodbye").await;
        if self.has(Fault::CloseBlocksOnBroken) && answer.is_err() {
            sleep(Duration::from_secs(600));
        }
        conn.leaks = self.has(Fault::CloseLeaksTheSession);
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

/// Waits for another thread, which wakes only the task that polled first.
async fn wakes_the_first_task() {
    let is_done = Arc::new(AtomicBool::new(false));
    let mut is_started = false;
    poll_fn(|context| {
        if is_done.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        if !is_started {
            is_started = true;
            let (is_done, waker) = (Arc::clone(&is_done), context.waker().clone());
            thread::spawn(move || {
                sleep(Duration::from_millis(50));
                is_done.store(true, Ordering::SeqCst);
                waker.wake();
            });
        }
        Poll::Pending
    })
    .await;
}
