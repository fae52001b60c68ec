//! When the pool's timer has to strike, and what happens then to the waiters, the steps, the idle clock and the watch.

use std::time::Instant;

use super::{ClockReading, Deadline, Effects, Ledger, LedgerTypes, Ticket};

impl<T: LedgerTypes> Ledger<T> {
    /// A waiter whose deadline struck too early gets its old place and its deadline again. `true`: that has changed
    /// something.
    pub(crate) fn resume(
        &mut self,
        ticket: Ticket,
        deadline: Instant,
        effects: &mut Effects<T>,
    ) -> bool {
        if self.queue.is_answered(ticket) {
            return true;
        }
        // Into the heap, whosever time-out it is: in the list, later ones may have taken its place.
        let deadline = Deadline {
            at: deadline,
            is_of_pool: false,
        };
        self.queue.note_deadline(ticket, deadline);
        if self.queue.is_queued(ticket) {
            return false;
        }
        self.queue.requeue(ticket);
        self.supply(effects);
        true
    }

    /// Moves the timer to this instant if it would strike later. `true`: it has to be set.
    #[inline]
    pub(super) fn move_timer_to(&mut self, at: Instant) -> bool {
        let is_late = self.timer_at.is_none_or(|timer| at < timer);
        if is_late {
            self.timer_at = Some(at);
        }
        is_late
    }

    /// Moves the timer to the deadline of a waiter that has just come, if it would strike later. `true`: it has to be set.
    #[inline]
    pub(super) fn timer_to_set_for(&mut self, at: Instant) -> bool {
        match self.timer_at {
            // It has struck, and nobody has set it again for those who came before.
            None => self.timer_to_set(),
            Some(_) => self.move_timer_to(at),
        }
    }

    /// Moves the timer to the next deadline of a waiter or a step, tick or look of the watch if it would strike later. `true`: it has to be set.
    #[inline]
    pub(crate) fn timer_to_set(&mut self) -> bool {
        let tick = self.idle.next_tick();
        let is_open = self.governor.is_open();
        let rests = !self.queue.has_deadlines() && tick.is_none() && self.watch.rests();
        let rests = rests && self.step_deadlines.next().is_none();
        if rests && !is_open && self.lifetimes.next_strike().is_none() {
            return false;
        }
        self.timer_to_set_after(tick)
    }

    #[inline(never)]
    fn timer_to_set_after(&mut self, tick: Option<Instant>) -> bool {
        let deadline = self.queue.next_deadline().map(|(at, _)| at);
        let next = deadline.into_iter().chain(tick).chain(self.watch.next());
        let next = next.chain(self.next_attempt());
        let next = next.chain(self.lifetimes.next_strike());
        let next = next.chain(self.step_deadlines.next());
        next.min().is_some_and(|at| self.move_timer_to(at))
    }

    /// The instant that the timer has to be set for.
    pub(crate) fn timer_at(&self) -> Option<Instant> {
        self.timer_at
    }

    /// The timer cannot be set.
    pub(crate) fn timer_is_not_set(&mut self) {
        self.timer_at = None;
        self.idle.stop_clock();
    }

    /// Whether the idle clock has to be wound.
    pub(crate) fn idle_clock_rests(&self) -> bool {
        self.idle.clock_rests()
    }

    /// Starts the idle clock if it rests. `true`: the timer has to be set for its tick.
    pub(crate) fn wind_idle_clock(&mut self, now: ClockReading) -> bool {
        self.idle.wind_clock(now);
        self.timer_to_set()
    }

    /// The timer has struck. The waiters that are due leave the queue and are woken, to see for themselves.
    ///
    /// This may run inside the runtime's own timer, so nothing here may lead back to the runtime: no task is spawned. A
    /// job that an expired waiter has driven waits for the next caller that is polled. The next waiter and upkeep are
    /// woken too; whoever is polled first sets the timer again.
    pub(crate) fn timer_struck(&mut self, now: Option<ClockReading>, effects: &mut Effects<T>) {
        let Some(at) = self.timer_at.take() else {
            return;
        };
        if let Some(now) = now {
            self.idle.tick(at, now);
        }
        self.watch_struck(at, effects);
        self.end_steps(at, effects);
        if self.lifetimes.next().is_some_and(|due| due <= at) {
            self.strike_lives(at);
            self.wake_upkeep(effects);
        }
        while let Some(ticket) = self.queue.pop_due(at) {
            self.queue.unqueue(ticket);
            if let Some(key) = self.queue.set_job(ticket, None) {
                self.undrive(key, effects);
                self.adopt_undriven(effects);
                self.wake_for_undriven(effects);
                self.wake_upkeep(effects);
            }
            self.wake(ticket, effects);
        }
        if self.governor.is_open() {
            self.attempt_at(at, effects);
        }
        if let Some((_, next)) = self.queue.next_deadline() {
            // Somebody has to set the timer for the others.
            self.wake(next, effects);
            self.wake_upkeep(effects);
        }
    }

    /// Gives jobs that nobody drives to waiters without a job. It starts nothing.
    fn adopt_undriven(&mut self, effects: &mut Effects<T>) {
        while let Some(ticket) = self.next_unassigned() {
            match self.jobs.undriven().first() {
                Some(key) => self.adopt(*key, ticket, effects),
                None => return,
            }
        }
    }
}
