//! How jobs are polled: once by anybody, to their end by a background task, or by a verb together with its others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::Manager;
use crate::error::Error;
use crate::jobs::{JobKey, Kind, Work};
use crate::ledger::{Outcome, Parked, Settled, Stock, TakenWork};
use crate::shared::Shared;
use crate::steps::{Goods, quietly};
use crate::waiters::Ticket;

type Piece<M> = Work<<Goods<M> as Stock>::Entry, <Goods<M> as Stock>::Job>;

/// What one poll of a job led to.
pub(crate) enum Driven<M: Manager> {
    Pending(Parked),
    Settled(Settled<Goods<M>>),
}

/// Polls a job that was taken out of the books, and puts it back or settles it.
pub(crate) fn drive<M: Manager>(
    shared: &Arc<Shared<M>>,
    key: JobKey,
    kind: Kind,
    work: Piece<M>,
    current: Option<Ticket>,
    visitor: bool,
    cx: &mut Context<'_>,
) -> Driven<M> {
    let mut job = shared.backend.job(kind, work);
    let poll = quietly(|| job.as_mut().poll(cx));
    let outcome = match poll {
        Some(Poll::Pending) => {
            let waker = if visitor {
                quietly(|| cx.waker().clone())
            } else {
                None
            };
            let now = shared.now();
            return Driven::Pending(shared.change(current, |books, after| {
                books.park(key, job, waker, now, after)
            }));
        }
        Some(Poll::Ready(outcome)) => outcome,
        // A `Drop` inside the step panicked; the connection went with it.
        None => Outcome::Gone,
    };
    quietly(|| drop(job));
    let outcome = match outcome {
        Outcome::Failed {
            entry,
            failure,
            goodbye,
            hopeless,
        } => {
            if kind == Kind::Connect {
                shared.note_connect(Some(&failure));
            }
            Outcome::Failed {
                entry,
                failure: shared.explain(failure),
                goodbye,
                hopeless,
            }
        }
        Outcome::Ready(entry, abort) => {
            if kind == Kind::Connect {
                shared.note_connect(None);
            }
            Outcome::Ready(entry, abort)
        }
        Outcome::Gone => Outcome::Gone,
    };
    let now = shared.now();
    Driven::Settled(shared.change(current, |books, after| {
        books.settle(key, outcome, now, after)
    }))
}

/// Gives every job that nobody drives one poll, so that an acquire without a spawner moves things on.
pub(crate) fn nudge<M: Manager>(shared: &Arc<Shared<M>>, cx: &mut Context<'_>) {
    let keys = shared.books().unattended();
    for key in keys {
        let taken = shared.books().take_unattended(key);
        if let TakenWork::Work(kind, work) = taken {
            drive(shared, key, kind, work, None, false, cx);
        }
    }
}

/// A background task that sees one job to its end, as long as nobody takes the job from it.
pub(crate) struct Visitor<M: Manager> {
    shared: Arc<Shared<M>>,
    key: Option<JobKey>,
    done: bool,
}

impl<M: Manager> Visitor<M> {
    /// For a job that the visitor was hired for.
    pub(crate) fn of(shared: &Arc<Shared<M>>, key: JobKey) -> Self {
        Self {
            shared: Arc::clone(shared),
            key: Some(key),
            done: false,
        }
    }

    /// For whichever entry has waited longest for its recycle when the task first runs.
    ///
    /// Until then the entry belongs to the books: an acquire takes it without asking this task, which may never run.
    pub(crate) fn of_the_next_dirty(shared: &Arc<Shared<M>>) -> Self {
        Self {
            shared: Arc::clone(shared),
            key: None,
            done: false,
        }
    }
}

impl<M: Manager> Future for Visitor<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.key.is_none() {
            let claimed = self.shared.books().claim_dirty();
            self.key = claimed;
        }
        if let Some(key) = self.key {
            let taken = self.shared.books().take_as_visitor(key);
            match taken {
                TakenWork::Work(kind, work) => {
                    let driven = drive(&self.shared, key, kind, work, None, true, cx);
                    if matches!(driven, Driven::Pending(Parked::Waiting)) {
                        return Poll::Pending;
                    }
                }
                TakenWork::Busy | TakenWork::NotYours => {}
            }
        }
        self.done = true;
        Poll::Ready(())
    }
}

impl<M: Manager> Drop for Visitor<M> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let now = self.shared.now();
        self.shared.change(None, |books, after| match self.key {
            Some(key) => books.deserted(key, now, after),
            None => books.not_recycled(now, after),
        });
    }
}

/// The jobs of one verb: `fill`, `clear`, an awaited release, `wait_closed`. Dropped, it leaves them to whoever comes.
pub(crate) struct Crew<M: Manager> {
    shared: Arc<Shared<M>>,
    keys: Vec<JobKey>,
}

/// What a crew hears of one of its jobs.
pub(crate) enum Report<M: Manager> {
    Kept,
    Taken(<Goods<M> as Stock>::Entry),
    /// The connection is gone, and why, where it is a failure; `None` after `close` and `clear`.
    Lost(Option<Error<M::Error>>),
}

impl<M: Manager> Crew<M> {
    pub(crate) fn new(shared: &Arc<Shared<M>>, keys: Vec<JobKey>) -> Self {
        Self {
            shared: Arc::clone(shared),
            keys,
        }
    }

    pub(crate) fn add(&mut self, keys: Vec<JobKey>) {
        self.keys.extend(keys);
    }

    /// Polls every job once; the reports of those that ended go to `hear`. Ready when none is left.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut hear: impl FnMut(Report<M>),
    ) -> Poll<()> {
        let mut at = 0;
        while let Some(key) = self.keys.get(at).copied() {
            let taken = self.shared.books().take_as_verb(key);
            let driven = match taken {
                TakenWork::Work(kind, work) => {
                    drive(&self.shared, key, kind, work, None, false, cx)
                }
                TakenWork::Busy => {
                    at += 1;
                    continue;
                }
                TakenWork::NotYours => {
                    self.keys.swap_remove(at);
                    hear(Report::Lost(None));
                    continue;
                }
            };
            match driven {
                Driven::Pending(Parked::Waiting) => at += 1,
                // Called off meanwhile: the next round finds it gone.
                Driven::Pending(Parked::LookAgain) => {}
                Driven::Settled(settled) => {
                    self.keys.swap_remove(at);
                    match settled {
                        Settled::Kept => hear(Report::Kept),
                        Settled::Taken(entry) => hear(Report::Taken(entry)),
                        Settled::Lost { failure, close } => {
                            self.keys.extend(close);
                            hear(Report::Lost(failure));
                        }
                    }
                }
            }
        }
        if self.keys.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<M: Manager> Drop for Crew<M> {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let now = self.shared.now();
        let keys = std::mem::take(&mut self.keys);
        self.shared.change(None, |books, after| {
            for key in keys {
                books.dismiss(key, after);
            }
            books.supply(now, after);
        });
    }
}
