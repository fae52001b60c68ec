//! The stream of a pool's events is a legal history of each connection and of each waiter, and its counters equal it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use pool_core::{CloseReason, ErrorClass, Event, ObservedPool, Observer, Stats};

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Connecting,
    Idle,
    Held,
    /// Its check or recycle has failed: it can only be closed.
    Failed,
    Gone,
}

/// What the events have told so far.
#[derive(Default)]
struct Told {
    connections: HashMap<u64, At>,
    /// The waiters that are in the queue.
    waiters: HashMap<u64, bool>,
    acquires: u64,
    waits: u64,
    timeouts: u64,
    cancelled: u64,
    failures: HashMap<&'static str, u64>,
    added: u64,
    connects: u64,
    connect_failures: u64,
    detached: u64,
    checks: u64,
    recycles: u64,
    slow_acquires: u64,
    suspected_leaks: u64,
    closes: HashMap<&'static str, u64>,
    /// The class of the failure, while the breaker is open.
    breaker: Option<ErrorClass>,
    /// The last connect that has begun since the breaker opened.
    attempt: Option<u64>,
    attempts: u64,
    breaker_opens: u64,
    closing: u64,
    ended: bool,
    fault: Option<String>,
}

/// An observer that knows which event may follow which.
#[derive(Clone, Default)]
pub(crate) struct History(Arc<Mutex<Told>>);

impl Observer for History {
    fn on_event(&self, event: &Event<'_>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        if pool.name() != "simulated" || !is_empty {
            let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            told.fault = Some(format!("it was built as {pool:?} with {status:?}"));
        }
    }
}

impl History {
    /// What is wrong with the history so far.
    pub(crate) fn fault(&self) -> Option<String> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.fault.clone()
    }

    /// At rest the pool's counters equal its history.
    ///
    /// # Errors
    ///
    /// Says which does not.
    pub(crate) fn check(&self, stats: &Stats) -> Result<(), String> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = &told.fault {
            return Err(fault.clone());
        }
        let open = |at: &&At| !matches!(at, At::Gone);
        let size = told.connections.values().filter(open).count();
        let waiting = told.waiters.values().filter(|waits| **waits).count();
        let status = stats.status();
        let counters = [
            ("acquires", stats.acquires(), told.acquires),
            ("waits", stats.waits(), told.waits),
            ("timeouts", stats.timeouts(), told.timeouts),
            ("cancelled", stats.cancelled(), told.cancelled),
            ("added", stats.added(), told.added),
            ("connects", stats.connects(), told.connects),
            (
                "connect_failures",
                stats.connect_failures(),
                told.connect_failures,
            ),
            ("detached", stats.detached(), told.detached),
            ("breaker_opens", stats.breaker_opens(), told.breaker_opens),
            ("checks", stats.check_time().count(), told.checks),
            ("recycles", stats.recycle_time().count(), told.recycles),
            ("closes", stats.closes(), told.closes.values().sum()),
            ("waiting", status.waiting() as u64, waiting as u64),
        ];
        for (name, counted, events) in counters {
            if counted != events {
                return Err(format!("{name} is {counted}, and the events say {events}"));
            }
        }
        // One that was started and given up before it began has no event.
        if stats.connect_retries() < told.attempts {
            return Err(format!("{} attempts by the events", told.attempts));
        }
        let of = |reason| told.failures.get(reason).copied().unwrap_or(0);
        let refused = (stats.rejected(), stats.shed());
        if refused != (of("queue_full"), of("shed"))
            || stats.failures() != told.failures.values().sum()
        {
            return Err(format!("{refused:?} are refused of {}", stats.failures()));
        }
        // In a dry run they wait all the same.
        if stats.would_shed() > stats.waits() {
            return Err(format!("{} would be refused", stats.would_shed()));
        }
        for (reason, counted) in stats.failures_by_reason() {
            let events = of(reason);
            if counted != events {
                return Err(format!(
                    "{counted} acquires failed because of {reason}, and the events say {events}"
                ));
            }
        }
        // What is found inside of a runtime's timer is told with the next change.
        let found = [
            (stats.slow_acquires(), told.slow_acquires),
            (stats.suspected_leaks(), told.suspected_leaks),
        ];
        if found.iter().any(|(counted, events)| counted < events) {
            return Err(format!("(found, told): {found:?}"));
        }
        // A connect that has not begun has a place and no event.
        if !(status.size() - status.connecting()..=status.size()).contains(&size) {
            return Err(format!("{size} connections by the events; {status}"));
        }
        for (reason, counted) in stats.closes_by_reason() {
            let events = told.closes.get(reason).copied().unwrap_or(0);
            if counted != events {
                return Err(format!(
                    "{reason} is {counted}, and the events say {events}"
                ));
            }
        }
        Ok(())
    }
}

impl Told {
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
        if self.ended && !may_follow_the_end {
            return Err("it comes after the end of the pool".to_owned());
        }
        match *event {
            Event::ConnectStarted { connection, .. } => {
                let earlier = self.connections.insert(connection, At::Connecting);
                if earlier.is_some() {
                    return Err("the number was used before".to_owned());
                }
                self.attempt(connection)?;
            }
            Event::Added { connection, .. } => {
                self.added += 1;
                if self.connections.insert(connection, At::Idle).is_some() {
                    return Err("the number was used before".to_owned());
                }
            }
            Event::Connected { connection, .. } => {
                self.connects += 1;
                self.step(connection, &[At::Connecting], At::Idle)?;
            }
            Event::ConnectFailed { connection, .. } => {
                self.connect_failures += 1;
                self.step(connection, &[At::Connecting], At::Gone)?;
            }
            Event::ConnectCancelled { connection, .. } => {
                self.step(connection, &[At::Connecting], At::Gone)?;
            }
            Event::Checked { connection, .. } => {
                self.checks += 1;
                self.step(connection, &[At::Idle], At::Idle)?;
            }
            Event::CheckFailed { connection, .. } => {
                self.checks += 1;
                self.step(connection, &[At::Idle], At::Failed)?;
            }
            Event::Recycled { connection, .. } => {
                self.recycles += 1;
                self.step(connection, &[At::Idle], At::Idle)?;
            }
            Event::RecycleFailed { connection, .. } => {
                self.recycles += 1;
                self.step(connection, &[At::Idle], At::Failed)?;
            }
            Event::Acquired {
                connection,
                waiter,
                place,
                ..
            } => {
                self.acquires += 1;
                if let Some(waiter) = waiter {
                    self.leaves(waiter)?;
                }
                if !place.file().ends_with(".rs") {
                    return Err(format!("it was acquired at {place}"));
                }
                self.step(connection, &[At::Idle], At::Held)?;
            }
            Event::Released { connection, .. } => {
                self.step(connection, &[At::Held], At::Idle)?;
            }
            Event::Detached { connection, .. } => {
                self.detached += 1;
                self.step(connection, &[At::Held], At::Gone)?;
            }
            Event::LeakSuspected { connection, .. } => {
                self.suspected_leaks += 1;
                self.step(connection, &[At::Held], At::Held)?;
            }
            Event::LeakResolved { connection, .. } => {
                self.step(connection, &[At::Held], At::Held)?;
            }
            Event::Closed {
                connection, reason, ..
            } => {
                *self.closes.entry(reason.as_str()).or_default() += 1;
                let from: &[At] = match reason {
                    // What is held is written off.
                    CloseReason::Terminated => &[At::Idle, At::Held, At::Failed],
                    _ => &[At::Idle, At::Failed],
                };
                self.step(connection, from, At::Gone)?;
            }
            Event::Waiting { waiter, .. } => {
                self.waits += 1;
                if self.waiters.insert(waiter, true).is_some() {
                    return Err("the number was used before".to_owned());
                }
            }
            Event::SlowAcquire { waiter, .. } => {
                self.slow_acquires += 1;
                if self.waiters.get(&waiter) != Some(&true) {
                    return Err("it does not wait".to_owned());
                }
            }
            Event::TimedOut { waiter, .. } => {
                self.timeouts += 1;
                self.leaves(waiter)?;
            }
            Event::Rejected { reason, .. } => {
                *self.failures.entry(reason.as_str()).or_default() += 1;
            }
            Event::Cancelled { waiter, .. } => {
                self.cancelled += 1;
                self.leaves(waiter)?;
            }
            Event::AcquireFailed { waiter, reason, .. } => {
                *self.failures.entry(reason.as_str()).or_default() += 1;
                self.leaves(waiter)?;
            }
            Event::Lagged { missed, .. } => {
                return Err(format!(
                    "{missed} events are missing, and the observer is quick"
                ));
            }
            Event::BreakerOpened { class, .. } => {
                self.breaker_opens += 1;
                // An attempt may have failed with another class in between.
                let is_new = self.breaker.replace(class) != Some(class);
                if !is_new && self.attempt.is_none() {
                    return Err("it opens twice".to_owned());
                }
                self.attempt = None;
            }
            Event::BreakerClosed { .. } if self.breaker.take().is_none() => {
                return Err("it was not open".to_owned());
            }
            Event::PoolClosing { .. } => {
                self.breaker = None;
                self.closing += 1;
                if self.closing > 1 {
                    return Err("it closes twice".to_owned());
                }
            }
            Event::PoolClosed { .. } => {
                self.ended = true;
                let open = |(_, at): &(&u64, &At)| **at != At::Gone;
                if let Some((id, at)) = self.connections.iter().find(open) {
                    return Err(format!("connection {id} is {at:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// While the breaker is open, one connect at a time begins.
    fn attempt(&mut self, connection: u64) -> Result<(), String> {
        if self.breaker.is_none() {
            return Ok(());
        }
        self.attempts += 1;
        let earlier = self.attempt.replace(connection);
        let at = earlier.and_then(|earlier| self.connections.get(&earlier));
        match at {
            Some(At::Connecting) => Err(format!("{earlier:?} runs, and the breaker is open")),
            _ => Ok(()),
        }
    }

    fn step(&mut self, connection: u64, from: &[At], to: At) -> Result<(), String> {
        let Some(at) = self.connections.get_mut(&connection) else {
            return Err("nobody has heard of it".to_owned());
        };
        let was = std::mem::replace(at, to);
        match from.contains(&was) {
            true => Ok(()),
            false => Err(format!("it was {was:?}")),
        }
    }

    fn leaves(&mut self, waiter: u64) -> Result<(), String> {
        match self.waiters.entry(waiter) {
            Entry::Occupied(mut waits) if *waits.get() => {
                waits.insert(false);
                Ok(())
            }
            _ => Err("it did not wait".to_owned()),
        }
    }
}
