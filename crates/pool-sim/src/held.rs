//! A connection in somebody's hands.

use pool_core::PooledConnection;

use crate::manager::SimManager;

pub(crate) type Guard = PooledConnection<SimManager>;

/// Whoever lets go of it may have left something in the connection.
pub(crate) struct Holding(Option<Guard>);

impl Holding {
    pub(crate) fn new(guard: Guard) -> Self {
        Self(Some(guard))
    }

    /// The guard, which is nobody's from now on.
    pub(crate) fn let_go(mut self) -> Guard {
        self.take()
            .expect("a holding has a guard until it is let go")
    }

    fn take(&mut self) -> Option<Guard> {
        let guard = self.0.take()?;
        guard.now_left();
        Some(guard)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        drop(self.take());
    }
}
