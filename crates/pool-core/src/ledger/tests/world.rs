//! What stands for the world outside in the tests of the books: guards, waiters, and what is to be done after a change.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Instant;

use crate::Verdict;
use crate::config::Config;
use crate::jobs::{Kind, Work};
use crate::keys::{JobKey, Ticket};
use crate::ledger::waiting::Queued;
use crate::ledger::{
    After, Answer, CalledOff, Item, Ledger, Outcome, Settled, Stock, TakenWork, Visit,
};

pub(super) struct Plain;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(pub(super) u64, Option<Instant>);

impl Item for Number {
    fn id(&self) -> u64 {
        self.0
    }
    fn idle_since(&self) -> Option<Instant> {
        self.1
    }
    fn set_idle_since(&mut self, since: Option<Instant>) {
        self.1 = since;
    }
}

impl Stock for Plain {
    type Entry = Number;
    /// A future between two polls: the entry that lies in it.
    type Job = Option<Number>;
    type Failure = &'static str;
}

/// A waker like any other; the one that does nothing stands for "nobody" in the books.
pub(super) struct Nudge;

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {}
}

/// The books together with the world outside: guards, waiters, and what is to be done after a change.
pub(super) struct World {
    pub(super) books: Ledger<Plain>,
    pub(super) now: Instant,
    pub(super) made: u64,
    pub(super) waker: Waker,
    pub(super) guards: Vec<Number>,
    pub(super) waiting: Vec<Ticket>,
    /// Jobs that were polled once at least, in the hands of visitors.
    pub(super) visited: Vec<(JobKey, u64)>,
    /// Whether the short ways are tried first, as the verbs do.
    pub(super) in_a_hurry: bool,
}

impl World {
    pub(super) fn new(minsize: usize, maxsize: usize) -> Self {
        let config = Config {
            minsize,
            maxsize,
            ..Config::default()
        };
        Self {
            books: Ledger::new(&config),
            now: Instant::now(),
            made: 0,
            waker: Waker::from(Arc::new(Nudge)),
            guards: Vec::new(),
            waiting: Vec::new(),
            visited: Vec::new(),
            in_a_hurry: false,
        }
    }

    pub(super) fn change<R>(
        &mut self,
        change: impl FnOnce(&mut Ledger<Plain>, Instant, &mut After<Plain>) -> R,
    ) -> R {
        let mut after = After::new(None);
        let result = change(&mut self.books, self.now, &mut after);
        self.perform(after);
        result
    }

    pub(super) fn perform(&mut self, mut after: After<Plain>) {
        after.take_wakers().for_each(Waker::wake);
        let Some(chores) = after.take_chores() else {
            return;
        };
        for entry in chores.broken {
            self.change(|books, now, after| books.dropped(entry.0, now, after));
        }
        for CalledOff { kind, id, .. } in chores.called_off {
            self.change(|books, now, after| books.called_off(kind, id, now, after));
        }
        for key in chores.tend {
            if let Some(number) = self.books.hire(key) {
                self.visited.push((key, number));
            }
        }
    }

    pub(super) fn acquire(&mut self) -> Ticket {
        let waker = self.waker.clone();
        let queued = match self.in_a_hurry {
            true => self.books.queue_up(waker, None, self.now),
            false => Err(waker),
        };
        let queued = queued.or_else(|waker| {
            self.change(|books, now, after| books.enqueue(waker, None, now, after))
        });
        let Ok(Queued { ticket, .. }) = queued else {
            panic!("the pool is open");
        };
        self.waiting.push(ticket);
        ticket
    }

    pub(super) fn entry(&mut self) -> Number {
        self.made += 1;
        Number(self.made, Some(self.now))
    }

    /// Ends a job that was taken out.
    pub(super) fn finish(
        &mut self,
        key: JobKey,
        kind: Kind,
        work: Work<Number, Option<Number>>,
        well: bool,
    ) {
        let entry = match work {
            Work::Fresh(entry) => entry,
            Work::Parked(entry) => entry,
            Work::Polled => unreachable!(),
        };
        let outcome = match (kind, entry) {
            (Kind::Close, _) => Outcome::Gone,
            (Kind::Connect, _) if well => Outcome::Ready(self.entry(), None),
            (Kind::Connect, _) => Outcome::Failed {
                entry: None,
                failure: "refused",
                goodbye: false,
                hopeless: false,
            },
            (_, Some(entry)) if well => Outcome::Ready(entry, None),
            (_, entry) => Outcome::Failed {
                entry,
                failure: "broken",
                goodbye: self.made % 2 == 0,
                hopeless: false,
            },
        };
        let settled = self.change(|books, now, after| books.settle(key, outcome, now, after));
        if let Settled::Taken(entry) = settled {
            self.guards.push(entry);
        }
    }

    /// Comes as the waiter does, with its own waker.
    pub(super) fn come(&mut self, ticket: Ticket) -> Visit<Plain> {
        match self.books.visit(ticket, None, Some(&self.waker)) {
            Visit::OtherWaker => {
                self.books.set_waker(ticket, self.waker.clone());
                self.books.visit(ticket, None, None)
            }
            visit => visit,
        }
    }

    /// One look of a waiter: its answer, or a step of its job.
    pub(super) fn look(&mut self, ticket: Ticket, end: bool, well: bool) {
        if self.in_a_hurry {
            if let Some(entry) = self.books.collect(ticket) {
                self.waiting.retain(|other| *other != ticket);
                return self.guards.push(entry);
            }
        }
        match self.come(ticket) {
            Visit::Answer { left, .. } => {
                self.waiting.retain(|other| *other != ticket);
                if let Some(Answer::Entry(entry)) = left.answer {
                    self.guards.push(entry);
                }
            }
            Visit::Job(key, kind, work) if end => self.finish(key, kind, work, well),
            Visit::Job(key, _, work) => self.park(key, work),
            Visit::Nothing(_) | Visit::OtherWaker => {}
        }
    }

    pub(super) fn park(&mut self, key: JobKey, work: Work<Number, Option<Number>>) {
        let job = match work {
            Work::Fresh(entry) => entry,
            Work::Parked(entry) => entry,
            Work::Polled => unreachable!(),
        };
        self.change(|books, now, after| books.park(key, job, None, now, after));
    }

    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.waiting.retain(|other| *other != ticket);
        self.change(|books, now, after| {
            let left = books.leave(ticket, now, after);
            if let Some(Answer::Entry(entry)) = left.answer {
                books.pass_on(entry, now, after);
            }
        });
    }

    pub(super) fn release(&mut self, verdict: Verdict) {
        let Some(mut entry) = self.guards.pop() else {
            return;
        };
        if self.in_a_hurry && verdict == Verdict::Reuse {
            match self.books.give_ready(entry) {
                Ok(waker) => return waker.into_iter().for_each(Waker::wake),
                Err(back) => entry = back,
            }
        }
        self.change(|books, now, after| books.give_back(entry, verdict, now, after));
    }

    pub(super) fn visit(&mut self, at: usize, end: bool, well: bool) {
        let (key, number) = self.visited[at];
        match self.books.take_as_visitor(key, number) {
            TakenWork::Work(kind, work) if end => {
                self.visited.swap_remove(at);
                self.finish(key, kind, work, well);
            }
            TakenWork::Work(_, work) => self.park(key, work),
            _ => {
                self.visited.swap_remove(at);
            }
        }
    }

    pub(super) fn recycle_in_background(&mut self) {
        if let Some(claimed) = self.change(|books, _, after| books.claim_dirty(after)) {
            self.visited.push(claimed);
        }
    }

    /// Drives everything to its good end.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.recycle_in_background();
            for key in self.books.unattended() {
                if let Some(number) = self.books.hire(key) {
                    self.visited.push((key, number));
                }
            }
            if !self.visited.is_empty() {
                self.visit(0, true, true);
            }
            for ticket in self.waiting.clone() {
                self.look(ticket, true, true);
            }
            self.release(Verdict::Reuse);
            if self.visited.is_empty() && self.waiting.is_empty() && self.guards.is_empty() {
                return;
            }
        }
        panic!(
            "HANG: {:?}, {} waiting",
            self.books.status(),
            self.waiting.len()
        );
    }
}
