//! The ledger: every count, who waits, what is idle, which jobs run. Plain data.
//!
//! Nothing here locks, awaits, reads a clock, or calls a manager, a runtime or a waker. Time comes in as an argument.
//! What has to happen after the lock is released goes out as [`Effects`]. So the rules can be read and tested as
//! arithmetic.
//!
//! Each place of the pool is counted exactly once: in the idle list, as held (by a guard, or by an answer that lies
//! ready for a waiter), in a job, or as departing (its connection is being dropped).
//!
//! The parts (`queue`, `idle`, `jobs`, `fill`, `lifecycle`, `background`) have private fields. They share the types of
//! keys and of ends, but none reads or changes another. The rules that join them are methods of [`Ledger`], in a file
//! for each verb.

mod acquire;
mod attempts;
mod background;
mod cancel;
mod chance;
mod close;
mod connections;
mod driving;
mod effects;
mod fill;
mod gate;
mod governor;
mod history;
mod idle;
mod idle_clock;
mod intercept;
mod job;
mod jobs;
mod life;
mod lifecycle;
mod lifetimes;
mod marks;
mod note;
mod queue;
mod release;
mod resize;
mod retain;
mod retire;
mod settings;
mod settle;
mod step_deadlines;
mod supply;
mod suspend;
mod timer;
mod untold;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use self::acquire::{Answer, Answered, Found, Tried};
use self::background::Background;
pub(crate) use self::chance::Chance;
pub(crate) use self::connections::ConnectionKey;
use self::connections::Connections;
pub(crate) use self::driving::AfterPoll;
use self::effects::Stale;
pub(crate) use self::effects::{Effects, Exit, RareEffects};
use self::fill::Fill;
use self::gate::Gate;
pub(crate) use self::gate::Refusal;
pub(crate) use self::governor::FillTurn;
use self::governor::Governor;
pub(crate) use self::history::FailedConnect;
use self::history::History;
use self::idle::IdleList;
pub(crate) use self::idle_clock::ClockReading;
pub(crate) use self::job::{JobKey, Kind, Poller, Take, TakenJob, Work};
use self::jobs::Jobs;
use self::lifecycle::Lifecycle;
pub(crate) use self::lifecycle::{CloseWaiter, ClosingWaiter, Stage};
use self::lifetimes::Lifetimes;
pub(crate) use self::marks::Marks;
pub(crate) use self::note::{Note, SharedError, StepReport};
use self::queue::Queue;
pub(crate) use self::queue::{Deadline, Ticket};
pub(crate) use self::release::{Judgement, Returned};
pub(crate) use self::settle::{Outcome, Settled};
use self::step_deadlines::StepDeadlines;
use self::watch::Watch;
use crate::config::Config;
use crate::error::FailureReason;
use crate::status::Count;
use crate::{ErrorClass, Status};

/// The types that the ledger is about. The unit tests keep a ledger about numbers.
pub(crate) trait LedgerTypes {
    type Entry: LedgerEntry;
    /// The future of a job.
    type Future;
    type Failure: LedgerFailure;
}

/// What the ledger needs of a failure. To clone one calls nothing foreign.
pub(crate) trait LedgerFailure: Clone {
    /// The failure of a caller whom the breaker of this pool refuses after this failure of a connect.
    fn as_refusal(&self, pool: &Arc<str>, class: ErrorClass, retry_after: Duration) -> Self;
    /// Why an acquire failed that has this failure for an answer.
    fn reason(&self) -> FailureReason;
}

/// What the ledger needs to know of a connection.
pub(crate) trait LedgerEntry {
    fn key(&self) -> ConnectionKey;
    /// When it was last used, or connected if it never was. `None`: after the last tick of the idle clock.
    fn idle_since(&self) -> Option<Instant>;
    fn set_idle_since(&mut self, since: Option<Instant>);
    /// How long its manager lets it be idle.
    fn idle_limit(&self) -> Option<Duration> {
        None
    }
    /// Whether its next check or recycle calls the manager, or only the interceptors.
    fn set_calls_manager(&mut self, calls_manager: bool) {
        let _ = calls_manager;
    }
    /// Whether its next check calls the interceptors, or only the manager.
    fn set_calls_interceptors(&mut self, calls_interceptors: bool) {
        let _ = calls_interceptors;
    }
    /// What the ledger has noted of it while nobody holds it.
    fn marks(&self) -> &Marks;
    fn marks_mut(&mut self) -> &mut Marks;
    /// When it was opened, where that is known.
    fn connected_at(&self) -> Option<Instant> {
        None
    }
    /// How often it was handed out.
    fn uses(&self) -> u64 {
        0
    }
    /// Whether it was opened for the waiters, none of which has had it yet.
    fn set_new(&mut self, is_new: bool) {
        let _ = is_new;
    }
    /// It was opened for the waiters and not handed out yet.
    fn is_new(&self) -> bool {
        false
    }
}

/// The fields that every acquire and every release touches come first.
#[repr(C)]
pub(crate) struct Ledger<T: LedgerTypes> {
    queue: Queue<Answer<T>, JobKey>,
    /// Connections in guards, and in answers that lie ready for a waiter.
    held: usize,
    idle: IdleList<T::Entry>,
    connections: Connections,
    history: History<T::Failure>,
    lifecycle: Lifecycle,
    fill: Fill,
    governor: Governor<T>,
    background: Background,
    /// The instant that the pool's timer is set for.
    timer_at: Option<Instant>,
    jobs: Jobs<T>,
    /// Connections that are being dropped.
    departing: usize,
    /// How long a step may take, by its kind.
    step_limits: [Option<Duration>; 4],
    step_deadlines: StepDeadlines,
    watch: Watch,
    lifetimes: Lifetimes,
    /// The limits of the queue, if it has some.
    gate: Option<Box<Gate>>,
    /// The settings as they are now.
    settings: Box<Config>,
}

impl<T: LedgerTypes> Ledger<T> {
    pub(crate) fn new(config: &Config) -> Self {
        let mut queue = Queue::new();
        if config.waiting.reserved > 0 {
            queue.reserve();
        }
        let mut ledger = Self {
            queue,
            held: 0,
            idle: IdleList::new(config),
            connections: Connections::new(),
            history: History::new(config),
            lifecycle: Lifecycle::new(),
            fill: Fill::new(config),
            governor: Governor::new(config),
            background: Background::new(),
            timer_at: None,
            jobs: Jobs::new(),
            departing: 0,
            step_limits: settings::step_limits(config),
            step_deadlines: StepDeadlines::default(),
            watch: Watch::new(config),
            lifetimes: Lifetimes::new(config),
            gate: Gate::new(&config.waiting),
            settings: Box::new(config.clone()),
        };
        ledger.update_returns();
        ledger
    }

    pub(crate) fn stage(&self) -> Stage {
        self.lifecycle.stage()
    }

    /// The number of all connections: idle, in use, connecting and closing.
    pub(crate) fn size(&self) -> usize {
        self.idle.len() + self.held + self.jobs.len() + self.departing
    }

    pub(crate) fn status(&self) -> Status {
        // Where background tasks recycle, a dirty connection is on its way; elsewhere it waits for the next acquire.
        let (free, recycling) = match self.background.can_spawn() {
            true => (0, self.idle.dirty_len()),
            false => (self.idle.dirty_len(), 0),
        };
        Status {
            freesize: Count::of(self.idle.clean_len() + free),
            held: Count::of(self.held),
            checking: Count::of(self.jobs.count(Kind::Check)),
            recycling: Count::of(self.jobs.count(Kind::Recycle) + recycling),
            closing: Count::of(self.jobs.count(Kind::Close) + self.departing),
            connecting: Count::of(self.jobs.count(Kind::Connect)),
            waiting: Count::of(self.queue.len()),
            is_suspended: self.lifecycle.is_suspended(),
            min_idle: Count::of(self.fill.min_idle()),
            max_idle: self.idle.max_idle().map(Count::of),
            minsize: self.fill.minsize(),
            maxsize: self.fill.maxsize(),
        }
    }

    /// Returns can be timed by ticks, and are from now on if something depends on it; `shortest` is the shortest idle limit
    /// that a setting names.
    pub(crate) fn allow_idle_ticks(&mut self, shortest: Option<Duration>) {
        self.idle.allow_ticks();
        if let Some(shortest) = shortest {
            self.idle.use_ticks(shortest);
        }
    }

    /// The pool's timer can strike when a connection has lived long enough.
    pub(crate) fn time_lives(&mut self) {
        self.lifetimes.use_timer();
    }

    /// Nobody holds the connection, and nobody will: it is not to be aborted any more.
    fn forget_abort_handle(&mut self, connection: Option<ConnectionKey>, effects: &mut Effects<T>) {
        if let Some(handle) = connection.and_then(|key| self.connections.take_abort(key)) {
            effects.drop_later(Stale::Handle(handle));
        }
    }

    /// A connection has left the pool: its abort handle is dropped, and a pool that is too small now is filled by upkeep.
    fn departed(&mut self, connection: Option<ConnectionKey>, effects: &mut Effects<T>) {
        self.forget_abort_handle(connection, effects);
        if let Some(key) = connection {
            self.connections.remove(key);
            self.forget_life(key);
        }
        if self.lifecycle.is_open() {
            if self.missing() > 0 {
                self.wake_upkeep(effects);
            }
        } else if self.size() == 0 {
            self.notify_closed(effects);
            self.note_closed();
        }
    }

    /// Notes once that the pool is closed and empty.
    fn note_closed(&mut self) {
        if self.is_closed() && self.lifecycle.is_first_end() {
            self.history.note(|| Note::PoolClosed);
        }
    }

    /// A connection, or a connect, has left the pool: its place is free.
    fn left(&mut self, exit: Exit, error: Option<SharedError>, effects: &mut Effects<T>) {
        if let Some(ConnectionKey { id, .. }) = exit.connection {
            let (error, stale) = self.history.why_refused(id, error);
            if let Some(stale) = stale {
                effects.drop_later(Stale::Error(stale));
            }
            match exit.is_connect {
                true => self
                    .history
                    .note(|| Note::ConnectCancelled(id, exit.reason)),
                false => {
                    let untold = self.history.closed(id, exit.reason, error);
                    effects.drop_note(untold);
                }
            }
        }
        if exit.connection.is_some() && !exit.is_connect && self.governor.is_open() {
            self.session_ended(effects.now());
        }
        self.departed(exit.connection, effects);
    }
}

#[cfg(test)]
mod tests;
