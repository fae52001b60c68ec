//! The world around a ledger in its unit tests: guards, waiters, and what is carried out after a change.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Instant, SystemTime};

use super::plain::{Number, Plain};
use crate::borrowed::Borrower;
use crate::config::Config;
use crate::ledger::{
    Answer, ClockReading, Deadline, Effects, Found, JobKey, Judgement, Kind, Ledger, Marks,
    Outcome, Poller, Returned, Settled, StepReport, Take, TakenJob, Ticket, Work,
};
use crate::{AbortHandle, CloseReason, ErrorClass, Priority, Verdict};

/// Counts the wake-ups of all waiters.
#[derive(Default)]
pub(super) struct Wakes(pub(super) AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A ledger together with the world around it.
pub(super) struct World {
    pub(super) ledger: Ledger<Plain>,
    pub(super) now: Instant,
    start: ClockReading,
    made: u64,
    pub(super) waker: Waker,
    pub(super) wakes: Arc<Wakes>,
    pub(super) guards: Vec<Number>,
    pub(super) waiting: Vec<Ticket>,
    /// The background tasks: their jobs and their numbers.
    pub(super) tasks: Vec<(JobKey, u64)>,
    /// The fast cases are tried first, as the verbs do.
    pub(super) tries_fast: bool,
    /// Whether the waiter that joined last could only wait, and whether the timer had to be set for it.
    pub(super) last_joined: Option<(bool, bool)>,
    /// The class of all failed connects.
    pub(super) failure_class: ErrorClass,
}

impl World {
    pub(super) fn new(minsize: usize, maxsize: usize) -> Self {
        let config = Config {
            minsize,
            maxsize,
            ..Config::default()
        };
        let start = ClockReading {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        Self::with(&config, start)
    }

    pub(super) fn with(config: &Config, start: ClockReading) -> Self {
        let wakes = Arc::new(Wakes::default());
        Self {
            ledger: Ledger::new(config),
            now: start.instant,
            start,
            made: 0,
            waker: Waker::from(Arc::clone(&wakes)),
            wakes,
            guards: Vec::new(),
            waiting: Vec::new(),
            tasks: Vec::new(),
            tries_fast: true,
            last_joined: None,
            failure_class: ErrorClass::Transient,
        }
    }

    /// The present by both clocks.
    pub(super) fn reading(&self) -> ClockReading {
        ClockReading {
            instant: self.now,
            wall: self.start.wall + (self.now - self.start.instant),
        }
    }

    pub(super) fn take_ready(&mut self, now: Option<Instant>) -> Option<Number> {
        self.ledger.take_ready(now, &mut borrower())
    }

    pub(super) fn fill_by_verb(&mut self) -> Vec<JobKey> {
        self.ledger.fill_by_verb(usize::MAX, self.now)
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
        effects.waker.into_iter().for_each(Waker::wake);
        if effects.sets_timer {
            self.ledger.timer_to_set();
        }
        let Some(rare) = effects.rare else {
            return;
        };
        rare.wakers.into_iter().for_each(Waker::wake);
        rare.aborts.into_iter().for_each(AbortHandle::abort);
        for departing in rare.departing {
            self.change(|ledger, effects| ledger.dropped(departing.exit, effects));
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
        self.join_queue(None).expect("the pool is open")
    }

    /// Joins the queue, if the pool is open. Without the fast cases, the general way finds that there is nothing to do.
    pub(super) fn join_queue(&mut self, deadline: Option<Instant>) -> Option<Ticket> {
        let noted = deadline.map(|at| Deadline {
            at,
            is_of_pool: true,
        });
        let (waker, priority) = (self.waker.clone(), Priority::Normal);
        let queued = self.ledger.enqueue(waker, noted, priority, self.now);
        let mut queued = queued.ok()?;
        if !(queued.only_waits && self.tries_fast) {
            let was_set = queued.set_timer;
            let ticket = queued.ticket;
            let start = self.change(|ledger, effects| ledger.start_for(ticket, deadline, effects));
            queued = start.ok()?;
            queued.set_timer |= was_set;
        }
        self.last_joined = Some((queued.only_waits, queued.set_timer));
        self.waiting.push(queued.ticket);
        Some(queued.ticket)
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
                let key = job
                    .connection
                    .expect("a connect that has begun has a number");
                Outcome::Ready(Number(key, Some(self.now), Marks::default()), None)
            }
            (_, Some(entry)) if well => Outcome::Ready(entry, None),
            (_, Some(entry)) => Outcome::Broken {
                entry,
                failure: "broken",
                can_close: self.made % 2 == 0,
            },
            (_, None) => Outcome::NotConnected {
                failure: "refused",
                class: self.failure_class,
                may_repeat: true,
            },
        };
        let (key, poller) = (job.key, job.poller);
        let settled = self.change(|ledger, effects| {
            let report = StepReport::of_success(None);
            ledger.settle(key, poller, outcome, report, effects)
        });
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
        if let Some(answered) = self.ledger.take_answer(ticket, &mut borrower()) {
            return Found::Answered(answered);
        }
        let waker = Some(&self.waker);
        match self.ledger.find_work(ticket, None, None, waker) {
            Found::StoreWaker => {
                self.ledger.set_waker(ticket, self.waker.clone());
                self.ledger.find_for(ticket, None, None, &mut borrower())
            }
            found => found,
        }
    }

    pub(super) fn give_back_awaited(&mut self, entry: Number, verdict: Verdict) -> Returned<Plain> {
        let judgement = Judgement::of(verdict, CloseReason::Discarded);
        self.change(|ledger, effects| ledger.give_back_awaited(entry, judgement, effects))
    }

    /// One look of a waiter: its answer, or a poll of its job.
    pub(super) fn look(&mut self, ticket: Ticket, end: bool, well: bool) {
        match self.poll(ticket) {
            Found::Answered(answered) => {
                self.waiting.retain(|other| *other != ticket);
                if let Answer::Entry(entry) = answered.answer {
                    self.guards.push(entry);
                }
                if answered.undriven {
                    self.hand_on_undriven();
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

    /// An acquire that leaves with its answer polls the jobs that nobody drives.
    fn hand_on_undriven(&mut self) {
        for key in self.ledger.undriven() {
            self.poll_as(Poller::Helper(None), key, false, true);
        }
        self.change(|ledger, effects| ledger.drive_undriven(effects));
    }

    /// Polls a job as this poller, if it may.
    pub(super) fn poll_as(&mut self, poller: Poller, key: JobKey, end: bool, well: bool) {
        let taken = self.change(|ledger, effects| ledger.take_job(key, poller, effects));
        if let Take::Job(job) = taken {
            self.step(job, end, well);
        }
    }

    /// Drops a guard as `PooledConnection` does: the fast case first.
    pub(super) fn release(&mut self, verdict: Verdict) {
        self.release_at(verdict, Some(self.now));
    }

    /// `now` is for the fast case.
    pub(super) fn release_at(&mut self, verdict: Verdict, now: Option<Instant>) {
        let Some(entry) = self.guards.pop() else {
            return;
        };
        let given = match self.tries_fast {
            true => self.release_fast(entry, verdict, now),
            false => Err(entry),
        };
        if let Err(entry) = given {
            let judgement = Judgement::of(verdict, CloseReason::Discarded);
            self.change(|ledger, effects| ledger.give_back(entry, judgement, effects));
            if self.ledger.idle_clock_rests() {
                self.ledger.wind_idle_clock(self.reading());
            }
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

    /// Acquires as `Acquire` does in its first poll: the fast case first. `now` is for the fast case.
    pub(super) fn acquire_fast(&mut self, now: Option<Instant>, deadline: Option<Instant>) {
        if self.tries_fast {
            if let Some(mut entry) = self.take_ready(now) {
                // The general way does this, too. It makes no difference while a connection is held.
                self.ledger.idle.stamp(&mut entry);
                self.last_joined = None;
                return self.guards.push(entry);
            }
        }
        match self.join_queue(deadline) {
            Some(ticket) if self.ledger.queue.is_answered(ticket) => {
                self.last_joined = None;
                self.look(ticket, true, true);
            }
            _ => {}
        }
    }

    /// The timer strikes if it is due. Whoever it has woken sets it again.
    pub(super) fn strike_timer(&mut self) {
        if self.ledger.timer_at().is_some_and(|at| at <= self.now) {
            let reading = self.reading();
            self.change(|ledger, effects| ledger.timer_struck(Some(reading), effects));
            self.ledger.timer_to_set();
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

/// Somebody who acquires.
fn borrower() -> Borrower {
    Borrower::new(Location::caller())
}

fn content(work: Work<Number, Option<Number>>) -> Option<Number> {
    match work {
        Work::Fresh(entry) | Work::Parked(entry) => entry,
        Work::Polled => unreachable!("a job is polled by one caller at a time"),
    }
}
