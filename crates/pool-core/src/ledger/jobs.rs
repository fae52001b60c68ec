//! All jobs, as plain data.
//!
//! A job owns one place of the pool from its start until it is settled. It does not belong to the task that polls it:
//! between two polls its future is stored here, so the task may vanish at any time.

use std::collections::HashMap;
use std::task::Waker;
use std::time::{Duration, Instant};

use slotmap::{DefaultKey, SlotMap};

use super::connections::ConnectionKey;
use super::job::{Driver, Job, JobKey, Kind, Poller, Take, TakenJob, Work};
use super::queue::Ticket;
use super::{LedgerTypes, Settled};
use crate::CloseReason;

/// All jobs, and among them those that a waiter may take over.
pub(super) struct Jobs<T: LedgerTypes> {
    running: SlotMap<DefaultKey, Job<T>>,
    /// How jobs have ended whose owner has not heard of it yet. By then, another job may have their slots.
    ended: HashMap<DefaultKey, Settled<T>>,
    counts: [usize; 4],
    undriven: usize,
    /// The connects, and all other jobs, that no waiter drives and nobody polls.
    adoptable: [Vec<JobKey>; 2],
}

impl<T: LedgerTypes> Jobs<T> {
    pub(super) fn new() -> Self {
        Self {
            running: SlotMap::new(),
            ended: HashMap::new(),
            counts: [0; 4],
            undriven: 0,
            adoptable: [Vec::new(), Vec::new()],
        }
    }

    /// The number of jobs of this kind.
    #[inline]
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.counts[kind as usize]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The number of jobs that nobody drives.
    #[inline]
    pub(super) fn undriven_count(&self) -> usize {
        self.undriven
    }

    /// Whether a waiter drives each job, or somebody polls it.
    #[inline]
    pub(super) fn none_can_be_taken(&self) -> bool {
        self.undriven == 0 && self.adoptable.iter().all(Vec::is_empty)
    }

    pub(super) fn get(&self, key: JobKey) -> Option<&Job<T>> {
        self.running.get(key.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (JobKey, &Job<T>)> {
        self.running.iter().map(|(key, job)| (JobKey(key), job))
    }

    pub(super) fn insert(
        &mut self,
        kind: Kind,
        entry: Option<T::Entry>,
        connection: Option<ConnectionKey>,
        driver: Driver,
        clears: u64,
    ) -> JobKey {
        self.counts[kind as usize] += 1;
        self.undriven += usize::from(driver == Driver::Nobody);
        let key = JobKey(self.running.insert(Job {
            kind,
            work: Work::Fresh(entry),
            driver,
            background: None,
            is_owned: false,
            owner: None,
            was_adopted: false,
            is_cancelled: false,
            was_woken: false,
            limit: None,
            deadline: None,
            clears,
            connection,
            sequence: None,
            reason: None,
            spot: None,
        }));
        self.update_list(key);
        key
    }

    /// Changes the driver. The waker of a background task that loses the job comes out.
    pub(super) fn set_driver(&mut self, key: JobKey, driver: Driver) -> Option<Waker> {
        let job = self.running.get_mut(key.0)?;
        let old = std::mem::replace(&mut job.driver, driver);
        self.undriven -= usize::from(old == Driver::Nobody);
        self.undriven += usize::from(driver == Driver::Nobody);
        let background = job.background.take();
        self.update_list(key);
        background
    }

    /// A waiter takes the job over. The waker of a background task that loses the job comes out.
    pub(super) fn adopt(&mut self, key: JobKey, ticket: Ticket) -> Option<Waker> {
        self.running.get_mut(key.0)?.was_adopted = true;
        self.set_driver(key, Driver::Waiter(ticket))
    }

    /// The verb that started the job wants to know how it ends, or does not any more. Its waker comes out.
    pub(super) fn set_owned(&mut self, key: JobKey, is_owned: bool) -> Option<Waker> {
        let job = self.running.get_mut(key.0)?;
        job.is_owned = is_owned;
        job.owner.take()
    }

    /// Stores the waker of the verb that started the job. The old one comes out.
    pub(super) fn set_owner(&mut self, key: JobKey, waker: Option<Waker>) -> Option<Waker> {
        let job = self.running.get_mut(key.0)?;
        std::mem::replace(&mut job.owner, waker)
    }

    /// Takes the wakers of the background task that drives the job and of the verb that started it.
    pub(super) fn take_wakers(&mut self, key: JobKey) -> impl Iterator<Item = Waker> + use<T> {
        let job = self.running.get_mut(key.0);
        let wakers = job.map(|job| [job.background.take(), job.owner.take()]);
        wakers.into_iter().flatten().flatten()
    }

    /// The job's waker was called. While the job is being polled, this has to be said again when it is put back.
    pub(super) fn note_wake(&mut self, key: JobKey) {
        if let Some(job) = self.running.get_mut(key.0) {
            job.was_woken = job.is_polled();
        }
    }

    /// Whether the job's waker was called during its last poll.
    pub(super) fn take_wake(&mut self, key: JobKey) -> bool {
        let job = self.running.get_mut(key.0);
        job.is_some_and(|job| std::mem::take(&mut job.was_woken))
    }

    /// Takes the work out, to be polled, unless somebody else polls it.
    pub(super) fn take(&mut self, key: JobKey, poller: Poller) -> Take<T> {
        let Some(job) = self.running.get_mut(key.0).filter(|job| !job.is_polled()) else {
            return Take::Busy;
        };
        let (kind, connection, limit) = (job.kind, job.connection, job.limit);
        let is_shared = job.is_owned && job.is_driven_by_waiter();
        let work = std::mem::replace(&mut job.work, Work::Polled);
        self.update_list(key);
        Take::Job(TakenJob {
            key,
            kind,
            connection,
            work,
            poller,
            is_shared,
            limit,
        })
    }

    /// Puts polled work back, with the waker of its background task or of the verb that started it. The old waker comes
    /// out.
    pub(super) fn park(
        &mut self,
        key: JobKey,
        work: T::Future,
        poller: Poller,
        waker: Option<Waker>,
    ) -> Option<Waker> {
        let job = self.running.get_mut(key.0)?;
        job.work = Work::Parked(work);
        let mut stale = waker;
        match poller {
            Poller::Background(number) if job.driver == Driver::Background(number) => {
                std::mem::swap(&mut job.background, &mut stale);
            }
            Poller::Owner | Poller::Ping => std::mem::swap(&mut job.owner, &mut stale),
            _ => {}
        }
        self.update_list(key);
        stale
    }

    /// The step of the job begins now, if it has not begun: by its kind, how long it may take.
    pub(super) fn note_limit(&mut self, key: JobKey, limits: [Option<Duration>; 4]) {
        if let Some(job) = self.running.get_mut(key.0).filter(|job| job.is_fresh()) {
            job.limit = limits[job.kind as usize];
        }
    }

    /// The step of the job waits: when its time is over. It is noted at its first wait.
    pub(super) fn deadline(&mut self, key: JobKey, now: Instant) -> Option<Instant> {
        let job = self.running.get_mut(key.0)?;
        if job.deadline.is_none() {
            job.deadline = now.checked_add(job.limit?);
        }
        job.deadline
    }

    /// The jobs whose steps are out of time, and when the next one will be.
    pub(super) fn out_of_time(&self, now: Instant) -> (Vec<JobKey>, Option<Instant>) {
        let timed = self.running.iter();
        let timed = timed.filter_map(|(key, job)| Some((JobKey(key), job.deadline?)));
        let (due, later): (Vec<_>, Vec<_>) = timed.partition(|(_, at)| *at <= now);
        let next = later.into_iter().map(|(_, at)| at).min();
        (due.into_iter().map(|(key, _)| key).collect(), next)
    }

    /// Notes why the job closes its connection.
    pub(super) fn set_reason(&mut self, key: JobKey, reason: CloseReason) {
        if let Some(job) = self.running.get_mut(key.0) {
            job.reason = Some(reason);
        }
    }

    /// Whether the job is a connect that has not begun.
    pub(super) fn begins_connect(&self, key: JobKey) -> bool {
        self.get(key)
            .is_some_and(|job| job.connection.is_none() && job.is_fresh())
    }

    /// A connect begins: its connection to be.
    pub(super) fn set_connection(&mut self, key: JobKey, connection: ConnectionKey) {
        if let Some(job) = self.running.get_mut(key.0) {
            job.connection = Some(connection);
        }
    }

    /// The check keeps an idle connection alive that goes back to this place in the order.
    pub(super) fn set_sequence(&mut self, key: JobKey, sequence: u64) {
        if let Some(job) = self.running.get_mut(key.0) {
            job.sequence = Some(sequence);
        }
    }

    /// Notes that the job is to be dropped when its present poll returns.
    pub(super) fn cancel_after_poll(&mut self, key: JobKey, reason: CloseReason) {
        if let Some(job) = self.running.get_mut(key.0) {
            job.is_cancelled = true;
            job.reason.get_or_insert(reason);
        }
    }

    pub(super) fn remove(&mut self, key: JobKey) -> Option<Job<T>> {
        self.set_adoptable(key, false);
        let job = self.running.remove(key.0)?;
        self.counts[job.kind as usize] -= 1;
        self.undriven -= usize::from(job.driver == Driver::Nobody);
        Some(job)
    }

    /// Keeps how a job has ended for the verb that started it.
    pub(super) fn keep_end(&mut self, key: JobKey, settled: Settled<T>) {
        self.ended.insert(key.0, settled);
    }

    /// How a job has ended, for the verb that started it.
    pub(super) fn take_end(&mut self, key: JobKey) -> Option<Settled<T>> {
        self.ended.remove(&key.0)
    }

    /// A connect that a waiter may take over.
    pub(super) fn adoptable_connect(&self) -> Option<JobKey> {
        self.adoptable[0].last().copied()
    }

    /// A connect that no waiter drives, nobody polls, and no verb wants to hear of.
    pub(super) fn unowned_connect(&self) -> Option<JobKey> {
        let mut connects = self.adoptable[0].iter().copied();
        connects.find(|key| !self.running[key.0].is_owned)
    }

    /// Any other job that a waiter may take over.
    pub(super) fn adoptable_other(&self) -> Option<JobKey> {
        self.adoptable[1].last().copied()
    }

    /// All jobs that may be taken over.
    pub(super) fn all_adoptable(&self) -> Vec<JobKey> {
        self.adoptable.concat()
    }

    /// The jobs that nobody drives and nobody polls.
    pub(super) fn undriven(&self) -> Vec<JobKey> {
        if self.undriven == 0 {
            return Vec::new();
        }
        let is_undriven = |key: &JobKey| self.running[key.0].driver == Driver::Nobody;
        let all = self.adoptable.iter().flatten().copied();
        all.filter(is_undriven).collect()
    }

    /// Puts the job into the list of the adoptable ones, or takes it out, as its state requires.
    fn update_list(&mut self, key: JobKey) {
        let job = &self.running[key.0];
        let is_adoptable = !job.is_driven_by_waiter() && !job.is_polled();
        self.set_adoptable(key, is_adoptable);
    }

    fn set_adoptable(&mut self, key: JobKey, is_adoptable: bool) {
        let Some(job) = self.running.get_mut(key.0) else {
            return;
        };
        let list = &mut self.adoptable[usize::from(job.kind != Kind::Connect)];
        match job.spot {
            None if is_adoptable => {
                job.spot = Some(list.len());
                list.push(key);
            }
            Some(spot) if !is_adoptable => {
                job.spot = None;
                list.swap_remove(spot);
                if let Some(moved) = list.get(spot).copied() {
                    self.running[moved.0].spot = Some(spot);
                }
            }
            _ => {}
        }
    }
}
