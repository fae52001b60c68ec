//! What a pool must offer to take part, and what it may offer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::server::{Connection, Server};

/// A boxed future.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// An open pool.
pub(crate) type BoxPeer = Arc<dyn Peer>;

/// What not every pool offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// A method that checks an idle connection before it is handed out.
    Check,
    /// A method that cleans a connection after its return.
    Recycle,
    /// A time-out over the whole acquire.
    AcquireTimeout,
    /// A time-out over recycle.
    RecycleTimeout,
    /// Close, and a future that ends when all connections are closed.
    WaitClosed,
    /// Close, which ends all waits with an error.
    Close,
    /// A number of connections that the pool keeps open.
    Minsize,
    /// A connection is closed at an age.
    Lifetime,
    /// A guard can give its connection out of the pool.
    Discard,
    /// An idle connection is closed after some time.
    IdleTimeout,
    /// It documents that it works without tokio.
    AnyExecutor,
}

impl Offer {
    /// The footnote of a pool without it.
    pub(crate) fn absent(self) -> &'static str {
        match self {
            Self::Check => "no check before a connection is handed out",
            Self::Recycle => "no asynchronous step on return",
            Self::AcquireTimeout => "no time-out over the whole acquire",
            Self::RecycleTimeout => "no time-out over the step on return",
            Self::WaitClosed => "no close that waits for the connections in use",
            Self::Close => "no close",
            Self::Minsize => "no number of connections that the pool keeps open by itself",
            Self::Lifetime => "no maximal lifetime",
            Self::IdleTimeout => "no limit for the time that a connection is idle",
            Self::AnyExecutor => "works within tokio only, as it documents",
            Self::Discard => "no way to take a connection out of the pool",
        }
    }
}

/// The settings of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) maxsize: usize,
    pub(crate) minsize: usize,
    /// The limit of an acquire, where it is offered.
    pub(crate) acquire_timeout: Duration,
    /// The limit of each single step, where it is offered. Where the pool has none for a connect, the manager has it.
    pub(crate) step_timeout: Option<Duration>,
    /// Whether there are limits at all. Where a limit needs tokio's timer, a scenario without tokio has none.
    pub(crate) limits: bool,
    /// Whether each acquire checks an idle connection.
    pub(crate) check: bool,
    pub(crate) lifetime: Option<Duration>,
    /// How long a connection may be idle, where it is offered.
    pub(crate) idle_timeout: Option<Duration>,
}

impl Settings {
    /// Settings with a check and with limits that no scenario reaches.
    pub(crate) fn of(maxsize: usize) -> Self {
        Self {
            maxsize,
            minsize: 0,
            acquire_timeout: Duration::from_secs(30),
            step_timeout: Some(Duration::from_secs(30)),
            limits: true,
            check: true,
            lifetime: None,
            idle_timeout: None,
        }
    }

    /// The limit of a connect, for the manager of a pool that has none.
    pub(crate) fn connect_limit(&self) -> Option<Duration> {
        self.step_timeout.filter(|_| self.limits)
    }
}

/// The counts that a pool tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) size: usize,
    pub(crate) idle: usize,
}

/// A pool that takes part.
pub(crate) trait Peer: Send + Sync {
    /// Acquires a connection. The future owns a handle of the pool.
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>>;
    /// The counts of this moment.
    fn counts(&self) -> BoxFuture<Counts>;
    /// Closes the pool and waits as long as the pool does. Called only with `Offer::Close`.
    fn close(&self) -> BoxFuture<()> {
        unreachable!("called only for a pool that offers it")
    }
}

/// A connection in use. The drop gives it back.
pub(crate) trait Guard: Send {
    fn connection(&self) -> &Connection;
    /// Takes the connection out of the pool and drops it. Called only with `Offer::Discard`.
    fn discard(self: Box<Self>);
}

impl Kind {
    /// The footnote of an offer that is absent.
    pub(crate) fn why_absent(&self, offer: Offer) -> &'static str {
        let own = self.why_absent.iter().find(|(of, _)| *of == offer);
        own.map_or(offer.absent(), |(_, why)| why)
    }
}

/// A kind of pool.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The name of its package in Cargo.lock.
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) offers: &'static [Offer],
    /// Where the footnote of an offer that is absent is not the usual one.
    pub(crate) why_absent: &'static [(Offer, &'static str)],
    pub(crate) open: fn(Server, Settings) -> BoxFuture<Result<BoxPeer, String>>,
}
