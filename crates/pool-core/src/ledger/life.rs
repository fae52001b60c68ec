//! The life of one connection, as far as the ledger plans it.

use std::time::Instant;

use super::ConnectionKey;
use super::marks::Fitness;
use crate::CloseReason;

/// Why a connection is to be replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Lifetime,
    Uses,
    /// `recycle_all` was called.
    Replaced,
    /// `clear_all` was called.
    Cleared,
}

impl Why {
    pub(super) fn reason(self) -> CloseReason {
        match self {
            Self::Lifetime => CloseReason::MaxLifetime,
            Self::Uses => CloseReason::MaxUses,
            Self::Replaced => CloseReason::Replaced,
            Self::Cleared => CloseReason::Cleared,
        }
    }
}

/// The life of one connection. It begins with the connect, so that what is to be replaced includes what is being opened.
pub(super) struct Life {
    pub(super) key: ConnectionKey,
    /// When it was opened, if it has been.
    pub(super) born: Option<Instant>,
    /// Which part of the jitter this connection has drawn, in 1 / 2^32.
    pub(super) share: u32,
    /// From when on `recycle_all` wants it to be replaced, and until when.
    pub(super) replaced: Option<(Instant, Instant)>,
    /// When it is spent, if that is ahead.
    pub(super) end: Option<Instant>,
    /// What it waits for in the schedule: to become due, or to be spent.
    pub(super) next: Option<Instant>,
    pub(super) fitness: Fitness,
    pub(super) why: Why,
    /// It counts among those that are due by their age.
    pub(super) is_aged: bool,
    /// One like it was lost, and somebody held it then.
    pub(super) is_suspect: bool,
}

impl Life {
    pub(super) fn new(key: ConnectionKey, share: u32) -> Self {
        Self {
            key,
            born: None,
            share,
            replaced: None,
            end: None,
            next: None,
            fitness: Fitness::Fit,
            why: Why::Lifetime,
            is_aged: false,
            is_suspect: false,
        }
    }
}
