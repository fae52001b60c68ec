//! What must hold at every instant.

use pool_core::{Borrowed, ErrorClass, Pool, Priority, Readiness, Status};

use crate::calls::Method;
use crate::held::Holding;
use crate::simulated::Simulated;
use crate::steps::kind_of;
use crate::world::{Call, Kind, World};

impl<M: Simulated> World<M> {
    /// The counts are true at every instant, and nobody has seen anything that must not be.
    pub(crate) fn check_instant(&mut self) -> Result<(), String> {
        if let Some(violation) = self.runtime.take_violation() {
            return Err(violation);
        }
        let mut page = self.record.page();
        self.is_terminated |= page.is_terminating;
        page.check_bound();
        let wrong_abort = page.wrong_abort().filter(|_| self.is_terminated);
        if let Some(violation) = page.violations.pop().or(wrong_abort) {
            return Err(violation);
        }
        drop(page);
        // Also after the last handle is gone.
        if let Some(fault) = self.history.fault() {
            return Err(format!("the events are no legal history: {fault}"));
        }
        let Some(pool) = self.handles.first() else {
            return Ok(());
        };
        let status = pool.status();
        let parts = [
            status.freesize(),
            status.held(),
            status.checking(),
            status.recycling(),
            status.closing(),
            status.connecting(),
        ];
        let sum: usize = parts.iter().sum();
        let used = status.held() + status.checking() + status.recycling() + status.closing();
        if sum != status.size() || used != status.used() {
            return Err(format!("I3: the parts do not make the whole; {status}"));
        }
        if (pool.size(), pool.freesize(), pool.used()) != (sum, status.freesize(), used) {
            return Err(format!(
                "I3: the accessors differ from the status; {status}"
            ));
        }
        let maxsize = usize::from(self.settings.maxsize);
        let was_size = std::mem::replace(&mut self.size, sum);
        if maxsize != 0 && sum > maxsize && sum > was_size {
            return Err(format!("I1: size exceeds maxsize; {status}"));
        }
        let held = self.record.page().held();
        if status.held() < held {
            return Err(format!("I3: {held} connections are held; {status}"));
        }
        let bounds = (usize::from(self.settings.minsize), maxsize);
        if (pool.minsize(), pool.maxsize()) != bounds || pool.echo() {
            return Err(format!("the settings have changed; {status}"));
        }
        let suspended = (pool.is_suspended(), status.is_suspended());
        if suspended != (self.is_suspended, self.is_suspended) {
            return Err(format!("is_suspended() is {suspended:?}"));
        }
        if pool.is_closed() && (!pool.is_closing() || sum > 0) {
            return Err(format!("is_closed() is true; {status}"));
        }
        if pool.is_closing() != self.is_closing {
            return Err(format!("is_closing() is {}", pool.is_closing()));
        }
        let not_by_high = |holding: &&Holding<M>| !self.held_by_high.contains(&holding.id());
        let by_others = self.held.iter().filter(not_by_high).count();
        // Those that had theirs before the pool was made smaller keep them.
        let was_resized = self.record.page().resizes > 0;
        if by_others > self.settings.quota() && !was_resized {
            return Err(format!("a reserved place was taken; {status}"));
        }
        let readiness = pool.readiness();
        let expected = (!self.is_closing).then_some(status);
        let open = status.size() - status.connecting() - status.closing();
        if readiness.status() != expected
            || readiness.is_serving() && self.is_closing
            || readiness.is_serving() && self.is_suspended
            || !readiness.is_serving() && !self.is_closing && !self.is_suspended && open > 0
            || readiness.is_busy() && status.freesize() > 0 && status.waiting() == 0
        {
            return Err(format!("readiness() says: {readiness}; {status}"));
        }
        let page = self.record.page();
        let connects = page.steps.count(Method::Connect);
        if connects > status.connecting() {
            return Err(format!("I3: {connects} connects are under way; {status}"));
        }
        let begun = self.calls.iter().filter(|call| call.arrived().is_some());
        let begun = begun.count();
        if status.waiting() > begun {
            return Err(format!("I3: {begun} acquires wait; {status}"));
        }
        Ok(())
    }

    /// What must hold when everything has run that can.
    pub(crate) fn check_rest(&mut self) -> Result<(), String> {
        self.coverage.rests += 1;
        self.check_ends()?;
        self.check_told_errors()?;
        let Some(pool) = self.handles.first() else {
            self.check_deadlines(0)?;
            return self.check_gone();
        };
        let status = pool.status();
        self.check_deadlines(status.waiting())?;
        self.check_history(pool)?;
        if self.is_closing {
            return match status.waiting() {
                0 => Ok(()),
                _ => Err(format!("an acquire waits in a closed pool; {status}")),
            };
        }
        let held = self.record.page().held();
        if status.held() != held {
            return Err(format!("I3: {held} connections are held; {status}"));
        }
        let page = self.record.page();
        let live = page.live() - page.steps.count_calls(Method::AfterConnect);
        drop(page);
        let without_connects = status.size() - status.connecting();
        if live != without_connects {
            return Err(format!("I3: {live} connections are open; {status}"));
        }
        // A waiter may drive a step; the others must have nothing that they could start.
        let steps = status.connecting() + status.checking() + status.recycling();
        let has_room = pool.maxsize() == 0 || status.size() < pool.maxsize();
        let has_room = has_room && self.may_connect(status, pool.readiness());
        let is_served = !self.is_suspended;
        if is_served && self.servable(status) > steps && (status.freesize() > 0 || has_room) {
            return Err(format!("I4: an acquire waits for what is there; {status}"));
        }
        if is_served && self.is_stranded(status, pool.readiness()) {
            return Err(format!("an acquire waits, and nothing can come; {status}"));
        }
        self.check_idle(status)?;
        self.check_unbegun(status, pool.minsize())?;
        let now = self.now();
        let acquires = self.calls.iter().filter(|call| call.kind != Kind::Run);
        let is_late = acquires.into_iter().any(|call| {
            let acquire = call.acquire.as_ref();
            let acquire = acquire.filter(|acquire| !acquire.is_of_ping);
            let limit = acquire.and_then(|acquire| Some(acquire.since + acquire.timeout?));
            limit.is_some_and(|limit| limit <= now)
        });
        match is_late {
            true => Err(format!("I10: an acquire is past its time-out; {status}")),
            false => Ok(()),
        }
    }

    /// Each error that was told is one that a caller has got.
    fn check_told_errors(&self) -> Result<(), String> {
        match self.history.unheard_error().filter(|_| !self.has_run) {
            None => Ok(()),
            Some(error) => Err(format!("nobody has got the error that was told: {error}")),
        }
    }

    /// Nobody has a handle. If nothing else is left either, the history has come to its end.
    fn check_gone(&self) -> Result<(), String> {
        let page = self.record.page();
        let is_left = page.steps.are_under_way() || page.live() > 0;
        drop(page);
        let is_over = |call: &Call<M>| call.kind == Kind::Closing;
        if is_left || self.settings.observed == 0 || !self.calls.iter().all(is_over) {
            return Ok(());
        }
        self.history.check_end()
    }

    /// Whether a waiter has nothing to wait for before it connects. While the breaker is open it waits for an attempt that
    /// runs, or for the timer of the next one.
    fn may_connect(&self, status: Status, readiness: Readiness) -> bool {
        let most = usize::from(self.settings.max_connecting);
        if most != 0 && status.connecting() >= most {
            return false;
        }
        let retry_after = match readiness {
            Readiness::Busy { retry_after, .. } | Readiness::CannotConnect { retry_after, .. } => {
                retry_after
            }
            _ => None,
        };
        let Some(retry_after) = retry_after else {
            return true;
        };
        let at = self.now() + retry_after;
        let is_timed = self.runtime.next_timer().is_some_and(|timer| timer <= at);
        status.connecting() == 0 && (retry_after.is_zero() || !is_timed)
    }

    /// How many of those that wait can be served with what there is.
    fn servable(&self, status: Status) -> usize {
        let quota = self.settings.quota();
        let acquires = self.calls.iter().filter_map(|call| call.acquire.as_ref());
        let high = acquires
            .filter(|acquire| acquire.arrival.is_some() && acquire.priority == Priority::High)
            .count();
        let others = status.waiting().saturating_sub(high);
        status.waiting().min(high) + others.min(quota.saturating_sub(status.held()))
    }

    /// Whether somebody waits although nothing is open, nothing connects, and the next attempt of the breaker is not meant
    /// for him: he gets his answer instead. With `connect_retry` he waits for it, but not after a wrong password.
    fn is_stranded(&self, status: Status, readiness: Readiness) -> bool {
        let Readiness::CannotConnect {
            class,
            retry_after: Some(after),
            ..
        } = readiness
        else {
            return false;
        };
        // Where it was switched off meanwhile, he waits for one more attempt.
        let retried = self.record.page().limits.connect_retry;
        let retries = retried && class != ErrorClass::Auth;
        let is_alone = status.waiting() > 0 && status.connecting() == 0;
        is_alone && !after.is_zero() && !retries
    }

    /// The counters equal the history, and who holds a connection is known.
    fn check_history(&self, pool: &Pool<M>) -> Result<(), String> {
        let stats = pool.stats();
        if self.settings.observed > 0 {
            // Upkeep has run, if there is any.
            let is_kept_up = self.settings.upkeep > 0 && self.runtime.runs_all_tasks();
            self.history.check(&stats, is_kept_up)?;
        }
        let times = [
            (stats.wait_time(), stats.acquires()),
            (stats.hold_time(), stats.acquires()),
            (stats.connect_time(), stats.connects()),
        ];
        for (time, most) in times {
            let in_buckets: u64 = time.buckets().map(|(_, count)| count).sum();
            let longest = time.quantile(1.0).unwrap_or_default();
            if time.count() > most || in_buckets != time.count() || longest > time.max() {
                return Err(format!("a histogram is wrong: {time:?}"));
            }
        }
        if self.is_terminated {
            return Ok(());
        }
        let borrowed = pool.borrowed();
        let here = |one: &Borrowed| one.place().file().contains("pool-sim");
        if !borrowed.iter().all(here) {
            return Err(format!("nobody has acquired there: {borrowed:?}"));
        }
        if self.settings.observed > 0 {
            self.history.check_borrowed(&borrowed)?;
        }
        let mut borrowed: Vec<u64> = borrowed.iter().map(Borrowed::id).collect();
        let mut held: Vec<u64> = self.held.iter().map(Holding::id).collect();
        held.extend(&self.record.page().held_by_runs);
        borrowed.sort_unstable();
        held.sort_unstable();
        match borrowed == held {
            true => Ok(()),
            false => Err(format!("{held:?} are held; borrowed() says {borrowed:?}")),
        }
    }

    /// No step is past its limit.
    ///
    /// A deadline strikes through whoever polls the step: the timer wakes him, and he finds the time over. So a step may
    /// be past its limit only while nobody is there who would poll it. Somebody is there
    ///
    /// - where the runtime runs tasks: a step without a driver gets one;
    /// - where an acquire waits, which polls its own step and, at the head of the queue, those that nobody drives;
    /// - where a `wait_closed` waits for a pool that is being closed: it polls all that is left;
    /// - as long as the call or task that has polled the step last is under way.
    ///
    /// Elsewhere the step is parked until an acquire needs it, or a `wait_closed`.
    fn check_deadlines(&self, waiting: usize) -> Result<(), String> {
        let now = self.runtime.clock();
        let mut calls = self.calls.iter();
        let is_driven = self.runtime.runs_all_tasks()
            || waiting > 0
            || (self.is_closing && calls.any(|call| call.kind.drives_close()));
        let page = self.record.page();
        for (step, waited) in page.steps.overdue(now) {
            let is_polled = |task| self.is_alive(task) && !self.may_have_left(task, step.method);
            if is_driven || step.poller.is_some_and(is_polled) {
                return Err(format!(
                    "I10: a {:?} is past its deadline after {waited:?}; {}",
                    step.method,
                    self.situation()
                ));
            }
        }
        Ok(())
    }

    fn is_alive(&self, task: u64) -> bool {
        let mut calls = self.calls.iter();
        calls.any(|call| call.task.number == task) || self.runtime.has_task(task)
    }

    /// Whether the task is a ping that may have its connection, and so has left the step that it polled to get one. From
    /// then on it polls a check only.
    fn may_have_left(&self, task: u64, method: Method) -> bool {
        let mut calls = self.calls.iter();
        let call = calls.find(|call| call.task.number == task);
        let acquire = call.and_then(|call| call.acquire.as_ref());
        kind_of(method) != Method::Check && acquire.is_some_and(|acquire| acquire.is_of_ping)
    }

    /// Where nobody waits, no step is left that has not begun: it would keep a connection from those who only look.
    fn check_unbegun(&self, status: Status, minsize: usize) -> Result<(), String> {
        let page = self.record.page();
        let begun = |method| page.steps.count(method);
        let connects = status.connecting() - begun(Method::Connect);
        let steps = status.checking() - begun(Method::Check);
        let steps = steps + status.recycling() - begun(Method::Recycle);
        // What is missing for minsize may wait for the next caller, where nobody else would connect.
        let is_surplus = status.size() - status.closing() > minsize
            && self.settings.min_idle == 0
            // Some of them may be due.
            && !self.settings.retires()
            && page.replacements == 0;
        if status.waiting() == 0 && (steps > 0 || (connects > 0 && is_surplus)) {
            return Err(format!(
                "I11: a step has not begun, and nobody waits; {status}"
            ));
        }
        Ok(())
    }
}
