//! The trait that each pool of the in-memory workloads implements.

use std::future::Future;

use crate::fake::Server;

/// A pool, as the in-memory workloads see it.
pub(crate) trait Contender: Send + Sync + Sized + 'static {
    /// The name in the tables.
    const NAME: &'static str;
    /// Its settings, for the reader of the tables.
    const SETTINGS: &'static str;
    /// Whether its acquire is a future that waits for a connection. Without this, it takes part only in workloads in which nobody waits.
    const WAITS: bool = true;
    /// The reason why it cannot run outside tokio, or `None` if it can.
    const NEEDS_TOKIO: Option<&'static str> = None;

    /// An acquired connection. Dropping it releases the connection.
    type Guard<'a>: Send
    where
        Self: 'a;

    /// An empty pool of at most `size` connections. The floors cannot connect later, so they are full.
    fn open(server: Server, size: usize) -> impl Future<Output = Self> + Send;

    /// A full pool, filled by the pool's own function for it, or `None` if the pool has none.
    fn open_full(_server: Server, _size: usize) -> impl Future<Output = Option<Self>> + Send {
        async { None }
    }

    /// Acquires a connection.
    ///
    /// # Panics
    ///
    /// If the pool returns an error. No workload lets a connect fail.
    fn acquire(&self) -> impl Future<Output = Self::Guard<'_>> + Send;

    /// The size in bytes of the pool's own acquire future.
    fn acquire_size(&self) -> usize;
}

/// What is run for each contender.
pub(crate) trait ContenderTask {
    /// The result for one contender.
    type Output;

    /// Is called with the contender `C`.
    fn run<C: Contender>(&self) -> Self::Output;
}

/// Opens all connections of the pool, so that no connect happens later.
pub(crate) async fn fill<C: Contender>(pool: &C, size: usize) {
    let mut guards = Vec::with_capacity(size);
    for _ in 0..size {
        guards.push(pool.acquire().await);
    }
    drop(guards);
    // Some pools release in a task. These tasks run now.
    for _ in 0..8 {
        crate::fake::yield_once().await;
    }
}
