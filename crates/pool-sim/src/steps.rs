//! The steps of the manager that have begun: since when each waits, under which limit, and who is to poll it.
//!
//! Promise 6: connect, check, recycle and close each end under a deadline of their own, which begins with their first
//! wait. A deadline that is missing leaves a step that is past its limit when nothing is left to run; one that strikes
//! too early drops a step before its limit.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pool_core::Phase;

use crate::calls::{Method, Page, Record};
use crate::script::{Outcome, Settings};
use crate::task;

/// The steps that have begun and are not over.
#[derive(Default)]
pub(crate) struct Steps {
    next: u64,
    under_way: BTreeMap<u64, Step>,
    /// How many were dropped when they had waited for as long as they may, by their method.
    timed_out: Vec<(Method, Duration)>,
    /// All that ever were.
    have_timed_out: BTreeSet<(usize, Duration)>,
    /// The calls of the manager's methods that have ended and were not told yet: how long each took.
    ended: Vec<(Method, Duration)>,
}

/// A step under way.
pub(crate) struct Step {
    pub(crate) method: Method,
    began: Instant,
    /// How long it may wait: the limit when it began.
    limit: Option<Duration>,
    /// When it had to wait for the first time: its deadline counts from then on.
    since: Option<Instant>,
    /// It waits, and is not being polled now.
    waits: bool,
    /// The task that has polled it last; `None` if it was polled outside of any.
    pub(crate) poller: Option<u64>,
}

impl Steps {
    /// How many steps of this kind are under way, in a method of the manager or of an interceptor.
    pub(crate) fn count(&self, kind: Method) -> usize {
        let steps = self.under_way.values();
        steps.filter(|step| kind_of(step.method) == kind).count()
    }

    /// Whether anything is under way.
    pub(crate) fn are_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// How many calls of this method are under way.
    pub(crate) fn count_calls(&self, method: Method) -> usize {
        let steps = self.under_way.values();
        steps.filter(|step| step.method == method).count()
    }

    /// The steps that have waited for longer than they may.
    pub(crate) fn overdue(&self, now: Instant) -> impl Iterator<Item = (&Step, Duration)> {
        self.under_way.values().filter_map(move |step| {
            let waited = now.saturating_duration_since(step.since?);
            (step.waits && waited >= step.limit?).then_some((step, waited))
        })
    }

    /// Whether a step of this method has ever timed out after this time.
    pub(crate) fn has_timed_out(&self, method: Method, after: Duration) -> bool {
        self.have_timed_out.contains(&(method as usize, after))
    }

    /// An observer hears that a call of this method has ended after this time. Returns whether one has.
    pub(crate) fn hear_of_end(&mut self, method: Method, took: Duration) -> bool {
        let found = self.ended.iter().position(|one| *one == (method, took));
        if let Some(index) = found {
            self.ended.swap_remove(index);
        }
        found.is_some()
    }

    /// Somebody hears that a step has timed out after this time. Returns whether one has.
    pub(crate) fn hear_of_time_out(&mut self, method: Method, after: Duration) -> bool {
        let mut all = self.timed_out.iter();
        let found = all.position(|one| *one == (method, after));
        if let Some(index) = found {
            self.timed_out.swap_remove(index);
        }
        found.is_some()
    }
}

/// The step that a method belongs to, by the manager's method in it.
pub(crate) fn kind_of(method: Method) -> Method {
    match method {
        Method::BeforeConnect | Method::AfterConnect => Method::Connect,
        Method::BeforeAcquire => Method::Check,
        Method::AfterRelease => Method::Recycle,
        Method::BeforeClose => Method::Close,
        method => method,
    }
}

thread_local! {
    /// A method was done, and the next one of the same step begins now.
    static FOLLOWS: Cell<Option<Follows>> = const { Cell::new(None) };
}

/// A task is polled: no method of an earlier poll is followed by another.
pub(crate) fn nothing_follows() {
    FOLLOWS.set(None);
}

/// What a method leaves to the next one of the same step.
#[derive(Clone, Copy)]
struct Follows {
    kind: Method,
    /// Since when the step has waited.
    since: Option<Instant>,
    /// How long it may.
    limit: Option<Duration>,
}

/// How long a step may wait.
pub(crate) fn limit(settings: &Settings, method: Method) -> Option<Duration> {
    let limit = match kind_of(method) {
        Method::Connect => settings.connect_timeout,
        Method::Check => settings.check_timeout,
        Method::Recycle => settings.recycle_timeout,
        Method::Close => settings.close_timeout,
        _ => 0,
    };
    (limit != 0).then(|| Duration::from_millis(limit.into()))
}

/// The method that a phase of an error is about; `None` for the wait of an acquire.
pub(crate) fn method_of(phase: Phase) -> Option<Method> {
    match phase {
        Phase::Connect => Some(Method::Connect),
        Phase::Check => Some(Method::Check),
        Phase::Recycle => Some(Method::Recycle),
        Phase::Close => Some(Method::Close),
        _ => None,
    }
}

/// A step, for as long as it is under way.
pub(crate) struct UnderWay {
    record: Arc<Record>,
    number: u64,
}

impl UnderWay {
    /// `true` beside it: an earlier method of the same step has just been done.
    pub(crate) fn begin(record: &Arc<Record>, method: Method) -> (Self, bool) {
        // A check that keeps a connection alive calls no interceptor.
        let is_first = matches!(method, Method::Check | Method::Recycle);
        let is_next = |follows: &Follows| follows.kind == kind_of(method) && !is_first;
        let follows = FOLLOWS.take().filter(is_next);
        let mut page = record.page();
        let limit = limit(&page.script.settings, method);
        let steps = &mut page.steps;
        steps.next += 1;
        let number = steps.next;
        let step = Step {
            method,
            began: record.runtime.clock(),
            limit: follows.map_or(limit, |follows| follows.limit),
            since: follows.and_then(|follows| follows.since),
            waits: false,
            poller: None,
        };
        steps.under_way.insert(number, step);
        drop(page);
        let step = Self {
            record: Arc::clone(record),
            number,
        };
        (step, follows.is_some())
    }

    /// The method is done, and the next one of the same step begins at once.
    ///
    /// Nothing else runs in between, so a poll that begins ends that: see [`nothing_follows`].
    pub(crate) fn hand_over(&self) {
        let page = self.record.page();
        let step = page.steps.under_way.get(&self.number);
        FOLLOWS.set(step.map(|step| Follows {
            kind: kind_of(step.method),
            since: step.since,
            limit: step.limit,
        }));
    }

    /// The part of the step that takes time. Returns whether the step succeeds.
    ///
    /// # Panics
    ///
    /// Where the outcome is a panic.
    pub(crate) async fn act(&self, outcome: Outcome) -> bool {
        let mut acting = pin!(self.record.act(outcome));
        poll_fn(|cx| {
            self.change(|step| step.waits = false);
            let poll = acting.as_mut().poll(cx);
            if poll.is_pending() {
                let now = self.record.runtime.clock();
                self.change(|step| {
                    step.since.get_or_insert(now);
                    step.waits = true;
                    step.poller = task::current();
                });
            }
            poll
        })
        .await
    }

    fn change(&self, change: impl FnOnce(&mut Step)) {
        let mut page = self.record.page();
        let step = page.steps.under_way.get_mut(&self.number);
        change(step.expect("a step is known as long as it is under way"));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let now = self.record.runtime.clock();
        let runs_tasks = self.record.runtime.runs_all_tasks();
        let mut page = self.record.page();
        let step = page.steps.under_way.remove(&self.number);
        if let Some(step) = step.as_ref() {
            let took = now.saturating_duration_since(step.began);
            page.steps.ended.push((step.method, took));
        }
        if let Some(step) = step.filter(|step| step.waits) {
            page.is_given_up(&step, now, runs_tasks);
        }
    }
}

impl Page {
    /// A step is dropped while it waits. That is right when its time is over.
    ///
    /// Before that, an open pool whose runtime runs its tasks lets each step go on, because a task can drive it, whoever
    /// has left it. Two kinds go with the acquire that gave up on them: a check and a close that no deadline would end.
    /// Where tasks are not run, the pool also drops a recycle of this kind, and each close that nobody will drive.
    fn is_given_up(&mut self, step: &Step, now: Instant, runs_tasks: bool) {
        let waited = step.since.map(|since| now.saturating_duration_since(since));
        let waited = waited.unwrap_or_default();
        match step.limit {
            Some(limit) if waited >= limit => {
                let method = kind_of(step.method);
                self.steps.timed_out.push((method, limit));
                self.steps.have_timed_out.insert((method as usize, limit));
                self.late_steps += 1;
            }
            None if matches!(kind_of(step.method), Method::Check | Method::Close) => {}
            limit if self.pool_is_open && runs_tasks => self.violations.push(format!(
                "I10: a {:?} was dropped after {waited:?}; its limit is {limit:?}",
                step.method
            )),
            _ => {}
        }
    }
}
