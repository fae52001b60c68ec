//! A future that is ready when a pool begins to close, for its users and for those who hold a connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use crate::ledger::{ClosingWaiter, Stage};
use crate::panics::ignore_panic;
use crate::pool::Pool;
use crate::shared::Shared;
use crate::{Manager, PooledConnection};

/// Ready when the pool begins to close; made by [`PooledConnection::closing`] and [`Pool::closing`].
///
/// It is `'static` and keeps neither the pool nor the connection. When the pool is gone, it is ready, too.
///
/// # Cancel safety
///
/// It can be dropped at any point, and polled again after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct Closing<M: Manager> {
    shared: Weak<Shared<M>>,
    /// Its number, from the first poll on.
    key: Option<ClosingWaiter>,
}

impl<M: Manager> PooledConnection<M> {
    /// Waits until the pool begins to close: by [`close`](Pool::close), [`terminate`](Pool::terminate),
    /// [`shutdown`](Pool::shutdown), or the drop of its last handle.
    ///
    /// For a holder who keeps the connection for long, such as a listener or a stream: it gives the connection back when
    /// this is ready, so that a shutdown need not abort it.
    ///
    /// # Cancel safety
    ///
    /// See [`Closing`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Pool, PooledConnection};
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().await?;
    /// let mut closing = PooledConnection::closing(&conn);
    /// assert!(futures_lite::future::poll_once(&mut closing).await.is_none());
    ///
    /// pool.close();
    /// closing.await;
    /// drop(conn);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn closing(this: &Self) -> Closing<M> {
        Closing::of(this.shared())
    }
}

impl<M: Manager> Pool<M> {
    /// Waits until the pool begins to close, as [`PooledConnection::closing`].
    ///
    /// It does not keep the pool open.
    ///
    /// # Cancel safety
    ///
    /// See [`Closing`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build_lazy()?;
    /// let closing = pool.closing();
    /// drop(pool);
    /// closing.await;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn closing(&self) -> Closing<M> {
        Closing::of(self.shared())
    }
}

impl<M: Manager> Closing<M> {
    fn of(shared: &Arc<Shared<M>>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            key: None,
        }
    }
}

impl<M: Manager> Future for Closing<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(shared) = self.shared.upgrade() else {
            return Poll::Ready(());
        };
        if shared.ledger().stage() != Stage::Open {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let (key, stale) = shared.ledger().wait_for_closing(self.key, waker);
        ignore_panic(|| drop(stale));
        match key {
            Some(key) => {
                self.key = Some(key);
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl<M: Manager> Drop for Closing<M> {
    fn drop(&mut self) {
        if let (Some(key), Some(shared)) = (self.key, self.shared.upgrade()) {
            let stale = shared.ledger().stop_waiting_for_closing(key);
            ignore_panic(|| drop(stale));
        }
    }
}

impl<M: Manager> fmt::Debug for Closing<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closing").finish_non_exhaustive()
    }
}
