//! The fake server that all pools connect to. Each step follows a script, and everything is counted.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// What a step of the server does.
#[derive(Clone, Debug, Default)]
pub(crate) enum Step {
    #[default]
    Ok,
    Err,
    Panic,
    /// Never completes.
    Pend,
    /// Suspends this many times, then succeeds.
    Yield(usize),
    Delay(Duration),
    /// Completes when the gate is opened.
    Gate(Gate),
}

/// A gate that the scenario opens once.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }
}

/// The error of a step.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was refused", self.0)
    }
}

impl std::error::Error for Refused {}

impl Step {
    async fn run(self, name: &'static str) -> Result<(), Refused> {
        match self {
            Self::Ok => Ok(()),
            Self::Err => Err(Refused(name)),
            Self::Panic => panic!("the script panics in {name}"),
            Self::Pend => std::future::pending().await,
            Self::Yield(times) => {
                for _ in 0..times {
                    yield_once().await;
                }
                Ok(())
            }
            Self::Delay(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Self::Gate(gate) => {
                let mut opened = gate.0.subscribe();
                opened
                    .wait_for(|open| *open)
                    .await
                    .map_err(|_| Refused(name))?;
                Ok(())
            }
        }
    }
}

/// Suspends the task once and wakes it immediately.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[derive(Debug, Default)]
struct Script {
    connect: Step,
    check: Step,
    recycle: Step,
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<Script>,
    made: AtomicU64,
    closed: AtomicU64,
    /// Connects that were started.
    attempts: AtomicU64,
    /// Open connections and running connects.
    present: AtomicUsize,
    peak: AtomicUsize,
    checks: AtomicU64,
    two_holders: AtomicBool,
    drop_panics: AtomicBool,
}

/// A server in memory. Clones are the same server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Server(Arc<Shared>);

/// Counts a connect that is under way.
struct Present<'a>(Option<&'a Shared>);

impl Drop for Present<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.present.fetch_sub(1, SeqCst);
        }
    }
}

impl Server {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_connect(&self, step: Step) {
        self.script().connect = step;
    }
    pub(crate) fn set_check(&self, step: Step) {
        self.script().check = step;
    }
    pub(crate) fn set_recycle(&self, step: Step) {
        self.script().recycle = step;
    }
    /// Makes the drop of the next connection panic.
    pub(crate) fn panic_in_next_drop(&self) {
        self.0.drop_panics.store(true, SeqCst);
    }

    pub(crate) async fn connect(&self) -> Result<Connection, Refused> {
        let step = self.script().connect.clone();
        self.0.attempts.fetch_add(1, SeqCst);
        let present = self.0.present.fetch_add(1, SeqCst) + 1;
        self.0.peak.fetch_max(present, SeqCst);
        let mut counted = Present(Some(&self.0));
        step.run("connect").await?;
        counted.0 = None;
        let id = self.0.made.fetch_add(1, SeqCst) + 1;
        Ok(Connection {
            server: self.clone(),
            id,
            broken: Arc::default(),
            held: AtomicBool::new(false),
            used: AtomicBool::new(false),
        })
    }

    /// A connect of a manager that has a limit for it.
    pub(crate) async fn connect_within(
        &self,
        limit: Option<Duration>,
    ) -> Result<Connection, Refused> {
        match limit {
            None => self.connect().await,
            Some(limit) => match tokio::time::timeout(limit, self.connect()).await {
                Ok(connected) => connected,
                Err(_) => Err(Refused("a connect that took too long")),
            },
        }
    }

    pub(crate) fn made(&self) -> u64 {
        self.0.made.load(SeqCst)
    }
    pub(crate) fn live(&self) -> u64 {
        self.made() - self.0.closed.load(SeqCst)
    }
    pub(crate) fn attempts(&self) -> u64 {
        self.0.attempts.load(SeqCst)
    }
    pub(crate) fn peak(&self) -> usize {
        self.0.peak.load(SeqCst)
    }
    pub(crate) fn checks(&self) -> u64 {
        self.0.checks.load(SeqCst)
    }
    /// Whether a connection was handed out while somebody held it.
    pub(crate) fn had_two_holders(&self) -> bool {
        self.0.two_holders.load(SeqCst)
    }
}

/// A connection to the server.
#[derive(Debug)]
pub(crate) struct Connection {
    server: Server,
    pub(crate) id: u64,
    broken: Arc<AtomicBool>,
    held: AtomicBool,
    /// Whether somebody held the connection since its last recycle.
    used: AtomicBool,
}

impl Connection {
    /// The server cuts this connection.
    pub(crate) fn cut(&self) {
        self.broken.store(true, SeqCst);
    }
    /// Cuts this connection later, when nobody holds it.
    pub(crate) fn cutter(&self) -> impl FnOnce() + Send + 'static {
        let broken = Arc::clone(&self.broken);
        move || broken.store(true, SeqCst)
    }
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(SeqCst)
    }

    pub(crate) async fn check(&self) -> Result<(), Refused> {
        let step = self.server.script().check.clone();
        self.server.0.checks.fetch_add(1, SeqCst);
        step.run("check").await?;
        match self.is_broken() {
            true => Err(Refused("check")),
            false => Ok(()),
        }
    }

    pub(crate) async fn recycle(&self) -> Result<(), Refused> {
        let step = self.server.script().recycle.clone();
        self.used.store(false, SeqCst);
        step.run("recycle").await?;
        match self.is_broken() {
            true => Err(Refused("recycle")),
            false => Ok(()),
        }
    }

    /// For a pool with one method for both: a recycle if somebody held the connection since the last one, or else a check.
    pub(crate) async fn ping(&self) -> Result<(), Refused> {
        match self.used.load(SeqCst) {
            true => self.recycle().await,
            false => self.check().await,
        }
    }

    /// Somebody gets the connection.
    pub(crate) fn hold(&self) {
        self.used.store(true, SeqCst);
        if self.held.swap(true, SeqCst) {
            self.server.0.two_holders.store(true, SeqCst);
        }
    }
    /// The holder gives the connection back.
    pub(crate) fn let_go(&self) {
        self.held.store(false, SeqCst);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.server.0.closed.fetch_add(1, SeqCst);
        self.server.0.present.fetch_sub(1, SeqCst);
        if self.server.0.drop_panics.swap(false, SeqCst) {
            panic!("the script panics in the drop of a connection");
        }
    }
}
