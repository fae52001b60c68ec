//! The pool's one timer, as the runtime runs it. It serves the deadlines of all waiters and of the steps, the ends of lives, and
//! the ticks of the idle clock.

use std::sync::{Arc, PoisonError, TryLockError, Weak};
use std::task::{Context, Wake};

use super::Shared;
use crate::backend::poll_timer;
use crate::ledger::ClockReading;
use crate::panics::ignore_panic;
use crate::sync::MutexGuard;
use crate::{BoxFuture, Manager};

type Timer<'a> = MutexGuard<'a, Option<BoxFuture<'static, ()>>>;

impl<M: Manager> Shared<M> {
    /// Sets the timer for the instant that the ledger names.
    ///
    /// # Errors
    ///
    /// What to tell the user: there is no timer.
    pub(crate) fn set_timer(self: &Arc<Self>) -> Result<(), String> {
        self.set(self.timer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets the timer if a deadline needs it. Where that fails, the next caller that waits is told.
    pub(crate) fn set_timer_if_needed(self: &Arc<Self>) {
        let is_needed = self.ledger().timer_to_set();
        if is_needed {
            let _ = self.set_timer();
        }
    }

    /// Starts the idle clock after a connection came back, if it rests.
    pub(crate) fn wind_idle_clock(self: &Arc<Self>) {
        let rests = self.ledger().idle_clock_rests();
        if rests {
            let is_needed = self.ledger().wind_idle_clock(ClockReading::now());
            if is_needed {
                // Without a timer the idle clock does not run, and returns are stamped.
                let _ = self.set_timer();
            }
        }
    }

    /// Sets the timer again while it strikes, where the runtime allows that and nobody else sets it now.
    fn set_timer_again(self: &Arc<Self>) {
        if !self.backend.timer_is_reentrant() || !self.ledger().timer_to_set() {
            return;
        }
        let set = match self.timer.try_lock() {
            Ok(timer) => self.set(timer),
            Err(TryLockError::Poisoned(timer)) => self.set(timer.into_inner()),
            // Whoever holds it looks again before it returns.
            Err(TryLockError::WouldBlock) => Ok(()),
        };
        // Where it failed, the next caller that waits is told.
        let _ = set;
    }

    fn set<'a>(self: &'a Arc<Self>, mut timer: Timer<'a>) -> Result<(), String> {
        loop {
            // This is read under the timer's lock: of two that set it at once, the later one sees both wishes.
            let Some(at) = self.ledger().timer_at() else {
                return Ok(());
            };
            let set = self.backend.sleep_until(at).and_then(|mut sleep| {
                let mut cx = Context::from_waker(&self.timer_waker);
                let struck = poll_timer(&mut sleep, &mut cx)?.is_ready();
                Ok((sleep, struck))
            });
            let (sleep, struck) = match set {
                Ok(set) => set,
                Err(why) => {
                    self.ledger().timer_is_not_set();
                    return Err(why);
                }
            };
            let old = timer.replace(sleep);
            drop(timer);
            ignore_panic(|| drop(old));
            if struck {
                self.timer_struck();
            }
            // It may have struck before this lock was released. Then nobody has set it again, or it was moved to another
            // instant by a thread that found this lock taken.
            let again = {
                let mut ledger = self.ledger();
                match ledger.timer_at() {
                    None => ledger.timer_to_set(),
                    Some(moved_to) => moved_to != at,
                }
            };
            if !again {
                return Ok(());
            }
            timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn timer_struck(self: &Arc<Self>) {
        // The idle clock ticks only on the built-in timer.
        let uses_ticks = self.backend.uses_thread_timer();
        let now = uses_ticks.then(ClockReading::now);
        // Observers may call the runtime, and this may run inside of its timer, or on the thread that keeps the time of all
        // pools: upkeep tells them, or the next change.
        self.change_untold(|ledger, effects| ledger.timer_struck(now, effects));
    }

    /// Drops the timer: the last handle of the pool is gone, so nobody waits any more.
    ///
    /// Otherwise its waker could be the last owner of the pool, and would drop it inside the runtime's timer.
    /// Where steps still run whose deadlines it keeps, it stays, and the last owner may go on the thread of the timer.
    pub(crate) fn drop_timer(self: &Arc<Self>) {
        let timer = match self.timer.try_lock() {
            Ok(timer) => Some(timer),
            Err(TryLockError::Poisoned(timer)) => Some(timer.into_inner()),
            // A waker that its poll has called drops the last handle.
            Err(TryLockError::WouldBlock) => None,
        };
        let Some(mut timer) = timer else { return };
        // Under the timer's lock, so that no step sets it in between.
        let old = match self.ledger().let_timer_go() {
            true => timer.take(),
            false => None,
        };
        drop(timer);
        ignore_panic(|| drop(old));
        // A step that has begun to wait meanwhile may have found the lock taken.
        let is_needed = self.ledger().timer_to_set_for_steps();
        if is_needed {
            // Where it cannot be set, no step has a deadline that it would keep.
            let _ = self.set_timer();
        }
    }
}

/// Called by the timer, from any thread, and perhaps under a lock of the runtime.
pub(super) struct TimerWaker<M: Manager> {
    shared: Weak<Shared<M>>,
}

impl<M: Manager> TimerWaker<M> {
    pub(super) fn new(shared: &Weak<Shared<M>>) -> Self {
        Self {
            shared: Weak::clone(shared),
        }
    }
}

impl<M: Manager> Wake for TimerWaker<M> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            shared.timer_struck();
            shared.set_timer_again();
        }
    }
}
