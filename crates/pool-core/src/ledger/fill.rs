//! What is missing for minsize, and when a failed background connect is tried again.

use std::time::{Duration, Instant};

use super::job::Driver;
use super::{Effects, JobKey, Kind, Ledger, LedgerTypes};
use crate::config::Config;

/// The first pause after a failed background connect. Each further failure doubles it, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Fill {
    minsize: usize,
    /// With so many connections, an acquire need not look whether one is missing: minsize, and more than there can be
    /// while the pool is suspended and once it closes.
    enough: usize,
    /// The largest number of connections; `usize::MAX` where it is unlimited.
    limit: usize,
    maxsize: usize,
    /// So many are held where every place is in somebody's hands: the limit, and more than there can be while there are
    /// more connections than that.
    all_held: usize,
    /// No background connect starts before this instant.
    retry_at: Option<Instant>,
    failures: u32,
}

impl Fill {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            minsize: config.minsize,
            enough: config.minsize,
            limit: config.limit(),
            maxsize: config.maxsize,
            all_held: config.limit(),
            retry_at: None,
            failures: 0,
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
        self.enough = self.minsize;
    }

    /// The settings have changed. `serves`: the pool hands out connections.
    pub(super) fn reconfigured(&mut self, config: &Config, serves: bool) {
        self.minsize = config.minsize;
        self.limit = config.limit();
        self.maxsize = config.maxsize;
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

    /// With so many connections held, nothing is idle, under way or missing.
    #[inline]
    pub(super) fn all_held(&self) -> usize {
        self.all_held
    }

    /// There may be more connections than maxsize, or not any more.
    pub(super) fn set_shrinking(&mut self, is_shrinking: bool) {
        self.all_held = match is_shrinking {
            true => usize::MAX,
            false => self.limit,
        };
    }

    /// A connect has succeeded.
    pub(super) fn succeeded(&mut self) {
        self.retry_at = None;
        self.failures = 0;
    }

    /// A background connect has failed. `hopeless`: a retry soon is pointless or harmful.
    pub(super) fn failed(&mut self, hopeless: bool, now: Instant) {
        let pause = match hopeless {
            true => LONGEST_PAUSE,
            false => FIRST_PAUSE * 2_u32.pow(self.failures.min(10)),
        };
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.checked_add(pause.min(LONGEST_PAUSE));
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// How many connections are missing for minsize. Those that are being closed do not count.
    pub(super) fn missing(&self) -> usize {
        let closing = self.jobs.count(Kind::Close) + self.departing;
        let size = self.size();
        let wanted = self.fill.minsize.saturating_sub(size - closing);
        wanted.min(self.fill.limit.saturating_sub(size))
    }

    /// Starts the connects that are missing for minsize, unless the last one failed just now.
    pub(crate) fn fill(&mut self, effects: &mut Effects<T>) {
        if self.fill.retry_at.is_some_and(|at| effects.now() < at) {
            return;
        }
        while self.lifecycle.serves() && self.missing() > 0 {
            let key = self.insert_job(Kind::Connect, None, Driver::Nobody);
            effects.spawn_driver(key);
        }
    }

    /// Starts the connects that are missing for minsize; the caller drives them.
    pub(crate) fn fill_by_verb(&mut self) -> Vec<JobKey> {
        let mut keys = Vec::new();
        while self.lifecycle.is_open() && self.missing() > 0 {
            keys.push(self.insert_owned_job(Kind::Connect, None));
        }
        keys
    }

    /// When a background connect is tried again, if one is missing.
    pub(super) fn next_fill(&self) -> Option<Instant> {
        let may_fill = self.lifecycle.serves() && self.missing() > 0;
        self.fill.retry_at.filter(|_| may_fill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_ten_seconds_and_a_success_ends_it() {
        let mut fill = Fill::new(&Config::default());
        let now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            fill.failed(false, now);
            pauses.push(fill.retry_at.expect("a pause") - now);
        }
        let millis: Vec<_> = pauses.iter().map(Duration::as_millis).collect();
        assert_eq!(
            millis,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
        fill.succeeded();
        assert_eq!(fill.retry_at, None);
        fill.failed(true, now);
        assert_eq!(fill.retry_at, Some(now + LONGEST_PAUSE));
    }
}
