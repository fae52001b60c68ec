//! The server of the in-memory workloads. It answers at once and counts the connections.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

/// A server in memory. Clones are the same server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How long a connect takes. By default it takes no time.
    connect_time: Option<Duration>,
    /// Whether each check (or recycle, or ping) suspends once.
    check_waits: AtomicBool,
    connects: AtomicU64,
    open: AtomicU64,
    peak: AtomicU64,
}

impl Server {
    /// A server that answers at once.
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared::default()),
        }
    }

    /// A server whose connects take `time`. Needs tokio's timer.
    pub(crate) fn with_connect_time(time: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                connect_time: Some(time),
                ..Shared::default()
            }),
        }
    }

    /// Makes each later check suspend once, so that it can be cancelled.
    pub(crate) fn let_checks_wait(&self) {
        self.shared.check_waits.store(true, Ordering::Relaxed);
    }

    /// Opens a connection.
    pub(crate) async fn connect<const PAD: usize>(&self) -> Connection<PAD> {
        if let Some(time) = self.shared.connect_time {
            tokio::time::sleep(time).await;
        }
        self.connect_now()
    }

    /// Opens a connection without waiting.
    pub(crate) fn connect_now<const PAD: usize>(&self) -> Connection<PAD> {
        self.shared.connects.fetch_add(1, Ordering::Relaxed);
        let open = self.shared.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.shared.peak.fetch_max(open, Ordering::Relaxed);
        Connection {
            shared: Arc::clone(&self.shared),
            pad: [0; PAD],
        }
    }

    /// The number of connections that were opened so far.
    pub(crate) fn connects(&self) -> u64 {
        self.shared.connects.load(Ordering::Relaxed)
    }

    /// The largest number of connections that were open at the same time.
    pub(crate) fn peak(&self) -> u64 {
        self.shared.peak.load(Ordering::Relaxed)
    }
}

/// A connection of 8 bytes and `PAD` bytes of padding.
#[derive(Debug)]
pub(crate) struct Connection<const PAD: usize> {
    shared: Arc<Shared>,
    #[expect(dead_code, reason = "it only has a size")]
    pad: [u8; PAD],
}

const _: () = assert!(size_of::<Connection<SMALL>>() == 8);
const _: () = assert!(size_of::<Connection<BIG>>() == 1024);

/// The padding of a connection of 8 bytes.
pub(crate) const SMALL: usize = 0;
/// The padding of a connection of 1 KiB.
pub(crate) const BIG: usize = 1016;

impl<const PAD: usize> Connection<PAD> {
    /// A check, a recycle or a ping.
    pub(crate) async fn check(&self) {
        if self.shared.check_waits.load(Ordering::Relaxed) {
            yield_once().await;
        }
    }
}

impl<const PAD: usize> Drop for Connection<PAD> {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Suspends the task once and wakes it immediately, in the same way on every executor.
pub(crate) fn yield_once() -> impl Future<Output = ()> + Send {
    let mut yielded = false;
    poll_fn(move |cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
