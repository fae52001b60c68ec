//! The verbs `retain` and `add`: connections that leave the idle list, or join the pool, because the user says so.

use std::collections::HashMap;

use crate::ledger::Judgement;
use crate::pool::Pool;
use crate::{CloseReason, ConnectionInfo, Manager, Verdict};

impl<M: Manager> Pool<M> {
    /// Closes the idle connections for which `keep` says `false`, and says how many.
    ///
    /// It does not wait; they are closed in the background, or dropped where nothing can be spawned. What is handed out
    /// while `keep` is asked stays. The reason is [`CloseReason::Evicted`]. What is missing for minsize then is opened as
    /// after [`clear`](Self::clear).
    ///
    /// # Panics
    ///
    /// When `keep` panics. Then nothing is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(3).upkeep(false).build().await?;
    /// let closed = pool.retain(|conn| conn.id() == 1);
    /// assert_eq!((closed, pool.freesize()), (2, 1));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn retain(&self, keep: impl FnMut(&ConnectionInfo) -> bool) -> usize {
        let shared = self.shared();
        let now = shared.now();
        let mut all: Vec<ConnectionInfo> = Vec::new();
        let ledger = shared.ledger();
        let idle = ledger.idle_entries(now);
        all.extend(idle.map(|(entry, idle_for)| entry.info(now, idle_for)));
        drop(ledger);
        // It is the user's, so it runs without the lock.
        let mut keep = keep;
        all.retain(|one| !keep(one));
        if all.is_empty() {
            return 0;
        }
        let doomed: HashMap<u64, u64> = all.iter().map(|one| (one.id, one.uses)).collect();
        shared.change(None, |ledger, effects| {
            // One that was used meanwhile is another one to the user.
            ledger.evict(
                |entry| doomed.get(&entry.key.id) == Some(&entry.uses),
                effects,
            )
        })
    }

    /// Takes a connection from outside into the pool.
    ///
    /// It goes the way of a connection that comes back: [`Manager::on_release`] says whether it is clean, has to be
    /// recycled, or is closed. For connections from [`dedicated`](Self::dedicated) or
    /// [`detach`](crate::PooledConnection::detach), or those that the user has opened in another way.
    ///
    /// # Errors
    ///
    /// The connection comes back if the pool is closed, or no place is free.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(0).maxsize(1).build().await?;
    /// assert_eq!(pool.add(8), Ok(()));
    /// assert_eq!(pool.add(9), Err(9));
    /// assert_eq!(*pool.acquire().await?, 8);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn add(&self, conn: M::Connection) -> Result<(), M::Connection> {
        let shared = self.shared();
        let reserved = shared.ledger().reserve();
        let Some(key) = reserved else {
            return Err(conn);
        };
        let now = shared.now();
        let (mut entry, abort) = shared.backend.entry(conn, key, now, now);
        let judged = shared.backend.judge_return(&mut entry);
        let judgement = judged.unwrap_or(Judgement::of(
            Verdict::Discard,
            CloseReason::ManagerPanicked,
        ));
        shared.change(None, |ledger, effects| {
            ledger.added(entry, abort, judgement, effects);
        });
        shared.wind_idle_clock();
        Ok(())
    }
}
