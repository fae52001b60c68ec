//! What is missing for minsize, and who starts it.

use std::time::Instant;

use super::job::Driver;
use super::{Effects, JobKey, Kind, Ledger, LedgerTypes};
use crate::config::Config;

pub(super) struct Fill {
    minsize: usize,
    /// With so many connections, an acquire need not look whether one is missing: minsize, and more than there can be with
    /// `min_idle`, while the pool is suspended and once it closes.
    enough: usize,
    /// The largest number of connections; `usize::MAX` where it is unlimited.
    limit: usize,
    /// With so many connections held, an acquire need not look for anything but a return: the limit, and more than there
    /// can be while the breaker is open, and while there are more connections than the limit.
    full: usize,
    /// The breaker is open.
    looks_closer: bool,
    /// There may be more connections than the limit.
    is_shrinking: bool,
    maxsize: usize,
    /// While so many connections are held, only those of high priority are served; `usize::MAX` where no place is
    /// reserved.
    quota: usize,
    min_idle: usize,
}

impl Fill {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            minsize: config.minsize,
            enough: enough(config),
            limit: config.limit(),
            full: config.limit(),
            looks_closer: false,
            is_shrinking: false,
            maxsize: config.maxsize,
            quota: quota(config),
            min_idle: config.lifetimes.min_idle,
        }
    }

    #[inline]
    pub(super) fn minsize(&self) -> usize {
        self.minsize
    }

    #[inline]
    pub(super) fn enough(&self) -> usize {
        self.enough
    }

    /// The pool closes, or is suspended.
    pub(super) fn stop(&mut self) {
        self.enough = usize::MAX;
    }

    /// The pool is not suspended any more.
    pub(super) fn start(&mut self) {
        self.enough = match self.min_idle {
            0 => self.minsize,
            _ => usize::MAX,
        };
    }

    #[inline]
    pub(super) fn min_idle(&self) -> usize {
        self.min_idle
    }

    /// The settings have changed. `serves`: the pool hands out connections.
    pub(super) fn reconfigured(&mut self, config: &Config, serves: bool) {
        self.minsize = config.minsize;
        self.limit = config.limit();
        self.maxsize = config.maxsize;
        self.quota = quota(config);
        self.min_idle = config.lifetimes.min_idle;
        self.update_full();
        match serves {
            true => self.start(),
            false => self.stop(),
        }
    }

    pub(super) fn maxsize(&self) -> usize {
        self.maxsize
    }

    #[inline]
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    #[inline]
    pub(super) fn full(&self) -> usize {
        self.full
    }

    #[inline]
    pub(super) fn quota(&self) -> usize {
        self.quota
    }

    /// Each acquire that joins the queue has to be looked at, or need not be any more.
    pub(super) fn look_closer(&mut self, at_each: bool) {
        self.looks_closer = at_each;
        self.update_full();
    }

    /// There may be more connections than maxsize, or not any more.
    pub(super) fn set_shrinking(&mut self, is_shrinking: bool) {
        self.is_shrinking = is_shrinking;
        self.update_full();
    }

    fn update_full(&mut self) {
        self.full = match self.looks_closer || self.is_shrinking {
            true => usize::MAX,
            false => self.limit,
        };
    }
}

/// Where some are to stay idle, each acquire has to look.
fn enough(config: &Config) -> usize {
    match config.lifetimes.min_idle {
        0 => config.minsize,
        _ => usize::MAX,
    }
}

fn quota(config: &Config) -> usize {
    match config.waiting.reserved {
        0 => usize::MAX,
        reserved => config.limit().saturating_sub(reserved),
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// How many connections are missing for minsize and `min_idle`. Those that are being closed, or are to be replaced, do
    /// not count.
    pub(super) fn missing(&self) -> usize {
        let size = self.size();
        let staying = size.saturating_sub(self.leaving());
        let wanted = self.wanted().saturating_sub(staying);
        let wanted = wanted.max(self.missing_idle());
        wanted.min(self.fill.limit.saturating_sub(size))
    }

    /// How many connections are missing for `min_idle`. What is under way will be idle, except one for each waiter.
    fn missing_idle(&self) -> usize {
        if self.fill.min_idle == 0 {
            return 0;
        }
        let closing = self.jobs.count(Kind::Close) + self.departing;
        let free = self
            .size()
            .saturating_sub(self.held + closing + self.idle_due().len());
        let wanted = self.fill.min_idle.saturating_add(self.queue.len());
        wanted.saturating_sub(free)
    }

    /// An idle connection was taken at once: upkeep opens what `min_idle` misses now.
    pub(super) fn refill(&mut self, effects: &mut Effects<T>) {
        if self.fill.min_idle > 0 && self.missing() > 0 {
            self.wake_upkeep(effects);
        }
    }

    /// Whether an acquire that takes an idle connection leaves as many as `min_idle` says, or no more can be opened.
    pub(super) fn leaves_enough_idle(&self) -> bool {
        self.fill.min_idle == 0
            || self.idle.clean_len() > self.fill.min_idle
            || self.size() >= self.fill.limit
    }

    /// Whether a connect that nobody waits for is of use.
    pub(super) fn connect_fills(&self) -> bool {
        let others = self.size() - 1;
        self.lifecycle.is_open()
            && (others.saturating_sub(self.leaving()) < self.wanted()
                || (self.fill.min_idle > 0 && others - self.held <= self.fill.min_idle))
    }

    /// Starts the connects that are missing for minsize, as far as they may start now.
    pub(crate) fn fill(&mut self, effects: &mut Effects<T>) {
        let retry_at = self.fill_again_at();
        if retry_at.is_some_and(|at| effects.now() < at) {
            return;
        }
        while self.lifecycle.serves() && self.missing() > 0 {
            if self.connects_allowed(effects.now()) == 0 || self.a_waiter_needs_connect() {
                return self.governor.note_backlog();
            }
            let key = self.insert_job(Kind::Connect, None, Driver::Nobody);
            effects.spawn_driver(key);
        }
    }

    /// Starts connects that are missing for minsize, but not more than `most`, as far as they may start now; the caller
    /// drives them.
    pub(crate) fn fill_by_verb(&mut self, most: usize, now: Instant) -> Vec<JobKey> {
        let mut keys = Vec::new();
        while keys.len() < most
            && self.lifecycle.is_open()
            && self.missing() > 0
            && self.connects_allowed(now) > 0
        {
            keys.push(self.insert_owned_job(Kind::Connect, None));
        }
        keys
    }

    /// A verb that may start no connect takes over one that nobody else hears of: whoever drives it may never be polled
    /// again, and the verb waits for its end.
    pub(crate) fn help_with_connect(&mut self, effects: &mut Effects<T>) -> Option<JobKey> {
        let key = self.jobs.unowned_connect()?;
        effects.wake_all(self.jobs.set_driver(key, Driver::Verb));
        self.jobs.set_owned(key, true);
        Some(key)
    }

    /// No connect that nobody waits for starts before this instant.
    fn fill_again_at(&self) -> Option<Instant> {
        self.governor
            .background_retry_at()
            .max(self.lifetimes.pause_until())
    }

    /// When a background connect is tried again, if one is missing. Nothing waits for an instant that is over: then the
    /// end of another connect is what counts.
    pub(super) fn next_fill(&self, now: Instant) -> Option<Instant> {
        let at = self.fill_again_at();
        at.filter(|at| *at > now && self.lifecycle.serves() && self.missing() > 0)
    }
}
