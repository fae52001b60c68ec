//! How long entries have been idle, without reading a clock for each return.
//!
//! An entry that comes back is only noted as fresh. A tick, a few times in the shortest time that matters, says of the
//! fresh ones since when they may have been idle; so a fresh one was idle for less than a tick, and whatever is older has
//! an instant no later than its return. When nothing came back during a tick the clock stops until something does.

use std::time::{Duration, Instant};

use super::{Item, Ledger, Stock};

/// How many ticks there are in the shortest idle time that a knob names.
const TICKS: u32 = 4;

/// The ticks of a pool; without a real clock that can tick, every return is noted with its instant instead.
pub(super) struct IdleClock {
    /// The pause between two ticks, where it ticks at all.
    period: Option<Duration>,
    /// Since when it ticks, and when it last did.
    ticked: Option<Instant>,
    /// Whether it ought to tick and does not.
    rests: bool,
}

impl IdleClock {
    pub(super) fn new() -> Self {
        Self {
            period: None,
            ticked: None,
            rests: false,
        }
    }

    /// Whether it ought to tick and does not.
    #[inline]
    pub(super) fn must_be_wound(&self) -> bool {
        self.rests
    }
}

impl<S: Stock> Ledger<S> {
    /// From now on returns are timed by ticks; `shortest` is the shortest idle time that a knob names.
    pub(crate) fn time_by_ticks(&mut self, shortest: Duration) {
        self.idle_clock.period = Some(shortest / TICKS);
        self.idle_clock.rests = true;
    }

    /// A connection of its own idle limit: where returns are timed by ticks, these are short enough for it from the next on.
    pub(super) fn tick_at_least_for(&mut self, limit: Duration) {
        if let Some(period) = &mut self.idle_clock.period {
            *period = (*period).min(limit / TICKS);
        }
    }

    /// Notes when an entry came back.
    pub(super) fn note_return(&mut self, entry: &mut S::Entry, now: Instant) {
        entry.set_idle_since(match self.idle_clock.ticked {
            Some(_) => None,
            None => Some(now),
        });
    }

    /// A fresh entry leaves the shelves, where a tick would have found it.
    pub(super) fn stamp(&self, entry: &mut S::Entry) {
        if let (None, Some(ticked)) = (entry.idle_since(), self.idle_clock.ticked) {
            entry.set_idle_since(Some(ticked));
        }
    }

    /// Starts the ticks, if they ought to run and do not; says when the next one is due.
    pub(crate) fn wind(&mut self, now: Instant) -> Option<Instant> {
        if !self.idle_clock.must_be_wound() {
            return None;
        }
        self.idle_clock.ticked = Some(now);
        self.idle_clock.rests = false;
        now.checked_add(self.idle_clock.period?)
    }

    /// A tick: the fresh entries may have been idle since the last one. Says when the next tick is due, if something came
    /// back since the last one.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Instant> {
        let last = self.idle_clock.ticked.replace(now)?;
        let mut any = false;
        for (_, entry) in self.idle.iter_mut().chain(&mut self.dirty) {
            if entry.idle_since().is_none() {
                entry.set_idle_since(Some(last));
                any = true;
            }
        }
        if !any {
            self.idle_clock.ticked = None;
            self.idle_clock.rests = true;
            return None;
        }
        now.checked_add(self.idle_clock.period?)
    }

    /// Whether the entry was idle for so long, as far as can be told; without `now` only what is fresh is known not to.
    pub(super) fn was_idle(&self, entry: &S::Entry, limit: Duration, now: Option<Instant>) -> bool {
        let Some(now) = now else {
            return entry.idle_since().is_some();
        };
        now.saturating_duration_since(self.idle_since(entry, now)) >= limit
    }

    /// An instant no later than the entry's return.
    pub(super) fn idle_since(&self, entry: &S::Entry, now: Instant) -> Instant {
        entry.idle_since().or(self.idle_clock.ticked).unwrap_or(now)
    }
}
