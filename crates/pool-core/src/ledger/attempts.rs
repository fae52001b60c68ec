//! What the governor's rules mean for the waiters: who may connect, who hears of a failed connect, who waits for the next
//! attempt, and who cannot be served at all.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::chance::Chance;
use super::effects::Stale;
use super::governor::{FillTurn, WasOpen, is_hopeless};
use super::job::{Driver, Job};
use super::settle::lost;
use super::{
    Answer, Effects, JobKey, Kind, Ledger, LedgerFailure, LedgerTypes, Note, Settled, SharedError,
    Ticket,
};
use crate::{CloseReason, ErrorClass};

/// How a connect has failed.
pub(super) struct FailedAttempt<T: LedgerTypes> {
    pub(super) failure: T::Failure,
    pub(super) class: ErrorClass,
    /// It may be tried again for its waiter. A panic is not: it is a mistake in a program.
    pub(super) may_repeat: bool,
    /// The failure as observers are told.
    pub(super) told: Option<SharedError>,
}

impl<T: LedgerTypes> Ledger<T> {
    /// The pauses of this pool, and the shares of the jitter, are drawn from these sources.
    pub(crate) fn use_chance(&mut self, pauses: Chance, shares: Chance) {
        self.governor.set_chance(pauses);
        self.lifetimes.set_chance(shares);
    }

    /// How many connects may start now beside those that run.
    pub(super) fn connects_allowed(&self, now: Instant) -> usize {
        let room = self.governor.room(self.jobs.count(Kind::Connect));
        match self.governor.retry_at() {
            None => room,
            Some(at) if at <= now && !self.attempt_runs() => room.min(1),
            Some(_) => 0,
        }
    }

    /// Whether the attempt of an open breaker runs.
    fn attempt_runs(&self) -> bool {
        let probe = self.governor.probe();
        probe.is_some_and(|key| self.jobs.get(key).is_some())
    }

    /// When the pause of an open breaker is over, if a waiter needs the next attempt.
    pub(super) fn next_attempt(&self) -> Option<Instant> {
        let at = self.governor.retry_at()?;
        let is_needed = self.lifecycle.serves()
            && self.a_waiter_needs_connect()
            && !self.attempt_runs()
            && self.governor.room(self.jobs.count(Kind::Connect)) > 0;
        is_needed.then_some(at)
    }

    /// The first waiter that would connect if it might, and the close that it drives meanwhile.
    fn first_in_need(&self) -> Option<(Ticket, Option<JobKey>)> {
        let idle = self.next_unassigned().map(|ticket| (ticket, None));
        idle.or_else(|| {
            let closes = self.jobs.count(Kind::Close) > 0;
            let found = closes.then(|| self.first_that_closes()).flatten();
            found.map(|(ticket, key)| (ticket, Some(key)))
        })
    }

    /// Whether the next connect is for a waiter.
    pub(super) fn a_waiter_needs_connect(&self) -> bool {
        self.needs_connect() && self.first_in_need().is_some()
    }

    /// The timer has struck. Starts the next attempt if its time has come. A waiter drives it, so nothing is spawned.
    pub(super) fn attempt_at(&mut self, at: Instant, effects: &mut Effects<T>) {
        let (Some(due), Some((ticket, closes))) = (self.next_attempt(), self.first_in_need())
        else {
            return;
        };
        if due > at {
            // Whoever is polled first sets the timer again.
            return self.wake(ticket, effects);
        }
        if let Some(key) = closes {
            self.queue.set_job(ticket, None);
            self.undrive(key, effects);
            self.wake_for_undriven(effects);
            self.wake_upkeep(effects);
        }
        self.start_job_for(Kind::Connect, None, ticket, effects);
    }

    /// Whether the timer would strike too late for the next attempt, or for the next connection that has lived long enough.
    pub(super) fn timer_is_late(&self) -> bool {
        let is_late = |at| self.timer_at.is_none_or(|timer| at < timer);
        self.lifetimes.next_strike().is_some_and(is_late)
            || (self.governor.is_open() && self.next_attempt().is_some_and(is_late))
    }

    /// Whether there is a connection that can come to a waiter: open, or on its way. What is being closed is none.
    fn has_connections(&self) -> bool {
        self.size() > self.jobs.count(Kind::Close) + self.departing
    }

    /// A connect has succeeded.
    pub(super) fn connect_succeeded(&mut self, effects: &mut Effects<T>) {
        self.governor.succeeded();
        let was_open = self.close_breaker(effects);
        self.drop_failure(was_open.map(|was_open| was_open.cause), effects);
    }

    /// A connect has failed. Its waiter gets the failure, or waits for another attempt, or for a connection that is in
    /// use.
    pub(super) fn connect_failed(
        &mut self,
        key: JobKey,
        failed: FailedAttempt<T>,
        job: &Job<T>,
        effects: &mut Effects<T>,
    ) -> Settled<T> {
        let FailedAttempt {
            failure,
            class,
            may_repeat,
            told,
        } = failed;
        let was_attempt = self.governor.ended(key);
        if matches!(job.driver, Driver::Nobody | Driver::Background(_)) {
            self.governor.background_failed(effects.now());
        }
        if !self.lifecycle.is_open() {
            return lost(Some(failure));
        }
        // A connect that was started for a waiter that has left, or for the idle list, fails no waiter.
        let waiter = match job.driver {
            Driver::Waiter(ticket) if job.is_for_its_driver() => Some(ticket),
            _ => None,
        };
        let passes_by_itself = matches!(class, ErrorClass::Transient | ErrorClass::Overloaded);
        let repeats = self.governor.retries() && may_repeat && passes_by_itself;
        let waits_for_return = class == ErrorClass::Overloaded && self.has_connections();
        let opens = is_hopeless(class)
            || repeats
            || (self.governor.retries() && was_attempt)
            || (waits_for_return && (waiter.is_some() || was_attempt));
        let mut was_open = None;
        if opens {
            self.open_breaker(class, &failure, told, was_attempt, effects);
        } else if was_attempt || (self.governor.waits_for_returns() && !self.has_connections()) {
            was_open = self.close_breaker(effects);
        }
        if waits_for_return {
            if let (Some(ticket), false) = (waiter, self.governor.retries()) {
                self.governor.refused(ticket);
            }
        } else if repeats {
            self.fail_those_out_of_time(waiter.is_some(), &failure, effects);
        } else {
            // The first waiter gets the failure, whoever has driven the connect. Where no retry mends it and nothing can come
            // back, it also gets that of a connect for the idle list: nothing else will become of it.
            let is_final = is_hopeless(class) && !self.has_connections();
            let hears = waiter.is_some() || is_final;
            let mut first = hears.then(|| self.next_served()).flatten();
            if let Some(was_open) = was_open {
                // If nothing is left that could come back, those whose own connect has failed before get that failure. A
                // further one of the kind is for the waiter that has driven it.
                if class == ErrorClass::Overloaded && !was_open.refused.is_empty() {
                    first = waiter;
                }
                if !self.has_connections() {
                    self.fail_waiters(was_open.refused, &was_open.cause, effects);
                }
                self.drop_failure(Some(was_open.cause), effects);
            }
            self.fail_waiters(first.into_iter().collect(), &failure, effects);
        }
        lost(Some(failure))
    }

    /// After an attempt has failed: the waiters for whom the next one would come too late get the failure. Where a
    /// connection can still come back to them, only the first one does, if the attempt was made for a waiter.
    fn fail_those_out_of_time(
        &mut self,
        was_for_waiter: bool,
        failure: &T::Failure,
        effects: &mut Effects<T>,
    ) {
        let in_time = self.governor.first_in_time();
        let late: Vec<_> = match self.has_connections() {
            false => self.queue.tickets(),
            true => self
                .queue
                .head()
                .filter(|_| was_for_waiter)
                .into_iter()
                .collect(),
        };
        let late = late.into_iter();
        let late = late.filter(|ticket| self.queue.number(*ticket) < in_time);
        self.fail_waiters(late.collect(), failure, effects);
    }

    /// Gives these waiters a failure, in order of arrival. Those that have their answer or have left are passed over.
    fn fail_waiters(
        &mut self,
        mut tickets: Vec<Ticket>,
        failure: &T::Failure,
        effects: &mut Effects<T>,
    ) {
        tickets.retain(|ticket| self.queue.is_queued(*ticket));
        tickets.sort_by_key(|ticket| self.queue.number(*ticket));
        for ticket in tickets {
            let failed = Answer::Failed(failure.clone());
            self.answer(ticket, failed, effects);
        }
    }

    /// The breaker opens, or stays open after another attempt.
    fn open_breaker(
        &mut self,
        class: ErrorClass,
        failure: &T::Failure,
        told: Option<SharedError>,
        was_attempt: bool,
        effects: &mut Effects<T>,
    ) {
        let now = effects.now();
        let opened = self.governor.failed(class, failure, was_attempt, now);
        self.drop_failure(opened.stale, effects);
        if !opened.is_new {
            return;
        }
        self.fill.look_closer(true);
        self.history.counters.breaker_opens += 1;
        let retry_after = self.retry_after(now);
        if let Some(error) = told {
            let note = || Note::BreakerOpened(class, error, retry_after);
            self.history.note(note);
        }
        effects.wake_all(self.governor.take_fill_wakers());
        // Those that have not begun are not to begin.
        let is_unbegun = |job: &Job<T>| job.kind == Kind::Connect && job.is_fresh();
        self.cancel_all(is_unbegun, CloseReason::Abandoned, effects);
    }

    /// The breaker closes, if it is open.
    fn close_breaker(&mut self, effects: &mut Effects<T>) -> Option<WasOpen<T>> {
        let was_open = self.governor.close()?;
        self.fill.look_closer(false);
        let open_for = effects.now().saturating_duration_since(was_open.since);
        self.history.note(|| Note::BreakerClosed(open_for));
        if self.missing() > 0 {
            self.wake_upkeep(effects);
        }
        Some(was_open)
    }

    /// The pool closes: the breaker has no meaning any more.
    pub(super) fn forget_breaker(&mut self, effects: &mut Effects<T>) {
        let cause = self.governor.close().map(|was_open| was_open.cause);
        self.drop_failure(cause, effects);
        effects.wake_all(self.governor.take_fill_wakers());
    }

    fn drop_failure(&mut self, failure: Option<T::Failure>, effects: &mut Effects<T>) {
        if failure.is_some() {
            effects.drop_later(Stale::Settled(lost(failure)));
        }
    }

    fn retry_after(&self, now: Instant) -> Duration {
        let at = self.governor.retry_at().unwrap_or(now);
        at.saturating_duration_since(now)
    }

    /// Whether the breaker is open: for which class, and how long it is until the next attempt.
    pub(crate) fn breaker(&self, now: Instant) -> Option<(ErrorClass, Duration)> {
        let (class, _) = self.governor.open_since()?;
        Some((class, self.retry_after(now)))
    }

    /// What somebody gets who needs a connect that the breaker does not let start.
    pub(crate) fn refusal(&self, now: Instant) -> Option<T::Failure> {
        let (class, retry_after) = self.breaker(now)?;
        let cause = self.governor.cause()?;
        Some(cause.as_refusal(&self.settings.name, class, retry_after))
    }

    /// The breaker is open. If nothing is open and nothing may connect, the waiters get their answer. `true`: one of them
    /// may connect instead.
    pub(super) fn refuse_stranded(&mut self, effects: &mut Effects<T>) -> bool {
        let Some((class, retry_at)) = self.governor.open_since() else {
            return false;
        };
        let now = effects.now();
        if self.queue.is_empty() || self.has_connections() || retry_at <= now {
            return false;
        }
        if self.governor.waits_for_returns() {
            // Nothing is left that could come back.
            self.governor.end_pause(now);
            return true;
        }
        if let (true, Some(refusal)) = (is_hopeless(class), self.refusal(now)) {
            self.fail_waiters(self.queue.tickets(), &refusal, effects);
            self.drop_failure(Some(refusal), effects);
        }
        false
    }

    /// A connection has left the pool, and so the server.
    pub(super) fn session_ended(&mut self, now: Instant) {
        let open = self.governor.open_since();
        if open.is_some_and(|(class, _)| class == ErrorClass::Overloaded) {
            self.governor.end_pause(now);
        }
    }

    /// A `fill` begins: how many connects it has to start.
    pub(crate) fn begin_fill(&mut self) -> (FillTurn, usize) {
        (self.governor.add_fill(), self.missing())
    }

    /// How many of these connects are still missing.
    pub(crate) fn still_missing(&self, connects: usize) -> usize {
        connects.min(self.missing())
    }

    /// Stores how to wake a `fill` that cannot start its next connect yet. The old waker comes out.
    pub(crate) fn store_fill_waker(&mut self, turn: FillTurn, waker: Waker) -> Option<Waker> {
        self.governor.set_fill_waker(turn, waker)
    }

    /// A `fill` is over. Its waker comes out.
    pub(crate) fn end_fill(&mut self, turn: FillTurn) -> Option<Waker> {
        self.governor.remove_fill(turn)
    }

    /// After a change that may have ended a connect: those who wait for the next one and are no waiters.
    pub(super) fn go_on_filling(&mut self, effects: &mut Effects<T>) {
        if self.connects_allowed(effects.now()) == 0 {
            return;
        }
        effects.wake_all(self.governor.take_fill_wakers());
        // Where nothing can be spawned, the next acquire goes on.
        if self.governor.take_backlog() && self.background.can_spawn() {
            self.fill(effects);
        }
    }
}
