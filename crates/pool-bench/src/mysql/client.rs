//! What a contender on a real server must be able to do.

use std::future::Future;

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

/// `SELECT 1` must answer 1.
pub(crate) fn one(answer: Option<i64>) -> Result<(), Failed> {
    match answer {
        Some(1) => Ok(()),
        other => Err(format!("{QUERY} answered {other:?}").into()),
    }
}
