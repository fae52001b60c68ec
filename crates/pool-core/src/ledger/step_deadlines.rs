//! The deadlines of the steps that run, where the pool's timer keeps them.
//!
//! A step seldom takes as long as it may. So nothing is set or removed for each: the timer strikes at the earliest deadline
//! that there has been, and looks then which steps are out of time.

use std::time::Instant;

use super::{Effects, JobKey, Ledger, LedgerTypes};

/// When the steps are looked at.
#[derive(Default)]
pub(super) struct StepDeadlines {
    /// The pool's timer keeps the deadlines. Elsewhere each step has a timer.
    are_kept: bool,
    /// No step is out of time before this instant.
    next: Option<Instant>,
}

impl StepDeadlines {
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// The pool's timer keeps the deadlines of the steps.
    pub(crate) fn keep_step_deadlines(&mut self) {
        self.step_deadlines.are_kept = true;
    }

    /// The last handle of the pool is gone. `true`: the timer is not needed any more; a step that waits later asks for it
    /// again.
    pub(crate) fn let_timer_go(&mut self) -> bool {
        let goes = self.step_deadlines.next.is_none();
        if goes {
            self.timer_at = None;
        }
        goes
    }

    /// Whether steps have deadlines, and the timer has to be set for the next instant of any kind.
    pub(crate) fn timer_to_set_for_steps(&mut self) -> bool {
        self.step_deadlines.next.is_some() && self.timer_to_set()
    }

    /// A step was polled and is not done.
    pub(super) fn step_waits(&mut self, key: JobKey, effects: &mut Effects<T>) {
        if !self.step_deadlines.are_kept {
            return;
        }
        // The step itself has read the clock before, so it finds then that its time is over. If the timer has struck too early, it
        // is set for the same instant again.
        let Some(at) = self.jobs.deadline(key, effects.now()) else {
            return;
        };
        let next = &mut self.step_deadlines.next;
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            effects.sets_timer |= self.timer_at.is_none_or(|timer| at < timer);
        }
    }

    /// The timer has struck: wakes those who poll the steps that are out of time.
    pub(super) fn end_steps(&mut self, now: Instant, effects: &mut Effects<T>) {
        if self.step_deadlines.next.is_none_or(|next| next > now) {
            return;
        }
        let (due, next) = self.jobs.out_of_time(now);
        self.step_deadlines.next = next;
        if due.is_empty() {
            return;
        }
        for key in due {
            self.wake_for_job(key, effects);
        }
        self.wake_for_undriven(effects);
    }
}
