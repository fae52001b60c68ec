//! What the ledger writes down: counters, times, and the notes that the observers have not been told yet.

use std::time::{Duration, Instant};

use super::effects::Stale;
use super::note::{Note, SharedError, StepReport};
use super::untold::Untold;
use super::{ConnectionKey, Effects, Kind, Ledger, LedgerTypes};
use crate::ErrorClass;
use crate::borrowed::Borrower;
use crate::config::Config;
use crate::error::FailureReason;
use crate::event::CloseReason;
use crate::panics::DropsQuietly;
use crate::stats::{Counters, Stats, Times};

/// How the last connect failed.
#[derive(Clone)]
pub(crate) struct FailedConnect<F> {
    pub(crate) failure: F,
    pub(crate) class: ErrorClass,
    pub(crate) at: Instant,
}

pub(super) struct History<F> {
    pub(super) counters: Counters,
    pub(super) times: Box<Times>,
    /// If the last connect failed. Its drop is foreign code.
    failed_connect: Option<DropsQuietly<Box<FailedConnect<F>>>>,
    /// Hand-outs are measured: for the observers, or for a threshold.
    measures: bool,
    /// Somebody observes the pool.
    listens: bool,
    pub(super) untold: Untold,
    /// Why interceptors have refused connections that have not left yet.
    refusals: Vec<(u64, SharedError)>,
}

impl<F> History<F> {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            counters: Counters::default(),
            times: Box::default(),
            failed_connect: None,
            measures: config.measures(),
            listens: config.is_observed(),
            untold: Untold::new(),
            refusals: Vec::new(),
        }
    }

    /// Whether somebody observes the pool.
    pub(super) fn is_observed(&self) -> bool {
        self.listens
    }

    /// Notes what has happened, if somebody observes the pool. A note that is the only owner of an error goes through
    /// [`note_with_error`](Self::note_with_error).
    #[inline]
    pub(super) fn note(&mut self, note: impl FnOnce() -> Note) {
        if self.listens {
            self.push(note());
        }
    }

    #[cold]
    fn push(&mut self, note: Note) {
        match self.untold.has_room() {
            true => self.untold.push(note),
            false => self.untold.miss(),
        }
    }

    /// As [`note`](Self::note). A note that nobody will be told comes back, because the drop of its error is foreign code.
    #[must_use]
    fn note_with_error(&mut self, note: Note) -> Option<Note> {
        if !self.listens {
            return Some(note);
        }
        if !self.untold.has_room() {
            self.untold.miss();
            return Some(note);
        }
        self.untold.push(note);
        None
    }

    /// An acquire has failed, and not by its time-out.
    #[cold]
    pub(super) fn count_failure(&mut self, reason: FailureReason) {
        self.counters.failures[reason.index()] += 1;
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

    /// A step has ended. A note that nobody will be told comes out.
    #[must_use]
    pub(super) fn step_ended(
        &mut self,
        kind: Kind,
        connection: u64,
        report: StepReport,
    ) -> Option<Note> {
        if !report.is_of_manager {
            return Some(Note::StepEnded(kind, connection, report));
        }
        // Mostly there is nothing to note and nothing to drop.
        let is_plain = report.took.is_none() && report.error.is_none() && kind != Kind::Connect;
        if is_plain && !self.listens && report.refusal.is_none() {
            return None;
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
            match report.error {
                None => self.counters.connects += 1,
                Some(_) => self.counters.connect_failures += 1,
            }
        }
        self.note_with_error(Note::StepEnded(kind, connection, report))
    }

    /// A connection has left the pool. A note that nobody will be told comes out.
    #[must_use]
    pub(super) fn closed(
        &mut self,
        connection: u64,
        reason: CloseReason,
        error: Option<SharedError>,
    ) -> Option<Note> {
        self.counters.closes[reason.index()] += 1;
        self.note_with_error(Note::Closed(connection, reason, error))
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// Notes something for the observers.
    pub(crate) fn note(&mut self, note: impl FnOnce() -> Note) {
        self.history.note(note);
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

    /// Lends a connection to somebody who did not wait.
    pub(crate) fn lend_at_once(
        &mut self,
        key: ConnectionKey,
        to: &mut Borrower,
        effects: &Effects<T>,
    ) {
        self.lend(key, to);
        if self.history.measures {
            self.lent_at(key, None, Duration::ZERO, effects.now());
        }
    }

    /// Takes what the observers are to be told, and no more than `most`, unless there is nothing, or somebody tells them
    /// at the moment.
    pub(crate) fn take_notes(&mut self, most: usize) -> Option<Vec<Note>> {
        self.history.untold.take(most)
    }

    /// The notes that were taken have been told.
    pub(crate) fn told(&mut self) {
        self.history.untold.told();
    }

    /// An acquire has run into its time-out.
    pub(crate) fn count_timeout(&mut self) {
        self.history.counters.timeouts += 1;
    }

    /// An acquire was dropped while it waited.
    pub(crate) fn count_cancelled(&mut self) {
        self.history.counters.cancelled += 1;
    }

    /// An acquire has failed, and not by its time-out.
    pub(crate) fn count_failure(&mut self, reason: FailureReason) {
        self.history.count_failure(reason);
    }

    /// How the last connect failed, if it did: it may have returned an error, taken too long, or panicked.
    pub(crate) fn failed_connect(&self) -> Option<&FailedConnect<T::Failure>> {
        let failed = self.history.failed_connect.as_deref();
        failed.map(|failed| &**failed)
    }

    /// A connect has ended: `failed` says how, if it has failed.
    pub(super) fn connect_ended(
        &mut self,
        failed: Option<FailedConnect<T::Failure>>,
        effects: &mut Effects<T>,
    ) {
        let new = failed.map(|failed| DropsQuietly::new(Box::new(failed)));
        let old = std::mem::replace(&mut self.history.failed_connect, new);
        if let Some(old) = old {
            effects.drop_later(Stale::Failed(old));
        }
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
