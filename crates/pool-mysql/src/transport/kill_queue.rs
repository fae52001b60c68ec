//! The connections that are to be killed at the server, in the order in which they were given up.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::credentials::Issued;

/// A connection that is to be killed.
#[derive(Clone)]
pub(crate) struct Victim {
    pub(crate) connection_id: u64,
    /// Behind one address there may be several servers, and each numbers its connections itself.
    pub(crate) identity: (String, u64),
    pub(crate) opened: Instant,
    /// The address that the connection has reached, where the host name has several.
    pub(crate) reached: Option<IpAddr>,
    /// What it has logged in with, if a provider said it: another user may not kill it.
    pub(crate) issued: Option<Arc<Issued>>,
}

/// The victims that wait, and whether a task is at work on them.
#[derive(Default)]
pub(super) struct KillQueue {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    victims: Vec<Victim>,
    /// A task that kills the victims is running.
    has_task: bool,
}

impl KillQueue {
    /// Adds a victim; returns whether the caller has to start a task that runs [`empty`](Self::empty).
    pub(super) fn add(&self, victim: Victim) -> bool {
        let mut waiting = self.waiting();
        waiting.victims.push(victim);
        !std::mem::replace(&mut waiting.has_task, true)
    }

    /// The task could not be started, or it has ended: the next [`add`](Self::add) starts another one.
    pub(super) fn has_no_task(&self) {
        self.waiting().has_task = false;
    }

    /// The background task: kills all victims that wait, and ends when there are none. `kill` returns whether the server
    /// was told about all of them, or `None` if that took too long.
    pub(super) async fn empty<F: Future<Output = Option<bool>>>(
        &self,
        kill: impl Fn(Vec<Victim>) -> F,
    ) {
        let mut ends = TaskEnds(Some(self));
        loop {
            let victims = {
                let mut waiting = self.waiting();
                if waiting.victims.is_empty() {
                    ends.0 = None;
                    waiting.has_task = false;
                    return;
                }
                std::mem::take(&mut waiting.victims)
            };
            let number = victims.len();
            if kill(victims).await != Some(true) {
                tracing::debug!(number, "the server could not be told to kill connections");
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// After a panic of the background task the next [`KillQueue::add`] starts another one.
struct TaskEnds<'a>(Option<&'a KillQueue>);

impl Drop for TaskEnds<'_> {
    fn drop(&mut self) {
        if let Some(queue) = self.0 {
            queue.has_no_task();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::transport::io_runtime::poll_once;

    fn victim() -> Victim {
        Victim {
            connection_id: 7,
            identity: ("here".into(), 3306),
            opened: Instant::now(),
            reached: None,
            issued: None,
        }
    }

    #[test]
    fn a_task_that_panics_leaves_the_queue_to_the_next_one() {
        let queue = KillQueue::default();
        assert!(queue.add(victim()));
        assert!(!queue.add(victim()), "one task is enough");
        let panics = |_| async { panic!("expected by this test") };
        let task = AssertUnwindSafe(|| poll_once(queue.empty(panics)));
        assert!(catch_unwind(task).is_err());
        assert!(queue.add(victim()), "no other task would be started");
    }
}
