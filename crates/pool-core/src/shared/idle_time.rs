//! The ticks by which the books know how long connections were idle.

use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context, Wake};
use std::time::{Duration, Instant};

use super::Shared;
use crate::config::Config;
use crate::steps::quietly;
use crate::{CheckPolicy, Manager, Runtime};

/// How a pool knows for how long a connection was idle.
#[derive(Clone, Copy)]
pub(super) enum IdleTime {
    /// No knob asks.
    Untold,
    /// A clock is read at each return and each hand-out.
    Exact,
    /// The built-in timer ticks while connections come back; this is the shortest time that a knob names.
    Ticks(Duration),
}

impl IdleTime {
    pub(super) fn of(config: &Config, runtime: &dyn Runtime) -> Self {
        let check = match config.check_policy {
            CheckPolicy::IdleFor(limit) => Some(limit),
            CheckPolicy::Never | CheckPolicy::Always => None,
        };
        match check.into_iter().chain(config.pool_recycle).min() {
            None => Self::Untold,
            Some(shortest) if cfg!(feature = "timer") && runtime.is_real_time() => {
                Self::Ticks(shortest)
            }
            Some(_) => Self::Exact,
        }
    }
}

impl<M: Manager> Shared<M> {
    /// Sees to it that the idle clock ticks, after a connection came back.
    pub(crate) fn wind_idle_clock(&self, now: Instant) {
        if let IdleTime::Ticks(_) = self.idle_time {
            let next = self.books().wind(now);
            self.tick_at(next);
        }
    }

    fn tick_at(&self, mut next: Option<Instant>) {
        while let Some(at) = next.take() {
            let Some(mut sleep) = sleep_until(at) else {
                return;
            };
            let mut cx = Context::from_waker(&self.tick_waker);
            // Under the lock: a tick that strikes meanwhile comes after this one and must not be overwritten by it.
            let mut tick = self.tick.lock().unwrap_or_else(PoisonError::into_inner);
            let struck = sleep.as_mut().poll(&mut cx).is_ready();
            let old = tick.replace(sleep);
            drop(tick);
            drop(old);
            if struck {
                next = self.books().tick(Instant::now());
            }
        }
    }
}

/// The built-in timer serves here, whatever the pool's runtime is: its thread ticks also where nobody drives an executor.
#[cfg(feature = "timer")]
fn sleep_until(at: Instant) -> Option<crate::BoxFuture<'static, ()>> {
    Some(crate::ThreadTimer::new().sleep_until(at))
}

#[cfg(not(feature = "timer"))]
fn sleep_until(_at: Instant) -> Option<crate::BoxFuture<'static, ()>> {
    None
}

/// Called by the built-in timer.
pub(super) struct TickWaker<M: Manager> {
    pub(super) shared: Weak<Shared<M>>,
}

impl<M: Manager> Wake for TickWaker<M> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(shared) = self.shared.upgrade() {
            quietly(|| {
                let next = shared.books().tick(Instant::now());
                shared.tick_at(next);
            });
        }
    }
}
