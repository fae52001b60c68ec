//! What the pool knows of a connection, for code that decides about it.

use std::time::Duration;

/// What the pool knows of a connection beside the connection itself; an [`Interceptor`](crate::Interceptor) and the closure of
/// [`Pool::retain`](crate::Pool::retain) get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    pub(crate) id: u64,
    pub(crate) age: Duration,
    pub(crate) idle_for: Duration,
    pub(crate) uses: u64,
}

impl ConnectionInfo {
    /// The number of the connection, unique in its pool and never used twice; 0 for one of
    /// [`Pool::dedicated`](crate::Pool::dedicated).
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How long ago it was connected.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// How long it has been idle. In real time it is measured in ticks, see
    /// [`CheckPolicy::IdleFor`](crate::CheckPolicy::IdleFor), and may be a tick too long. Zero in a pool in which no setting
    /// depends on it.
    pub fn idle_for(&self) -> Duration {
        self.idle_for
    }

    /// How often it was handed out so far.
    pub fn uses(&self) -> u64 {
        self.uses
    }
}
