//! What a contender on a real server must be able to do.

use std::future::Future;

use futures::future::try_join_all;

use crate::mysql::target::Target;

/// What every query is.
pub(crate) const QUERY: &str = "SELECT 1";

/// Why a query or a connect failed.
pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A pool, or connections without one.
pub(crate) trait Client: Send + Sync + Sized + 'static {
    /// What its rows are called.
    const NAME: &'static str;
    /// How it was set up, in words.
    const SETTINGS: &'static str;
    /// Whether every lane has a connection of its own, so that there are no more lanes than connections.
    const IS_RAW: bool = false;

    /// What a task needs to make queries.
    type Lane: Send + 'static;

    /// A pool of at most `size` connections that is still empty.
    fn open(target: &Target, size: usize) -> impl Future<Output = Result<Self, Failed>> + Send;

    /// Opens all connections of the pool: holds `size` at once, then gives them back. A raw one is its task's own.
    fn fill(&self, _size: usize) -> impl Future<Output = Result<(), Failed>> + Send {
        async { Ok(()) }
    }

    /// What one task gets.
    fn lane(&self) -> impl Future<Output = Result<Self::Lane, Failed>> + Send;

    /// Acquire, [`QUERY`], release.
    fn query(lane: &mut Self::Lane) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Closes everything and waits for it.
    fn close(self) -> impl Future<Output = ()> + Send {
        async move { drop(self) }
    }
}

/// Something to be done with each client.
pub(crate) trait ClientVisitor {
    /// What comes out of it.
    type Output;

    /// Does it with one.
    fn visit<C: Client>(&self) -> Self::Output;
}

/// Takes all of them before it gives any back.
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
