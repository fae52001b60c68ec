//! The verb `release`: gives a connection back, with or without waiting until it is clean.

use std::future::poll_fn;

use crate::error::{Error, Phase};
use crate::ledger::{Poller, Returned, Settled, Stage};
use crate::panics::ignore_panic;
use crate::pool::Pool;
use crate::pooled::{PooledConnection, give_back_broken};
use crate::shared::JobSet;
use crate::{CloseReason, Manager, Verdict};

impl<M: Manager> Pool<M> {
    /// Gives a connection back; the same as dropping it.
    ///
    /// It does not wait: if the connection has to be recycled, that happens in the background, or in the
    /// next acquire. A guard of another pool goes back to its own pool.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().await?;
    /// pool.release(conn);
    /// assert_eq!(pool.status().held(), 0);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// A guard cannot be released twice:
    ///
    /// ```compile_fail,E0382
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// # let pool = Pool::builder(Numbers).build().await.unwrap();
    /// let conn = pool.acquire().await.unwrap();
    /// pool.release(conn);
    /// pool.release(conn);
    /// # });
    /// ```
    pub fn release(&self, conn: PooledConnection<M>) {
        drop(conn);
    }
}

impl<M: Manager> PooledConnection<M> {
    /// Gives the connection back and waits until it is clean again.
    ///
    /// # Errors
    ///
    /// `Err` means that the connection was discarded, and why: [`Error::Recycle`], [`Error::Timeout`] or
    /// [`Error::Panicked`] from its recycle or from [`Manager::on_release`], [`Error::Discarded`] if the manager did
    /// not want it back, the pool was cleared, or it has lived long enough, [`Error::Closed`] if the pool is closed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the recycle goes on in the background, or in the next acquire.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Pool, PooledConnection};
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await.unwrap();
    /// let conn = pool.acquire().await.unwrap();
    /// PooledConnection::release(conn).await.unwrap();
    /// assert_eq!(pool.freesize(), 1);
    /// # });
    /// ```
    pub async fn release(this: Self) -> Result<(), Error<M::Error>> {
        let (mut entry, shared) = this.into_parts();
        let judgement = match shared.backend.judge_return(&mut entry) {
            Ok(judgement) => judgement,
            Err(message) => {
                give_back_broken(&shared, entry, CloseReason::ManagerPanicked);
                let phase = Phase::Recycle;
                return Err(Error::Panicked { phase, message });
            }
        };
        let verdict = judgement.verdict;
        let (returned, is_open) = shared.change(None, |ledger, effects| {
            let is_open = ledger.stage() == Stage::Open;
            let returned = ledger.give_back_awaited(entry, judgement, effects);
            (returned, is_open)
        });
        shared.wind_idle_clock();
        let key = match returned {
            Returned::Kept => return Ok(()),
            Returned::WrittenOff(entry) => {
                ignore_panic(|| drop(entry));
                return Err(Error::Closed);
            }
            Returned::Job(key) => key,
        };
        let mut result = match verdict {
            Verdict::Discard => Err(Error::Discarded),
            _ if !is_open => Err(Error::Closed),
            _ => Ok(()),
        };
        let mut jobs = JobSet::new(&shared, vec![key], Poller::Owner);
        poll_fn(|cx| {
            jobs.poll(cx, |settled| {
                if let (Settled::Lost { failure, .. }, Ok(())) = (settled, &result) {
                    // Without a failure of its own, it was closed because the pool is closed or was cleared.
                    let is_closed = shared.ledger().stage() != Stage::Open;
                    let why = match is_closed {
                        true => Error::Closed,
                        false => Error::Discarded,
                    };
                    result = Err(failure.map_or(why, |failure| *failure));
                }
            })
        })
        .await;
        result
    }
}
