//! A connection in somebody's hands.

use pool_core::PooledConnection;

use crate::simulated::{Guard, Simulated};

/// Whoever lets go of it may have left something in the connection.
pub(crate) struct Holding<M: Simulated>(Option<Guard<M>>);

impl<M: Simulated> Holding<M> {
    pub(crate) fn new(guard: Guard<M>) -> Self {
        Self(Some(guard))
    }

    /// The number of the connection.
    pub(crate) fn id(&self) -> u64 {
        PooledConnection::id(self.guard())
    }

    /// The guard, still in somebody's hands.
    pub(crate) fn guard(&self) -> &Guard<M> {
        let guard = self.0.as_ref();
        guard.expect("a holding has a guard until it is let go")
    }

    /// The guard, which is nobody's from now on.
    pub(crate) fn let_go(mut self) -> Guard<M> {
        self.take()
            .expect("a holding has a guard until it is let go")
    }

    fn take(&mut self) -> Option<Guard<M>> {
        let guard = self.0.take()?;
        guard.now_left();
        Some(guard)
    }
}

impl<M: Simulated> Drop for Holding<M> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
