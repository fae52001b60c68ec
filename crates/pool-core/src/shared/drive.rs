//! How a job is polled once, whoever does it.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::Shared;
use crate::Manager;
use crate::error::{Error, Phase};
use crate::jobs::{Kind, Work};
use crate::keys::{JobKey, Ticket};
use crate::ledger::{Outcome, Parked, Settled, Stock, TakenWork};
use crate::steps::{Goods, quietly};

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
    leaves_word: bool,
    cx: &mut Context<'_>,
) -> Driven<M> {
    let mut job = shared.backend.job(kind, work);
    let poll = quietly(|| job.as_mut().poll(cx));
    let outcome = match poll {
        Some(Poll::Pending) => {
            let waker = if leaves_word {
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
        // A `Drop` inside the step panicked; the connection went with it, and whoever waits for a connect must hear of it.
        None if kind == Kind::Connect => Outcome::Failed {
            entry: None,
            failure: Error::Panicked {
                phase: Phase::Connect,
                message: "a future or a connection panicked when it was dropped".to_owned(),
            },
            goodbye: false,
            hopeless: false,
        },
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

/// Gives every job that nobody drives one poll, so that whoever waits without a spawner moves things on; `true`: one of
/// them ended.
pub(crate) fn nudge<M: Manager>(
    shared: &Arc<Shared<M>>,
    current: Option<Ticket>,
    cx: &mut Context<'_>,
) -> bool {
    let mut ended = false;
    let keys = shared.books().unattended();
    for key in keys {
        let taken = shared.books().take_unattended(key);
        if let TakenWork::Work(kind, work) = taken {
            let driven = drive(shared, key, kind, work, current, false, cx);
            ended |= matches!(driven, Driven::Settled(_));
        }
    }
    ended
}
