//! For how long connections have been idle, and what follows from it.

use std::time::{Duration, Instant};

use super::{IdleList, LedgerEntry};
use crate::{CheckPolicy, CloseReason};

/// After which time upkeep looks whether a connection has been idle for this long: not all the time, where that is shorter
/// than anybody can mean.
pub(in crate::ledger) fn look_after(limit: Duration) -> Duration {
    limit.max(Duration::from_millis(1))
}

impl<E: LedgerEntry> IdleList<E> {
    /// Takes out the connections that have been idle for too long, and says when the next one will have been, if none
    /// comes back before.
    pub(in crate::ledger) fn take_expired(&mut self, now: Instant) -> (Vec<E>, Option<Instant>) {
        let mut expired = Vec::new();
        // What comes back from now on expires later than this.
        let limits = self.pool_recycle.into_iter().chain(self.shortest_own_limit);
        let mut next = limits
            .min()
            .and_then(|limit| now.checked_add(look_after(limit)));
        if next.is_none() {
            return (expired, None);
        }
        for is_dirty in [false, true] {
            let list = std::mem::take(&mut self.list_mut(is_dirty).0);
            for (sequence, entry) in list {
                let since = self.idle_since(&entry, now);
                let limit = self.limit_of(&entry);
                if limit.is_some_and(|limit| now.saturating_duration_since(since) >= limit) {
                    expired.push(entry);
                    continue;
                }
                let at = limit.and_then(|limit| since.checked_add(look_after(limit)));
                next = next.into_iter().chain(at).min();
                self.list_mut(is_dirty).0.push_back((sequence, entry));
            }
        }
        (expired, next)
    }

    /// Takes note of the idle limit of a connection. `true`: it is shorter than those before.
    pub(in crate::ledger) fn note_limit(&mut self, entry: &E) -> bool {
        let Some(limit) = entry.idle_limit() else {
            return false;
        };
        if !self.is_timed() && self.may_tick {
            self.clock.use_ticks(limit);
        }
        self.clock.tick_at_least_for(limit);
        let is_shorter = self.shortest_own_limit.is_none_or(|known| limit < known);
        if is_shorter {
            self.shortest_own_limit = Some(limit);
        }
        is_shorter
    }

    /// Whether a connection has to be checked before it is handed out.
    pub(in crate::ledger) fn is_suspect(&self, entry: &E, now: Instant) -> bool {
        let is_quiet_for =
            |limit| now.saturating_duration_since(self.quiet_since(entry, now)) >= limit;
        self.keepalive.is_some_and(is_quiet_for)
            || match self.check {
                CheckPolicy::Always => true,
                CheckPolicy::IdleFor(limit) => entry.marks().is_suspect || is_quiet_for(limit),
                CheckPolicy::Never => false,
            }
    }

    /// Which limit a connection that has expired has reached.
    pub(in crate::ledger) fn expired_by(&self, entry: &E) -> CloseReason {
        match (entry.idle_limit(), self.pool_recycle) {
            (Some(own), Some(limit)) if own < limit => CloseReason::IdleLimit,
            (Some(_), None) => CloseReason::IdleLimit,
            _ => CloseReason::PoolRecycle,
        }
    }

    /// How long a connection may be idle before it expires.
    pub(in crate::ledger) fn limit_of(&self, entry: &E) -> Option<Duration> {
        let limits = self.pool_recycle.into_iter().chain(entry.idle_limit());
        limits.min()
    }

    pub(super) fn idle_for(&self, entry: &E, now: Instant) -> Duration {
        now.saturating_duration_since(self.idle_since(entry, now))
    }

    /// An instant that is not later than the return of the connection.
    pub(super) fn idle_since(&self, entry: &E, now: Instant) -> Instant {
        let since = entry.idle_since();
        since.or(self.clock.last_tick()).unwrap_or(now)
    }

    /// The last sign of life of a connection: its use, or a check.
    pub(super) fn quiet_since(&self, entry: &E, now: Instant) -> Instant {
        let since = self.idle_since(entry, now);
        entry.marks().alive_at.map_or(since, |at| at.max(since))
    }
}
