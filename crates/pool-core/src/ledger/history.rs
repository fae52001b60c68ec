//! What the ledger writes down: counters, times, and the notes that the observers have not been told yet.

use std::time::{Duration, Instant};

use super::note::{Note, SharedError, StepReport};
use super::{ConnectionKey, Kind, Ledger, LedgerTypes};
use crate::ErrorClass;
use crate::config::Config;
use crate::event::CloseReason;
use crate::stats::{Counters, Stats, Times};

pub(super) struct History {
    pub(super) counters: Counters,
    pub(super) times: Box<Times>,
    /// The class of the failure and when it was, if the last connect failed.
    failed_connect: Option<(ErrorClass, Instant)>,
    /// Somebody observes the pool.
    listens: bool,
    notes: Vec<Note>,
    /// A thread tells the observers at the moment. What is noted meanwhile it tells too.
    is_telling: bool,
    /// Why interceptors have refused connections that have not left yet.
    refusals: Vec<(u64, SharedError)>,
}

impl History {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            counters: Counters::default(),
            times: Box::default(),
            failed_connect: None,
            listens: config.is_observed(),
            notes: Vec::new(),
            is_telling: false,
            refusals: Vec::new(),
        }
    }

    /// Notes what has happened, if somebody observes the pool.
    #[inline]
    pub(super) fn note(&mut self, note: impl FnOnce() -> Note) {
        if self.listens {
            self.push(note());
        }
    }

    #[cold]
    fn push(&mut self, note: Note) {
        self.notes.push(note);
    }

    pub(super) fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// Takes what is to be told, unless there is nothing, or somebody else tells at the moment.
    pub(super) fn take_notes(&mut self) -> Option<Vec<Note>> {
        if self.is_telling || self.notes.is_empty() {
            return None;
        }
        self.is_telling = true;
        Some(std::mem::take(&mut self.notes))
    }

    /// The notes that were taken have been told.
    pub(super) fn told(&mut self) {
        self.is_telling = false;
    }

    /// A connection was held for so long. Without an observer not all of these times are known.
    pub(super) fn held(&mut self, held: Duration) {
        if self.listens {
            self.times.hold.record(held);
        }
    }

    /// Interceptors have refused a connection. The error comes back where nobody will hear of it.
    pub(super) fn refused(&mut self, connection: u64, why: SharedError) -> Option<SharedError> {
        if !self.listens {
            return Some(why);
        }
        self.refusals.push((connection, why));
        None
    }

    /// Why a connection leaves that interceptors have refused; of any other one, the error itself. What nobody will hear
    /// of is beside it.
    pub(super) fn why_refused(
        &mut self,
        connection: u64,
        error: Option<SharedError>,
    ) -> (Option<SharedError>, Option<SharedError>) {
        let mut refusals = self.refusals.iter();
        match refusals.position(|(refused, _)| *refused == connection) {
            Some(at) => (Some(self.refusals.swap_remove(at).1), error),
            None => (error, None),
        }
    }

    /// A step has ended.
    pub(super) fn step_ended(
        &mut self,
        kind: Kind,
        connection: u64,
        report: StepReport,
        now: Instant,
    ) {
        if !report.is_of_manager {
            return;
        }
        let histogram = match kind {
            Kind::Connect if report.error.is_some() => None,
            Kind::Connect => Some(&mut self.times.connect),
            Kind::Check => Some(&mut self.times.check),
            Kind::Recycle => Some(&mut self.times.recycle),
            Kind::Close => None,
        };
        if let (Some(histogram), Some(took)) = (histogram, report.took) {
            histogram.record(took);
        }
        if kind == Kind::Connect {
            self.failed_connect = report.error.is_some().then_some((report.class, now));
            match report.error {
                None => self.counters.connects += 1,
                Some(_) => self.counters.connect_failures += 1,
            }
        }
        self.note(|| Note::StepEnded(kind, connection, report));
    }

    /// A connection has left the pool.
    pub(super) fn closed(
        &mut self,
        connection: u64,
        reason: CloseReason,
        error: Option<SharedError>,
    ) {
        self.counters.closes[reason.index()] += 1;
        self.note(|| Note::Closed(connection, reason, error));
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// Notes something for the observers.
    pub(crate) fn note(&mut self, note: Note) {
        self.history.note(|| note);
    }

    /// A connection was handed out at this instant to somebody who had waited for so long, in a pool that measures.
    ///
    /// `true`: the timer has to be set.
    pub(crate) fn lent_at(
        &mut self,
        key: ConnectionKey,
        waiter: Option<u64>,
        waited: Duration,
        now: Instant,
    ) -> bool {
        self.history.times.wait.record(waited);
        if let Some((place, label)) = self.connections.lent_at(key, now) {
            self.history.note(|| Note::Acquired {
                connection: key.id,
                waiter,
                waited,
                place,
                label: label.cloned(),
            });
        }
        self.watch.lent(now)
    }

    /// Takes what the observers are to be told, unless there is nothing, or somebody tells them at the moment.
    pub(crate) fn take_notes(&mut self) -> Option<Vec<Note>> {
        self.history.take_notes()
    }

    /// The notes that were taken have been told.
    pub(crate) fn told(&mut self) {
        self.history.told();
    }

    /// An acquire has left the queue without a connection: `timed_out`, or it was dropped.
    pub(crate) fn count_left(&mut self, timed_out: bool) {
        match timed_out {
            true => self.history.counters.timeouts += 1,
            false => self.history.counters.cancelled += 1,
        }
    }

    /// Whether the last connect failed: with which class, and when.
    pub(crate) fn failed_connect(&self) -> Option<(ErrorClass, Instant)> {
        self.history.failed_connect
    }

    /// All counters and times at this moment.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            status: self.status(),
            counters: Counters {
                acquires: self.connections.sequence(),
                waits: self.queue.arrivals() - self.gate.as_ref().map_or(0, |gate| gate.taken_out),
                ..self.history.counters.clone()
            },
            times: (*self.history.times).clone(),
        }
    }
}
