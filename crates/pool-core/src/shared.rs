//! What all handles, guards and tasks of a pool share: the books under their one lock, and the backend.
//!
//! The rule of the lock: it is held for a few lines of arithmetic. No await, no waker, no method of a manager or a
//! runtime, no `Drop` of a connection happens under it; what a change asks of the world is collected in an [`After`]
//! and carried out by [`Shared::perform`] when the lock is gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Wake, Waker};
use std::time::Instant;

use event_listener::Event;

use crate::config::Config;
use crate::drive::Visitor;
use crate::error::Error;
use crate::jobs::JobKey;
use crate::ledger::{After, Item, Ledger};
use crate::steps::{Backend, Goods, quietly};
use crate::waiters::Ticket;
use crate::{BoxFuture, Manager, Runtime, Status};

pub(crate) type Books<M> = Ledger<Goods<M>>;
pub(crate) type Afterwards<M> = After<Goods<M>>;

pub(crate) struct Shared<M: Manager> {
    pub(crate) backend: Arc<Backend<M>>,
    books: Mutex<Books<M>>,
    /// Those who wait for the end; told when there may be something to do or nothing left.
    pub(crate) closing: Event,
    /// Whether time-outs can be kept.
    pub(crate) has_timer: bool,
    /// The one timer of all waiters, and the waker that it calls. Locked before the books, never after.
    timer: Mutex<Option<BoxFuture<'static, ()>>>,
    timer_waker: Waker,
    last_connect: Mutex<Option<Arc<M::Error>>>,
}

impl<M: Manager> Shared<M> {
    pub(crate) fn new(
        manager: M,
        config: Config,
        runtime: Arc<dyn Runtime>,
        has_timer: bool,
    ) -> Arc<Self> {
        Arc::new_cyclic(|shared: &Weak<Self>| Self {
            books: Mutex::new(Ledger::new(&config)),
            backend: Arc::new(Backend::new(manager, runtime, config)),
            closing: Event::new(),
            has_timer,
            timer: Mutex::new(None),
            timer_waker: Waker::from(Arc::new(TimerWaker {
                shared: Weak::clone(shared),
            })),
            last_connect: Mutex::new(None),
        })
    }

    /// The books. A panic under the lock is a bug of ours and is not made worse by refusing everybody else.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books<M>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> Status {
        self.books().status()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.backend.config
    }

    pub(crate) fn now(&self) -> Instant {
        self.backend.runtime.now()
    }

    /// The present, if handing out a connection depends on it.
    pub(crate) fn idle_clock(&self) -> Option<Instant> {
        self.config().needs_idle_time().then(|| self.now())
    }

    /// Changes the books, then does what the change asks for.
    pub(crate) fn change<R>(
        self: &Arc<Self>,
        current: Option<Ticket>,
        change: impl FnOnce(&mut Books<M>, &mut Afterwards<M>) -> R,
    ) -> R {
        let mut after = After::new(current);
        let result = change(&mut self.books(), &mut after);
        self.perform(after);
        result
    }

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
        for (kind, id, work) in after.called_off {
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
            books.can_spawn() && books.hire(key)
        };
        if hired {
            self.spawn(Visitor::of(self, key));
        }
    }

    fn spawn(self: &Arc<Self>, visitor: Visitor<M>) {
        // A visitor that is refused gives its job back when it is dropped.
        let spawned = quietly(|| self.backend.runtime.spawn(Box::pin(visitor)));
        if !matches!(spawned, Some(Ok(()))) {
            self.books().cannot_spawn();
        }
    }

    /// Sets the timer of the waiters for the instant that the books name.
    pub(crate) fn set_timer(self: &Arc<Self>) {
        loop {
            let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
            // Read under the timer's lock: of two who set it at once, the later one sees both wishes.
            let Some(at) = self.books().timer_at() else {
                return;
            };
            let set = quietly(|| {
                let mut sleep = self.backend.runtime.sleep_until(at);
                let mut cx = Context::from_waker(&self.timer_waker);
                let struck = sleep.as_mut().poll(&mut cx).is_ready();
                (sleep, struck)
            });
            let Some((sleep, struck)) = set else { return };
            let old = timer.replace(sleep);
            drop(timer);
            quietly(|| drop(old));
            if !struck {
                return;
            }
            self.change(None, |books, after| books.timer_struck(after));
            if !self.books().timer_to_set() {
                return;
            }
        }
    }

    /// Remembers how the last connect ended, and gives the error that callers see.
    pub(crate) fn note_connect(&self, error: Option<&Error<M::Error>>) {
        let new = match error {
            Some(Error::Connect(error)) => Some(Arc::clone(error)),
            Some(_) => return,
            None => None,
        };
        let old = {
            let mut last = self
                .last_connect
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *last, new)
        };
        quietly(|| drop(old));
    }

    /// Completes a time-out's account with the pool's counts and the last connect error.
    pub(crate) fn explain(&self, error: Error<M::Error>) -> Error<M::Error> {
        match error {
            Error::Timeout { phase, after, .. } => Error::Timeout {
                phase,
                after,
                status: self.status(),
                last_connect: self
                    .last_connect
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone(),
            },
            error => error,
        }
    }
}

/// Called by the runtime's timer, from whatever thread and under whatever lock that holds: it only wakes others.
struct TimerWaker<M: Manager> {
    shared: Weak<Shared<M>>,
}

impl<M: Manager> Wake for TimerWaker<M> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.change(None, |books, after| books.timer_struck(after));
        }
    }
}
