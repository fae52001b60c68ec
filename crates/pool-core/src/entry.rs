//! What the pool keeps: a connection and what is known of it.

use std::time::{Duration, Instant};

use crate::ledger::Item;

/// A connection and what is known of it; boxed once, so that a large connection never moves.
pub(crate) struct Entry<C> {
    pub(crate) conn: C,
    pub(crate) id: u64,
    pub(crate) born: Instant,
    /// When it came back; `None`: since the last tick of the idle clock.
    pub(crate) idle_since: Option<Instant>,
    /// For how long it may be idle, as its manager says.
    pub(crate) idle_limit: Option<Duration>,
    pub(crate) uses: u64,
}

impl<C> Item for Box<Entry<C>> {
    fn id(&self) -> u64 {
        self.id
    }
    fn idle_since(&self) -> Option<Instant> {
        self.idle_since
    }
    fn set_idle_since(&mut self, since: Option<Instant>) {
        self.idle_since = since;
    }
    fn idle_limit(&self) -> Option<Duration> {
        self.idle_limit
    }
}
