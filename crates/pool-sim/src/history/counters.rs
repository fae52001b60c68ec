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
    /// By [`FailureReason::as_str`](pool_core::FailureReason::as_str): those that had to queue, and those that did not.
    failed: HashMap<&'static str, u64>,
    refused: HashMap<&'static str, u64>,
    /// The acquires that had to queue and were served.
    served: u64,
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
            Event::Acquired { waiter, .. } => {
                self.served += u64::from(waiter.is_some());
                &mut self.acquires
            }
            Event::Waiting { .. } => &mut self.waits,
            Event::TimedOut { .. } => &mut self.timeouts,
            Event::Cancelled { .. } => &mut self.cancelled,
            Event::Rejected { reason, .. } => self.refused.entry(reason.as_str()).or_default(),
            Event::AcquireFailed { reason, .. } => self.failed.entry(reason.as_str()).or_default(),
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

    fn failures(&self, reason: &str) -> u64 {
        let all = [&self.failed, &self.refused];
        all.iter().filter_map(|all| all.get(reason)).sum()
    }

    /// The pool has counted the same. `all_is_told`: also what was found inside of a runtime's timer.
    pub(super) fn check(&self, stats: &Stats, all_is_told: bool) -> Result<(), String> {
        let failed: u64 = self.failed.values().sum();
        let refused: u64 = self.refused.values().sum();
        let counters = [
            ("acquires", stats.acquires(), self.acquires),
            ("waits", stats.waits(), self.waits),
            ("timeouts", stats.timeouts(), self.timeouts),
            ("cancelled", stats.cancelled(), self.cancelled),
            ("rejected", stats.rejected(), self.failures("queue_full")),
            ("shed", stats.shed(), self.failures("shed")),
            ("failures", stats.failures(), failed + refused),
            (
                "waiting",
                stats.status().waiting() as u64,
                self.waits - self.served - self.timeouts - self.cancelled - failed,
            ),
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
        // In a dry run they wait all the same.
        if stats.would_shed() > stats.waits() {
            return Err(format!("{} would be refused", stats.would_shed()));
        }
        for (reason, counted) in stats.failures_by_reason() {
            let events = self.failures(reason);
            if counted != events {
                return Err(format!(
                    "{counted} acquires failed because of {reason}, and the events say {events}"
                ));
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
