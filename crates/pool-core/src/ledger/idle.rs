//! The idle list: the connections that nobody uses, their order, and which of them need a check, a recycle or a close.

mod govern;
mod times;

pub(super) use self::times::look_after;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::LedgerEntry;
use super::idle_clock::{ClockReading, IdleClock};
use crate::config::Config;
use crate::{CheckPolicy, IdleOrder};

/// The state of the connection that is next in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    /// It can be handed out.
    Ready,
    /// It has to be checked first.
    Suspect,
    /// It needs no check, but interceptors have to see it first.
    Intercepted,
    /// It has to be recycled first.
    Dirty,
    /// It has been idle for too long.
    Expired,
    /// Only with the present time this can be told.
    Unknown,
}

/// Connections, each with the sequence number of its return.
struct List<E>(VecDeque<(u64, E)>);

pub(super) struct IdleList<E> {
    /// Connections that can be handed out.
    clean: List<E>,
    sequence: u64,
    order: IdleOrder,
    check: CheckPolicy,
    /// Each connection needs a step before it is handed out: a check, or the interceptors.
    always_needs_step: bool,
    /// Interceptors have to see each connection before it is handed out.
    intercepts: bool,
    clock: IdleClock,
    pool_recycle: Option<Duration>,
    idle_timeout: Option<Duration>,
    keepalive: Option<Duration>,
    /// The largest number of idle connections.
    max_idle: Option<usize>,
    /// Idle times can be told by ticks.
    may_tick: bool,
    /// The shortest idle limit that a connection has brought along.
    shortest_own_limit: Option<Duration>,
    /// Connections whose recycle has not begun.
    dirty: List<E>,
}

impl<E: LedgerEntry> IdleList<E> {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            clean: List(VecDeque::new()),
            sequence: 0,
            order: config.idle_order,
            check: config.check_policy,
            always_needs_step: config.check_policy == CheckPolicy::Always,
            intercepts: false,
            clock: IdleClock::new(),
            pool_recycle: config.pool_recycle,
            idle_timeout: config.lifetimes.idle_timeout,
            keepalive: config.lifetimes.keepalive,
            max_idle: config.lifetimes.max_idle,
            may_tick: false,
            shortest_own_limit: None,
            dirty: List(VecDeque::new()),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.clean_len() + self.dirty_len()
    }

    #[inline]
    pub(super) fn clean_len(&self) -> usize {
        self.clean.0.len()
    }

    #[inline]
    pub(super) fn dirty_len(&self) -> usize {
        self.dirty.0.len()
    }

    #[inline]
    pub(super) fn always_needs_step(&self) -> bool {
        self.always_needs_step
    }

    /// The state of the connection that is next. Without `now` only a connection that came back after the last tick is
    /// known to be ready.
    #[inline]
    pub(super) fn next(&self, now: Option<Instant>, can_spawn: bool) -> Next {
        let is_dirty = self.dirty_is_next(can_spawn);
        match self.list(is_dirty).next(self.order) {
            None => Next::Nothing,
            Some((_, entry)) if !is_dirty && self.is_known_ready(entry) => Next::Ready,
            Some((_, entry)) => self.state_of(entry, is_dirty, now),
        }
    }

    /// Whether a clean connection can be handed out without a look at the time: it came back after the last tick, and
    /// not every connection needs a step.
    #[inline]
    fn is_known_ready(&self, entry: &E) -> bool {
        entry.idle_since().is_none() && !self.always_needs_step
    }

    /// As [`next`](Self::next), for a connection of which the time has to tell whether it is ready.
    #[inline(never)]
    fn state_of(&self, entry: &E, is_dirty: bool, now: Option<Instant>) -> Next {
        let Some(now) = now else {
            let time_matters = self.check != CheckPolicy::Never
                || self.keepalive.is_some()
                || self.idle_timeout.is_some()
                || self.limit_of(entry).is_some();
            return match time_matters || is_dirty || self.intercepts || !entry.marks().is_plain() {
                true => Next::Unknown,
                false => Next::Ready,
            };
        };
        let limit = self.limit_of(entry);
        if entry.marks().is_spent || limit.is_some_and(|limit| self.idle_for(entry, now) >= limit) {
            Next::Expired
        } else if is_dirty {
            Next::Dirty
        } else if self.is_suspect(entry, now) {
            Next::Suspect
        } else if self.intercepts {
            Next::Intercepted
        } else {
            Next::Ready
        }
    }

    /// Takes out the connection that is next, if it can be handed out as far as can be told.
    #[inline]
    pub(super) fn take_ready(&mut self, now: Option<Instant>, can_spawn: bool) -> Option<E> {
        if self.dirty_is_next(can_spawn) {
            return None;
        }
        let (_, entry) = self.clean.take(self.order)?;
        if self.is_known_ready(&entry) {
            return Some(entry);
        }
        self.take_unless_old(entry, now)
    }

    #[inline(never)]
    fn take_unless_old(&mut self, entry: E, now: Option<Instant>) -> Option<E> {
        if self.state_of(&entry, false, now) == Next::Ready {
            return Some(entry);
        }
        self.put_next(entry, false);
        None
    }

    /// Takes out the connection that is next.
    #[inline]
    pub(super) fn take(&mut self, can_spawn: bool) -> Option<E> {
        let order = self.order;
        let list = self.list_mut(self.dirty_is_next(can_spawn));
        list.take(order).map(|(_, entry)| entry)
    }

    /// Whether the next connection still has to be recycled.
    ///
    /// Where background tasks recycle, a clean one is preferred. Where the next acquire recycles, the order of return
    /// decides.
    #[inline]
    fn dirty_is_next(&self, can_spawn: bool) -> bool {
        if self.dirty.0.is_empty() {
            return false;
        }
        self.clean.0.is_empty() || (!can_spawn && self.dirty_came_first())
    }

    #[inline(never)]
    fn dirty_came_first(&self) -> bool {
        let sequence = |list: &List<E>| list.next(self.order).map(|(sequence, _)| *sequence);
        let (dirty, clean) = (sequence(&self.dirty), sequence(&self.clean));
        match self.order {
            IdleOrder::Fifo => dirty < clean,
            IdleOrder::Lifo => dirty > clean,
        }
    }

    #[inline]
    fn list(&self, is_dirty: bool) -> &List<E> {
        match is_dirty {
            true => &self.dirty,
            false => &self.clean,
        }
    }

    #[inline]
    fn list_mut(&mut self, is_dirty: bool) -> &mut List<E> {
        match is_dirty {
            true => &mut self.dirty,
            false => &mut self.clean,
        }
    }

    /// Adds a connection that came back, clean or to be recycled.
    #[inline]
    pub(super) fn push(&mut self, entry: E, is_dirty: bool) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.list_mut(is_dirty).0.push_back((sequence, entry));
    }

    /// Adds a connection in such a way that it is the next one of its list.
    pub(super) fn put_next(&mut self, entry: E, is_dirty: bool) {
        match self.order {
            IdleOrder::Fifo => self.list_mut(is_dirty).0.push_front((0, entry)),
            IdleOrder::Lifo => self.push(entry, is_dirty),
        }
    }

    /// Takes the connection that has waited longest for its recycle.
    pub(super) fn take_oldest_dirty(&mut self) -> Option<E> {
        self.dirty.0.pop_front().map(|(_, entry)| entry)
    }

    /// Takes all connections.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = E> + use<E> {
        let clean = std::mem::take(&mut self.clean.0);
        let all = clean.into_iter().chain(std::mem::take(&mut self.dirty.0));
        all.map(|(_, entry)| entry)
    }

    /// All connections of the list.
    pub(super) fn iter(&self) -> impl Iterator<Item = &E> {
        let all = self.clean.0.iter().chain(&self.dirty.0);
        all.map(|(_, entry)| entry)
    }

    /// Returns are timed by ticks from now on; `shortest` is the shortest idle limit that a setting names.
    pub(super) fn use_ticks(&mut self, shortest: Duration) {
        self.clock.use_ticks(shortest);
    }

    pub(super) fn next_tick(&self) -> Option<Instant> {
        self.clock.next_tick()
    }

    /// Starts the idle clock if it rests.
    pub(super) fn wind_clock(&mut self, now: ClockReading) {
        self.clock.wind(now);
    }

    /// Whether the idle clock has to be wound.
    #[inline]
    pub(super) fn clock_rests(&self) -> bool {
        self.clock.is_resting()
    }

    /// Whether the next return has to wind the idle clock, or its connection needs a step before the next hand-out.
    #[inline]
    pub(super) fn return_needs_time(&self) -> bool {
        self.clock_rests() || self.always_needs_step
    }

    /// Notes when a connection came back: its instant where the clock does not run, otherwise nothing.
    ///
    /// `Shared` decides the same for the fast case, before it takes the lock, because it must not read the clock in
    /// vain. The two differ where no setting depends on the idle time: there the fast case stores nothing.
    pub(super) fn note_return(&self, entry: &mut E, now: Instant) {
        let stamps = self.clock.last_tick().is_none();
        entry.set_idle_since(stamps.then_some(now));
    }

    /// A connection leaves the list, where the next tick would have found it.
    #[inline]
    pub(super) fn stamp(&self, entry: &mut E) {
        if entry.idle_since().is_none() {
            entry.set_idle_since(self.clock.last_tick());
        }
    }

    /// The idle clock ticks, if a tick is due: what came back since the last tick may have been idle since then.
    pub(super) fn tick(&mut self, due: Instant, now: ClockReading) {
        if self.clock.next_tick().is_some_and(|at| at <= due) {
            let any_fresh = self.stamp_all(self.clock.asleep_until(now));
            self.clock.ticked(now, any_fresh);
        }
    }

    /// The idle clock cannot tick: what came back since the last tick may have been idle since then.
    pub(super) fn stop_clock(&mut self) {
        self.stamp_all(Duration::ZERO);
        self.clock.stop();
    }

    /// Stores the last tick in what came back since. All are `asleep` longer idle. `true`: something came back.
    fn stamp_all(&mut self, asleep: Duration) -> bool {
        let last = self.clock.last_tick();
        let mut any_fresh = false;
        for (_, entry) in self.clean.0.iter_mut().chain(&mut self.dirty.0) {
            any_fresh |= entry.idle_since().is_none();
            let since = entry.idle_since().or(last);
            let earlier = since.and_then(|since| since.checked_sub(asleep));
            entry.set_idle_since(earlier.or(since));
        }
        any_fresh
    }
}

impl<E> List<E> {
    #[inline]
    fn next(&self, order: IdleOrder) -> Option<&(u64, E)> {
        match order {
            IdleOrder::Fifo => self.0.front(),
            IdleOrder::Lifo => self.0.back(),
        }
    }

    #[inline]
    fn take(&mut self, order: IdleOrder) -> Option<(u64, E)> {
        match order {
            IdleOrder::Fifo => self.0.pop_front(),
            IdleOrder::Lifo => self.0.pop_back(),
        }
    }
}
