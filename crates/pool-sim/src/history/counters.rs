//! How often each thing was told.

use std::collections::HashMap;

use pool_core::{Event, Stats};

/// The events by their kinds.
#[derive(Default)]
pub(super) struct Counters {
    acquires: u64,
    waits: u64,
    timeouts: u64,
    cancelled: u64,
    rejected: u64,
    added: u64,
    connects: u64,
    connect_failures: u64,
    /// Connects that have begun while the breaker was open.
    pub(super) attempts: u64,
    breaker_opens: u64,
    released: u64,
    detached: u64,
    checks: u64,
    recycles: u64,
    slow_acquires: u64,
    suspected_leaks: u64,
    closes: HashMap<&'static str, u64>,
}

impl Counters {
    pub(super) fn add(&mut self, event: &Event<'_>) {
        let counter = match event {
            Event::Acquired { .. } => &mut self.acquires,
            Event::Waiting { .. } => &mut self.waits,
            Event::TimedOut { .. } => &mut self.timeouts,
            Event::Cancelled { .. } => &mut self.cancelled,
            Event::Rejected { .. } => &mut self.rejected,
            Event::Added { .. } => &mut self.added,
            Event::Connected { .. } => &mut self.connects,
            Event::ConnectFailed { .. } => &mut self.connect_failures,
            Event::BreakerOpened { .. } => &mut self.breaker_opens,
            Event::Released { .. } => &mut self.released,
            Event::Detached { .. } => &mut self.detached,
            Event::Checked { .. } | Event::CheckFailed { .. } => &mut self.checks,
            Event::Recycled { .. } | Event::RecycleFailed { .. } => &mut self.recycles,
            Event::SlowAcquire { .. } => &mut self.slow_acquires,
            Event::LeakSuspected { .. } => &mut self.suspected_leaks,
            Event::Closed { reason, .. } => self.closes.entry(reason.as_str()).or_default(),
            _ => return,
        };
        *counter += 1;
    }

    /// The pool has counted the same. `all_is_told`: also what was found inside of a runtime's timer.
    pub(super) fn check(
        &self,
        stats: &Stats,
        is_dry_run: bool,
        all_is_told: bool,
    ) -> Result<(), String> {
        // A dry run refuses nobody.
        let shed = if is_dry_run { 0 } else { stats.shed() };
        let counters = [
            ("acquires", stats.acquires(), self.acquires),
            ("waits", stats.waits(), self.waits),
            ("timeouts", stats.timeouts(), self.timeouts),
            ("cancelled", stats.cancelled(), self.cancelled),
            ("rejected", stats.rejected() + shed, self.rejected),
            ("added", stats.added(), self.added),
            ("connects", stats.connects(), self.connects),
            (
                "connect_failures",
                stats.connect_failures(),
                self.connect_failures,
            ),
            ("connect_retries", stats.connect_retries(), self.attempts),
            ("breaker_opens", stats.breaker_opens(), self.breaker_opens),
            ("detached", stats.detached(), self.detached),
            ("closes", stats.closes(), self.closes.values().sum()),
            ("wait_time", stats.wait_time().count(), self.acquires),
            ("connect_time", stats.connect_time().count(), self.connects),
            ("check_time", stats.check_time().count(), self.checks),
            ("recycle_time", stats.recycle_time().count(), self.recycles),
            (
                "hold_time",
                stats.hold_time().count(),
                self.released + self.detached,
            ),
        ];
        for (name, counted, events) in counters {
            if counted != events {
                return Err(format!("{name} is {counted}, and the events say {events}"));
            }
        }
        let found = [
            ("slow_acquires", stats.slow_acquires(), self.slow_acquires),
            (
                "suspected_leaks",
                stats.suspected_leaks(),
                self.suspected_leaks,
            ),
        ];
        for (name, counted, events) in found {
            if counted < events || (all_is_told && counted > events) {
                return Err(format!("{name} is {counted}, and the events say {events}"));
            }
        }
        for (reason, counted) in stats.closes_by_reason() {
            let events = self.closes.get(reason).copied().unwrap_or(0);
            if counted != events {
                return Err(format!(
                    "{reason} is {counted}, and the events say {events}"
                ));
            }
        }
        Ok(())
    }
}
