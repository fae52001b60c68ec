//! The pool: a handle that is cheap to clone, and its counts. Each verb has a file of its own.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::ledger::Stage;
use crate::shared::Shared;
use crate::{Borrowed, Manager, Stats, Status};

/// A pool of connections.
///
/// Clones share it. When the last clone is dropped, the pool closes without waiting: idle connections are closed, and
/// guards stay valid until they are dropped, which closes their connections.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::Pool;
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).minsize(2).maxsize(5).build().await?;
/// assert_eq!((pool.size(), pool.freesize(), pool.used()), (2, 2, 0));
///
/// let conn = pool.acquire().await?;
/// assert_eq!((pool.size(), pool.freesize(), pool.used()), (2, 1, 1));
/// drop(conn);
///
/// pool.close();
/// pool.wait_closed().await?;
/// assert!(pool.is_closed());
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
pub struct Pool<M: Manager> {
    owner: Arc<Owner<M>>,
}

/// Shared by all clones of a pool. Its drop closes the pool.
struct Owner<M: Manager> {
    shared: Arc<Shared<M>>,
}

impl<M: Manager> Drop for Owner<M> {
    fn drop(&mut self) {
        self.shared.change(None, |ledger, effects| {
            ledger.last_handle_dropped(effects);
        });
        self.shared.drop_timer();
    }
}

impl<M: Manager> Pool<M> {
    pub(crate) fn from_shared(shared: Arc<Shared<M>>) -> Self {
        Self {
            owner: Arc::new(Owner { shared }),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<M>> {
        &self.owner.shared
    }

    /// The pool's manager.
    pub fn manager(&self) -> &M {
        &self.shared().backend.manager
    }

    /// All counts at one instant.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).maxsize(4).build().await?;
    /// let conn = pool.acquire().await?;
    /// let status = pool.status();
    /// assert_eq!((status.size(), status.held(), status.waiting()), (1, 1, 0));
    /// assert!(status.to_string().starts_with("size 1 (free 0, held 1"));
    /// # drop(conn);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn status(&self) -> Status {
        self.shared().status()
    }

    /// What the pool has counted and measured since it was built.
    ///
    /// # Examples
    ///
    /// See [`Stats`].
    pub fn stats(&self) -> Stats {
        self.shared().ledger().stats()
    }

    /// Who holds a connection: one entry for each, the one that is held longest first.
    ///
    /// # Examples
    ///
    /// See [`Borrowed`].
    pub fn borrowed(&self) -> Vec<Borrowed> {
        let now = self.shared().now();
        self.shared().ledger().borrowed(now)
    }

    /// The pool's name; default `pool`.
    pub fn name(&self) -> &str {
        &self.shared().config().name
    }

    /// The number of all connections: free, used and connecting.
    pub fn size(&self) -> usize {
        self.status().size()
    }

    /// The number of connections that are idle.
    pub fn freesize(&self) -> usize {
        self.status().freesize()
    }

    /// The number of connections that are held, checked, recycled or closed at the moment.
    pub fn used(&self) -> usize {
        self.status().used()
    }

    /// The number of connections that the pool keeps open; the default is 1.
    pub fn minsize(&self) -> usize {
        self.status().minsize()
    }

    /// The largest number of connections; the default is 10, and 0 means unlimited.
    pub fn maxsize(&self) -> usize {
        self.status().maxsize()
    }

    /// Whether the manager was asked to log what is executed; the default is `false`.
    pub fn echo(&self) -> bool {
        self.shared().config().echo
    }

    /// Whether [`close`](Pool::close) or [`terminate`](Pool::terminate) was called.
    pub fn is_closing(&self) -> bool {
        self.shared().ledger().stage() != Stage::Open
    }

    /// Whether the pool is closed and its last connection is gone.
    pub fn is_closed(&self) -> bool {
        self.shared().ledger().is_closed()
    }
}

impl<M: Manager> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self {
            owner: Arc::clone(&self.owner),
        }
    }
}

/// A handle that does not keep its pool open; made by [`Pool::downgrade`].
///
/// For what belongs to the pool and must not keep it alive: a task that looks after it, an observer, a registry.
pub struct WeakPool<M: Manager> {
    owner: Weak<Owner<M>>,
}

impl<M: Manager> Pool<M> {
    /// Makes a handle that does not keep the pool open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// let pool = Pool::builder(Numbers).build_lazy()?;
    /// let weak = pool.downgrade();
    /// assert!(weak.upgrade().is_some());
    ///
    /// drop(pool); // the last handle: the pool closes
    /// assert!(weak.upgrade().is_none());
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// ```
    pub fn downgrade(&self) -> WeakPool<M> {
        WeakPool {
            owner: Arc::downgrade(&self.owner),
        }
    }
}

impl<M: Manager> WeakPool<M> {
    /// The pool, if somebody still has a handle of it. It may be closing.
    pub fn upgrade(&self) -> Option<Pool<M>> {
        let owner = self.owner.upgrade()?;
        Some(Pool { owner })
    }
}

impl<M: Manager> Clone for WeakPool<M> {
    fn clone(&self) -> Self {
        Self {
            owner: Weak::clone(&self.owner),
        }
    }
}

impl<M: Manager> fmt::Debug for WeakPool<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakPool").finish_non_exhaustive()
    }
}

impl<M: Manager> fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
