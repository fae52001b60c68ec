//! The server of the in-memory workloads: it answers at once, and counts what is opened.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

/// A server that lies in memory. Clones are the same server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    books: Arc<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// How long a connect takes; nothing at all by default.
    connect_time: Option<Duration>,
    /// Whether a check (or recycle, or ping) has to wait for the executor once.
    check_waits: AtomicBool,
    connects: AtomicU64,
    open: AtomicU64,
    peak: AtomicU64,
}

impl Server {
    /// One that answers at once.
    pub(crate) fn new() -> Self {
        Self {
            books: Arc::new(Books::default()),
        }
    }

    /// One whose connects take a while. Needs tokio's timer.
    pub(crate) fn with_connect_time(time: Duration) -> Self {
        Self {
            books: Arc::new(Books {
                connect_time: Some(time),
                ..Books::default()
            }),
        }
    }

    /// From now on a check suspends once, so that it can be cancelled.
    pub(crate) fn let_checks_wait(&self) {
        self.books.check_waits.store(true, Ordering::Relaxed);
    }

    /// Opens a connection.
    pub(crate) async fn connect<const PAD: usize>(&self) -> Connection<PAD> {
        if let Some(time) = self.books.connect_time {
            tokio::time::sleep(time).await;
        }
        self.connect_now()
    }

    /// Opens a connection without waiting.
    pub(crate) fn connect_now<const PAD: usize>(&self) -> Connection<PAD> {
        self.books.connects.fetch_add(1, Ordering::Relaxed);
        let open = self.books.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.books.peak.fetch_max(open, Ordering::Relaxed);
        Connection {
            books: Arc::clone(&self.books),
            pad: [0; PAD],
        }
    }

    /// How many connections were ever opened.
    pub(crate) fn connects(&self) -> u64 {
        self.books.connects.load(Ordering::Relaxed)
    }

    /// The most that were open at once.
    pub(crate) fn peak(&self) -> u64 {
        self.books.peak.load(Ordering::Relaxed)
    }
}

/// A connection: 8 bytes, and as many more as it is to weigh.
#[derive(Debug)]
pub(crate) struct Connection<const PAD: usize> {
    books: Arc<Books>,
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
    /// What a check, a recycle or a ping does.
    pub(crate) async fn check(&self) {
        if self.books.check_waits.load(Ordering::Relaxed) {
            yield_once().await;
        }
    }
}

impl<const PAD: usize> Drop for Connection<PAD> {
    fn drop(&mut self) {
        self.books.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Suspends the task once; it is woken at once. The same on every executor.
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
