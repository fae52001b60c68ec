//! Connections that leave the idle list or join the pool because the user says so.

use std::time::{Duration, Instant};

use super::{ConnectionKey, Effects, Judgement, Ledger, LedgerEntry, LedgerTypes, Note};
use crate::{AbortHandle, CloseReason};

impl<T: LedgerTypes> Ledger<T> {
    /// The idle connections, each with how long it has been idle.
    pub(crate) fn idle_entries(&self, now: Instant) -> impl Iterator<Item = (&T::Entry, Duration)> {
        self.idle.iter_idle_for(now)
    }

    /// Closes the idle connections that are meant. Their number comes out.
    pub(crate) fn evict(
        &mut self,
        is_meant: impl Fn(&T::Entry) -> bool,
        effects: &mut Effects<T>,
    ) -> usize {
        let evicted = self.idle.take_where(is_meant);
        let number = evicted.len();
        for entry in evicted {
            self.start_close(entry, CloseReason::Evicted, effects);
        }
        self.supply(effects);
        number
    }

    /// Takes a place for a connection that comes from outside: its number. It counts as held until it is
    /// [`added`](Self::added). `None`: the pool is closed, or no place is free.
    pub(crate) fn reserve(&mut self) -> Option<ConnectionKey> {
        if !self.lifecycle.is_open() || self.size() >= self.fill.limit() {
            return None;
        }
        self.held += 1;
        Some(self.connections.begin())
    }

    /// A connection from outside is there: it goes the way of one that comes back.
    pub(crate) fn added(
        &mut self,
        mut entry: T::Entry,
        abort: Option<AbortHandle>,
        judgement: Judgement,
        effects: &mut Effects<T>,
    ) {
        let key = entry.key();
        if self.stage() != super::Stage::Terminated {
            self.history.counters.added += 1;
            self.history.note(|| Note::Added(key.id));
            if let Some(abort) = abort {
                self.connections.set_abort(key, abort);
            }
            self.note_limit(&entry, effects);
            self.born(&entry, effects);
        } else if let Some(abort) = abort {
            effects.drop_later(super::effects::Stale::Handle(abort));
        }
        self.idle.note_return(&mut entry, effects.now());
        self.give_back_noted(entry, judgement, effects);
        // Connects that were missing for minsize may not be needed any more.
        self.undo_unbegun(effects);
    }
}
