//! The books: every count, who waits, what is idle, what is under way. Plain data.
//!
//! Nothing here locks, awaits, reads a clock or calls code that is not ours; time comes in as an argument, and what
//! is to be done once the lock is gone goes out as an [`After`]. So the rules can be read and tested as arithmetic.
//!
//! A place of the pool is always in exactly one of these hands: `idle`, `dirty`, an answer that lies ready for a
//! waiter, a job, or a guard outside (`held`).

mod after;
mod closing;
mod deadlines;
mod idle_clock;
mod settling;
mod shelves;
mod waiting;
mod working;

use std::collections::{HashMap, VecDeque};
use std::task::Waker;
use std::time::{Duration, Instant};

pub(crate) use self::after::{After, CalledOff, Chores};
pub(crate) use self::closing::Returned;
use self::idle_clock::IdleClock;
pub(crate) use self::settling::{Outcome, Settled};
pub(crate) use self::shelves::Tried;
pub(crate) use self::waiting::{Answer, Visit};
pub(crate) use self::working::{Parked, TakenWork};
use crate::config::Config;
use crate::jobs::{Jobs, Kind};
use crate::status::Count;
use crate::waiters::Waiters;
use crate::{AbortHandle, CheckPolicy, IdleOrder, Status};

/// What the books are about; the tests keep books about numbers.
pub(crate) trait Stock {
    type Entry: Item;
    type Job;
    type Failure;
}

/// What the books need to know of an entry.
pub(crate) trait Item {
    fn id(&self) -> u64;
    /// When it was last used (or connected, if it never was); `None`: since the last tick of the idle clock.
    fn idle_since(&self) -> Option<Instant>;
    fn set_idle_since(&mut self, since: Option<Instant>);
    /// For how long it may be idle, whatever the knobs say.
    fn idle_limit(&self) -> Option<Duration> {
        None
    }
}

/// How far the pool is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    Closing,
    Terminated,
}

/// The connections that are neither idle nor waiting for their recycle.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    held: usize,
    connecting: usize,
    checking: usize,
    recycling: usize,
    closing: usize,
}

impl Counts {
    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Connect => &mut self.connecting,
            Kind::Check => &mut self.checking,
            Kind::Recycle => &mut self.recycling,
            Kind::Close => &mut self.closing,
        }
    }

    fn total(&self) -> usize {
        self.held + self.connecting + self.checking + self.recycling + self.closing
    }
}

/// Entries that nobody uses, each with its turn.
type Shelf<E> = VecDeque<(u64, E)>;

/// In this order, so that what every acquire and release touches lies together.
#[repr(C)]
pub(crate) struct Ledger<S: Stock> {
    stage: Stage,
    order: IdleOrder,
    /// Whether background tasks can be had; learnt from the first refusal.
    spawns: bool,
    /// Whether upkeep wants to hear of the next idle entry.
    upkeep_wants_idle: bool,
    waiters: Waiters<Answer<S>>,
    counts: Counts,
    limit: usize,
    /// Clean entries, by the turn of their return.
    idle: Shelf<S::Entry>,
    turns: u64,
    minsize: usize,
    idle_clock: IdleClock,
    check: CheckPolicy,
    recycle_after: Option<Duration>,
    /// Whether there was an entry with an idle limit of its own.
    has_idle_limits: bool,
    /// For when the timer of the waiters is set.
    timer_at: Option<Instant>,
    /// Returned entries whose recycle has not begun; whoever needs one takes it.
    dirty: Shelf<S::Entry>,
    jobs: Jobs<S::Entry, S::Job>,
    maxsize: usize,
    /// The steps that have a deadline.
    limited: Vec<Kind>,
    /// Whether the last `Pool` is gone, so that nobody can wait for the end any more.
    orphaned: bool,
    /// How many background tasks there have been; their numbers.
    visitors: u64,
    /// Whether a background task is to come for the next dirty entry.
    coming: bool,
    /// How many `wait_closed` are under way.
    closers: usize,
    aborts: HashMap<u64, AbortHandle>,
    /// How often `clear` was called: what was being recycled then is closed afterwards.
    clears: u64,
    /// After a failed background connect: not before this.
    fill_after: Option<Instant>,
    fill_failures: u32,
    /// The upkeep task, while it sleeps.
    upkeep: Option<Waker>,
}

/// The steps that have a deadline.
fn limited(config: &Config) -> Vec<Kind> {
    [
        (Kind::Connect, config.connect_timeout),
        (Kind::Check, config.check_timeout),
        (Kind::Recycle, config.recycle_timeout),
        (Kind::Close, config.close_timeout),
    ]
    .into_iter()
    .filter(|(_, limit)| limit.is_some())
    .map(|(kind, _)| kind)
    .collect()
}

impl<S: Stock> Ledger<S> {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            minsize: config.minsize,
            maxsize: config.maxsize,
            limit: config.limit(),
            order: config.idle_order,
            check: config.check_policy,
            recycle_after: config.pool_recycle,
            has_idle_limits: false,
            limited: limited(config),
            idle_clock: IdleClock::new(),
            stage: Stage::Open,
            orphaned: false,
            spawns: true,
            visitors: 0,
            coming: false,
            closers: 0,
            idle: VecDeque::new(),
            dirty: VecDeque::new(),
            turns: 0,
            counts: Counts::default(),
            waiters: Waiters::new(),
            jobs: Jobs::new(),
            aborts: HashMap::new(),
            clears: 0,
            fill_after: None,
            fill_failures: 0,
            upkeep: None,
            upkeep_wants_idle: false,
            timer_at: None,
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// All connections: free, used and connecting.
    pub(crate) fn size(&self) -> usize {
        self.idle.len() + self.dirty.len() + self.counts.total()
    }

    /// How many connections are missing for minsize; those that are being closed are as good as gone.
    fn missing(&self) -> usize {
        let staying = self.size() - self.counts.closing;
        let wanted = self.minsize.saturating_sub(staying);
        wanted.min(self.limit - self.size())
    }

    pub(crate) fn status(&self) -> Status {
        // Where a background task comes for them they are on their way, else they wait for the next acquire.
        let (free, underway) = match self.spawns {
            true => (0, self.dirty.len()),
            false => (self.dirty.len(), 0),
        };
        Status {
            freesize: Count::of(self.idle.len() + free),
            held: Count::of(self.counts.held),
            checking: Count::of(self.counts.checking),
            recycling: Count::of(self.counts.recycling + underway),
            closing: Count::of(self.counts.closing),
            connecting: Count::of(self.counts.connecting),
            waiting: Count::of(self.waiters.queued()),
            minsize: self.minsize,
            maxsize: self.maxsize,
        }
    }

    /// Background tasks cannot be had.
    pub(crate) fn cannot_spawn(&mut self) {
        self.spawns = false;
    }

    pub(crate) fn can_spawn(&self) -> bool {
        self.spawns
    }

    /// The fast way out: an idle entry that needs nothing, if nobody waits and there is nothing else to do.
    ///
    /// `now` may be left out where no knob depends on the idle time.
    #[inline]
    pub(crate) fn take_ready(&mut self, now: Option<Instant>) -> Option<S::Entry> {
        let quiet = self.stage == Stage::Open
            && self.waiters.queued() == 0
            && self.jobs.untended() == 0
            && (self.spawns || self.dirty.is_empty())
            // Nearly always enough to know that nothing is missing.
            && (self.idle.len() + self.counts.held >= self.minsize || self.is_complete());
        if !quiet {
            return None;
        }
        let (turn, entry) = match self.order {
            IdleOrder::Fifo => self.idle.pop_front()?,
            IdleOrder::Lifo => self.idle.pop_back()?,
        };
        // One that came back since the last tick is neither too old nor to be checked.
        let fresh = entry.idle_since().is_none() && self.check != CheckPolicy::Always;
        if !fresh {
            return self.take_unless_old(turn, entry, now);
        }
        self.counts.held += 1;
        Some(entry)
    }

    /// Whether nothing is missing for minsize.
    #[inline(never)]
    fn is_complete(&self) -> bool {
        self.missing() == 0
    }

    #[inline(never)]
    fn take_unless_old(
        &mut self,
        turn: u64,
        entry: S::Entry,
        now: Option<Instant>,
    ) -> Option<S::Entry> {
        if self.is_expired(&entry, now) || self.is_suspect(&entry, now) {
            match self.order {
                IdleOrder::Fifo => self.idle.push_front((turn, entry)),
                IdleOrder::Lifo => self.idle.push_back((turn, entry)),
            }
            return None;
        }
        self.counts.held += 1;
        Some(entry)
    }

    /// The fast way back for a clean entry: onto the shelf, or straight to the first waiter, whose waker comes out.
    ///
    /// # Errors
    ///
    /// Gives the entry back where more than that is to be done.
    #[inline]
    pub(crate) fn give_ready(&mut self, entry: S::Entry) -> Result<Option<Waker>, S::Entry> {
        if self.stage != Stage::Open || self.upkeep_wants_idle || self.idle_clock.must_be_wound() {
            return Err(entry);
        }
        if self.waiters.queued() == 0 {
            self.counts.held -= 1;
            self.turns += 1;
            self.idle.push_back((self.turns, entry));
            return Ok(None);
        }
        self.hand_over(entry)
    }

    /// Straight to the first waiter, if nothing is under way for anybody that would have to be left to somebody else.
    #[inline(never)]
    fn hand_over(&mut self, mut entry: S::Entry) -> Result<Option<Waker>, S::Entry> {
        if self.check == CheckPolicy::Always {
            return Err(entry);
        }
        self.stamp(&mut entry);
        match self.waiters.serve_first(Answer::Entry(entry)) {
            Ok(waker) => Ok(waker),
            Err(Answer::Entry(entry)) => Err(entry),
            Err(_) => unreachable!("what is given back is what was given"),
        }
    }

    fn is_expired(&self, entry: &S::Entry, now: Option<Instant>) -> bool {
        self.idle_limit(entry)
            .is_some_and(|limit| self.was_idle(entry, limit, now))
    }

    /// For how long the entry may be idle before it expires.
    fn idle_limit(&self, entry: &S::Entry) -> Option<Duration> {
        match (self.recycle_after, entry.idle_limit()) {
            (Some(knob), Some(own)) => Some(knob.min(own)),
            (knob, own) => knob.or(own),
        }
    }

    /// Whether the entry is to be checked before it is handed out.
    fn is_suspect(&self, entry: &S::Entry, now: Option<Instant>) -> bool {
        match self.check {
            CheckPolicy::Always => true,
            CheckPolicy::IdleFor(limit) => self.was_idle(entry, limit, now),
            CheckPolicy::Never => false,
        }
    }

    fn shelve_idle(&mut self, entry: S::Entry, after: &mut After<S>) {
        self.turns += 1;
        self.idle.push_back((self.turns, entry));
        if self.upkeep_wants_idle {
            self.wake_upkeep(after);
        }
    }

    /// Puts an entry back onto the shelf in such a way that it is the next one to be taken.
    fn put_next(&mut self, entry: S::Entry) {
        match self.order {
            IdleOrder::Fifo => self.idle.push_front((0, entry)),
            IdleOrder::Lifo => {
                self.turns += 1;
                self.idle.push_back((self.turns, entry));
            }
        }
    }

    fn shelve_dirty(&mut self, entry: S::Entry, after: &mut After<S>) {
        self.turns += 1;
        self.dirty.push_back((self.turns, entry));
        self.call_for_recycle(after);
        if self.upkeep_wants_idle {
            self.wake_upkeep(after);
        }
    }

    /// Sees to it that a background task comes for the entries that wait for their recycle.
    ///
    /// One at a time: it calls the next when it comes. Under load most entries are taken by an acquire before.
    pub(super) fn call_for_recycle(&mut self, after: &mut After<S>) {
        if self.spawns && !self.coming && !self.dirty.is_empty() {
            self.coming = true;
            after.recycle = true;
        }
    }

    /// Lets upkeep know that there is something to do.
    fn wake_upkeep(&mut self, after: &mut After<S>) {
        self.upkeep_wants_idle = false;
        if let Some(waker) = self.upkeep.take() {
            after.wake(waker);
        }
    }

    /// A connection is gone for good: forget its abort handle, see whether the pool is now too small.
    fn departed(&mut self, id: Option<u64>, after: &mut After<S>) {
        if let Some(handle) = id.and_then(|id| self.aborts.remove(&id)) {
            after.chores().handles.push(handle);
        }
        match self.stage {
            Stage::Open if self.missing() > 0 => self.wake_upkeep(after),
            Stage::Open => {}
            Stage::Closing | Stage::Terminated => after.closing |= self.size() == 0,
        }
    }
}

#[cfg(test)]
mod tests;
