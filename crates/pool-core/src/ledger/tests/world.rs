//! The world around a ledger in its unit tests: guards, waiters, and what is carried out after a change.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use crate::Verdict;
use crate::config::Config;
use crate::ledger::{
    Answer, Effects, Found, JobKey, Kind, Ledger, LedgerEntry, LedgerTypes, Outcome, Poller,
    Settled, Take, TakenJob, Ticket, Work,
};

pub(super) struct Plain;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(pub(super) u64, Option<Instant>);

impl LedgerEntry for Number {
    fn id(&self) -> u64 {
        self.0
    }
    fn idle_since(&self) -> Option<Instant> {
        self.1
    }
    fn set_idle_since(&mut self, since: Option<Instant>) {
        self.1 = since;
    }
}

impl LedgerTypes for Plain {
    type Entry = Number;
    /// A future between two polls: the connection that is in it.
    type Future = Option<Number>;
    type Failure = &'static str;
}

struct NothingToWake;

impl Wake for NothingToWake {
    fn wake(self: Arc<Self>) {}
}

/// A ledger together with the world around it.
pub(super) struct World {
    pub(super) ledger: Ledger<Plain>,
    pub(super) now: Instant,
    made: u64,
    pub(super) waker: Waker,
    pub(super) guards: Vec<Number>,
    pub(super) waiting: Vec<Ticket>,
    /// The background tasks: their jobs and their numbers.
    pub(super) tasks: Vec<(JobKey, u64)>,
    /// The fast cases are tried first, as the verbs do.
    pub(super) tries_fast: bool,
}

impl World {
    pub(super) fn new(minsize: usize, maxsize: usize) -> Self {
        let config = Config {
            minsize,
            maxsize,
            ..Config::default()
        };
        Self {
            ledger: Ledger::new(&config),
            now: Instant::now(),
            made: 0,
            waker: Waker::from(Arc::new(NothingToWake)),
            guards: Vec::new(),
            waiting: Vec::new(),
            tasks: Vec::new(),
            tries_fast: true,
        }
    }

    pub(super) fn change<R>(
        &mut self,
        change: impl FnOnce(&mut Ledger<Plain>, &mut Effects<Plain>) -> R,
    ) -> R {
        let mut effects = Effects::new(Some(self.now), None);
        let result = change(&mut self.ledger, &mut effects);
        self.perform(effects);
        result
    }

    fn perform(&mut self, effects: Effects<Plain>) {
        let Some(rare) = effects.rare else {
            return;
        };
        for (id, _) in rare.departing {
            self.change(|ledger, effects| ledger.dropped(id, effects));
        }
        for key in rare.spawn_drivers {
            self.spawn(key);
        }
    }

    fn spawn(&mut self, key: JobKey) {
        if let Some(number) = self.ledger.assign_task(key) {
            self.tasks.push((key, number));
        }
    }

    pub(super) fn acquire(&mut self) -> Ticket {
        let Ok(queued) = self.ledger.enqueue(self.waker.clone(), None, self.now) else {
            panic!("the pool is open");
        };
        if !queued.only_waits {
            self.change(|ledger, effects| ledger.start_for(queued.ticket, None, effects));
        }
        self.waiting.push(queued.ticket);
        queued.ticket
    }

    /// Acquires and takes the connection, which must be there after one connect at most.
    pub(super) fn acquire_now(&mut self) {
        let ticket = self.acquire();
        self.look(ticket, true, true);
        if self.waiting.contains(&ticket) {
            self.look(ticket, true, true);
        }
    }

    /// Ends a job that was taken out, well or not.
    fn finish(&mut self, job: TakenJob<Plain>, well: bool) {
        let outcome = match (job.kind, content(job.work)) {
            (Kind::Close, _) => Outcome::Gone,
            (Kind::Connect, _) if well => {
                self.made += 1;
                Outcome::Ready(Number(self.made, Some(self.now)), None)
            }
            (_, Some(entry)) if well => Outcome::Ready(entry, None),
            (_, Some(entry)) => Outcome::Broken {
                entry,
                failure: "broken",
                can_close: self.made % 2 == 0,
            },
            (_, None) => Outcome::NotConnected {
                failure: "refused",
                hopeless: false,
            },
        };
        let (key, poller) = (job.key, job.poller);
        let settled = self.change(|ledger, effects| ledger.settle(key, poller, outcome, effects));
        if let Settled::Taken(entry) = settled {
            self.guards.push(entry);
        }
    }

    pub(super) fn park(&mut self, job: TakenJob<Plain>) {
        let entry = content(job.work);
        let (key, poller) = (job.key, job.poller);
        self.change(|ledger, effects| ledger.park(key, entry, poller, None, effects));
    }

    fn step(&mut self, job: TakenJob<Plain>, end: bool, well: bool) {
        match end {
            true => self.finish(job, well),
            false => self.park(job),
        }
    }

    /// Polls as the waiter does, with its own waker.
    pub(super) fn poll(&mut self, ticket: Ticket) -> Found<Plain> {
        match self.ledger.find_for(ticket, None, Some(&self.waker)) {
            Found::StoreWaker => {
                self.ledger.set_waker(ticket, self.waker.clone());
                self.ledger.find_for(ticket, None, None)
            }
            found => found,
        }
    }

    /// One look of a waiter: its answer, or a poll of its job.
    pub(super) fn look(&mut self, ticket: Ticket, end: bool, well: bool) {
        match self.poll(ticket) {
            Found::Answered(answered) => {
                self.waiting.retain(|other| *other != ticket);
                if let Answer::Entry(entry) = answered.answer {
                    self.guards.push(entry);
                }
            }
            Found::Job(job) => self.step(job, end, well),
            Found::Nothing { .. } | Found::StoreWaker => {}
        }
    }

    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.waiting.retain(|other| *other != ticket);
        self.change(|ledger, effects| {
            let left = ledger.leave(ticket, effects);
            if let Some(Answer::Entry(entry)) = left.answer {
                ledger.pass_on(entry, effects);
            }
        });
    }

    /// Drops a guard as `PooledConnection` does: the fast case first.
    pub(super) fn release(&mut self, verdict: Verdict) {
        let Some(entry) = self.guards.pop() else {
            return;
        };
        let given = match self.tries_fast {
            true => self.release_fast(entry, verdict, Some(self.now)),
            false => Err(entry),
        };
        if let Err(entry) = given {
            self.change(|ledger, effects| ledger.give_back(entry, verdict, effects));
        }
    }

    pub(super) fn release_fast(
        &mut self,
        entry: Number,
        verdict: Verdict,
        now: Option<Instant>,
    ) -> Result<(), Number> {
        let given = self.ledger.give_back_fast(entry, verdict, now);
        given.map(|waker| waker.into_iter().for_each(Waker::wake))
    }

    /// Acquires as `Acquire` does in its first poll: the fast case first.
    pub(super) fn acquire_fast(&mut self) {
        if self.tries_fast {
            if let Some(entry) = self.ledger.take_ready(Some(self.now)) {
                return self.guards.push(entry);
            }
        }
        let ticket = self.acquire();
        if self.ledger.queue.is_answered(ticket) {
            self.look(ticket, true, true);
        }
    }

    /// Polls a background task.
    pub(super) fn run_task(&mut self, at: usize, end: bool, well: bool) {
        let (key, number) = self.tasks[at];
        let poller = Poller::Background(number);
        let taken = self.change(|ledger, effects| ledger.take_job(key, poller, effects));
        if end || !matches!(taken, Take::Job(_)) {
            self.tasks.swap_remove(at);
        }
        if let Take::Job(job) = taken {
            self.step(job, end, well);
        }
    }

    pub(super) fn recycle_in_background(&mut self) {
        let claimed = self.change(|ledger, effects| ledger.claim_dirty(effects));
        self.tasks.extend(claimed);
    }

    /// Drives everything to its good end.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.recycle_in_background();
            for key in self.ledger.undriven() {
                self.spawn(key);
            }
            if !self.tasks.is_empty() {
                self.run_task(0, true, true);
            }
            for ticket in self.waiting.clone() {
                self.look(ticket, true, true);
            }
            self.release(Verdict::Reuse);
            if self.tasks.is_empty() && self.waiting.is_empty() && self.guards.is_empty() {
                return;
            }
        }
        let status = self.ledger.status();
        panic!("HANG: {status:?}, {} waiting", self.waiting.len());
    }
}

fn content(work: Work<Number, Option<Number>>) -> Option<Number> {
    match work {
        Work::Fresh(entry) | Work::Parked(entry) => entry,
        Work::Polled => unreachable!("a job is polled by one caller at a time"),
    }
}

/// A small random generator, so that a failure can be repeated by its seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub(super) fn millis(&mut self, below: usize) -> Duration {
        Duration::from_millis(self.roll(below) as u64)
    }
}
