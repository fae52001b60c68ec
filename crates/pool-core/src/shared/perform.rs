//! What a change of the ledger asks for, carried out without the lock.

use std::sync::Arc;

use super::background_task::BackgroundTask;
use super::{PoolEffects, Shared};
use crate::Manager;
use crate::backend::PoolTypes;
use crate::ledger::{JobKey, RareEffects, Ticket};
use crate::panics::ignore_panic;

impl<M: Manager> Shared<M> {
    /// Carries out what a change of the ledger asks for. Each call of foreign code is contained by itself.
    #[inline]
    pub(crate) fn perform(self: &Arc<Self>, effects: PoolEffects<M>) {
        if let Some(waker) = effects.waker {
            ignore_panic(|| waker.wake());
        }
        if let Some(waker) = effects.stale_waker {
            ignore_panic(|| drop(waker));
        }
        if let Some(rare) = effects.rare {
            self.perform_rare(*rare, effects.current);
        }
        if effects.spawn_recycle_task {
            self.spawn(BackgroundTask::for_next_dirty(self));
        }
        if effects.sets_timer && self.has_timer {
            // Where it cannot be set, the next acquire finds that the pause is over.
            self.set_timer_if_needed();
        }
    }

    #[cold]
    fn perform_rare(self: &Arc<Self>, rare: RareEffects<PoolTypes<M>>, current: Option<Ticket>) {
        for waker in rare.wakers {
            ignore_panic(|| waker.wake());
        }
        for handle in rare.aborts {
            ignore_panic(|| handle.abort());
        }
        for stale in rare.stale {
            ignore_panic(|| drop(stale));
        }
        // A place is free only after its connection is gone: drop first, count afterwards.
        for departing in rare.departing {
            ignore_panic(|| drop(departing.stale));
            self.change(current, |ledger, effects| {
                ledger.dropped(departing.exit, effects);
            });
        }
        for key in rare.spawn_drivers {
            self.spawn_driver(key);
        }
    }

    /// Spawns a background task for a job that nobody drives.
    fn spawn_driver(self: &Arc<Self>, key: JobKey) {
        let number = self.ledger().assign_task(key);
        if let Some(number) = number {
            self.spawn(BackgroundTask::for_job(self, key, number));
        }
    }

    fn spawn(self: &Arc<Self>, task: BackgroundTask<M>) {
        // A task that is refused gives its job back when it is dropped.
        let spawned = ignore_panic(|| self.backend.runtime.spawn(Box::pin(task)));
        if !matches!(spawned, Some(Ok(()))) {
            self.ledger().cannot_spawn();
        }
    }
}
