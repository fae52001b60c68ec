//! What has happened so far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::journal::Outcome;

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
    /// Until when the server was told to end what sessions do, in microseconds since the start; the largest number while it is told.
    last_query_kill: AtomicU64,
    sum: Mutex<Sum>,
}

/// What is known at the end.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) moves: [u64; 3],
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) samples: u64,
    pub(crate) most_sessions: usize,
    /// How often, and how long it took until a move succeeded.
    pub(crate) faults: BTreeMap<&'static str, (u64, Duration)>,
    pub(crate) mishaps: BTreeMap<&'static str, u64>,
    pub(crate) violations: Vec<String>,
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

impl Sum {
    /// Adds another round.
    pub(crate) fn add(&mut self, other: Self) {
        for (mine, others) in self.moves.iter_mut().zip(other.moves) {
            *mine += others;
        }
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.samples += other.samples;
        self.most_sessions = self.most_sessions.max(other.most_sessions);
        for (kind, (number, longest)) in other.faults {
            let mine = self.faults.entry(kind).or_default();
            *mine = (mine.0 + number, mine.1.max(longest));
        }
        for (kind, number) in other.mishaps {
            *self.mishaps.entry(kind).or_default() += number;
        }
        self.violations.extend(other.violations);
    }

    pub(crate) fn print(&self) {
        let [ok, failed, unknown] = self.moves;
        println!("chaos: moves: {ok} ok, {failed} failed, {unknown} unknown");
        println!("chaos: faults, and the longest time until a move succeeded:");
        for (kind, (number, longest)) in &self.faults {
            println!("  {kind:28} {number:5}  {:6.2} s", longest.as_secs_f64());
        }
        for (kind, number) in &self.mishaps {
            println!("  {kind:28} {number:5}");
        }
        println!(
            "chaos: {} samples of the server's sessions, at most {} at once",
            self.samples, self.most_sessions
        );
        for violation in &self.violations {
            println!("chaos: BROKEN: {violation}");
        }
        let moves: u64 = self.moves.iter().sum();
        println!(
            "chaos: {moves} moves, {} lost, {} doubled",
            self.lost, self.doubled
        );
    }
}
