//! What takes long: waiters that have waited, and connections that have been held, for longer than a setting says.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::panic::Location;
use std::time::{Duration, Instant};

use super::{Answer, Effects, Kind, Ledger, LedgerEntry, LedgerTypes, Note, Ticket};
use crate::borrowed::{Borrowed, Borrower, Nested};
use crate::config::Config;
use crate::error::Phase;

/// A waiter that is watched.
struct Watched {
    ticket: Ticket,
    since: Instant,
    place: &'static Location<'static>,
    label: Option<Cow<'static, str>>,
    /// Which task waits, if that is known.
    task: Option<usize>,
}

pub(super) struct Watch {
    slow_acquire_after: Option<Duration>,
    leak_warning_after: Option<Duration>,
    /// The waiters in order of arrival, and some that have left: these are removed when they come to the front, or when
    /// they outnumber the others.
    waiters: VecDeque<Watched>,
    /// So many of them, the first ones, need no look: they were found to be slow, or had left.
    seen: usize,
    /// When the held connections are looked at next.
    leaks_at: Option<Instant>,
}

impl Watch {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            slow_acquire_after: config.slow_acquire_after,
            leak_warning_after: config.leak_warning_after,
            waiters: VecDeque::new(),
            seen: 0,
            leaks_at: None,
        }
    }

    /// The settings have changed. What is held is looked at anew.
    pub(super) fn reconfigured(&mut self, config: &Config, now: Instant) {
        self.slow_acquire_after = config.slow_acquire_after;
        self.leak_warning_after = config.leak_warning_after;
        self.leaks_at = self.leak_warning_after.map(|_| now);
    }

    /// A connection was handed out.
    ///
    /// `true`: the timer has to be set for it.
    pub(super) fn lent(&mut self, now: Instant) -> bool {
        let (Some(limit), None) = (self.leak_warning_after, self.leaks_at) else {
            return false;
        };
        self.leaks_at = now.checked_add(limit);
        true
    }

    /// Whether there is nothing to look at, at any time.
    #[inline]
    pub(super) fn rests(&self) -> bool {
        self.leaks_at.is_none() && self.waiters.is_empty()
    }

    /// When there is something to look at.
    pub(super) fn next(&self) -> Option<Instant> {
        let limit = self.slow_acquire_after;
        let slow_at = self
            .waiters
            .get(self.seen)
            .zip(limit)
            .and_then(|(first, limit)| first.since.checked_add(limit));
        slow_at.into_iter().chain(self.leaks_at).min()
    }
}

impl Watch {
    /// Removes the waiters at the front that have left.
    fn forget_first(&mut self, has_left: impl Fn(&Watched) -> bool) {
        while self.waiters.front().is_some_and(&has_left) {
            self.waiters.pop_front();
            self.seen = self.seen.saturating_sub(1);
        }
    }

    /// Removes all waiters that have left.
    fn forget_all(&mut self, has_left: impl Fn(&Watched) -> bool) {
        let first = self.waiters.iter().take(self.seen);
        self.seen = first.filter(|waiter| !has_left(waiter)).count();
        self.waiters.retain(|waiter| !has_left(waiter));
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// Watches a waiter that has just joined the queue, if a setting or its label asks for that.
    #[cold]
    pub(crate) fn watch(&mut self, ticket: Ticket, who: &Borrower, since: Instant) {
        if self.watch.slow_acquire_after.is_none() && who.label.is_none() {
            return;
        }
        let left = |waiter: &Watched| !self.queue.is_queued(waiter.ticket);
        self.watch.forget_first(left);
        if self.watch.waiters.len() > 2 * self.queue.len() + 16 {
            self.watch.forget_all(left);
        }
        self.watch.waiters.push_back(Watched {
            ticket,
            since,
            place: who.place,
            label: who.label.as_ref().map(|label| label.text.clone()),
            task: who.label.as_ref().and_then(|label| label.task),
        });
    }

    /// Looks for what takes too long at this instant.
    pub(super) fn watch_struck(&mut self, now: Instant, effects: &mut Effects<T>) {
        self.find_slow(now);
        self.find_leaks(now);
        if !self.history.untold.is_empty() {
            // Inside of a runtime's timer nothing can be told. Upkeep does it, or the next caller.
            self.wake_upkeep(effects);
        }
    }

    fn find_slow(&mut self, now: Instant) {
        let Some(limit) = self.watch.slow_acquire_after else {
            return;
        };
        let has_left = |waiter: &Watched| !self.queue.is_there(waiter.ticket);
        self.watch.forget_first(has_left);
        while let Some(waiter) = self.watch.waiters.get(self.watch.seen) {
            let waited = now.saturating_duration_since(waiter.since);
            // The clock is read before the lock is taken, so one may stand behind another that came later.
            if waited < limit && !has_left(waiter) {
                break;
            }
            self.watch.seen += 1;
            // One whose deadline has struck is about to leave.
            if !self.queue.is_queued(waiter.ticket) {
                continue;
            }
            self.history.counters.slow_acquires += 1;
            let job = self.queue.job(waiter.ticket);
            let kind = job.and_then(|key| self.jobs.get(key)).map(|job| job.kind);
            let (status, number) = (self.status(), self.queue.number(waiter.ticket));
            self.history.note(|| Note::SlowAcquire {
                waiter: number,
                waited,
                phase: Kind::phase(kind),
                status,
                place: waiter.place,
                label: waiter.label.clone(),
            });
        }
    }

    fn find_leaks(&mut self, now: Instant) {
        let Some(limit) = self.watch.leak_warning_after else {
            return;
        };
        if self.watch.leaks_at.is_none_or(|at| at > now) {
            return;
        }
        self.forget_returned();
        let (suspects, next) = self.connections.take_suspects(now, limit);
        self.watch.leaks_at = next;
        for suspect in suspects {
            self.history.counters.suspected_leaks += 1;
            self.history.note(|| Note::Leak {
                connection: suspect.id,
                held: suspect.age,
                place: suspect.place,
                label: suspect.label,
                is_resolved: false,
            });
        }
    }

    /// A return in the fast case is not written down: what the ledger has is not held.
    pub(super) fn forget_returned(&mut self) {
        let entries = self
            .idle
            .iter()
            .chain(self.queue.answers().filter_map(Answer::entry));
        let in_jobs = self.jobs.iter().filter_map(|(_, job)| job.connection);
        for key in entries.map(LedgerEntry::key).chain(in_jobs) {
            self.connections.take_back(key);
        }
    }

    /// The number of the last hand-out.
    #[inline]
    pub(crate) fn hand_outs(&self) -> u64 {
        self.connections.sequence()
    }

    /// The connections that somebody holds, those held longest first.
    pub(crate) fn borrowed(&mut self, now: Instant) -> Vec<Borrowed> {
        self.forget_returned();
        self.connections.borrowed(now, None)
    }

    /// The connection that has been held longest. `seen`: a waiter came at this instant, after the hand-out with this
    /// number.
    pub(crate) fn longest_held(
        &mut self,
        now: Instant,
        seen: Option<(Instant, u64)>,
    ) -> Option<Borrowed> {
        self.forget_returned();
        self.connections.longest_held(now, seen)
    }

    /// Whether every place is held by a task that waits for another one itself: both places, and the label of the task that
    /// holds the first connection. Such tasks wait for each other.
    ///
    /// Only [`labelled`](crate::labelled) tells who waits: a label of an acquire may be that of many tasks.
    pub(crate) fn nested(&mut self) -> Option<Nested> {
        if self.held < self.fill.limit() || self.held == 0 {
            return None;
        }
        self.forget_returned();
        let mut lent = Vec::with_capacity(self.held);
        for (place, label) in self.connections.lent() {
            lent.push((place, label?));
        }
        // The first acquire of each task.
        let mut waiters: HashMap<usize, &Watched> = HashMap::new();
        for waiter in &self.watch.waiters {
            if let Some(task) = waiter.task.filter(|_| self.queue.is_there(waiter.ticket)) {
                waiters.entry(task).or_insert(waiter);
            }
        }
        let mut found = None;
        for (place, label) in &lent {
            let waits = waiters.get(&label.task?)?;
            found.get_or_insert_with(|| Nested {
                label: label.label_of_task().to_owned(),
                holds: place,
                waits: waits.place,
            });
        }
        found.filter(|_| lent.len() == self.held)
    }
}

impl Kind {
    /// What an acquire is doing that drives such a job, or none.
    pub(crate) fn phase(kind: Option<Self>) -> Phase {
        match kind {
            None => Phase::Wait,
            Some(Self::Connect) => Phase::Connect,
            Some(Self::Check) => Phase::Check,
            Some(Self::Recycle) => Phase::Recycle,
            Some(Self::Close) => Phase::Close,
        }
    }
}
