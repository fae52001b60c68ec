//! What all handles, guards and tasks of a pool share: the books under their one lock, and the backend.
//!
//! The rule of the lock: it is held for a few lines of arithmetic. No await, no waker, no method of a manager or a
//! runtime, no `Drop` of a connection happens under it; what a change asks of the world is collected in an [`After`]
//! and carried out by [`Shared::perform`] when the lock is gone.

mod crew;
mod drive;
mod idle_time;
mod lock;
mod perform;
mod timer;
mod visitor;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;
use std::time::Instant;

use event_listener::Event;
use parking_lot::MutexGuard;

pub(crate) use self::crew::{Crew, Report};
pub(crate) use self::drive::{Driven, drive, nudge};
use self::idle_time::{IdleTime, TickWaker};
use self::lock::Lock;
use self::timer::TimerWaker;
use crate::config::Config;
use crate::error::Error;
use crate::keys::Ticket;
use crate::ledger::{After, Ledger, Stock};
use crate::steps::{Backend, Goods, quietly};
use crate::{BoxFuture, Manager, Runtime, Status};

pub(crate) type Books<M> = Ledger<Goods<M>>;
pub(crate) type Afterwards<M> = After<Goods<M>>;

pub(crate) struct Shared<M: Manager> {
    pub(crate) backend: Arc<Backend<M>>,
    books: Lock<Books<M>>,
    /// Whether the last acquire that was not served at once had to wait; only a hint, so that behind others nobody looks
    /// for an idle connection first.
    crowded: AtomicBool,
    /// Those who wait for the end; told when there may be something to do or nothing left.
    pub(crate) closing: Event,
    /// How it is known for how long a connection was idle.
    idle_time: IdleTime,
    /// The timer of the idle clock, where that ticks.
    tick: Mutex<Option<BoxFuture<'static, ()>>>,
    tick_waker: Waker,
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
        let mut books = Ledger::new(&config);
        let idle_time = IdleTime::of(&config, &*runtime);
        if let IdleTime::Ticks(shortest) = idle_time {
            books.time_by_ticks(shortest);
        }
        Arc::new_cyclic(|shared: &Weak<Self>| Self {
            books: Lock::new(books),
            crowded: AtomicBool::new(false),
            idle_time,
            tick: Mutex::new(None),
            tick_waker: Waker::from(Arc::new(TickWaker {
                shared: Weak::clone(shared),
            })),
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

    /// The books.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books<M>> {
        self.books.lock()
    }

    /// An idle connection that needs nothing, if nobody waits for one.
    pub(crate) fn take_ready(&self) -> Option<<Goods<M> as Stock>::Entry> {
        // Behind others there is nothing to be had at once.
        if self.is_crowded() {
            return None;
        }
        match self.idle_clock() {
            None => self.books().take_ready(None),
            now => self.take_ready_at(now),
        }
    }

    #[inline(never)]
    fn take_ready_at(&self, now: Option<Instant>) -> Option<<Goods<M> as Stock>::Entry> {
        self.books().take_ready(now)
    }

    /// What was handed to a waiter, if that is all there is for it.
    pub(crate) fn collect(&self, ticket: Ticket) -> Option<<Goods<M> as Stock>::Entry> {
        self.books().collect(ticket)
    }

    #[inline]
    fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Notes whether acquires have to wait, if that is news.
    #[inline]
    pub(crate) fn crowded(&self, crowded: bool) {
        if self.is_crowded() != crowded {
            self.crowded.store(crowded, Ordering::Relaxed);
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.books().status()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.backend.config
    }

    pub(crate) fn now(&self) -> Instant {
        self.backend.now()
    }

    /// The present, if nothing less can tell whether an idle connection may be handed out.
    pub(crate) fn idle_clock(&self) -> Option<Instant> {
        match self.idle_time {
            IdleTime::Exact => Some(self.now()),
            IdleTime::Untold | IdleTime::Ticks(_) => None,
        }
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
