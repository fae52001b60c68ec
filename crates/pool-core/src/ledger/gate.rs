//! Who may join the queue: `max_waiters` and shedding.

use std::time::{Duration, Instant};

use super::queue::Left;
use super::{Effects, Ledger, LedgerTypes, Note, SharedError, Ticket};
use crate::borrowed::Borrower;
use crate::config::Waiting;
use crate::error::FailureReason;
use crate::{Priority, Shedding};

/// Why an acquire does not join the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Closed,
    /// As many wait as may.
    QueueFull,
    /// The queue is too slow.
    Shed,
}

/// The limits of a queue that has some.
pub(super) struct Gate {
    max_waiters: Option<usize>,
    shedding: Option<Shedding>,
    /// Since when each acquire that came has seen a first waiter that had waited for too long.
    slow_since: Option<Instant>,
    /// The queue is too slow for the acquire that comes now.
    sheds: bool,
    /// How many were taken out of the queue again at once.
    pub(super) taken_out: u64,
}

impl Gate {
    /// `None`: the queue has no limits.
    pub(super) fn new(waiting: &Waiting) -> Option<Box<Self>> {
        let has_limits = waiting.max_waiters.is_some() || waiting.shedding.is_some();
        has_limits.then(|| {
            Box::new(Self {
                max_waiters: waiting.max_waiters,
                shedding: waiting.shedding,
                slow_since: None,
                sheds: false,
                taken_out: 0,
            })
        })
    }

    /// The limits of a queue after its settings have changed.
    pub(super) fn reconfigured(gate: &mut Option<Box<Self>>, waiting: &Waiting) {
        match gate {
            None => *gate = Self::new(waiting),
            Some(gate) => {
                gate.max_waiters = waiting.max_waiters;
                if gate.shedding != waiting.shedding {
                    gate.shedding = waiting.shedding;
                    gate.slow_since = None;
                    gate.sheds = false;
                }
            }
        }
    }

    /// An acquire comes. `waited`: how long the first waiter has waited.
    fn arrives(&mut self, priority: Priority, waited: Option<Duration>, now: Instant) {
        let Some(shedding) = self.shedding else {
            return;
        };
        if waited.is_none_or(|waited| waited <= shedding.target) {
            self.slow_since = None;
            self.sheds = false;
            return;
        }
        let since = *self.slow_since.get_or_insert(now);
        let is_slow = now.saturating_duration_since(since) >= shedding.interval;
        self.sheds = is_slow && priority != Priority::High;
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// An acquire comes to a queue with limits.
    #[cold]
    pub(super) fn arrives(&mut self, priority: Priority, now: Instant) {
        if let Some(gate) = &mut self.gate {
            if gate.shedding.is_none() {
                return;
            }
            // The rank of the first one tells how long it has waited.
            self.queue.use_ranks(now);
            let waited = self.queue.head_waited(now);
            gate.arrives(priority, waited, now);
        }
    }

    /// Whether the acquire that comes now is refused, if nothing can be started for it and so many others wait in vain.
    pub(super) fn refusal_by_gate(&mut self, others: usize) -> Option<Refusal> {
        let gate = self.gate.as_ref()?;
        if gate.max_waiters.is_some_and(|most| others >= most) {
            self.history.count_failure(FailureReason::QueueFull);
            return Some(Refusal::QueueFull);
        }
        let shedding = gate.shedding.filter(|_| gate.sheds)?;
        if shedding.is_dry_run {
            self.history.counters.would_shed += 1;
            return None;
        }
        self.history.count_failure(FailureReason::Shed);
        Some(Refusal::Shed)
    }

    /// Notes that an acquire did not join the queue, with the counts and the limits of this moment.
    #[cold]
    pub(crate) fn note_rejected(
        &mut self,
        by: &Borrower,
        reason: FailureReason,
        error: impl FnOnce() -> SharedError,
    ) {
        let status = self.status();
        let Waiting {
            max_waiters,
            shedding,
            ..
        } = self.settings.waiting;
        self.history.note(|| Note::Rejected {
            place: by.place,
            label: by.label.as_ref().map(|label| label.text.clone()),
            reason,
            status,
            max_waiters,
            target: shedding.map(|shedding| shedding.target),
            error: error(),
        });
    }

    /// Takes a waiter out of the queue again, for which nothing was started, if it is refused.
    #[cold]
    pub(super) fn refuse(&mut self, ticket: Ticket, effects: &mut Effects<T>) -> Option<Refusal> {
        if self.queue.is_answered(ticket) || self.queue.job(ticket).is_some() {
            return None;
        }
        // Each place that is free in a moment is for one of them, in their order.
        let others = self.queue.unassigned_len() - 1;
        let others = others.checked_sub(effects.places_to_come())?;
        let refusal = self.refusal_by_gate(others)?;
        let Left { waker, .. } = self.queue.remove(ticket);
        effects.drop_waker(waker);
        effects.current = None;
        if let Some(gate) = &mut self.gate {
            gate.taken_out += 1;
        }
        Some(refusal)
    }

    /// Waiters that are served last, for whom places are kept.
    #[inline(always)]
    pub(super) fn serves_only_high(&self) -> bool {
        self.held >= self.fill.quota()
    }

    /// The waiter that is served next.
    #[inline(always)]
    pub(super) fn next_served(&self) -> Option<Ticket> {
        match self.queue.is_plain() {
            true => self.queue.plain_head(),
            false => self.next_served_of_lanes(),
        }
    }

    #[cold]
    #[inline(never)]
    fn next_served_of_lanes(&self) -> Option<Ticket> {
        match self.serves_only_high() {
            false => self.queue.head(),
            true => self.queue.head_of_high(),
        }
    }

    /// The next waiter without a job that something can be started for.
    pub(super) fn next_unassigned(&self) -> Option<Ticket> {
        match self.serves_only_high() {
            false => self.queue.first_unassigned(),
            true => self.queue.first_unassigned_of_high(),
        }
    }

    /// How many of the waiters can be served while nobody gives a connection back.
    pub(super) fn servable(&self) -> usize {
        match self.fill.quota() {
            usize::MAX => self.queue.len(),
            quota => {
                let high = self.queue.high_len();
                let others = self.queue.len() - high;
                high + others.min(quota.saturating_sub(self.held))
            }
        }
    }
}
