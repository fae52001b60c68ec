//! The stream of a pool's events is a legal history of each connection, of each waiter and of the pool, and its counters
//! equal it.

mod causes;
mod connection;
mod counters;
mod errors;
mod life;
mod waiters;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pool_core::{Borrowed, Event, ObservedPool, Observer, Stats};

use crate::calls::{Method, Record};

use self::causes::{At, Causes, is_known};
use self::connection::Connection;
use self::counters::Counters;
use self::errors::Errors;
use self::life::Life;
use self::waiters::Waiters;

/// What the events have told so far.
struct Told {
    record: Arc<Record>,
    is_built: bool,
    connections: HashMap<u64, Connection>,
    waiters: Waiters,
    life: Life,
    counters: Counters,
    errors: Errors,
    fault: Option<String>,
}

/// An observer that knows which event may follow which.
#[derive(Clone)]
pub(crate) struct History(Arc<Mutex<Told>>);

impl Observer for History {
    fn on_event(&self, event: &Event<'_>) {
        let mut told = self.told();
        let legal = match event.pool() {
            "simulated" => told.add(event),
            other => Err(format!("the pool has another name: {other}")),
        };
        if let (Err(why), None) = (legal, &told.fault) {
            told.fault = Some(format!("{event}: {why}"));
        }
    }

    fn on_build(&self, pool: &ObservedPool) {
        let status = pool.status();
        let is_empty = status.is_some_and(|status| status.size() == 0);
        let mut told = self.told();
        let was_built = std::mem::replace(&mut told.is_built, true);
        if was_built || pool.name() != "simulated" || !is_empty {
            told.fault = Some(format!("it was built as {pool:?} with {status:?}"));
        }
    }
}

impl History {
    /// Nothing was told yet.
    pub(crate) fn new(record: &Arc<Record>) -> Self {
        let maxsize = record.page().script.settings.maxsize;
        Self(Arc::new(Mutex::new(Told {
            record: Arc::clone(record),
            is_built: false,
            connections: HashMap::new(),
            waiters: Waiters::default(),
            life: Life::new(maxsize),
            counters: Counters::default(),
            errors: Errors::default(),
            fault: None,
        })))
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with the history so far.
    pub(crate) fn fault(&self) -> Option<String> {
        self.told().fault.clone()
    }

    /// At rest the pool's counters equal its history. `all_is_told`: also what was found inside of a runtime's timer, which
    /// is told by upkeep or with the next change.
    ///
    /// # Errors
    ///
    /// Says which does not.
    pub(crate) fn check(&self, stats: &Stats, all_is_told: bool) -> Result<(), String> {
        let told = self.told();
        if let Some(fault) = &told.fault {
            return Err(fault.clone());
        }
        told.counters.check(stats, all_is_told)?;
        let status = stats.status();
        let waiting = told.waiters.count();
        if waiting != status.waiting() {
            return Err(format!("{waiting} wait by the events; {status}"));
        }
        // A connect that has not begun has a place and no event.
        let size = told.count(|at| at != At::Gone);
        if !(status.size() - status.connecting()..=status.size()).contains(&size) {
            return Err(format!("{size} connections by the events; {status}"));
        }
        Ok(())
    }

    /// An acquire has returned this error. Returns whether an event has told of it.
    pub(crate) fn hear_of_error(&self, error: &str) -> bool {
        self.told().errors.hear_of(error)
    }

    /// A ping or a run has returned this error, which may be that of its acquire.
    pub(crate) fn may_hear_of_error(&self, error: String) {
        self.told().errors.may_hear_of(error);
    }

    /// At rest, an error that was told and that no caller has got.
    pub(crate) fn unheard_error(&self) -> Option<String> {
        self.told().errors.unheard()
    }

    /// Who holds a connection is the same by the events.
    ///
    /// # Errors
    ///
    /// Says who is not.
    pub(crate) fn check_borrowed(&self, borrowed: &[Borrowed]) -> Result<(), String> {
        let told = self.told();
        let now = told.record.runtime.clock();
        for one in borrowed {
            let connection = told.connections.get(&one.id());
            let connection = connection.ok_or_else(|| format!("nobody has heard of {one}"))?;
            let is_held = connection.is_held(now, one.age(), one.place(), one.label());
            is_held.map_err(|why| format!("by the events, {why}; borrowed() says: {one}"))?;
        }
        Ok(())
    }

    /// The pool is gone: its history has come to its end.
    ///
    /// # Errors
    ///
    /// Says what is missing.
    pub(crate) fn check_end(&self) -> Result<(), String> {
        let told = self.told();
        if let Some(fault) = &told.fault {
            return Err(fault.clone());
        }
        // A `build` may be dropped before it begins.
        if told.is_built && !(told.life.is_closing && told.life.has_ended) {
            return Err("nobody was told of the end of the pool".to_owned());
        }
        match told.waiters.count() {
            0 => Ok(()),
            waiting => Err(format!("{waiting} acquires wait in a pool that is gone")),
        }
    }
}

impl Told {
    fn count(&self, is_meant: impl Fn(At) -> bool) -> usize {
        let all = self.connections.values();
        all.filter(|connection| is_meant(connection.at)).count()
    }

    fn add(&mut self, event: &Event<'_>) -> Result<(), String> {
        // A waiter learns of the end when it is polled.
        let may_follow_the_end = matches!(
            event,
            Event::SpawnFailed { .. }
                | Event::Cancelled { .. }
                | Event::AcquireFailed { .. }
                | Event::Rejected { .. }
                | Event::TimedOut { .. }
        );
        if self.life.has_ended && !may_follow_the_end {
            return Err("it comes after the end of the pool".to_owned());
        }
        self.counters.add(event);
        self.errors.add(event);
        let now = self.record.runtime.clock();
        match *event {
            Event::ConnectStarted { connection, .. } => {
                self.begins(connection, At::Connecting, now)?;
                self.attempt(connection)
            }
            Event::Added { connection, .. } => self.begins(connection, At::Back(None), now),
            Event::Connected {
                connection, took, ..
            } => self.connect_ended(connection, now, took, At::Clean),
            Event::ConnectFailed {
                connection, took, ..
            } => {
                self.life.connect_failed(connection);
                self.connect_ended(connection, now, took, At::Gone)
            }
            Event::ConnectCancelled {
                connection, reason, ..
            } => {
                let causes = Causes::of(&self.life, &self.record.page());
                self.connection(connection)?.cancelled(reason, &causes)
            }
            Event::Checked {
                connection, took, ..
            } => {
                self.took(Method::Check, took)?;
                self.connection(connection)?.checked(At::Clean)
            }
            Event::CheckFailed {
                connection, took, ..
            } => {
                self.took(Method::Check, took)?;
                self.connection(connection)?.checked(At::CheckFailed)
            }
            Event::Recycled {
                connection, took, ..
            } => {
                self.took(Method::Recycle, took)?;
                self.connection(connection)?.recycled(At::Clean)
            }
            Event::RecycleFailed {
                connection, took, ..
            } => {
                self.took(Method::Recycle, took)?;
                self.connection(connection)?.recycled(At::RecycleFailed)
            }
            Event::Acquired {
                connection,
                waiter,
                waited,
                place,
                label,
                ..
            } => {
                self.life.serves()?;
                is_known(&self.record.page().script.settings, place, label)?;
                match waiter {
                    Some(waiter) => {
                        self.waiters.was_told_as(waiter, place, label)?;
                        self.waiters.leaves(waiter, now, waited)?;
                    }
                    None if !waited.is_zero() => return Err("it has not waited".to_owned()),
                    None => {}
                }
                self.connection(connection)?.lent(now, place, label)
            }
            Event::Released {
                connection, held, ..
            } => {
                let verdict = self.record.page().verdicts.remove(&connection);
                let back = At::Back(verdict);
                self.connection(connection)?.left(now, held, back)
            }
            Event::Detached {
                connection, held, ..
            } => self.connection(connection)?.left(now, held, At::Gone),
            Event::LeakSuspected {
                connection,
                held,
                place,
                label,
                ..
            } => {
                let limit = self.record.page().script.settings.leak_warning_after;
                let limit = Duration::from_millis(limit.into());
                let connection = self.connection(connection)?;
                connection.suspected((now, limit), held, place, label)
            }
            Event::LeakResolved {
                connection,
                held,
                place,
                label,
                ..
            } => {
                let connection = self.connection(connection)?;
                connection.resolved(now, held, place, label)
            }
            Event::Closed {
                connection, reason, ..
            } => {
                let causes = Causes::of(&self.life, &self.record.page());
                self.connection(connection)?.closed(reason, &causes)
            }
            Event::Waiting { waiter, .. } => self.waiters.joins(waiter, now),
            Event::SlowAcquire {
                waiter,
                waited,
                place,
                label,
                ..
            } => {
                is_known(&self.record.page().script.settings, place, label)?;
                let limit = self.record.page().shortest_slow_acquire;
                let waiters = &mut self.waiters;
                waiters.is_slow(waiter, (now, limit), waited, place, label)
            }
            Event::TimedOut { waiter, waited, .. }
            | Event::Cancelled { waiter, waited, .. }
            | Event::AcquireFailed { waiter, waited, .. } => {
                self.waiters.leaves(waiter, now, waited)
            }
            Event::Rejected { place, label, .. } => {
                is_known(&self.record.page().script.settings, place, label)
            }
            Event::Lagged { missed, .. } => Err(format!(
                "{missed} events are missing, and the observer is quick"
            )),
            Event::BreakerOpened {
                class, retry_after, ..
            } => self.life.breaker_opened(now, class, retry_after),
            Event::BreakerClosed { open_for, .. } => self.life.breaker_closed(now, open_for),
            Event::PoolClosing { status, .. } => self.life.begins_to_close(status),
            Event::PoolTerminated { held, .. } => {
                self.life.terminated()?;
                match self.count(|at| at == At::Held) {
                    truth if truth == held => Ok(()),
                    truth => Err(format!("{truth} are held by the events")),
                }
            }
            Event::PoolClosed { .. } => {
                self.life.has_ended = true;
                if !self.life.is_closing {
                    return Err("nobody was told that it closes".to_owned());
                }
                let mut all = self.connections.iter();
                match all.find(|(_, connection)| connection.at != At::Gone) {
                    Some((id, left)) => Err(format!("connection {id} is {:?}", left.at)),
                    None => Ok(()),
                }
            }
            Event::PoolSuspended { status, .. } => self.life.suspended(true, status),
            Event::PoolResumed { status, .. } => self.life.suspended(false, status),
            Event::Resized { from, to, .. } => self.life.resized(from, to),
            Event::SpawnFailed { .. } => Ok(()),
            _ => Err("the simulator does not know this event".to_owned()),
        }
    }

    fn connection(&mut self, id: u64) -> Result<&mut Connection, String> {
        let connection = self.connections.get_mut(&id);
        connection.ok_or_else(|| "nobody has heard of it".to_owned())
    }

    fn begins(&mut self, id: u64, at: At, now: Instant) -> Result<(), String> {
        let earlier = self.connections.insert(id, Connection::new(at, now));
        match earlier {
            None => Ok(()),
            Some(_) => Err("the number was used before".to_owned()),
        }
    }

    fn connect_ended(
        &mut self,
        id: u64,
        now: Instant,
        took: Duration,
        to: At,
    ) -> Result<(), String> {
        let connection = self.connection(id)?;
        connection.step(|at| at == At::Connecting, to)?;
        let truth = now.saturating_duration_since(connection.began);
        match took == truth {
            true => Ok(()),
            false => Err(format!("it took {truth:?}")),
        }
    }

    /// A check or a recycle has taken so long. Each is told once.
    fn took(&self, method: Method, took: Duration) -> Result<(), String> {
        match self.record.page().steps.hear_of_end(method, took) {
            true => Ok(()),
            false => Err(format!("no {method:?} has taken so long")),
        }
    }

    /// While the breaker is open, one connect at a time begins.
    fn attempt(&mut self, connection: u64) -> Result<(), String> {
        let Some(earlier) = self.life.attempt(connection) else {
            return Ok(());
        };
        self.counters.attempts += 1;
        let runs = |id: &u64| {
            let earlier = self.connections.get(id);
            earlier.is_some_and(|earlier| earlier.at == At::Connecting)
        };
        match earlier.filter(runs) {
            Some(id) => Err(format!("connect {id} runs, and the breaker is open")),
            None => Ok(()),
        }
    }
}
