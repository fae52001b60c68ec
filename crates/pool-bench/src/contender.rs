//! What a pool must be able to do to take part.

use std::future::Future;

use crate::fake::Server;

/// A pool, as the in-memory workloads see it.
pub(crate) trait Contender: Send + Sync + Sized + 'static {
    /// What its rows are called.
    const NAME: &'static str;
    /// How it was set up, in words.
    const SETTINGS: &'static str;
    /// Whether its acquire waits for a connection as a future; the others take part only where nobody waits.
    const WAITS: bool = true;
    /// Why it cannot run outside tokio, if it cannot.
    const NEEDS_TOKIO: Option<&'static str> = None;

    /// A connection in somebody's hands; dropping it gives it back.
    type Guard<'a>: Send
    where
        Self: 'a;

    /// An empty pool of at most `size` connections. The floors, which cannot connect, are full.
    fn open(server: Server, size: usize) -> impl Future<Output = Self> + Send;

    /// A full pool by the contender's own means, or `None` where it has no such feature.
    fn open_full(_server: Server, _size: usize) -> impl Future<Output = Option<Self>> + Send {
        async { None }
    }

    /// Takes a connection.
    ///
    /// # Panics
    ///
    /// When the pool gives an error: no workload makes a connect fail.
    fn acquire(&self) -> impl Future<Output = Self::Guard<'_>> + Send;

    /// The size in bytes of the pool's own acquire future.
    fn acquire_size(&self) -> usize;
}

/// Something to be done with each contender.
pub(crate) trait Visitor {
    /// What comes out of it.
    type Output;

    /// Does it with one.
    fn visit<C: Contender>(&self) -> Self::Output;
}

/// Makes every connection of the pool, so that nothing is connected later.
pub(crate) async fn fill<C: Contender>(pool: &C, size: usize) {
    let mut guards = Vec::with_capacity(size);
    for _ in 0..size {
        guards.push(pool.acquire().await);
    }
    drop(guards);
    // Those that give back in a task of their own get a chance to.
    for _ in 0..8 {
        crate::fake::yield_once().await;
    }
}
