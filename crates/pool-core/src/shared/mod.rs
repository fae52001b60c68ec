//! What all handles, guards and tasks of a pool share: the ledger under its one lock, and the backend.
//!
//! The rule of the lock: it is held for a few lines of arithmetic. No await, no waker, no method of a manager or a
//! runtime, and no `Drop` of a connection runs under it. What a change asks for is collected in [`Effects`] and carried
//! out by [`Shared::perform`] after the lock is released.

mod background_task;
mod drive;
mod job_set;
mod lock;
mod observe;
mod perform;
mod timer;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

pub(crate) use self::drive::{Driven, poll_undriven};
pub(crate) use self::job_set::JobSet;
use self::lock::Lock;
pub(crate) use self::observe::Observers;
use self::timer::TimerWaker;
use crate::backend::{Backend, PoolTypes};
use crate::borrowed::Borrower;
use crate::config::Config;
use crate::error::{Error, LastConnect, TimeoutReport};
use crate::ledger::{Chance, Effects, Ledger, LedgerEntry, LedgerTypes, Ticket};
use crate::panics::{DropsQuietly, ignore_panic};
use crate::sync::{AtomicU8, LedgerGuard, Mutex};
use crate::{BoxFuture, Manager, Status};

pub(crate) type PoolLedger<M> = Ledger<PoolTypes<M>>;
pub(crate) type PoolEffects<M> = Effects<PoolTypes<M>>;
pub(crate) type PoolEntry<M> = <PoolTypes<M> as LedgerTypes>::Entry;

pub(crate) struct Shared<M: Manager> {
    pub(crate) backend: Arc<Backend<M>>,
    ledger: Lock<PoolLedger<M>>,
    detours: Detours,
    /// The idle time is told by the instants of return, so each acquire and each return reads the clock.
    pub(crate) stamps_returns: bool,
    /// Each hand-out and each return is measured: for the observers, or for a threshold.
    pub(crate) measures: bool,
    observers: Observers,
    /// Time-outs can be kept.
    pub(crate) has_timer: bool,
    /// The pool's one timer. It is locked before the ledger, never after.
    timer: DropsQuietly<Mutex<Option<BoxFuture<'static, ()>>>>,
    timer_waker: Waker,
    /// The last owner of the backend, because fields are dropped in this order. A manager whose drop panics stops
    /// nobody.
    _last_of_backend: DropsQuietly<Arc<Backend<M>>>,
}

impl<M: Manager> Shared<M> {
    pub(crate) fn new(backend: Backend<M>, observers: Observers, has_timer: bool) -> Arc<Self> {
        let config = &backend.config;
        let mut ledger = Ledger::new(config);
        let shortest = config.shortest_idle_limit();
        let is_timed = shortest.is_some() || config.lifetimes.max_lifetime.is_some();
        let measures = config.measures();
        let intercepts_hand_outs = backend.interceptors.want_before_acquire();
        // An acquire that takes the shortest way does not look for whom a place is reserved.
        let has_steps = intercepts_hand_outs || config.waiting.reserved > 0;
        if intercepts_hand_outs {
            ledger.intercept_hand_outs();
        }
        let intercepts_returns = backend.interceptors.want_after_release();
        let backend = Arc::new(backend);
        if backend.uses_thread_timer() {
            ledger.allow_idle_ticks(shortest);
        }
        if backend.keeps_deadlines() {
            ledger.keep_step_deadlines();
        }
        if has_timer {
            ledger.time_lives();
        }
        if backend.runtime.is_real_time() {
            ledger.use_chance(Chance::drawn(), Chance::drawn());
        }
        let stamps_returns = is_timed && !backend.uses_thread_timer();
        Arc::new_cyclic(|shared: &Weak<Self>| Self {
            ledger: Lock::new(ledger),
            detours: Detours::new(stamps_returns || measures || intercepts_returns, has_steps),
            measures,
            observers,
            stamps_returns,
            _last_of_backend: DropsQuietly::new(Arc::clone(&backend)),
            backend,
            has_timer,
            timer: DropsQuietly::new(Mutex::new(None)),
            timer_waker: Waker::from(Arc::new(TimerWaker::new(shared))),
        })
    }

    pub(crate) fn ledger(&self) -> LedgerGuard<'_, PoolLedger<M>> {
        self.ledger.lock()
    }

    /// The fast case of an acquire: an idle connection that needs no step, if nobody waits.
    pub(crate) fn take_ready(self: &Arc<Self>, by: &mut Borrower) -> Option<PoolEntry<M>> {
        match self.detours.now() {
            Detours::NONE => self.ledger().take_ready(None, by),
            Detours::READS_CLOCK => self.take_ready_now(by),
            // Behind others, or before a step, nothing can be had at once.
            _ => None,
        }
    }

    #[inline(never)]
    fn take_ready_now(self: &Arc<Self>, by: &mut Borrower) -> Option<PoolEntry<M>> {
        let now = self.now();
        let mut ledger = self.ledger();
        // Where the idle clock ticks, the entries know what an acquire has to know of the time.
        let ticks = self.backend.uses_thread_timer();
        let taken = ledger.take_ready((!ticks).then_some(now), by);
        if let Some(entry) = taken.as_ref().filter(|_| self.measures) {
            let set_timer = ledger.lent_at(entry.key(), None, Duration::ZERO, now);
            drop(ledger);
            self.after_hand_out(set_timer);
        }
        taken
    }

    /// Each return reads the clock, or needs an interceptor, for one reason or another.
    #[inline]
    pub(crate) fn reads_clock(&self) -> bool {
        self.detours.now() & Detours::READS_CLOCK != 0
    }

    /// From now on connections may have lived long enough: where the timer may be late, each acquire reads the clock.
    pub(crate) fn watch_lifetimes(&self) {
        if !self.backend.uses_thread_timer() {
            self.detours.read_clock();
        }
    }

    /// Notes whether an acquire that joins the queue can only wait, if that has changed.
    #[inline]
    pub(crate) fn set_waiters_hint(&self, has_waiters: bool) {
        self.detours.set_waiters(has_waiters);
    }

    pub(crate) fn status(&self) -> Status {
        self.ledger().status()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.backend.config
    }

    pub(crate) fn now(&self) -> Instant {
        self.backend.now()
    }

    /// Changes the ledger, then carries out what the change asks for.
    #[inline]
    pub(crate) fn change<R>(
        self: &Arc<Self>,
        current: Option<Ticket>,
        change: impl FnOnce(&mut PoolLedger<M>, &mut PoolEffects<M>) -> R,
    ) -> R {
        self.change_at(self.now(), current, change)
    }

    /// As [`change`](Self::change), where the time has just been read.
    #[inline]
    pub(crate) fn change_at<R>(
        self: &Arc<Self>,
        now: Instant,
        current: Option<Ticket>,
        change: impl FnOnce(&mut PoolLedger<M>, &mut PoolEffects<M>) -> R,
    ) -> R {
        self.change_with(Effects::new(Some(now), current), change)
    }

    /// As [`change`](Self::change), for a change that needs no time, so that the clock is not read.
    #[inline]
    pub(crate) fn change_without_time<R>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut PoolLedger<M>, &mut PoolEffects<M>) -> R,
    ) -> R {
        self.change_with(Effects::new(None, None), change)
    }

    /// As [`change_without_time`](Self::change_without_time); the observers are told with the next change.
    pub(crate) fn change_untold(
        self: &Arc<Self>,
        change: impl FnOnce(&mut PoolLedger<M>, &mut PoolEffects<M>),
    ) {
        let mut effects = Effects::new(None, None);
        change(&mut self.ledger(), &mut effects);
        self.perform(effects);
    }

    #[inline]
    fn change_with<R>(
        self: &Arc<Self>,
        mut effects: PoolEffects<M>,
        change: impl FnOnce(&mut PoolLedger<M>, &mut PoolEffects<M>) -> R,
    ) -> R {
        let result = change(&mut self.ledger(), &mut effects);
        self.perform(effects);
        self.tell();
        result
    }

    /// Adds to a time-out what the pool knows: its counts, the last connect error, and who holds a connection for the
    /// longest time. `waited`: the instant since which the caller has waited, and the number of the last hand-out then.
    pub(crate) fn with_context(
        &self,
        error: Error<M::Error>,
        waited: Option<(Instant, u64)>,
    ) -> Error<M::Error> {
        let Error::Timeout { phase, after, .. } = error else {
            return error;
        };
        let now = self.now();
        let (status, holder, nested, failed) = {
            let mut ledger = self.ledger();
            let longest = ledger.longest_held(now, waited);
            let failed = ledger.failed_connect().cloned();
            (ledger.status(), longest, ledger.nested(), failed)
        };
        let last_connect = failed.as_ref().map(|failed| {
            LastConnect::new(
                &failed.failure,
                failed.class,
                now.saturating_duration_since(failed.at),
            )
        });
        let own_error = failed.as_ref().and_then(|failed| failed.failure.connect());
        // Another connect may have ended meanwhile, so that this is its last owner.
        ignore_panic(|| drop(failed));
        let report = TimeoutReport {
            pool: Arc::clone(&self.config().name),
            last_connect,
            holder,
            nested,
        };
        Error::Timeout {
            phase,
            after,
            status,
            last_connect: own_error,
            report: Box::new(report),
        }
    }
}

/// What keeps an acquire from the shortest way, in one byte, so that it looks once.
struct Detours(AtomicU8);

impl Detours {
    const NONE: u8 = 0;
    /// A hand-out and a return need the time, or a return an interceptor.
    const READS_CLOCK: u8 = 1;
    /// A hint: the last acquire that joined the queue could only wait, so that nothing can be had at once.
    const WAITERS: u8 = 2;
    /// Each hand-out needs a step, or places are reserved.
    const STEPS: u8 = 4;

    fn new(reads_clock: bool, has_steps: bool) -> Self {
        let flag = |is_set, flag| if is_set { flag } else { Self::NONE };
        Self(AtomicU8::new(
            flag(reads_clock, Self::READS_CLOCK) | flag(has_steps, Self::STEPS),
        ))
    }

    #[inline]
    fn now(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn read_clock(&self) {
        self.0.fetch_or(Self::READS_CLOCK, Ordering::Relaxed);
    }

    #[inline]
    fn set_waiters(&self, has_waiters: bool) {
        if (self.now() & Self::WAITERS != 0) != has_waiters {
            self.0.fetch_xor(Self::WAITERS, Ordering::Relaxed);
        }
    }
}
