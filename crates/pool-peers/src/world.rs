//! What a scenario works with: a server, a pool, and probes that poll by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::peer::{BoxFuture, BoxPeer, Counts, Guard, Kind, Settings};
use crate::server::{Connection, Server};

/// How long something may take before a scenario calls it a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// Why a scenario does not pass.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    Fail(String),
    Hang(String),
}

/// How a scenario ends.
pub(crate) type Check = Result<(), Fault>;

/// Fails unless the condition holds.
pub(crate) fn expect(holds: bool, otherwise: impl Into<String>) -> Check {
    match holds {
        true => Ok(()),
        false => Err(Fault::Fail(otherwise.into())),
    }
}

/// Waits for a future, or calls it a hang.
pub(crate) async fn bounded<T>(what: &str, future: impl Future<Output = T>) -> Result<T, Fault> {
    tokio::time::timeout(PATIENCE, future)
        .await
        .map_err(|_| Fault::Hang(format!("{what} hangs")))
}

/// Waits until the condition holds, at most for `PATIENCE`. Returns whether it holds.
pub(crate) async fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    wait_at_most(PATIENCE, &mut condition).await
}

/// Waits until the condition holds, at most for this long. Returns whether it holds.
pub(crate) async fn wait_at_most(limit: Duration, condition: &mut impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Lets the pool's own tasks run for a while.
pub(crate) async fn let_settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// The surroundings of one scenario with one kind of pool.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) kind: Kind,
}

impl World {
    pub(crate) async fn open(&self, settings: Settings) -> Result<Pool, Fault> {
        let opening = (self.kind.open)(self.server.clone(), settings);
        let peer = bounded("opening the pool", opening).await?;
        Ok(Pool {
            peer: peer.map_err(|error| Fault::Fail(format!("the pool does not open: {error}")))?,
            server: self.server.clone(),
            maxsize: settings.maxsize,
        })
    }
}

/// An open pool. Clones are the same pool.
#[derive(Clone)]
pub(crate) struct Pool {
    peer: BoxPeer,
    pub(crate) server: Server,
    maxsize: usize,
}

impl Pool {
    pub(crate) fn acquire(&self) -> BoxFuture<Result<Lease, String>> {
        let acquiring = self.peer.acquire();
        Box::pin(async move { Ok(Lease::new(acquiring.await?)) })
    }

    /// An acquire that must succeed.
    pub(crate) async fn served(&self, what: &str) -> Result<Lease, Fault> {
        bounded(what, self.acquire())
            .await?
            .map_err(|error| Fault::Fail(format!("{what} gets an error: {error}")))
    }

    /// An acquire that is polled by hand.
    pub(crate) fn probe(&self) -> Probe {
        Probe::new(self.acquire())
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.peer.counts().await
    }

    pub(crate) fn close(&self) -> BoxFuture<()> {
        self.peer.close()
    }

    /// At the end: the whole capacity is there, nothing was exceeded, and the counts are right.
    pub(crate) async fn is_whole(&self) -> Check {
        let_settle().await;
        let mut leases = Vec::new();
        for nth in 1..=self.maxsize {
            let what = format!("acquire {nth} of {} afterwards", self.maxsize);
            leases.push(self.served(&what).await?);
        }
        drop(leases);
        let start = Instant::now();
        loop {
            let counts = self.counts().await;
            if counts.size == counts.idle && counts.size as u64 == self.server.live() {
                break;
            }
            if start.elapsed() > PATIENCE {
                return Err(Fault::Fail(format!(
                    "nothing is in use and {} connections are open, but it counts {} with {} idle",
                    self.server.live(),
                    counts.size,
                    counts.idle
                )));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.kept_its_limits()
    }

    /// Never more than maxsize, and never two holders of one connection.
    pub(crate) fn kept_its_limits(&self) -> Check {
        let peak = self.server.peak();
        expect(
            peak <= self.maxsize,
            format!(
                "{peak} connections at the same time with maxsize {}",
                self.maxsize
            ),
        )?;
        expect(
            !self.server.had_two_holders(),
            "two holders had the same connection",
        )
    }
}

/// A connection in use.
pub(crate) struct Lease(Option<Box<dyn Guard>>);

impl Lease {
    fn new(guard: Box<dyn Guard>) -> Self {
        guard.connection().hold();
        Self(Some(guard))
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.0.as_ref().expect("it is not given back").connection()
    }

    /// Takes the connection out of the pool and drops it.
    pub(crate) fn discard(mut self) {
        let guard = self.0.take().expect("it is not given back");
        guard.connection().let_go();
        guard.discard();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(guard) = self.0.take() {
            guard.connection().let_go();
            drop(guard);
        }
    }
}

#[derive(Default)]
struct CountingWaker {
    wakes: AtomicUsize,
    panics: bool,
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, SeqCst);
        if self.panics {
            panic!("the waker panics");
        }
    }
}

/// An acquire that is polled by hand with a waker that counts.
pub(crate) struct Probe {
    acquiring: Pin<Box<dyn Future<Output = Result<Lease, String>> + Send>>,
    waker: Arc<CountingWaker>,
}

impl Probe {
    pub(crate) fn new(acquiring: BoxFuture<Result<Lease, String>>) -> Self {
        Self {
            acquiring,
            waker: Arc::default(),
        }
    }

    /// With a waker whose wake panics.
    pub(crate) fn with_waker_that_panics(mut self) -> Self {
        self.waker = Arc::new(CountingWaker {
            panics: true,
            ..CountingWaker::default()
        });
        self
    }

    /// Polls once.
    pub(crate) fn poll(&mut self) -> Option<Result<Lease, String>> {
        let waker = Waker::from(Arc::clone(&self.waker));
        match self
            .acquiring
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
        {
            Poll::Ready(got) => Some(got),
            Poll::Pending => None,
        }
    }

    /// Polls once; the acquire must have to wait.
    pub(crate) fn must_wait(&mut self) -> Check {
        expect(
            self.poll().is_none(),
            "an acquire with no connection free does not wait",
        )
    }

    pub(crate) fn wakes(&self) -> usize {
        self.waker.wakes.load(SeqCst)
    }

    /// Polls at each wake until the acquire is served.
    pub(crate) async fn served(&mut self, what: &str) -> Result<Lease, Fault> {
        bounded(what, self.acquiring.as_mut())
            .await?
            .map_err(|error| Fault::Fail(format!("{what} gets an error: {error}")))
    }
}
