//! What a change of the books asks of the world, carried out without the lock.

use std::sync::Arc;

use super::visitor::Visitor;
use super::{Afterwards, Shared};
use crate::Manager;
use crate::keys::{JobKey, Ticket};
use crate::ledger::{CalledOff, Chores, Item};
use crate::steps::{Goods, quietly};

impl<M: Manager> Shared<M> {
    /// Does what a change of the books asks for; every call into foreign code is on its own.
    #[inline]
    pub(crate) fn perform(self: &Arc<Self>, mut after: Afterwards<M>) {
        for waker in after.take_wakers() {
            quietly(|| waker.wake());
        }
        if let Some(chores) = after.take_chores() {
            self.perform_chores(*chores, after.current);
        }
        if after.recycle {
            self.spawn(Visitor::of_the_next_dirty(self));
        }
        if after.closing {
            self.closing.notify(usize::MAX);
        }
    }

    #[cold]
    fn perform_chores(self: &Arc<Self>, chores: Chores<Goods<M>>, current: Option<Ticket>) {
        for waker in chores.stale {
            quietly(|| drop(waker));
        }
        for handle in chores.aborts {
            quietly(|| handle.abort());
        }
        for handle in chores.handles {
            quietly(|| drop(handle));
        }
        for entry in chores.written_off {
            quietly(|| drop(entry));
        }
        // A place is free only when its connection is really gone: drop first, count afterwards.
        for entry in chores.broken {
            let id = entry.id();
            quietly(|| drop(entry));
            let now = self.now();
            self.change(current, |books, after| books.dropped(id, now, after));
        }
        for CalledOff { kind, id, work } in chores.called_off {
            quietly(|| drop(work));
            let now = self.now();
            self.change(current, |books, after| {
                books.called_off(kind, id, now, after);
            });
        }
        for key in chores.tend {
            self.tend(key);
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
