//! The trait that each contender on a real server implements.

use std::future::Future;

use futures::future::try_join_all;

use crate::mysql::target::Target;

/// The text of every query.
pub(crate) const QUERY: &str = "SELECT 1";

/// The error of a query or a connect.
pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A pool, or connections without one.
pub(crate) trait Client: Send + Sync + Sized + 'static {
    /// The name in the tables.
    const NAME: &'static str;
    /// Its settings, for the reader of the tables.
    const SETTINGS: &'static str;
    /// Whether every lane has a connection of its own. There are then no more lanes than connections.
    const IS_RAW: bool = false;

    /// What a task needs for its queries: a handle of the pool, or a connection.
    type Lane: Send + 'static;

    /// An empty pool of at most `size` connections.
    fn open(target: &Target, size: usize) -> impl Future<Output = Result<Self, Failed>> + Send;

    /// Opens all connections of the pool: it holds `size` connections at once and then releases them. Without a pool it does nothing.
    fn fill(&self, _size: usize) -> impl Future<Output = Result<(), Failed>> + Send {
        async { Ok(()) }
    }

    /// The lane of one task.
    fn lane(&self) -> impl Future<Output = Result<Self::Lane, Failed>> + Send;

    /// Acquire, [`QUERY`], release.
    fn query(lane: &mut Self::Lane) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Closes all connections and waits until they are closed.
    fn close(self) -> impl Future<Output = ()> + Send {
        async move { drop(self) }
    }
}

/// What is run for each client.
pub(crate) trait ClientTask {
    /// The result for one client.
    type Output;

    /// Is called with the client `C`.
    fn run<C: Client>(&self) -> Self::Output;
}

/// Acquires all connections before it releases the first one.
pub(crate) async fn hold_at_once<T, E>(
    acquires: impl Iterator<Item = impl Future<Output = Result<T, E>> + Send> + Send,
) -> Result<(), Failed>
where
    T: Send,
    E: Into<Failed> + Send,
{
    let held = try_join_all(acquires).await.map_err(Into::into)?;
    drop(held);
    Ok(())
}

/// `SELECT 1` must answer 1.
pub(crate) fn one(answer: Option<i64>) -> Result<(), Failed> {
    match answer {
        Some(1) => Ok(()),
        other => Err(format!("{QUERY} answered {other:?}").into()),
    }
}
