//! The verbs that end things: `clear`, `close`, `terminate`, `wait_closed`.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use crate::Manager;
use crate::error::Error;
use crate::pool::Pool;
use crate::shared::{Crew, Shared};

impl<M: Manager> Pool<M> {
    /// Closes every idle connection; the next acquire opens all that are missing for minsize, in parallel.
    ///
    /// Connections in use stay as they are; one that is being recycled is closed when that is done. With upkeep the
    /// missing ones are opened in the background without waiting for an acquire.
    ///
    /// # Cancel safety
    ///
    /// The idle connections are out of the pool from the first poll on; what has not been closed when the future is
    /// dropped is closed in the background, or dropped where there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(3).upkeep(false).build().await.unwrap();
    /// pool.clear().await;
    /// assert_eq!(pool.freesize(), 0);
    /// # });
    /// ```
    pub async fn clear(&self) {
        let shared = self.shared();
        let keys = shared.change(None, |books, after| books.clear(after));
        let mut crew = Crew::new(shared, keys);
        poll_fn(|cx| crew.poll(cx, |_| {})).await;
    }

    /// Closes the pool: no new acquires, waiters fail with [`Error::Closed`], idle connections are closed at once and
    /// those in use when they come back.
    ///
    /// It does not wait and may be called again. Where nothing can be spawned, idle connections are closed by
    /// [`wait_closed`](Pool::wait_closed), or dropped with the last `Pool`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use pool_core::{Error, Pool};
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().await?;
    /// pool.close();
    /// assert!(matches!(pool.acquire().await, Err(Error::Closed)));
    ///
    /// assert_eq!(*conn, 7); // still whole, and closed when it comes back
    /// drop(conn);
    /// pool.wait_closed().await?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn close(&self) {
        let shared = self.shared();
        let now = shared.now();
        shared.change(None, |books, after| books.close(now, after));
    }

    /// As [`close`](Pool::close), and aborts every connection that is in somebody's hands.
    ///
    /// Held connections leave the books at once, and their [`abort_handle`](Manager::abort_handle) is called; a guard
    /// without one works until it is dropped. Connects, checks and recycles under way are dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().await?;
    /// pool.terminate();
    /// pool.wait_closed().await?; // not for `conn`
    /// assert_eq!(pool.size(), 0);
    /// # drop(conn);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn terminate(&self) {
        let shared = self.shared();
        let now = shared.now();
        shared.change(None, |books, after| books.terminate(now, after));
    }

    /// Waits until every connection has come back and is closed; after [`terminate`](Pool::terminate) it does not wait
    /// for those in somebody's hands.
    ///
    /// Any number of callers may wait.
    ///
    /// # Errors
    ///
    /// [`Error::NotClosing`] if neither [`close`](Pool::close) nor [`terminate`](Pool::terminate) was called.
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await.unwrap();
    /// assert!(pool.wait_closed().await.is_err());
    /// pool.close();
    /// pool.wait_closed().await.unwrap();
    /// assert_eq!(pool.size(), 0);
    /// # });
    /// ```
    pub async fn wait_closed(&self) -> Result<(), Error<M::Error>> {
        if !self.is_closing() {
            return Err(Error::NotClosing);
        }
        let shared = self.shared();
        let _closer = Closer::new(shared);
        let mut crew = Crew::new(shared, Vec::new());
        loop {
            // Listen first, then look: what happens in between is not missed.
            let mut event = pin!(shared.closing.listen());
            let closed = poll_fn(|cx| {
                let keys = shared.change(None, |books, after| books.take_over(after));
                crew.add(keys);
                let _ = crew.poll(cx, |_| {});
                if self.is_closed() {
                    return Poll::Ready(true);
                }
                event.as_mut().poll(cx).map(|()| false)
            })
            .await;
            if closed {
                return Ok(());
            }
        }
    }
}

/// Counts one `wait_closed` for as long as it runs.
struct Closer<'a, M: Manager> {
    shared: &'a Arc<Shared<M>>,
}

impl<'a, M: Manager> Closer<'a, M> {
    fn new(shared: &'a Arc<Shared<M>>) -> Self {
        shared.books().closer(true);
        Self { shared }
    }
}

impl<M: Manager> Drop for Closer<'_, M> {
    fn drop(&mut self) {
        self.shared.books().closer(false);
    }
}
