//! The one timer of all waiters of a pool.

use std::sync::{Arc, MutexGuard, PoisonError, TryLockError, Weak};
use std::task::{Context, Wake};

use super::Shared;
use crate::steps::quietly;
use crate::{BoxFuture, Manager};

impl<M: Manager> Shared<M> {
    /// Sets the timer of the waiters for the instant that the books name.
    pub(crate) fn set_timer(self: &Arc<Self>) {
        let timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        self.set(timer);
    }

    /// The same from inside the timer: where the runtime allows it, and nobody else is at it.
    fn set_timer_again(self: &Arc<Self>) {
        if !self.backend.timer_is_reentrant() || !self.books().timer_to_set() {
            return;
        }
        match self.timer.try_lock() {
            Ok(timer) => self.set(timer),
            Err(TryLockError::Poisoned(timer)) => self.set(timer.into_inner()),
            // Whoever holds it looks again before it goes.
            Err(TryLockError::WouldBlock) => {}
        }
    }

    fn set<'a>(self: &'a Arc<Self>, mut timer: MutexGuard<'a, Option<BoxFuture<'static, ()>>>) {
        loop {
            // Read under the timer's lock: of two who set it at once, the later one sees both wishes.
            let Some(at) = self.books().timer_at() else {
                return;
            };
            let set = quietly(|| {
                let mut sleep = self.backend.sleep_until(at);
                let mut cx = Context::from_waker(&self.timer_waker);
                let struck = sleep.as_mut().poll(&mut cx).is_ready();
                (sleep, struck)
            });
            let Some((sleep, struck)) = set else {
                // The next who waits tries again.
                self.books().timer_is_not_set();
                return;
            };
            let old = timer.replace(sleep);
            drop(timer);
            quietly(|| drop(old));
            if struck {
                self.change(None, |books, after| books.timer_struck(after));
            }
            let again = {
                let mut books = self.books();
                books.timer_at().is_none() && books.timer_to_set()
            };
            if !again {
                return;
            }
            timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Called by the runtime's timer, from whatever thread and under whatever lock that holds.
pub(super) struct TimerWaker<M: Manager> {
    pub(super) shared: Weak<Shared<M>>,
}

impl<M: Manager> Wake for TimerWaker<M> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.change(None, |books, after| books.timer_struck(after));
            shared.set_timer_again();
        }
    }
}
