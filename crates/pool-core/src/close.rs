//! The verbs that close connections: `clear`, `close`, `terminate`, `wait_closed`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::Manager;
use crate::error::Error;
use crate::ledger::{CloseWaiter, JobKey, Poller, Take};
use crate::panics::ignore_panic;
use crate::pool::Pool;
use crate::shared::{Driven, JobSet, Shared};

impl<M: Manager> Pool<M> {
    /// Closes every idle connection; the next acquire opens all that are missing for minsize, in parallel.
    ///
    /// Connections in use stay. A connection that is being recycled is closed when that is done. With upkeep the
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
        let keys = shared.change(None, |ledger, effects| ledger.clear(effects));
        let mut jobs = JobSet::new(shared, keys, Poller::Owner);
        poll_fn(|cx| jobs.poll(cx, |_| {})).await;
    }

    /// As [`clear`](Self::clear), and closes each connection that is in use when it comes back, and each that is being opened.
    ///
    /// What is opened from now on stays. For a change that old connections must not outlive, such as another primary. The
    /// reason is [`CloseReason::Cleared`](crate::CloseReason::Cleared). See [`recycle_all`](Self::recycle_all) for a gentle way.
    ///
    /// # Cancel safety
    ///
    /// As of [`clear`](Self::clear).
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Pool, PooledConnection};
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(0).build().await?;
    /// let old = pool.acquire().await?;
    /// pool.clear_all().await;
    /// pool.release(old);
    ///
    /// let new = pool.acquire().await?;
    /// assert_eq!(PooledConnection::id(&new), 2);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub async fn clear_all(&self) {
        let shared = self.shared();
        let keys = shared.change(None, |ledger, effects| ledger.clear_all(effects));
        let mut jobs = JobSet::new(shared, keys, Poller::Owner);
        poll_fn(|cx| jobs.poll(cx, |_| {})).await;
    }

    /// Replaces all connections that there are now, one after the other within this time, the oldest first.
    ///
    /// It does not wait. A connection whose turn has come goes as soon as its replacement stands, where minsize needs one, or
    /// where it is in use and maxsize leaves room; one in use goes when it comes back. Those that are being opened count. After
    /// that time none of them is handed out any more. A time that no clock reaches replaces nothing. The reason is [`CloseReason::Replaced`](crate::CloseReason::Replaced).
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Pool, PooledConnection};
    /// use std::time::Duration;
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// pool.recycle_all(Duration::ZERO); // all at once
    /// assert_eq!(PooledConnection::id(&pool.acquire().await?), 2);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn recycle_all(&self, within: Duration) {
        let shared = self.shared();
        shared.watch_lifetimes();
        shared.change(None, |ledger, effects| ledger.replace_all(within, effects));
        shared.set_timer_if_needed();
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
        self.shared()
            .change(None, |ledger, effects| ledger.close(effects));
    }

    /// As [`close`](Pool::close), and aborts each connection that somebody holds.
    ///
    /// Held connections are not counted any more, and their [`abort_handle`](Manager::abort_handle) is called. A guard
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
        self.shared()
            .change(None, |ledger, effects| ledger.terminate(effects));
    }

    /// Waits until every connection has come back and is closed; after [`terminate`](Pool::terminate) it does not wait
    /// for connections that somebody holds.
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
        let mut closer = Closer::new(self.shared());
        poll_fn(|cx| closer.poll(cx)).await;
        Ok(())
    }
}

/// One `wait_closed`: it drives every job that no waiter drives, and is woken when there is one more or nothing is left.
pub(crate) struct Closer<'a, M: Manager> {
    shared: &'a Arc<Shared<M>>,
    key: CloseWaiter,
    /// The jobs that it has polled.
    driven: Vec<JobKey>,
}

impl<'a, M: Manager> Closer<'a, M> {
    pub(crate) fn new(shared: &'a Arc<Shared<M>>) -> Self {
        let key = shared.ledger().add_close_waiter();
        Self {
            shared,
            key,
            driven: Vec::new(),
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let waker = cx.waker().clone();
            // The waker is stored before the look: what happens in between is not missed.
            let (stale, is_closed, keys) = {
                let mut ledger = self.shared.ledger();
                let stale = ledger.store_close_waker(self.key, waker);
                (stale, ledger.is_closed(), ledger.jobs_for_close())
            };
            ignore_panic(|| drop(stale));
            if is_closed {
                return Poll::Ready(());
            }
            self.driven.clone_from(&keys);
            let mut any_ended = false;
            for key in keys {
                let taken = self.shared.change_without_time(|ledger, effects| {
                    ledger.take_job(key, Poller::WaitClosed, effects)
                });
                if let Take::Job(job) = taken {
                    any_ended |= matches!(job.poll(self.shared, cx), Driven::Settled(_));
                }
            }
            if !any_ended {
                return Poll::Pending;
            }
        }
    }
}

impl<M: Manager> Drop for Closer<'_, M> {
    fn drop(&mut self) {
        let driven = std::mem::take(&mut self.driven);
        let stale = self.shared.change(None, |ledger, effects| {
            let stale = ledger.remove_close_waiter(self.key);
            for key in driven {
                ledger.caller_dropped(key, Poller::WaitClosed, effects);
            }
            stale
        });
        ignore_panic(|| drop(stale));
    }
}
