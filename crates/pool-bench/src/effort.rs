//! How long the measurements take.

use std::time::Duration;

/// How much time a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A quarter of an hour: for numbers that are published.
    Full,
    /// A few minutes: for a first impression.
    Quick,
}

impl Effort {
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }

    pub(crate) fn millis(self, full: u64, quick: u64) -> Duration {
        Duration::from_millis(self.pick(full, quick))
    }
}
