//! The one timer of all waiters of a pool.

use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context, Wake};

use super::Shared;
use crate::Manager;
use crate::steps::quietly;

impl<M: Manager> Shared<M> {
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
}

/// Called by the runtime's timer, from whatever thread and under whatever lock that holds: it only wakes others.
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
        }
    }
}
