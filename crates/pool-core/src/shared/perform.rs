//! What a change of the books asks of the world, carried out without the lock.

use std::sync::Arc;

use super::visitor::Visitor;
use super::{Afterwards, Shared};
use crate::Manager;
use crate::keys::JobKey;
use crate::ledger::{CalledOff, Item};
use crate::steps::quietly;

impl<M: Manager> Shared<M> {
    /// Does what a change of the books asks for; every call into foreign code is on its own.
    pub(crate) fn perform(self: &Arc<Self>, mut after: Afterwards<M>) {
        for waker in after.take_wakers() {
            quietly(|| waker.wake());
        }
        for waker in after.stale {
            quietly(|| drop(waker));
        }
        for handle in after.aborts {
            quietly(|| handle.abort());
        }
        for handle in after.handles {
            quietly(|| drop(handle));
        }
        for entry in after.written_off {
            quietly(|| drop(entry));
        }
        // A place is free only when its connection is really gone: drop first, count afterwards.
        for entry in after.broken {
            let id = entry.id();
            quietly(|| drop(entry));
            let now = self.now();
            self.change(after.current, |books, after| books.dropped(id, now, after));
        }
        for CalledOff { kind, id, work } in after.called_off {
            quietly(|| drop(work));
            let now = self.now();
            self.change(after.current, |books, after| {
                books.called_off(kind, id, now, after);
            });
        }
        for key in after.tend {
            self.tend(key);
        }
        if after.recycle {
            self.spawn(Visitor::of_the_next_dirty(self));
        }
        if after.closing {
            self.closing.notify(usize::MAX);
        }
    }

    /// Finds a background task for a job that nobody drives.
    fn tend(self: &Arc<Self>, key: JobKey) {
        let hired = {
            let mut books = self.books();
            match books.can_spawn() {
                true => books.hire(key),
                false => None,
            }
        };
        if let Some(number) = hired {
            self.spawn(Visitor::of(self, key, number));
        }
    }

    fn spawn(self: &Arc<Self>, visitor: Visitor<M>) {
        // A visitor that is refused gives its job back when it is dropped.
        let spawned = quietly(|| self.backend.runtime.spawn(Box::pin(visitor)));
        if !matches!(spawned, Some(Ok(()))) {
            self.books().cannot_spawn();
        }
    }
}
