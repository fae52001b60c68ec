//! The verbs `suspend` and `resume`.

use crate::Manager;
use crate::pool::Pool;

impl<M: Manager> Pool<M> {
    /// Hands out nothing until [`resume`](Self::resume): acquires wait in the queue, in their order and under their
    /// time-outs.
    ///
    /// Connections in use stay in use, and come back as ever. A step that runs goes on, and what comes out of it becomes
    /// idle; a connect that has not begun is given up, and none begins except for [`fill`](Self::fill) and
    /// [`dedicated`](Self::dedicated). An acquire that runs into its time-out says [`Error::Timeout`](crate::Error::Timeout)
    /// with a [`Status`](crate::Status) that [is suspended](crate::Status::is_suspended), and a `try_acquire` says
    /// [`Error::Suspended`](crate::Error::Suspended). A suspended pool can be closed. To suspend it again changes nothing.
    ///
    /// PgBouncer calls this `PAUSE`, and HikariCP `suspendPool`: for a failover, or a change of the server's address.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use futures_lite::future::poll_once;
    /// use pool_core::{Error, Pool};
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// pool.suspend();
    /// assert!(matches!(pool.try_acquire(), Err(Error::Suspended)));
    /// let mut acquire = pool.acquire();
    /// assert!(poll_once(&mut acquire).await.is_none());
    ///
    /// pool.resume();
    /// let conn = acquire.await?;
    /// # drop(conn);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn suspend(&self) {
        self.shared()
            .change(None, |ledger, effects| ledger.suspend(effects));
    }

    /// Hands out connections again after [`suspend`](Self::suspend), to those who wait in their order.
    ///
    /// Where the pool is not suspended, this changes nothing.
    ///
    /// # Examples
    ///
    /// See [`suspend`](Self::suspend).
    pub fn resume(&self) {
        self.shared()
            .change(None, |ledger, effects| ledger.end_suspension(effects));
    }

    /// Whether the pool is suspended and not closed.
    pub fn is_suspended(&self) -> bool {
        self.status().is_suspended()
    }
}
