//! The background task of a job.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Driven, Shared};
use crate::Manager;
use crate::ledger::{AfterPoll, JobKey, Poller, Take};

/// A background task that drives one job to its end, as long as nobody takes the job from it.
pub(crate) struct BackgroundTask<M: Manager> {
    shared: Arc<Shared<M>>,
    /// Its job, and its own number.
    job: Option<(JobKey, u64)>,
    is_done: bool,
}

impl<M: Manager> BackgroundTask<M> {
    pub(crate) fn for_job(shared: &Arc<Shared<M>>, key: JobKey, number: u64) -> Self {
        Self {
            shared: Arc::clone(shared),
            job: Some((key, number)),
            is_done: false,
        }
    }

    /// For the recycle of the connection that has waited longest for it when the task first runs.
    ///
    /// Until then an acquire can take the connection without this task, which may never run.
    pub(crate) fn for_next_dirty(shared: &Arc<Shared<M>>) -> Self {
        Self {
            shared: Arc::clone(shared),
            job: None,
            is_done: false,
        }
    }
}

impl<M: Manager> Future for BackgroundTask<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let claimed = self.job;
        let (job, taken) = self.shared.change_without_time(|ledger, effects| {
            let job = claimed.or_else(|| ledger.claim_dirty(effects));
            let taken =
                job.map(|(key, number)| ledger.take_job(key, Poller::Background(number), effects));
            (job, taken)
        });
        self.job = job;
        if let Some(Take::Job(job)) = taken {
            let driven = job.poll(&self.shared, cx);
            if matches!(driven, Driven::Pending(AfterPoll::Waiting)) {
                return Poll::Pending;
            }
        }
        self.is_done = true;
        Poll::Ready(())
    }
}

impl<M: Manager> Drop for BackgroundTask<M> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        self.shared.change(None, |ledger, effects| match self.job {
            Some((key, number)) => ledger.task_dropped(key, number, effects),
            None => ledger.recycle_task_dropped(effects),
        });
    }
}
