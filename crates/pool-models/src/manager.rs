//! The manager of the models. Its connections count themselves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pool_core::{AbortHandle, Manager, Verdict};

use crate::setup::Setup;
use crate::step::Refused;

/// What the connections of a pool count. These are std's primitives: they are no part of what is checked, and a model
/// checker that followed them would have more schedules to go through.
pub(crate) struct Counts {
    maxsize: usize,
    live: AtomicUsize,
    /// The first promise that was broken. A panic in a manager would be contained by the pool.
    broken: Mutex<Option<String>>,
}

impl Counts {
    pub(crate) fn new(maxsize: usize) -> Arc<Self> {
        Arc::new(Self {
            maxsize,
            live: AtomicUsize::new(0),
            broken: Mutex::new(None),
        })
    }

    /// The connections that are open or being opened.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }

    pub(crate) fn assert_unbroken(&self) {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(broken.is_none(), "{broken:?}");
    }

    fn record(&self, what: String) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert(what);
    }
}

/// A connection. It counts from the beginning of its connect until it is dropped.
pub struct Connection {
    counts: Arc<Counts>,
}

impl Connection {
    fn new(counts: &Arc<Counts>) -> Self {
        let live = counts.live.fetch_add(1, Ordering::SeqCst) + 1;
        if live > counts.maxsize {
            counts.record(format!("{live} connections, maxsize {}", counts.maxsize));
        }
        Self {
            counts: Arc::clone(counts),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counts.live.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A manager that does in each step what its [`Setup`] says.
pub struct ModelManager {
    pub(crate) counts: Arc<Counts>,
    pub(crate) setup: Setup,
}

impl Manager for ModelManager {
    type Connection = Connection;
    type Error = Refused;

    async fn connect(&self) -> Result<Connection, Refused> {
        let conn = Connection::new(&self.counts);
        self.setup.connect.run().await.map(|()| conn)
    }

    async fn check(&self, _conn: &mut Connection) -> Result<(), Refused> {
        self.setup.check.run().await
    }

    async fn recycle(&self, _conn: &mut Connection) -> Result<(), Refused> {
        self.setup.recycle.run().await
    }

    fn on_release(&self, _conn: &mut Connection) -> Verdict {
        self.setup.verdict
    }

    async fn close(&self, conn: Connection) {
        // A close cannot fail.
        let _ = self.setup.close.run().await;
        drop(conn);
    }

    fn abort_handle(&self, _conn: &Connection) -> Option<AbortHandle> {
        Some(AbortHandle::new(|| {}))
    }
}
