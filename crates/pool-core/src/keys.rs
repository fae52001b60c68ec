//! The numbers by which waiters and jobs know each other; stale ones are recognised.

use std::num::NonZeroU32;

use slotmap::DefaultKey;

/// A waiter's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    pub(crate) index: u32,
    pub(crate) turn: NonZeroU32,
}

/// A job's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobKey(pub(crate) DefaultKey);
