//! Telling the observers what the ledger has noted.

use std::sync::Arc;

use super::Shared;
use crate::Manager;
use crate::borrowed::Borrower;
use crate::error::Error;
use crate::event::{ObservedPool, Observer};
use crate::ledger::{Note, SharedError};
use crate::panics::{DropsQuietly, ignore_panic};

/// How many events one call tells before it leaves the rest to upkeep or to the next call.
const MOST_TOLD: usize = 1000;

/// The observers of a pool.
pub(crate) struct Observers(Vec<DropsQuietly<Arc<dyn Observer>>>);

impl Observers {
    pub(crate) fn new(all: Vec<Arc<dyn Observer>>) -> Self {
        Self(all.into_iter().map(DropsQuietly::new).collect())
    }
}

impl<M: Manager> Shared<M> {
    /// Tells the observers that the pool was built.
    pub(crate) fn observers_meet_pool(self: &Arc<Self>) {
        if self.is_observed() {
            let pool = Arc::downgrade(self);
            let name = Arc::clone(&self.config().name);
            let pool = ObservedPool::new(name, move || Some(pool.upgrade()?.status()));
            for observer in &self.observers.0 {
                ignore_panic(|| observer.on_build(&pool));
            }
        }
    }

    pub(crate) fn is_observed(&self) -> bool {
        !self.observers.0.is_empty()
    }

    /// Tells the observers what was noted, unless another thread does that at the moment, or this one, further up its
    /// stack.
    ///
    /// So every observer sees the events in the order of the changes, and none is called by two threads at once.
    #[inline]
    pub(crate) fn tell(&self) {
        if self.is_observed() {
            self.tell_all();
        }
    }

    #[cold]
    fn tell_all(&self) {
        let mut most = MOST_TOLD;
        // Others may note faster than this thread tells.
        while most > 0 {
            let taken = self.ledger().take_notes(most);
            let Some(notes) = taken else {
                break;
            };
            most -= notes.len();
            for note in &notes {
                let event = note.event(&self.config().name);
                for observer in &self.observers.0 {
                    ignore_panic(|| observer.on_event(&event));
                }
            }
            // The errors in them are foreign. Two that panic in one drop would end the process.
            match notes.len() {
                1 => drop(ignore_panic(|| drop(notes))),
                _ => notes.into_iter().for_each(drop_quietly),
            }
            self.ledger().told();
        }
        // Upkeep tells the rest, or the next call. After the last event of a closed pool, upkeep ends.
        let upkeep = self.ledger().upkeep_for_notes();
        if let Some(upkeep) = upkeep {
            ignore_panic(|| upkeep.wake());
        }
    }

    /// Tells the observers that an acquire did not join the queue.
    #[cold]
    pub(crate) fn tell_rejected(&self, by: &Borrower, error: &Error<M::Error>) {
        if self.is_observed() {
            let reason = error.failure_reason();
            let shared = || Arc::new(error.clone()) as SharedError;
            self.ledger().note_rejected(by, reason, shared);
            self.tell();
        }
    }

    /// After a connection was handed out without an effect, in a pool that measures.
    pub(crate) fn after_hand_out(self: &Arc<Self>, set_timer: bool) {
        self.tell();
        if set_timer {
            self.set_timer_if_needed();
        }
    }

    /// Sets the timer for the leak warning of a connection that was handed out to somebody who did not wait.
    pub(crate) fn watch_hand_out(self: &Arc<Self>) {
        if self.backend.limits.leak_warning.get().is_some() {
            self.set_timer_if_needed();
        }
    }
}

fn drop_quietly(note: Note) {
    ignore_panic(|| drop(note));
}
