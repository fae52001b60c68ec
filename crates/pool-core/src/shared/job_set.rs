//! The jobs of a verb, driven together.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Driven, Shared};
use crate::Manager;
use crate::backend::PoolTypes;
use crate::borrowed::Borrower;
use crate::ledger::{AfterPoll, JobKey, Poller, Settled, Take};
use crate::panics::ignore_panic;

/// The jobs that one verb has started: `fill`, `clear`, an awaited release, `try_acquire`. If it is dropped, it leaves
/// them to whoever comes.
///
/// A waiter may take a job over, because this set may never be polled again. The set can still poll the job, and hears
/// how it ends.
pub(crate) struct JobSet<M: Manager> {
    shared: Arc<Shared<M>>,
    keys: Vec<JobKey>,
    poller: Poller,
}

impl<M: Manager> JobSet<M> {
    pub(crate) fn new(shared: &Arc<Shared<M>>, keys: Vec<JobKey>, poller: Poller) -> Self {
        Self {
            shared: Arc::clone(shared),
            keys,
            poller,
        }
    }

    /// Adds jobs that the same verb has started.
    pub(crate) fn add(&mut self, keys: Vec<JobKey>) {
        self.keys.extend(keys);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Polls every job once. `on_done` gets the results of those that have ended. Ready when none is left.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        on_done: impl FnMut(Settled<PoolTypes<M>>),
    ) -> Poll<()> {
        self.poll_for(None, cx, on_done)
    }

    /// As [`poll`](Self::poll). A connection that is for the caller is lent to this borrower.
    pub(crate) fn poll_for(
        &mut self,
        mut borrower: Option<&mut Borrower>,
        cx: &mut Context<'_>,
        mut on_done: impl FnMut(Settled<PoolTypes<M>>),
    ) -> Poll<()> {
        let mut at = 0;
        while let Some(key) = self.keys.get(at).copied() {
            let taken = self
                .shared
                .change_without_time(|ledger, effects| ledger.take_job(key, self.poller, effects));
            let settled = match taken {
                Take::Job(job) => match job.poll_for(borrower.as_deref_mut(), &self.shared, cx) {
                    Driven::Pending(AfterPoll::Waiting) => {
                        at += 1;
                        continue;
                    }
                    // The job was cancelled or changed hands meanwhile.
                    Driven::Pending(AfterPoll::LookAgain) => continue,
                    Driven::Settled(settled) => settled,
                },
                Take::Ended(settled) => settled,
                Take::Busy => {
                    at += usize::from(self.is_stored_as_owner(key, cx));
                    continue;
                }
                Take::Gone => Settled::Lost {
                    failure: None,
                    close: None,
                    succeeded: false,
                },
            };
            self.keys.swap_remove(at);
            if let Settled::Lost {
                close: Some(close), ..
            } = &settled
            {
                self.keys.push(*close);
            }
            on_done(settled);
        }
        match self.keys.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Stores the waker with a job that somebody else drives. `false`: by now the set can take the job, or its end.
    fn is_stored_as_owner(&self, key: JobKey, cx: &mut Context<'_>) -> bool {
        let Some(waker) = ignore_panic(|| cx.waker().clone()) else {
            return true;
        };
        let stored = self.shared.ledger().set_job_owner(key, waker);
        let is_stored = stored.is_ok();
        ignore_panic(|| drop(stored));
        is_stored
    }
}

impl<M: Manager> Drop for JobSet<M> {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let keys = std::mem::take(&mut self.keys);
        self.shared.change(None, |ledger, effects| {
            for key in keys {
                ledger.caller_dropped(key, self.poller, effects);
            }
            ledger.supply(effects);
        });
    }
}
