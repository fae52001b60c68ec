//! The guard: a connection that somebody holds. Its drop releases it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::backend::Entry;
use crate::extensions::Extensions;
use crate::ledger::Judgement;
use crate::panics::ignore_panic;
use crate::shared::Shared;
use crate::{CloseReason, Manager, Verdict};

/// A connection that was acquired. Its drop gives it back.
///
/// It derefs to the manager's connection, is `'static`, and can outlive its pool. Its own functions are
/// associated functions (`PooledConnection::id(&conn)`), so that they hide no method of the connection.
///
/// The drop never blocks, needs no executor and does not panic. If the thread unwinds, the connection is dropped and not
/// closed, because nobody knows what it was doing. After `mem::forget` of a guard its place stays taken until
/// [`Pool::terminate`](crate::Pool::terminate). `mem::swap` through two guards swaps the connections,
/// but not their ids, ages and abort handles.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{Pool, PooledConnection};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).build().await?;
/// let mut conn = pool.acquire().await?;
/// *conn += 1;
/// assert_eq!(PooledConnection::uses(&conn), 1);
/// drop(conn);
/// assert_eq!(pool.status().held(), 0);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[must_use = "a guard that is dropped at once has released its connection"]
pub struct PooledConnection<M: Manager> {
    entry: Option<Box<Entry<M::Connection>>>,
    shared: Arc<Shared<M>>,
}

impl<M: Manager> PooledConnection<M> {
    pub(crate) fn new(mut entry: Box<Entry<M::Connection>>, shared: Arc<Shared<M>>) -> Self {
        entry.uses += 1;
        Self {
            entry: Some(entry),
            shared,
        }
    }

    /// The connection's number, unique in its pool and never used twice.
    pub fn id(this: &Self) -> u64 {
        this.entry().key.id
    }

    /// How long ago it was connected.
    pub fn age(this: &Self) -> Duration {
        let now = this.shared.now();
        now.saturating_duration_since(this.entry().connected_at)
    }

    /// How often it was handed out, including this time.
    pub fn uses(this: &Self) -> u64 {
        this.entry().uses
    }

    /// What was stored with this connection, by type.
    ///
    /// It lives as long as the connection, whoever holds it: for prepared statements, a cache, or what the session was
    /// set to. Nothing is allocated before something is stored.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use pool_core::{Pool, PooledConnection};
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct Tenant(u32);
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let mut conn = pool.acquire().await?;
    /// PooledConnection::extensions_mut(&mut conn).insert(Tenant(3));
    /// drop(conn);
    ///
    /// let conn = pool.acquire().await?;
    /// assert_eq!(PooledConnection::extensions(&conn).get(), Some(&Tenant(3)));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn extensions(this: &Self) -> &Extensions {
        &this.entry().extensions
    }

    /// As [`extensions`](Self::extensions), to be changed.
    pub fn extensions_mut(this: &mut Self) -> &mut Extensions {
        let entry = this.entry.as_mut();
        &mut entry
            .expect("a guard has its entry until it goes")
            .extensions
    }

    /// Takes the connection out of the pool for good; its place is free at once.
    ///
    /// What was stored in its [`extensions`](Self::extensions) is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Pool, PooledConnection};
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(0).build().await.unwrap();
    /// let conn: u32 = PooledConnection::detach(pool.acquire().await.unwrap());
    /// assert_eq!((conn, pool.size()), (7, 0));
    /// # });
    /// ```
    pub fn detach(mut this: Self) -> M::Connection {
        let entry = this
            .entry
            .take()
            .expect("a guard has its entry until it goes");
        this.shared.change(None, |ledger, effects| {
            ledger.detach(entry.key, effects);
        });
        let Entry {
            conn, extensions, ..
        } = *entry;
        ignore_panic(|| drop(extensions));
        conn
    }

    /// Closes the connection instead of giving it back; its place is free when it is closed.
    ///
    /// Without a spawner it is dropped without [`Manager::close`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Pool, PooledConnection};
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().await?;
    /// let id = PooledConnection::id(&conn);
    /// PooledConnection::discard(conn);
    ///
    /// let next = pool.acquire().await?;
    /// assert_ne!(PooledConnection::id(&next), id);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn discard(mut this: Self) {
        if let Some(entry) = this.entry.take() {
            match thread::panicking() {
                true => give_back_unwinding(&this.shared, entry),
                false => {
                    let judgement = Judgement::of(Verdict::Discard, CloseReason::Discarded);
                    give_back_at_now(&this.shared, entry, judgement);
                }
            }
        }
    }

    /// Takes the guard apart.
    pub(crate) fn into_parts(mut self) -> (Box<Entry<M::Connection>>, Arc<Shared<M>>) {
        let entry = self
            .entry
            .take()
            .expect("a guard has its entry until it goes");
        (entry, Arc::clone(&self.shared))
    }

    /// What all handles and guards of the pool share.
    pub(crate) fn shared(&self) -> &Arc<Shared<M>> {
        &self.shared
    }

    pub(crate) fn entry(&self) -> &Entry<M::Connection> {
        self.entry
            .as_ref()
            .expect("a guard has its entry until it goes")
    }
}

/// Gives a connection back to the pool; its manager decides what becomes of it.
#[inline]
pub(crate) fn give_back<M: Manager>(shared: &Arc<Shared<M>>, mut entry: Box<Entry<M::Connection>>) {
    if thread::panicking() {
        return give_back_unwinding(shared, entry);
    }
    let Ok(verdict) = shared.backend.verdict(&mut entry) else {
        return give_back_unknown(shared, entry);
    };
    if shared.reads_clock() {
        return give_back_now(shared, entry, verdict);
    }
    if verdict != Verdict::Reuse {
        return give_back_slowly(shared, entry, verdict);
    }
    let given = shared.ledger().give_back_fast(entry, verdict, None);
    match given {
        Ok(None) => {}
        Ok(Some(waker)) => drop(ignore_panic(|| waker.wake())),
        Err(entry) => give_back_slowly(shared, entry, verdict),
    }
}

/// As in the fast case, in a pool that reads the clock or whose interceptors want every connection that comes back. If it
/// measures, it notes when the connection came back, where somebody is to hear of it.
#[inline(never)]
fn give_back_now<M: Manager>(
    shared: &Arc<Shared<M>>,
    entry: Box<Entry<M::Connection>>,
    verdict: Verdict,
) {
    let (mut entry, is_observed) = (entry, shared.is_observed());
    let verdict = shared
        .backend
        .verdict_with_interceptors(&mut entry, verdict);
    if verdict != Verdict::Reuse {
        return give_back_slowly(shared, entry, verdict);
    }
    let now = (is_observed || shared.stamps_returns).then(|| shared.now());
    let key = entry.key;
    let mut ledger = shared.ledger();
    // The end of a suspected leak is told with the time.
    if !is_observed && ledger.is_suspected(key) {
        drop(ledger);
        return give_back_slowly(shared, entry, verdict);
    }
    let idle_now = now.filter(|_| shared.stamps_returns);
    let given = ledger.give_back_fast(entry, verdict, idle_now);
    if let (Ok(_), true, Some(now)) = (&given, is_observed, now) {
        ledger.note_return(key, now);
    }
    drop(ledger);
    match given {
        Ok(None) => {}
        Ok(Some(waker)) => drop(ignore_panic(|| waker.wake())),
        Err(entry) => return give_back_slowly(shared, entry, verdict),
    }
    shared.tell();
}

#[inline(never)]
fn give_back_slowly<M: Manager>(
    shared: &Arc<Shared<M>>,
    entry: Box<Entry<M::Connection>>,
    verdict: Verdict,
) {
    let judgement = shared.backend.judgement(&entry, verdict);
    give_back_at_now(shared, entry, judgement);
}

/// The holder's thread panicked.
#[cold]
fn give_back_unwinding<M: Manager>(shared: &Arc<Shared<M>>, entry: Box<Entry<M::Connection>>) {
    give_back_broken(shared, entry, CloseReason::HolderPanicked);
}

/// The manager's verdict is not known.
#[cold]
fn give_back_unknown<M: Manager>(shared: &Arc<Shared<M>>, entry: Box<Entry<M::Connection>>) {
    give_back_broken(shared, entry, CloseReason::ManagerPanicked);
}

/// Nobody knows what the connection was in the middle of: it is dropped.
pub(crate) fn give_back_broken<M: Manager>(
    shared: &Arc<Shared<M>>,
    entry: Box<Entry<M::Connection>>,
    reason: CloseReason,
) {
    shared.change(None, |ledger, effects| {
        ledger.give_back_broken(entry, reason, effects);
    });
}

/// The cases that need the present time.
#[inline(never)]
pub(crate) fn give_back_at_now<M: Manager>(
    shared: &Arc<Shared<M>>,
    entry: Box<Entry<M::Connection>>,
    judgement: Judgement,
) {
    let clock_rests = shared.change(None, |ledger, effects| {
        ledger.give_back(entry, judgement, effects);
        ledger.idle_clock_rests()
    });
    if clock_rests {
        shared.wind_idle_clock();
    }
}

impl<M: Manager> Deref for PooledConnection<M> {
    type Target = M::Connection;

    fn deref(&self) -> &M::Connection {
        &self.entry().conn
    }
}

impl<M: Manager> DerefMut for PooledConnection<M> {
    fn deref_mut(&mut self) -> &mut M::Connection {
        let entry = self.entry.as_mut();
        &mut entry.expect("a guard has its entry until it goes").conn
    }
}

impl<M: Manager> Drop for PooledConnection<M> {
    #[inline]
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            give_back(&self.shared, entry);
        }
    }
}

impl<M: Manager> fmt::Debug for PooledConnection<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PooledConnection");
        if let Some(entry) = &self.entry {
            out.field("id", &entry.key.id).field("uses", &entry.uses);
        }
        // The connection itself is not shown: it may hold a password.
        out.finish_non_exhaustive()
    }
}
