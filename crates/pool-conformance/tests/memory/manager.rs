//! The manager for the server in memory. Without a fault it keeps the contract.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::{self, sleep};
use std::time::Duration;

use pool_core::{AbortHandle, ConfigError, ErrorClass, Manager, Verdict};

use super::fault::{Fault, Method, Step};
use super::server::{Answer, Server};

/// Each so-many-th recycle has the faults that occur now and then.
const NOW_AND_THEN: usize = 10;

/// Longer than half the limit of a step, and shorter than twice that limit.
const A_WHILE: Duration = Duration::from_millis(800);

pub(crate) struct MemoryManager {
    server: Arc<Server>,
    fault: Option<Fault>,
    recycles: AtomicUsize,
    /// Closes of used connections that have begun and not ended.
    closing: AtomicUsize,
    echo: bool,
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
    leaks_in_panic: bool,
    leaks_if_aborted: bool,
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
        // A command that was aborted has no answer.
        let was_aborted_at_rest = self.is_aborted.load(Ordering::SeqCst) && !self.is_lost;
        let leaks = self.leaks
            || (self.leaks_in_panic && thread::panicking())
            || (self.leaks_if_aborted && was_aborted_at_rest);
        if !leaks {
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
            closing: AtomicUsize::new(0),
            echo: false,
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn open(&self) -> io::Result<MemoryConnection> {
        let id = match self.server.open() {
            Err(_) if self.has(Fault::ConnectIgnoresErrors) => 0,
            Err(error) if self.has(Fault::Panics(Method::Connect)) => panic!("connect: {error}"),
            id => id?,
        };
        Ok(MemoryConnection {
            id,
            server: Arc::clone(&self.server),
            is_used: false,
            is_lost: false,
            is_aborted: Arc::default(),
            leaks: false,
            leaks_in_panic: self.has(Fault::DropLeaksInAPanic),
            leaks_if_aborted: self.has(Fault::DropLeaksIfAborted),
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
        if self.has(Fault::BlocksForAWhile(step)) && self.server.is_paused() {
            sleep(A_WHILE);
        }
        let leaves_used = self.has(Fault::DroppedCloseLeavesUsed) && step == Step::Close;
        conn.leaks = self.has(Fault::DroppedHalfWayLeaves(step)) || (leaves_used && conn.is_used);
        let answer = conn.ask(command).await;
        conn.leaks = self.has(Fault::DropLeaksTheSession);
        answer
    }
}

impl Manager for MemoryManager {
    type Connection = MemoryConnection;
    type Error = io::Error;

    async fn connect(&self) -> io::Result<MemoryConnection> {
        let closing = self.closing.load(Ordering::SeqCst);
        if self.has(Fault::DroppedCloseBlocksConnects) && closing > 0 {
            pending::<()>().await;
        }
        let mut conn = self.open()?;
        if conn.id == 0 {
            return Ok(conn);
        }
        if self.has(Fault::EchoBreaksConnections) && self.echo {
            self.server.end(conn.id);
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
        if self.has(Fault::Panics(Method::Check)) {
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
        if self.has(Fault::Panics(Method::Recycle)) {
            answer.as_ref().expect("the server answers");
        }
        conn.is_used = false;
        match answer {
            Err(_) if self.has(Fault::RecycleIgnoresErrors) => Ok(()),
            answer => answer.map(drop),
        }
    }

    fn on_release(&self, conn: &mut MemoryConnection) -> Verdict {
        if self.has(Fault::Panics(Method::OnRelease)) {
            assert!(!conn.is_lost, "the server answers");
        }
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
        let was_used = usize::from(conn.is_used);
        self.closing.fetch_add(was_used, Ordering::SeqCst);
        let answer = self.ask(Step::Close, &mut conn, "goodbye").await;
        self.closing.fetch_sub(was_used, Ordering::SeqCst);
        if self.has(Fault::CloseBlocksOnBroken) && answer.is_err() {
            sleep(Duration::from_secs(600));
        }
        if self.has(Fault::Panics(Method::Close)) {
            answer.as_ref().expect("the server answers");
        }
        conn.leaks = self.has(Fault::CloseLeaksTheSession);
    }

    fn abort_handle(&self, conn: &MemoryConnection) -> Option<AbortHandle> {
        if self.has(Fault::Panics(Method::AbortHandle)) {
            panic!("there is no handle");
        }
        let does_nothing = self.has(Fault::AbortDoesNothing);
        let waits = self.has(Fault::AbortWaits);
        let panics_at_first = self.has(Fault::AbortPanicsAtFirst);
        let panics_at_last = self.has(Fault::AbortPanicsAtLast);
        let (is_aborted, server) = (Arc::clone(&conn.is_aborted), Arc::clone(&self.server));
        Some(AbortHandle::new(move || {
            if waits {
                sleep(Duration::from_millis(200));
            }
            assert!(!panics_at_first, "the abort begins");
            if !does_nothing {
                is_aborted.store(true, Ordering::SeqCst);
                server.wake_all();
            }
            assert!(!panics_at_last, "the abort is done");
        }))
    }

    fn was_unused(&self, _: &MemoryConnection) -> bool {
        self.has(Fault::NeverSaysThatItWasUsed)
    }

    fn idle_limit(&self, _: &MemoryConnection) -> Option<Duration> {
        match self.fault {
            Some(Fault::Panics(Method::IdleLimit)) => panic!("there is no limit"),
            Some(Fault::IdleLimitIsZero) => Some(Duration::ZERO),
            _ => None,
        }
    }

    fn classify(&self, error: &io::Error) -> ErrorClass {
        match self.fault {
            Some(Fault::Panics(Method::Classify)) => panic!("an unknown error: {error}"),
            Some(Fault::ClassifySaysFatal) => ErrorClass::Fatal,
            _ => ErrorClass::Transient,
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        match self.fault {
            Some(Fault::Panics(Method::Validate)) => panic!("the options are not there"),
            Some(Fault::ValidateRefuses) => Err(ConfigError::new("host", "it is empty")),
            _ => Ok(()),
        }
    }

    fn set_echo(&mut self, on: bool) {
        let panics = self.has(Fault::Panics(Method::SetEcho)) && on;
        assert!(!panics, "there is no log");
        self.echo = on;
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
