//! The background task of a job.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Shared;
use super::drive::{Driven, drive};
use crate::Manager;
use crate::keys::JobKey;
use crate::ledger::{Parked, TakenWork};

/// A background task that sees one job to its end, as long as nobody takes the job from it.
pub(crate) struct Visitor<M: Manager> {
    shared: Arc<Shared<M>>,
    /// Its job, and its own number.
    job: Option<(JobKey, u64)>,
    done: bool,
}

impl<M: Manager> Visitor<M> {
    /// For a job that the visitor was hired for.
    pub(crate) fn of(shared: &Arc<Shared<M>>, key: JobKey, number: u64) -> Self {
        Self {
            shared: Arc::clone(shared),
            job: Some((key, number)),
            done: false,
        }
    }

    /// For whichever entry has waited longest for its recycle when the task first runs.
    ///
    /// Until then the entry belongs to the books: an acquire takes it without asking this task, which may never run.
    pub(crate) fn of_the_next_dirty(shared: &Arc<Shared<M>>) -> Self {
        Self {
            shared: Arc::clone(shared),
            job: None,
            done: false,
        }
    }
}

impl<M: Manager> Future for Visitor<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.job.is_none() {
            let claimed = self
                .shared
                .change(None, |books, after| books.claim_dirty(after));
            self.job = claimed;
        }
        if let Some((key, number)) = self.job {
            let taken = self.shared.books().take_as_visitor(key, number);
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
        self.shared.change(None, |books, after| match self.job {
            Some((key, number)) => books.deserted(key, number, now, after),
            None => books.not_recycled(now, after),
        });
    }
}
