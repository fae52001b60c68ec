//! What the verbs that govern a pool do to the idle list.

use std::time::{Duration, Instant};

use super::{IdleList, LedgerEntry};
use crate::CheckPolicy;
use crate::config::Config;
use crate::ledger::idle_clock::IdleClock;
use crate::ledger::{ConnectionKey, Marks};

impl<E: LedgerEntry> IdleList<E> {
    /// Takes out the connection that came back first of all, clean or to be recycled.
    pub(in crate::ledger) fn take_oldest(&mut self) -> Option<E> {
        let came = |list: &super::List<E>| list.0.front().map(|(sequence, _)| *sequence);
        let dirty_is_older = match (came(&self.clean), came(&self.dirty)) {
            (Some(clean), Some(dirty)) => dirty < clean,
            (clean, _) => clean.is_none(),
        };
        let list = self.list_mut(dirty_is_older);
        list.0.pop_front().map(|(_, entry)| entry)
    }

    /// Takes out the connections that are meant.
    pub(in crate::ledger) fn take_where(&mut self, is_meant: impl Fn(&E) -> bool) -> Vec<E> {
        let mut taken = Vec::new();
        for is_dirty in [false, true] {
            let list = std::mem::take(&mut self.list_mut(is_dirty).0);
            for (sequence, entry) in list {
                match is_meant(&entry) {
                    true => taken.push(entry),
                    false => self.list_mut(is_dirty).0.push_back((sequence, entry)),
                }
            }
        }
        taken
    }

    /// All connections, each with how long it has been idle.
    pub(in crate::ledger) fn iter_idle_for(
        &self,
        now: Instant,
    ) -> impl Iterator<Item = (&E, Duration)> {
        self.iter()
            .map(move |entry| (entry, self.idle_for(entry, now)))
    }

    pub(in crate::ledger) fn intercept(&mut self) {
        (self.intercepts, self.always_needs_step) = (true, true);
    }

    pub(in crate::ledger) fn intercepts(&self) -> bool {
        self.intercepts
    }

    /// The settings have changed. `ticks`: returns are timed by ticks, not by their instants.
    ///
    /// `true`: from now on the instant of each return is needed.
    pub(in crate::ledger) fn reconfigured(
        &mut self,
        config: &Config,
        ticks: bool,
        now: Instant,
    ) -> bool {
        let was_timed = self.is_timed();
        self.order = config.idle_order;
        self.check = config.check_policy;
        self.always_needs_step = self.intercepts || self.check == CheckPolicy::Always;
        self.pool_recycle = config.pool_recycle;
        self.idle_timeout = config.lifetimes.idle_timeout;
        self.keepalive = config.lifetimes.keepalive;
        self.max_idle = config.lifetimes.max_idle;
        let own = self.shortest_own_limit;
        let shortest = config.shortest_idle_limit().into_iter().chain(own).min();
        if ticks {
            // What came back since the last tick gets its instant, and the next return starts the new ticks.
            self.stop_clock();
            self.clock.use_ticks_of(shortest);
        }
        let Some(shortest) = shortest.filter(|_| !was_timed) else {
            return false;
        };
        for (_, entry) in self.clean.0.iter_mut().chain(&mut self.dirty.0) {
            if entry.idle_since().is_some() {
                continue;
            }
            // Nobody has noted when it came back: it counts as idle for as long as any limit, as far as the clock reaches.
            let limits = [
                Some(shortest),
                config.pool_recycle,
                config.lifetimes.idle_timeout,
                config.lifetimes.keepalive,
                entry.idle_limit(),
            ];
            let longest = limits.into_iter().flatten().max();
            let since = longest.and_then(|longest| now.checked_sub(longest));
            let since = since.or(now.checked_sub(shortest)).unwrap_or(now);
            entry.set_idle_since(Some(since));
        }
        !ticks
    }

    /// Whether something depends on the idle time.
    pub(in crate::ledger) fn is_timed(&self) -> bool {
        self.checks_suspects()
            || self.pool_recycle.is_some()
            || self.idle_timeout.is_some()
            || self.keepalive.is_some()
            || self.shortest_own_limit.is_some()
    }

    /// Whether connections are checked that are suspect for another reason than the time.
    pub(in crate::ledger) fn checks_suspects(&self) -> bool {
        matches!(self.check, CheckPolicy::IdleFor(_))
    }

    pub(in crate::ledger) fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeout
    }

    pub(in crate::ledger) fn keepalive(&self) -> Option<Duration> {
        self.keepalive
    }

    pub(in crate::ledger) fn max_idle(&self) -> Option<usize> {
        self.max_idle
    }

    /// Whether more connections are idle than may be.
    pub(in crate::ledger) fn has_too_many(&self) -> bool {
        self.max_idle.is_some_and(|most| self.len() > most)
    }

    /// Whether the connection that is next has been idle for `idle_timeout`.
    pub(in crate::ledger) fn next_is_unneeded(&self, now: Instant, can_spawn: bool) -> bool {
        self.idle_timeout.is_some_and(|limit| {
            let list = self.list(self.dirty_is_next(can_spawn));
            let next = list.next(self.order);
            next.is_some_and(|(_, entry)| self.idle_for(entry, now) >= limit)
        })
    }

    /// Lets somebody mark each connection. Those with a mark are not ready any more without a look at them.
    pub(in crate::ledger) fn mark(
        &mut self,
        now: Instant,
        mut mark: impl FnMut(ConnectionKey, &mut Marks),
    ) {
        let clock = &self.clock;
        for (_, entry) in self.clean.0.iter_mut().chain(&mut self.dirty.0) {
            let key = entry.key();
            mark(key, entry.marks_mut());
            stamp_marked(clock, entry, now);
        }
    }

    /// No connection is suspect any more.
    pub(in crate::ledger) fn trust_all(&mut self) {
        for (_, entry) in self.clean.0.iter_mut().chain(&mut self.dirty.0) {
            entry.marks_mut().is_suspect = false;
        }
    }

    /// A connection with a mark is not ready without a look at it, although it came back just now.
    pub(in crate::ledger) fn stamp_marked(&self, entry: &mut E, now: Instant) {
        stamp_marked(&self.clock, entry, now);
    }

    /// Takes out this connection, with the number that tells its place in the order.
    pub(in crate::ledger) fn take_out(&mut self, key: ConnectionKey) -> Option<(u64, E)> {
        let lists = [&mut self.clean, &mut self.dirty].into_iter();
        let mut found = lists.filter_map(|list| {
            let at = list.0.iter().position(|(_, entry)| entry.key() == key)?;
            list.0.remove(at)
        });
        found.next()
    }

    /// Puts a clean connection back into its old place in the order.
    pub(in crate::ledger) fn put_back(&mut self, sequence: u64, entry: E) {
        let list = &mut self.clean.0;
        let at = list.partition_point(|(other, _)| *other < sequence);
        list.insert(at, (sequence, entry));
    }

    /// All connections, those first that have been idle longest, and since when.
    pub(in crate::ledger) fn by_idle_time(&self, now: Instant) -> Vec<(Instant, ConnectionKey)> {
        let all = self.iter();
        let mut all: Vec<_> = all
            .map(|entry| (self.idle_since(entry, now), entry.key()))
            .collect();
        all.sort_unstable();
        all
    }

    /// The clean connection that has given no sign of life for longest, and since when.
    pub(in crate::ledger) fn longest_quiet(
        &self,
        now: Instant,
    ) -> Option<(ConnectionKey, Instant)> {
        let clean = self.clean.0.iter();
        let fit = clean.filter(|(_, entry)| !entry.marks().is_spent);
        let quiet = fit.map(|(_, entry)| (entry.key(), self.quiet_since(entry, now)));
        quiet.min_by_key(|(_, since)| *since)
    }

    pub(in crate::ledger) fn may_tick(&self) -> bool {
        self.may_tick
    }

    /// Idle times can be told by ticks from now on.
    pub(in crate::ledger) fn allow_ticks(&mut self) {
        self.may_tick = true;
    }
}

fn stamp_marked(clock: &IdleClock, entry: &mut impl LedgerEntry, now: Instant) {
    if !entry.marks().is_plain() && entry.idle_since().is_none() {
        entry.set_idle_since(clock.last_tick().or(Some(now)));
    }
}
