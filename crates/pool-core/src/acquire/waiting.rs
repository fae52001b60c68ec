//! How an acquire waits: it joins the queue, drives the job that was started for it, and takes its answer.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::observed::{Leaving, count_left, note_left};
use super::{Acquire, Progress, Timeout, Waiting};
use crate::backend::{PoolTypes, no_timer};
use crate::config::NO_TIMER;
use crate::error::{Error, Phase};
use crate::ledger::{Answer, Answered, Deadline, Effects, Found, Kind, LedgerEntry, Ticket};
use crate::panics::ignore_panic;
use crate::pooled::PooledConnection;
use crate::shared::{Driven, PoolLedger, poll_undriven};
use crate::{Manager, Status};

type Acquired<M> = Result<PooledConnection<M>, Error<<M as Manager>::Error>>;

impl<M: Manager> Acquire<'_, M> {
    /// The first poll, if the fast case did not serve it.
    #[inline(never)]
    pub(super) fn begin(&mut self, cx: &mut Context<'_>) -> Poll<Acquired<M>> {
        match self.join_queue(cx) {
            Ok(true) => Poll::Pending,
            Ok(false) => self.look(cx),
            Err(error) => Poll::Ready(self.fail(error)),
        }
    }

    /// Joins the queue. `true`: there is nothing to do but wait.
    fn join_queue(&mut self, cx: &mut Context<'_>) -> Result<bool, Error<M::Error>> {
        let waker = cx.waker().clone();
        let since = self.shared.now();
        let (timeout, is_of_pool) = match self.timeout {
            Timeout::OfPool => (self.shared.backend.limits.acquire.get(), true),
            Timeout::OfCaller(timeout) => (timeout, false),
        };
        let deadline = timeout.and_then(|timeout| since.checked_add(timeout));
        let noted = deadline.map(|at| Deadline { at, is_of_pool });
        let mut ledger = self.shared.ledger();
        let mut queued = match ledger.enqueue(waker, noted, self.priority, since) {
            Ok(queued) => queued,
            Err((refusal, waker)) => {
                drop(ledger);
                ignore_panic(|| drop(waker));
                return Err(self.refused(refusal));
            }
        };
        let mark;
        if queued.only_waits {
            mark = self.mark(&mut ledger, queued.ticket, since);
            drop(ledger);
        } else {
            let mut effects = Effects::new(Some(since), None);
            let started = ledger.start_for(queued.ticket, deadline, &mut effects);
            queued = match started {
                Ok(queued) => queued,
                Err(refusal) => {
                    drop(ledger);
                    self.shared.perform(effects);
                    return Err(self.refused(refusal));
                }
            };
            mark = self.mark(&mut ledger, queued.ticket, since);
            drop(ledger);
            self.shared.perform(effects);
        }
        self.shared.set_waiters_hint(queued.only_waits);
        self.progress = Progress::Waiting(Waiting {
            ticket: queued.ticket,
            since,
            mark,
            deadline,
            step: None,
        });
        if queued.set_timer {
            self.set_timer()?;
        }
        if self.shared.measures {
            self.shared.after_join();
        }
        Ok(queued.only_waits)
    }

    /// What this acquire has to keep now that it has joined the queue: [`Waiting::mark`].
    #[inline]
    fn mark(&self, ledger: &mut PoolLedger<M>, ticket: Ticket, since: Instant) -> u64 {
        match self.shared.measures || self.borrower.label.is_some() {
            true => self.note_join(ledger, ticket, since),
            false => ledger.hand_outs(),
        }
    }

    /// Every poll of a waiter: takes the answer, or drives the job that was started for it.
    #[inline(never)]
    pub(super) fn look(&mut self, cx: &mut Context<'_>) -> Poll<Acquired<M>> {
        let Progress::Waiting(Waiting {
            ticket, deadline, ..
        }) = self.progress
        else {
            return Poll::Ready(self.no_timer());
        };
        let now = self.shared.measures.then(|| self.shared.now());
        let mut ledger = self.shared.ledger();
        // The fast case of a waiter that was woken: nearly always its answer is there.
        if let Some(answered) = ledger.take_answer(ticket, &mut self.borrower) {
            if let Some(now) = now {
                self.note_answer(&mut ledger, &answered.answer, now);
            }
            drop(ledger);
            if now.is_some() {
                self.tell_answer();
            }
            return Poll::Ready(self.leave_with(answered, cx));
        }
        let found = ledger.find_work(ticket, deadline, None, Some(cx.waker()));
        drop(ledger);
        self.drive(ticket, deadline, found, cx)
    }

    #[inline]
    fn leave_with(
        &mut self,
        answered: Answered<PoolTypes<M>>,
        cx: &mut Context<'_>,
    ) -> Acquired<M> {
        self.progress = Progress::Done;
        if let Some(stale) = answered.waker {
            ignore_panic(|| drop(stale));
        }
        if answered.set_timer {
            // Where it cannot be set, the next caller that waits is told.
            let _ = self.shared.set_timer();
        }
        if answered.undriven {
            self.hand_on_undriven(cx);
        }
        self.result(answered.answer)
    }

    /// Drives the job that was started for this waiter, until there is nothing to do.
    #[inline(never)]
    fn drive(
        &mut self,
        ticket: Ticket,
        deadline: Option<Instant>,
        mut found: Found<PoolTypes<M>>,
        cx: &mut Context<'_>,
    ) -> Poll<Acquired<M>> {
        let mut polled = None;
        loop {
            match found {
                Found::Answered(answered) => {
                    if self.shared.measures {
                        self.tell_answer();
                    }
                    return Poll::Ready(self.leave_with(answered, cx));
                }
                Found::Job(job) => {
                    let (key, kind) = (job.key, job.kind);
                    self.set_step(Some(kind));
                    polled = Some(key);
                    let (shared, borrower) = (self.shared, &mut self.borrower);
                    let (driven, next) = job.poll_and(shared, cx, |ledger, driven, effects| {
                        // What is still to be done may lead to something, and a panic of a check ends the wait.
                        let is_all = effects.are_plain() && !shared.measures;
                        let goes_on = is_all && !driven.is_failed_check(kind);
                        goes_on.then(|| ledger.find_for(ticket, deadline, polled, borrower))
                    });
                    if let Driven::Settled(settled) = driven {
                        self.set_step(None);
                        if let Some(error) = settled.panic_of_a_check(kind) {
                            return Poll::Ready(self.give_up(ticket, error));
                        }
                    }
                    if let Some(next) = next {
                        found = next;
                        continue;
                    }
                }
                Found::StoreWaker => {
                    let new = cx.waker().clone();
                    let old = self.shared.ledger().set_waker(ticket, new);
                    ignore_panic(|| drop(old));
                }
                Found::Nothing {
                    is_timed,
                    polls_undriven,
                    sets_timer,
                } => {
                    if sets_timer && self.shared.has_timer {
                        self.shared.set_timer_if_needed();
                    }
                    let any_ended = polls_undriven && poll_undriven(self.shared, Some(ticket), cx);
                    if !any_ended {
                        if let Some(poll) = self.wait(ticket, deadline, is_timed) {
                            return poll;
                        }
                    }
                }
            }
            let now = self.shared.measures.then(|| self.shared.now());
            let mut ledger = self.shared.ledger();
            found = ledger.find_for(ticket, deadline, polled, &mut self.borrower);
            if let (Found::Answered(answered), Some(now)) = (&found, now) {
                self.note_answer(&mut ledger, &answered.answer, now);
            }
            drop(ledger);
        }
    }

    fn set_step(&mut self, step: Option<Kind>) {
        if let Progress::Waiting(waiting) = &mut self.progress {
            waiting.step = step;
        }
    }

    /// Waits, or gives up if the deadline is over; `None`: something has changed. `is_timed`: the timer is set.
    fn wait(
        &mut self,
        ticket: Ticket,
        deadline: Option<Instant>,
        is_timed: bool,
    ) -> Option<Poll<Acquired<M>>> {
        let Some(deadline) = deadline else {
            return Some(Poll::Pending);
        };
        let now = self.shared.now();
        if now >= deadline {
            let error = self.timed_out(now);
            return Some(Poll::Ready(self.give_up(ticket, error)));
        }
        if is_timed {
            return Some(Poll::Pending);
        }
        let (set_timer, changed) = self.shared.change_at(now, Some(ticket), |ledger, effects| {
            let changed = ledger.resume(ticket, deadline, effects);
            (ledger.timer_to_set(), changed)
        });
        if set_timer {
            if let Err(error) = self.set_timer() {
                return Some(Poll::Ready(self.give_up(ticket, error)));
            }
        }
        (!changed).then_some(Poll::Pending)
    }

    /// Polls the jobs that nobody drives, or wakes the next waiter for them. If this acquire has polled them, they know
    /// its waker, which nobody follows any more.
    #[cold]
    fn hand_on_undriven(&self, cx: &mut Context<'_>) {
        poll_undriven(self.shared, None, cx);
        self.shared
            .change(None, |ledger, effects| ledger.drive_undriven(effects));
    }

    #[inline]
    fn result(&self, answer: Answer<PoolTypes<M>>) -> Acquired<M> {
        match answer {
            Answer::Entry(entry) => Ok(PooledConnection::new(entry, Arc::clone(self.shared))),
            Answer::Failed(error) => Err(*error),
            Answer::Closed => Err(Error::Closed),
        }
    }

    /// The poll of an acquire whose time-out no timer can keep.
    fn no_timer(&mut self) -> Acquired<M> {
        match std::mem::replace(&mut self.progress, Progress::Done) {
            Progress::NoTimer => {
                let error = no_timer("timeout", NO_TIMER.into());
                self.borrower.take_label_of_task();
                self.shared.ledger().count_failure(error.failure_reason());
                self.shared.tell_rejected(&self.borrower, &error);
                Err(error)
            }
            _ => panic!("an acquire is not polled again after it was ready"),
        }
    }

    /// Sets the timer for the deadline of this waiter.
    ///
    /// # Errors
    ///
    /// There is no timer: this waiter does not wait.
    fn set_timer(&self) -> Result<(), Error<M::Error>> {
        self.shared.set_timer().map_err(|why| {
            let field = match self.timeout {
                Timeout::OfPool => Phase::Wait.timeout_field(),
                Timeout::OfCaller(_) => "timeout",
            };
            no_timer(field, why)
        })
    }

    /// Fails with an error of the first poll, in the queue or before it.
    fn fail(&mut self, error: Error<M::Error>) -> Acquired<M> {
        match self.progress {
            Progress::Waiting(Waiting { ticket, .. }) => self.give_up(ticket, error),
            _ => Err(error),
        }
    }

    /// Leaves the queue with an error, unless the answer has just come.
    fn give_up(&mut self, ticket: Ticket, error: Error<M::Error>) -> Acquired<M> {
        match self.leave(ticket, Leaving::With(&error)) {
            Some(answer) => self.result(answer),
            None => Err(error),
        }
    }

    /// The caller has dropped the acquire: what was meant for it is for the next waiter.
    #[cold]
    pub(super) fn acquire_dropped(&mut self, ticket: Ticket) {
        let answer = self.leave(ticket, Leaving::Dropped);
        ignore_panic(|| drop(answer));
    }

    /// Leaves the queue. What has become of this waiter is counted and noted in the same lock.
    fn leave(&mut self, ticket: Ticket, leaving: Leaving<'_, M>) -> Option<Answer<PoolTypes<M>>> {
        let passes_on = matches!(leaving, Leaving::Dropped);
        let now = self.shared.now();
        let waiting = self.waiting();
        let (number, waited) = waiting.map_or((0, Duration::ZERO), |waiting| {
            (waiting.mark, now.saturating_duration_since(waiting.since))
        });
        let measures = self.shared.measures;
        let borrower = &mut self.borrower;
        let (left, answer) = self.shared.change_at(now, Some(ticket), |ledger, effects| {
            let mut left = ledger.leave(ticket, effects);
            let answer = match left.answer.take() {
                Some(Answer::Entry(entry)) if passes_on => {
                    ledger.pass_on(entry, effects);
                    None
                }
                Some(Answer::Entry(entry)) => {
                    ledger.lend(entry.key(), borrower);
                    if measures {
                        ledger.lent_at(entry.key(), Some(number), waited, now);
                    }
                    return (left, Some(Answer::Entry(entry)));
                }
                answer => answer,
            };
            count_left(ledger, &leaving, answer.as_ref());
            if measures {
                note_left(ledger, borrower, (number, waited), leaving, answer.as_ref());
            }
            (left, answer)
        });
        ignore_panic(|| drop(left.waker));
        self.progress = Progress::Done;
        self.shared.set_timer_if_needed();
        answer
    }

    fn waiting(&self) -> Option<&Waiting> {
        match &self.progress {
            Progress::Waiting(waiting) => Some(waiting),
            _ => None,
        }
    }

    fn timed_out(&self, now: Instant) -> Error<M::Error> {
        let waiting = self.waiting().expect("only a waiter times out");
        let timed_out = Error::Timeout {
            phase: Kind::phase(waiting.step),
            after: now.saturating_duration_since(waiting.since),
            status: Status::default(),
            last_connect: None,
            report: Box::default(),
        };
        // In a pool that measures, the instant of each hand-out is known.
        let seen = (!self.shared.measures).then_some((waiting.since, waiting.mark));
        self.shared.with_context(timed_out, seen)
    }
}
