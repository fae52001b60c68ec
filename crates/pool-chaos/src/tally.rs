//! What has happened so far.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pool_mysql::Error;

use crate::journal::Outcome;
use crate::pool_place::MAXSIZE;
use crate::report::Sum;

/// The counters of one round, for all its tasks.
#[derive(Debug)]
pub(crate) struct Tally {
    start: Instant,
    counts: [AtomicU64; 3],
    /// When the last move began that succeeded, in microseconds since the start.
    last_ok_began: AtomicU64,
    pub(crate) is_over: AtomicBool,
    /// How many guards the tasks are to leak yet.
    pub(crate) leaks_wanted: AtomicUsize,
    /// How many sessions the pool may have now.
    pub(crate) most_sessions: AtomicUsize,
    /// Until when the server was told to end what sessions do, in microseconds since the start; the largest number while it is told.
    last_query_kill: AtomicU64,
    sum: Mutex<Sum>,
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            counts: Default::default(),
            last_ok_began: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            leaks_wanted: AtomicUsize::new(0),
            most_sessions: AtomicUsize::new(MAXSIZE),
            last_query_kill: AtomicU64::new(0),
            sum: Mutex::default(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    pub(crate) fn since_start(&self) -> Duration {
        self.start.elapsed()
    }

    /// The server is told from now on to end what sessions do.
    pub(crate) fn query_kill_begins(&self) {
        self.last_query_kill.store(u64::MAX, Ordering::SeqCst);
    }

    /// The server is not told any more.
    pub(crate) fn query_kill_ends(&self) {
        let now = micros(self.since_start());
        self.last_query_kill.store(now, Ordering::SeqCst);
    }

    /// Whether the server was told so after this time.
    pub(crate) fn was_query_killed_since(&self, then: Duration) -> bool {
        self.last_query_kill.load(Ordering::SeqCst) >= micros(then)
    }

    /// A move that began then has ended.
    pub(crate) fn ended(&self, outcome: Outcome, began: Duration) {
        self.counts[outcome as usize].fetch_add(1, Ordering::SeqCst);
        if outcome == Outcome::Ok {
            self.last_ok_began
                .fetch_max(micros(began), Ordering::SeqCst);
        }
    }

    /// When the last move began that succeeded.
    pub(crate) fn last_ok_began(&self) -> Duration {
        Duration::from_micros(self.last_ok_began.load(Ordering::SeqCst))
    }

    /// Ok, failed and unknown.
    pub(crate) fn moves(&self) -> [u64; 3] {
        [0, 1, 2].map(|outcome: usize| self.counts[outcome].load(Ordering::SeqCst))
    }

    /// A promise was broken.
    pub(crate) fn violation(&self, what: String) {
        eprintln!("chaos: BROKEN after {:.1?}: {what}", self.since_start());
        self.note(|sum| sum.violations.push(what));
    }

    /// The error of an acquire, which may be anything but a login that the server refused.
    pub(crate) fn not_refused(&self, error: Error) -> Error {
        if error.server_code() == Some(1045) {
            self.violation(format!("a login was refused: {error}"));
        }
        error
    }

    /// A promise may have been broken.
    pub(crate) fn report(&self, violation: Option<String>) {
        if let Some(what) = violation {
            self.violation(what);
        }
    }

    pub(crate) fn mishap(&self, kind: &'static str) {
        self.note(|sum| *sum.mishaps.entry(kind).or_default() += 1);
    }

    pub(crate) fn note(&self, change: impl FnOnce(&mut Sum)) {
        change(&mut self.sum.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes what is known.
    pub(crate) fn sum(&self) -> Sum {
        let mut sum = std::mem::take(&mut *self.sum.lock().unwrap_or_else(PoisonError::into_inner));
        sum.moves = self.moves();
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_stays_until_the_end() {
        let tally = Tally::new();
        tally.report(None);
        tally.report(Some("a move is lost".into()));
        assert_eq!(tally.sum().violations, ["a move is lost"]);
    }

    #[test]
    fn only_a_move_that_succeeds_moves_the_time_of_recovery() {
        let tally = Tally::new();
        let [early, late] = [1, 2].map(Duration::from_secs);
        tally.ended(Outcome::Ok, early);
        tally.ended(Outcome::Failed, late);
        tally.ended(Outcome::Unknown, late);
        assert_eq!(tally.last_ok_began(), early);
        assert_eq!(tally.moves(), [1, 1, 1]);
        tally.ended(Outcome::Ok, Duration::ZERO);
        assert_eq!(tally.last_ok_began(), early, "a move that began before");
    }

    #[test]
    fn a_query_kill_excuses_the_moves_that_it_may_have_met_and_no_others() {
        let tally = Tally::new();
        let before = tally.since_start();
        assert!(!tally.was_query_killed_since(before + Duration::from_secs(1)));
        tally.query_kill_begins();
        assert!(tally.was_query_killed_since(Duration::from_secs(1000)));
        tally.query_kill_ends();
        assert!(tally.was_query_killed_since(before));
        assert!(!tally.was_query_killed_since(tally.since_start() + Duration::from_secs(1)));
    }
}
