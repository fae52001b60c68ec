//! What the verbs that govern a pool do to the idle list.

use std::time::{Duration, Instant};

use super::{IdleList, LedgerEntry};
use crate::CheckPolicy;
use crate::config::Config;

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
        let shortest = config.shortest_idle_limit();
        if ticks {
            // What came back since the last tick gets its instant, and the next return starts the new ticks.
            self.stop_clock();
            self.clock.use_ticks_of(shortest.map(|shortest| {
                let own = self.shortest_own_limit;
                own.map_or(shortest, |own| own.min(shortest))
            }));
        }
        let Some(shortest) = shortest.filter(|_| !was_timed) else {
            return false;
        };
        for (_, entry) in self.clean.0.iter_mut().chain(&mut self.dirty.0) {
            if entry.idle_since().is_some() {
                continue;
            }
            // Nobody has noted when it came back: it counts as idle for as long as any limit, as far as the clock reaches.
            let limits = [Some(shortest), config.pool_recycle, entry.idle_limit()];
            let longest = limits.into_iter().flatten().max();
            let since = longest.and_then(|longest| now.checked_sub(longest));
            let since = since.or(now.checked_sub(shortest)).unwrap_or(now);
            entry.set_idle_since(Some(since));
        }
        !ticks
    }

    /// Whether a setting depends on the idle time.
    pub(in crate::ledger) fn is_timed(&self) -> bool {
        matches!(self.check, crate::CheckPolicy::IdleFor(_)) || self.pool_recycle.is_some()
    }
}
