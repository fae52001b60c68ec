//! How an observer reads a pool's counts.

use std::fmt;
use std::sync::Arc;

use crate::Status;

type Read = dyn Fn() -> Option<Status> + Send + Sync;

/// A pool as its observers see it: its name, and its counts when they ask for them. It does not keep the pool open.
#[derive(Clone)]
pub struct ObservedPool {
    name: Arc<str>,
    read: Arc<Read>,
}

impl ObservedPool {
    pub(crate) fn new(
        name: Arc<str>,
        read: impl Fn() -> Option<Status> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            read: Arc::new(read),
        }
    }

    /// Whether both are of the same pool.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.read, &other.read)
    }

    /// The pool's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pool's counts at one instant; `None` when the pool and all its connections are gone.
    pub fn status(&self) -> Option<Status> {
        (self.read)()
    }
}

impl fmt::Debug for ObservedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedPool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
