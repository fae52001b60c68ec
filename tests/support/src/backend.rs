//! What a test body needs of a backend in order to run on the fake manager and on a real server alike.

use std::future::Future;

use pool_core::{Builder, Manager};

use crate::{FakeConnection, FakeControl, FakeManager, Stage};

/// A backend under test, for one test body.
pub trait Backend {
    /// Its manager.
    type Manager: Manager;

    /// A builder for a pool on this backend, with the library's own defaults.
    fn builder(&self) -> Builder<Self::Manager>;

    /// Asks for the number 1; `None` when the connection does not answer.
    fn query(conn: &mut Connection<Self>) -> impl Future<Output = Option<i64>>;

    /// Closes a connection as its user does.
    fn close(conn: &mut Connection<Self>) -> impl Future<Output = ()>;

    /// Begins a transaction and writes something that only a commit would keep.
    fn begin(conn: &mut Connection<Self>) -> impl Future<Output = ()>;

    /// Whether it is inside a transaction, or still shows what [`begin`](Backend::begin) wrote.
    fn shows_transaction(conn: &mut Connection<Self>) -> impl Future<Output = bool>;

    /// Kills, from the other end, every connection that is open.
    fn kill_all(&self) -> impl Future<Output = ()>;

    /// How many connections are open at the other end.
    fn open(&self) -> impl Future<Output = usize>;
}

/// The connection of a backend's manager.
pub type Connection<B> = <<B as Backend>::Manager as Manager>::Connection;

/// The fake manager on a stage; one pool a body.
pub struct FakeBackend<'a> {
    stage: &'a Stage,
    control: std::cell::RefCell<Vec<FakeControl>>,
}

impl<'a> FakeBackend<'a> {
    /// A backend whose pools run on this stage.
    pub fn new(stage: &'a Stage) -> Self {
        Self {
            stage,
            control: std::cell::RefCell::default(),
        }
    }

    /// The control of the pool that was built last.
    ///
    /// # Panics
    ///
    /// When none was.
    pub fn control(&self) -> FakeControl {
        let controls = self.control.borrow();
        controls.last().expect("a pool was built").clone()
    }
}

impl Backend for FakeBackend<'_> {
    type Manager = FakeManager;

    fn builder(&self) -> Builder<FakeManager> {
        let (manager, control) = self.stage.fake(0);
        self.control.borrow_mut().push(control);
        self.stage.builder(manager)
    }

    async fn query(conn: &mut FakeConnection) -> Option<i64> {
        FakeConnection::query(conn).ok()
    }

    async fn close(conn: &mut FakeConnection) {
        conn.close();
    }

    async fn begin(conn: &mut FakeConnection) {
        conn.begin();
        conn.scribble("never committed");
    }

    async fn shows_transaction(conn: &mut FakeConnection) -> bool {
        conn.in_transaction() || !conn.scribbles().is_empty()
    }

    async fn kill_all(&self) {
        self.control().break_all();
    }

    async fn open(&self) -> usize {
        self.control().live()
    }
}
