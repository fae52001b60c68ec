//! The entries that nobody uses: which one is next, and in what state.

use std::time::Instant;

use super::{After, Ledger, Shelf, Stage, Stock};
use crate::IdleOrder;
use crate::jobs::{Kind, Tender};
use crate::keys::JobKey;

/// An entry that was found on a shelf.
pub(super) enum Found<E> {
    Ready(E),
    Suspect(E),
    Dirty(E),
}

impl<S: Stock> Ledger<S> {
    /// The next entry that nobody uses; the expired ones on the way to it are closed.
    pub(super) fn find(&mut self, now: Instant, after: &mut After<S>) -> Option<Found<S::Entry>> {
        loop {
            let dirty = self.dirty_is_next();
            let order = self.order;
            let shelf = if dirty {
                &mut self.dirty
            } else {
                &mut self.idle
            };
            let (_, entry) = take(shelf, order)?;
            if self.is_expired(&entry, Some(now)) {
                self.start_close(entry, Tender::Nobody, after);
            } else if dirty {
                return Some(Found::Dirty(entry));
            } else if self.is_suspect(&entry, Some(now)) {
                return Some(Found::Suspect(entry));
            } else {
                return Some(Found::Ready(entry));
            }
        }
    }

    /// Whether the next entry is one that still has to be recycled.
    ///
    /// Where the recycle happens in the background a clean one is preferred; where it happens in the next acquire, all
    /// returned entries are alike and the order of their return decides.
    fn dirty_is_next(&self) -> bool {
        let turns = |shelf: &Shelf<S::Entry>| match self.order {
            IdleOrder::Fifo => shelf.front().map(|(turn, _)| *turn),
            IdleOrder::Lifo => shelf.back().map(|(turn, _)| *turn),
        };
        match (turns(&self.idle), turns(&self.dirty)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(_), Some(_)) if self.spawns => false,
            (Some(clean), Some(dirty)) => match self.order {
                IdleOrder::Fifo => dirty < clean,
                IdleOrder::Lifo => dirty > clean,
            },
        }
    }

    /// For `try_acquire`: a job for the next entry, if nobody waits. The caller drives it.
    pub(crate) fn try_take(&mut self, now: Instant, after: &mut After<S>) -> Tried<S> {
        if self.stage != Stage::Open {
            return Tried::Closed;
        }
        if self.waiters.queued() > 0 {
            return Tried::Exhausted;
        }
        let (kind, entry) = match self.find(now, after) {
            None => return Tried::Exhausted,
            Some(Found::Ready(entry)) => {
                self.counts.held += 1;
                return Tried::Entry(entry);
            }
            Some(Found::Suspect(entry)) => (Kind::Check, entry),
            Some(Found::Dirty(entry)) => (Kind::Recycle, entry),
        };
        Tried::Job(self.note(kind, Some(entry), Tender::Taker))
    }
}

/// What `try_acquire` finds.
pub(crate) enum Tried<S: Stock> {
    Entry(S::Entry),
    Job(JobKey),
    Exhausted,
    Closed,
}

fn take<E>(shelf: &mut Shelf<E>, order: IdleOrder) -> Option<(u64, E)> {
    match order {
        IdleOrder::Fifo => shelf.pop_front(),
        IdleOrder::Lifo => shelf.pop_back(),
    }
}
