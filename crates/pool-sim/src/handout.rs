//! Looks at what came out of the verbs: was the right connection handed out, to the right one, with the right error?

use std::time::{Duration, Instant};

use pool_core::{Error, ErrorClass, Phase, PooledConnection, Priority};

use crate::calls::Method;
use crate::connection::SimConnection;
use crate::held::Holding;
use crate::lifetimes::outlived;
use crate::ops::no_panic;
use crate::runtime::pick;
use crate::script::Outcome;
use crate::simulated::{Guard, SimError, Simulated};
use crate::steps::method_of;
use crate::world::{Acquiring, Call, Done, World};

impl<M: Simulated> World<M> {
    /// Takes what has come out of the calls and of the background tasks.
    pub(crate) fn collect(&mut self) -> Result<(), String> {
        no_panic(self.runtime.forget_done())?;
        while let Some(index) = self.first_done() {
            let call = self.calls.remove(index);
            if let Some(words) = call.task.take_panic() {
                return Err(format!("I9: a verb panicked: {words}"));
            }
            let now = self.now();
            self.just_ended.retain(|(at, _)| *at == now);
            if let Some(acquire) = call.arrived() {
                self.just_ended.push((now, acquire.since));
            }
            let output = call.task.take_output();
            self.compare_error(output.as_ref())?;
            match output.expect("a call that is done has an output") {
                Done::Acquired(result) => {
                    let acquiring = call.acquire.expect("an acquire is known as one");
                    self.acquired(result, &acquiring)?;
                }
                Done::Pinged(result) => {
                    let acquiring = call.acquire.expect("a ping is known as an acquire");
                    self.pinged(result, &acquiring)?;
                }
                Done::Built(Ok(pool)) => self.built(pool)?,
                Done::Built(Err(error)) if self.settings.start_policy != 0 => {
                    return Err(format!("it was to start all the same: {error}"));
                }
                Done::Built(Err(error)) | Done::Filled(Err(error)) => self.fill_failed(&error)?,
                Done::Released(Err(error)) => self.release_failed(&error)?,
                Done::Closed(Err(error)) => {
                    if !matches!(error, Error::NotClosing) {
                        return Err(format!("wait_closed says: {error}"));
                    }
                }
                Done::Closed(Ok(())) => self.closed()?,
                Done::Closing if self.is_closing || self.handles.is_empty() => {}
                Done::Closing => return Err("closing() is ready, and nobody closes".into()),
                Done::ShutDown(report) => self.was_shut_down(&report, call.kind)?,
                Done::Ran(Ok(())) => {}
                Done::Ran(Err(error)) => {
                    let acquiring = call.acquire.expect("a run is known as an acquire");
                    self.run_failed(&error, &acquiring)?;
                }
                Done::Filled(Ok(())) | Done::Released(Ok(())) | Done::Cleared => {}
            }
        }
        Ok(())
    }

    /// The observers were told of the error that an acquire has returned.
    pub(crate) fn compare_error(&self, output: Option<&Done<M>>) -> Result<(), String> {
        match output {
            Some(Done::Acquired(Err(error))) => self.was_told(error),
            // That of a check or of its work is no error of an acquire.
            Some(Done::Pinged(Err(error)) | Done::Ran(Err(error))) => {
                self.history.may_hear_of_error(error.to_string());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn was_told(&self, error: &SimError<M>) -> Result<(), String> {
        let is_told = self.settings.observed == 0 || self.history.hear_of_error(&error.to_string());
        match is_told {
            true => Ok(()),
            false => Err(format!("no event tells of this error: {error}")),
        }
    }

    fn first_done(&self) -> Option<usize> {
        let mut calls = self.calls.iter();
        calls.position(|call| !call.task.is_alive())
    }

    fn acquired(
        &mut self,
        result: Result<Guard<M>, SimError<M>>,
        acquiring: &Acquiring,
    ) -> Result<(), String> {
        match result {
            Ok(guard) => {
                if acquiring.came_too_late {
                    return Err("an acquire that began after the close was served".into());
                }
                let is_as_asked = acquiring.changes == self.changes;
                let since = is_as_asked.then_some(acquiring.since);
                self.served(guard, since, acquiring.priority)?;
                self.check_order(Some(acquiring))
            }
            Err(error) => {
                self.acquire_failed(&error, acquiring)?;
                self.failed(&error)
            }
        }
    }

    /// A connection is handed out to somebody who asked for it at `since`; `None`: the settings have changed since.
    fn served(
        &mut self,
        mut guard: Guard<M>,
        since: Option<Instant>,
        priority: Priority,
    ) -> Result<(), String> {
        self.coverage.served += 1;
        let id = PooledConnection::id(&guard);
        match priority {
            Priority::High => self.held_by_high.insert(id),
            _ => self.held_by_high.remove(&id),
        };
        let wrong = SimConnection::now_taken(&guard).or(wrong_extension(&mut guard));
        let outlived =
            since.and_then(|since| guard.mark(|mark| outlived(&self.settings, mark, since)));
        let (is_proven, is_checked, last_use) =
            guard.mark(|mark| (mark.is_proven, mark.is_checked, mark.last_use));
        let is_suspect = guard.mark(|mark| mark.is_suspect);
        self.held.push(Holding::new(guard));
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        if self.is_suspended {
            return Err("a connection was handed out by a suspended pool".into());
        }
        let Some(since) = since else {
            return Ok(());
        };
        if let Some(why) = outlived {
            return Err(format!("I7: connection {id} was handed out: {why}"));
        }
        let idle = since.saturating_duration_since(last_use);
        let limit = |value: u16| Duration::from_millis(value.into());
        let settings = &self.settings;
        let expires = [settings.pool_recycle, settings.idle_limit];
        let expires = expires.into_iter().filter(|limit| *limit != 0).min();
        if expires.is_some_and(|expires| idle > limit(expires)) {
            return Err(format!(
                "I7: a connection that was idle for {idle:?} was handed out"
            ));
        }
        match settings.check_policy {
            0 => Ok(()),
            1 if is_proven => Ok(()),
            // Before a change of the policy it was on its way through the interceptors alone.
            1 if self.changes > 0 && self.settings.intercepts() => Ok(()),
            1 => Err("a connection was handed out without a check".into()),
            _ if is_suspect => Err("it was handed out unchecked after another was lost".into()),
            idle_for if idle > limit(idle_for) && !is_checked && !is_proven => Err(format!(
                "a connection was handed out without a check after {idle:?}"
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn try_acquire(&mut self, number: u16) -> Result<(), String> {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return Ok(());
        };
        self.coverage.ops += 1;
        let since = self.now();
        let is_closing = self.is_closing;
        match pool.try_acquire() {
            Ok(_) if is_closing => Err("try_acquire was served after the close".into()),
            Ok(guard) => {
                self.served(guard, Some(since), Priority::Normal)?;
                self.check_order(None)
            }
            Err(error @ Error::Closed) if is_closing => self.was_told(&error),
            Err(Error::Suspended) if self.is_suspended => Ok(()),
            Err(Error::Exhausted) if !is_closing && !self.is_suspended => Ok(()),
            Err(error) => Err(format!("try_acquire says: {error}")),
        }
    }

    /// Only an error that has a reason may come out of an acquire.
    pub(crate) fn acquire_failed(
        &mut self,
        error: &SimError<M>,
        acquiring: &Acquiring,
    ) -> Result<(), String> {
        let waited = self.now().saturating_duration_since(acquiring.since);
        let has_reason = match error {
            Error::Closed => self.is_closing,
            Error::Timeout { phase, after, .. } => {
                let is_over = acquiring.timeout.is_some_and(|limit| waited >= limit);
                (is_over && *after == waited)
                    || self.has_timed_out(Phase::Connect, *phase, *after)
                    || (self.settings.intercepts()
                        && self.has_timed_out(Phase::Check, *phase, *after))
            }
            Error::Connect(_) | Error::Panicked { .. } => true,
            // The only class of the simulator that no retry mends.
            Error::BreakerOpen { class, .. } => *class == ErrorClass::Auth,
            Error::Check(_) => self.settings.intercepts(),
            Error::QueueFull => self.is_full(acquiring),
            Error::Shed => self.may_shed(acquiring),
            _ => false,
        };
        if matches!(error, Error::Timeout { .. }) {
            self.coverage.timeouts += 1;
            self.explains(error)?;
        }
        match has_reason {
            true => Ok(()),
            false => Err(format!(
                "an acquire failed after {waited:?} without reason: {error}"
            )),
        }
    }

    /// As many wait as may, or did when this one came.
    fn is_full(&self, refused: &Acquiring) -> bool {
        let pool = self.handles.first();
        let waiting = pool.map(|pool| pool.status().waiting());
        let most = self.settings.max_waiters.checked_sub(1).map(usize::from);
        // It is heard of at the same instant, when some of them may have ended, or while the pool is being dropped.
        let ended = self.just_ended.len();
        let is_full = |most| waiting.is_none_or(|waiting| waiting + ended >= most);
        most.is_some_and(|most| refused.waiting >= most || is_full(most))
    }

    /// Somebody waits for longer than the target.
    fn may_shed(&self, refused: &Acquiring) -> bool {
        let settings = &self.settings;
        let target = Duration::from_millis(settings.shedding.into());
        let is_on = settings.shedding > 0 && settings.dry_run == 0;
        let now = self.now();
        let is_slow = |call: &Call<M>| {
            let acquire = call.arrived();
            acquire.is_some_and(|other| now.saturating_duration_since(other.since) >= target)
        };
        // One that has just ended may have waited still when this one came.
        let mut ended = self.just_ended.iter();
        let has_ended = ended.any(|(at, since)| *at == now && now - *since >= target);
        let is_seen = has_ended || self.calls.iter().any(is_slow);
        is_on && refused.priority != Priority::High && is_seen
    }

    /// A time-out names the pool, says no more than is true, and needs two lines at most.
    fn explains(&self, error: &SimError<M>) -> Result<(), String> {
        let last = error.last_connect();
        // A connect that took too long or panicked has no error.
        let failure = error.last_connect_failure();
        let is_own = last
            .is_none_or(|(own, class, age)| M::is_scripted(own) && failure == Some((class, age)));
        let limit = usize::from(self.settings.maxsize);
        let Error::Timeout { status, .. } = error else {
            return Ok(());
        };
        let can_be_nested = self.settings.labels > 0 && status.held() >= limit;
        // Its label is the label of all.
        let is_nested = !error.is_nested() || can_be_nested;
        let is_nested_here = error.nested().is_none_or(|nested| {
            let places = [nested.holds_since(), nested.waits_at()];
            !nested.label().is_empty()
                && places.iter().all(|place| place.file().contains("pool-sim"))
        });
        let holder = error.longest_holder();
        let is_here = holder.is_none_or(|holder| holder.place().file().contains("pool-sim"));
        let lines = error.to_string().lines().count();
        let is_named = error.pool_name() == Some("simulated");
        match is_own && is_nested && is_nested_here && is_here && is_named && lines <= 2 {
            true => Ok(()),
            false => Err(format!("a time-out says what is not so: {error}")),
        }
    }

    fn release_failed(&mut self, error: &SimError<M>) -> Result<(), String> {
        let has_reason = match error {
            Error::Discarded | Error::Recycle(_) | Error::Panicked { .. } => true,
            // The last handle may be gone while a release is under way.
            Error::Closed => self.is_closing || self.handles.is_empty(),
            Error::Timeout { phase, after, .. } => {
                self.has_timed_out(Phase::Recycle, *phase, *after)
            }
            _ => false,
        };
        match has_reason {
            true => self.failed(error),
            false => Err(format!("a release failed without reason: {error}")),
        }
    }

    /// The error of a `fill`, or of a `build`.
    fn fill_failed(&mut self, error: &SimError<M>) -> Result<(), String> {
        let has_reason = match error {
            Error::Connect(_) | Error::Panicked { .. } | Error::BreakerOpen { .. } => true,
            Error::Closed => self.is_closing,
            Error::Timeout { phase, after, .. } => {
                self.has_timed_out(Phase::Connect, *phase, *after)
            }
            _ => false,
        };
        match has_reason {
            true => self.failed(error),
            false => Err(format!("a fill failed without reason: {error}")),
        }
    }

    /// Whether a step of this phase has waited for as long as it may, and the error says so. Each such step is heard of
    /// once.
    pub(crate) fn has_timed_out(&self, wanted: Phase, phase: Phase, after: Duration) -> bool {
        let Some(method) = method_of(phase).filter(|_| phase == wanted) else {
            return false;
        };
        let mut page = self.record.page();
        if page.limits.connect_retry && method == Method::Connect {
            // All who have waited for too long hear of the last failure.
            return page.steps.has_timed_out(method, after);
        }
        page.steps.hear_of_time_out(method, after)
    }

    /// An error must have a cause in the script.
    pub(crate) fn failed(&mut self, error: &SimError<M>) -> Result<(), String> {
        self.coverage.errors += 1;
        let is_scripted = |wanted: &[Outcome]| self.record.page().has_any(wanted);
        let has_cause = match error {
            Error::Connect(own) => {
                M::is_scripted(own)
                    && is_scripted(&[Outcome::Err, Outcome::GateErr, Outcome::Discard])
            }
            // After a connect that has failed with an error of its own.
            Error::BreakerOpen {
                class: ErrorClass::Auth,
                last_connect,
                ..
            } => last_connect.as_ref().is_some_and(|own| M::is_scripted(own)),
            // A broken connection fails, too.
            Error::Recycle(own) => M::is_scripted(own),
            Error::Check(own) => {
                M::is_scripted(own)
                    && is_scripted(&[Outcome::Err, Outcome::GateErr, Outcome::Discard])
            }
            Error::Panicked { .. } => {
                is_scripted(&[Outcome::Panic, Outcome::PanicInCall, Outcome::GatePanic])
            }
            Error::Exhausted | Error::Config(_) | Error::NotClosing => false,
            _ => true,
        };
        match has_cause {
            true => Ok(()),
            false => Err(format!("an error without cause: {error}")),
        }
    }

    /// `wait_closed` has returned.
    fn closed(&mut self) -> Result<(), String> {
        if !self.is_closing {
            return Err("wait_closed returned, and nobody has closed the pool".into());
        }
        let page = self.record.page();
        let held = page.held();
        let live = page.live() - held;
        let connects = page.steps.count(Method::Connect);
        if live + connects > 0 {
            return Err(format!(
                "I6: wait_closed returned with {live} connections and {connects} connects"
            ));
        }
        if held > 0 {
            return Err("wait_closed returned while somebody holds a connection".into());
        }
        Ok(())
    }
}

/// What is stored with a connection stays with it, whoever holds it.
fn wrong_extension<M: Simulated>(guard: &mut Guard<M>) -> Option<String> {
    let id = guard.id;
    let was_stored = guard.mark(|mark| std::mem::replace(&mut mark.has_extension, true));
    let extensions = PooledConnection::extensions_mut(guard);
    let stored = extensions.get_mut::<u64>().copied();
    if extensions.insert(id) != stored || PooledConnection::extensions(guard).get() != Some(&id) {
        return Some(format!("what was stored with connection {id} is not there"));
    }
    let is_right = stored == was_stored.then_some(id);
    (!is_right).then(|| format!("{stored:?} was stored with connection {id}"))
}
