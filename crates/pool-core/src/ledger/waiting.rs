//! The queue's side of the books: who gets what comes back, and what is set in motion for whom.

use std::task::Waker;
use std::time::Instant;

use super::shelves::Found;
use super::{After, Ledger, Stage, Stock};
use crate::jobs::{Kind, Tender, Work};
use crate::keys::{JobKey, Ticket};
use crate::waiters::{Deadline, Left};

/// What a waiter waits for.
pub(crate) enum Answer<S: Stock> {
    /// A clean entry; it counts as held.
    Entry(S::Entry),
    /// A connect failed, and this was the first waiter.
    Failed(Box<S::Failure>),
    /// The pool was closed.
    Closed,
}

/// A new waiter.
pub(crate) struct Queued {
    pub(crate) ticket: Ticket,
    /// There is nothing that it could do but wait.
    pub(crate) waits: bool,
    /// The timer is to be set for its deadline.
    pub(crate) set_timer: bool,
}

/// What a waiter finds when it looks.
pub(crate) enum Visit<S: Stock> {
    /// Its answer; it has left.
    Answer {
        left: Left<Answer<S>>,
        /// There are jobs that nobody drives.
        untended: bool,
        /// The timer is to be set for somebody else.
        set_timer: bool,
    },
    /// Its job, to be polled.
    Job(JobKey, Kind, Work<S::Entry, S::Job>),
    /// Nothing yet. `true`: there are jobs that nobody drives, and it is this waiter's turn to poll them.
    Nothing(bool),
    /// Nothing yet, and the pool knows another waker than the one that polls.
    OtherWaker,
}

impl<S: Stock> Ledger<S> {
    /// The short way into the queue, where every place is in somebody's hands and there is nothing to do but wait.
    ///
    /// # Errors
    ///
    /// Gives the waker back where that is not so.
    #[inline]
    pub(crate) fn queue_up(
        &mut self,
        waker: Waker,
        deadline: Option<Deadline>,
        now: Instant,
    ) -> Result<Queued, Waker> {
        // Whatever is idle, under way or missing would be another place.
        let all_are_held = self.stage == Stage::Open && self.counts.held == self.limit;
        if !all_are_held || deadline.is_some_and(|deadline| deadline.at() <= now) {
            return Err(waker);
        }
        Ok(Queued {
            ticket: self.waiters.push(waker, deadline),
            waits: true,
            set_timer: self.timer_is_late(deadline) && self.timer_to_set(),
        })
    }

    /// The short way out of the queue, with a connection; `None`: there is none yet, or something else to be done.
    #[inline]
    pub(crate) fn collect(&mut self, ticket: Ticket) -> Option<S::Entry> {
        let quiet = self.jobs.untended() == 0 && !self.timer_is_missing();
        match self.waiters.plain_answer(ticket) {
            Some(Answer::Entry(_)) if quiet => {}
            _ => return None,
        }
        match self.waiters.take_plain_answer(ticket) {
            Some(Answer::Entry(entry)) => Some(entry),
            _ => unreachable!("it was seen to be an entry"),
        }
    }

    /// A new waiter; what can be set in motion for it, is.
    ///
    /// # Errors
    ///
    /// The pool is closed; the waker comes back, to be dropped without the lock.
    pub(crate) fn enqueue(
        &mut self,
        waker: Waker,
        deadline: Option<Deadline>,
        now: Instant,
        after: &mut After<S>,
    ) -> Result<Queued, Waker> {
        if self.stage != Stage::Open {
            return Err(waker);
        }
        let ticket = self.waiters.push(waker, deadline);
        after.current = Some(ticket);
        self.supply(now, after);
        self.fill(now, after);
        let waits = !self.waiters.is_answered(ticket)
            && self.waiters.job(ticket).is_none()
            && self.jobs.untended() == 0
            // What is still to be done may lead to something.
            && !after.has_chores()
            && deadline.is_none_or(|deadline| deadline.at() > now);
        Ok(Queued {
            ticket,
            waits,
            // Whoever has something to poll does that first and sets it afterwards.
            set_timer: waits && deadline.is_some() && self.timer_to_set(),
        })
    }

    /// What there is for the waiter, other than the job that it has just polled; `waker`, if given, is to be the one by
    /// which it is woken.
    pub(crate) fn visit(
        &mut self,
        ticket: Ticket,
        polled: Option<JobKey>,
        waker: Option<&Waker>,
    ) -> Visit<S> {
        let untended = self.jobs.untended() > 0;
        if self.waiters.is_answered(ticket) {
            return Visit::Answer {
                left: self.waiters.remove(ticket),
                untended,
                set_timer: self.timer_to_set(),
            };
        }
        // Asked for once a poll: a waker need not recognise its own clone.
        if waker.is_some_and(|waker| !self.waiters.is_woken_by(ticket, waker)) {
            return Visit::OtherWaker;
        }
        let Some(key) = self.waiters.job(ticket).filter(|key| Some(*key) != polled) else {
            let first = self.waiters.first() == Some(ticket);
            return Visit::Nothing(untended && first);
        };
        let kind = self.jobs.get(key).map(|job| job.kind);
        match (kind, self.jobs.take(key)) {
            (Some(kind), Some(work)) => Visit::Job(key, kind, work),
            _ => Visit::Nothing(false),
        }
    }

    /// Another waker for the waiter; the old one comes back, to be dropped without the lock.
    pub(crate) fn set_waker(&mut self, ticket: Ticket, waker: Waker) -> Option<Waker> {
        self.waiters.set_waker(ticket, waker)
    }

    /// A waiter goes, served or not: what was meant for it goes to the next, except an entry that it takes along.
    pub(crate) fn leave(
        &mut self,
        ticket: Ticket,
        now: Instant,
        after: &mut After<S>,
    ) -> Left<Answer<S>> {
        let left = self.waiters.remove(ticket);
        if let Some(key) = left.job {
            self.orphan(key, true, after);
        }
        if self.spawns {
            for key in self.unattended() {
                after.tend(key);
            }
        }
        self.supply(now, after);
        self.wake_for_unattended(after);
        left
    }

    /// Jobs that nobody drives are polled by whoever waits: when one of these goes, another has to take over.
    pub(crate) fn wake_for_unattended(&mut self, after: &mut After<S>) {
        if self.jobs.untended() > 0 {
            if self.spawns && self.waiters.queued() == 0 {
                for key in self.unattended() {
                    after.tend(key);
                }
            }
            if let Some(first) = self.waiters.first() {
                self.wake(first, after);
            }
        }
    }

    /// An entry that was meant for a waiter who went.
    pub(crate) fn pass_on(&mut self, entry: S::Entry, now: Instant, after: &mut After<S>) {
        self.counts.held -= 1;
        match self.stage {
            // By way of the shelf, for it may have become too old meanwhile.
            Stage::Open => {
                self.put_next(entry);
                self.supply(now, after);
                self.serve_the_first_sooner(now, after);
            }
            _ => self.hand_out(entry, now, after),
        }
    }

    /// Sets in motion what the waiters need, as far as there is anything.
    pub(crate) fn supply(&mut self, now: Instant, after: &mut After<S>) {
        while self.stage == Stage::Open {
            let Some(ticket) = self.waiters.first_needy() else {
                return self.connect_instead_of_closing(after);
            };
            if let Some(found) = self.find(now, after) {
                match found {
                    Found::Ready(entry) => self.grant(entry, after),
                    Found::Suspect(entry) => self.start(Kind::Check, Some(entry), ticket, after),
                    Found::Dirty(entry) => self.start(Kind::Recycle, Some(entry), ticket, after),
                }
            } else if let Some(key) = self.jobs.adoptable_connect() {
                self.adopt(key, ticket, after);
            } else if self.size() < self.limit && self.counts.connecting < self.waiters.queued() {
                self.start(Kind::Connect, None, ticket, after);
            } else if let Some(key) = self.jobs.adoptable_other() {
                self.adopt(key, ticket, after);
            } else {
                return;
            }
        }
    }

    /// Something is under way for everybody who waits, but what has just come back may serve sooner: the first has it
    /// checked or recycled beside its own job.
    pub(super) fn serve_the_first_sooner(&mut self, now: Instant, after: &mut After<S>) {
        let Some(first) = self.waiters.first() else {
            return;
        };
        let (kind, entry) = match self.find(now, after) {
            None => return,
            Some(Found::Ready(entry)) => return self.grant(entry, after),
            Some(Found::Suspect(entry)) => (Kind::Check, entry),
            Some(Found::Dirty(entry)) => (Kind::Recycle, entry),
        };
        self.note(kind, Some(entry), Tender::Nobody);
        self.wake(first, after);
    }

    /// A waiter that closes a connection in order to have its place need not wait for that once another place is free.
    fn connect_instead_of_closing(&mut self, after: &mut After<S>) {
        let room = self.size() < self.limit
            && self.counts.connecting < self.waiters.queued()
            && self.counts.closing > 0;
        if !room {
            return;
        }
        let jobs = &mut self.jobs;
        let mut closes = |key| jobs.get(key).is_some_and(|job| job.kind == Kind::Close);
        let Some((ticket, key)) = self.waiters.driving().find(|(_, key)| closes(*key)) else {
            return;
        };
        self.waiters.set_job(ticket, None);
        self.orphan(key, false, after);
        self.start(Kind::Connect, None, ticket, after);
    }

    /// A clean entry: to the first waiter, or onto the shelf.
    pub(super) fn hand_out(&mut self, entry: S::Entry, now: Instant, after: &mut After<S>) {
        match self.stage {
            Stage::Open if self.waiters.queued() > 0 => {
                self.grant(entry, after);
                self.supply(now, after);
            }
            Stage::Open => self.shelve_idle(entry, after),
            Stage::Closing => {
                self.start_close(entry, Tender::Nobody, after);
            }
            Stage::Terminated => self.drop_entry(entry, after),
        }
    }

    /// Gives a clean entry to the first waiter, who must exist; what was under way for it is for the next.
    fn grant(&mut self, entry: S::Entry, after: &mut After<S>) {
        let first = self.waiters.first().expect("somebody waits");
        self.counts.held += 1;
        self.reply(first, Answer::Entry(entry), after);
    }

    /// Answers a waiter and wakes it; its job becomes somebody else's.
    pub(super) fn reply(&mut self, ticket: Ticket, answer: Answer<S>, after: &mut After<S>) {
        let job = self.waiters.set_job(ticket, None);
        self.waiters.answer(ticket, answer);
        self.wake(ticket, after);
        if let Some(key) = job {
            self.orphan(key, false, after);
        }
    }

    /// A new job that the waiter drives.
    fn start(&mut self, kind: Kind, entry: Option<S::Entry>, ticket: Ticket, after: &mut After<S>) {
        let key = self.note(kind, entry, Tender::Waiter(ticket));
        self.waiters.set_job(ticket, Some(key));
        self.wake(ticket, after);
    }

    /// The waiter drives from now on a job that nobody needs.
    pub(super) fn adopt(&mut self, key: JobKey, ticket: Ticket, after: &mut After<S>) {
        if let Some(visitor) = self.jobs.set_tender(key, Tender::Waiter(ticket)) {
            after.wake(visitor);
        }
        if let Some(job) = self.jobs.get(key) {
            job.inherited = true;
        }
        self.waiters.set_job(ticket, Some(key));
        self.wake(ticket, after);
    }

    pub(super) fn wake(&mut self, ticket: Ticket, after: &mut After<S>) {
        if after.current == Some(ticket) {
            return;
        }
        if let Some(waker) = self.waiters.take_waker(ticket) {
            after.wake(waker);
        }
    }
}
