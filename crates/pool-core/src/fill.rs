//! The verb `fill`: opens what is missing for minsize.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::Manager;
use crate::error::Error;
use crate::ledger::{Poller, Settled, Stage};
use crate::pool::Pool;
use crate::shared::{JobSet, Shared};

impl<M: Manager> Pool<M> {
    /// Opens the connections that are missing for minsize, in parallel, and waits until they are there.
    ///
    /// The same happens by itself at each acquire and, with upkeep, in the background; this is for a caller who wants to
    /// wait for it. What others have begun to open is not waited for.
    ///
    /// # Errors
    ///
    /// The first failure: [`Error::Connect`], [`Error::Timeout`] or [`Error::Panicked`]; the other connects go on.
    /// [`Error::Closed`] if the pool is closed or is closed meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Connects that have begun go on in the background, or in the next acquire.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(3).upkeep(false).build_lazy().unwrap();
    /// pool.fill().await.unwrap();
    /// assert_eq!(pool.freesize(), 3);
    /// # });
    /// ```
    pub async fn fill(&self) -> Result<(), Error<M::Error>> {
        fill(self.shared()).await
    }
}

pub(crate) async fn fill<M: Manager>(shared: &Arc<Shared<M>>) -> Result<(), Error<M::Error>> {
    if shared.ledger().stage() != Stage::Open {
        return Err(Error::Closed);
    }
    let keys = shared.ledger().fill_by_verb();
    let mut jobs = JobSet::new(shared, keys, Poller::Owner);
    poll_fn(|cx| {
        let mut first = None;
        let poll = jobs.poll(cx, |settled| {
            if let Settled::Lost { failure, .. } = settled {
                let is_closed = shared.ledger().stage() != Stage::Open;
                // Without a failure, the pool was closed, or made so small that the connection was not needed.
                let why = failure.or(is_closed.then_some(Error::Closed));
                first = first.take().or(why);
            }
        });
        match first {
            Some(error) => Poll::Ready(Err(error)),
            None => poll.map(Ok),
        }
    })
    .await
}
