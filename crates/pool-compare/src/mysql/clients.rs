//! The floor, and the pools of the two revisions.

#[path = "../../../pool-bench/src/mysql/clients/raw.rs"]
mod raw;

pub(crate) use self::raw::Raw;
use crate::contenders::{before, now};
use crate::mysql::client::ClientTask;

/// Runs a task for all clients.
pub(crate) fn run_for_all<T: ClientTask>(task: &T) -> Vec<T::Output> {
    vec![
        task.run::<Raw>(),
        task.run::<now::MySql<false>>(),
        task.run::<before::MySql<false>>(),
        task.run::<now::MySql<true>>(),
        task.run::<before::MySql<true>>(),
    ]
}

/// Both kinds of workloads have the same clients here.
pub(crate) fn run_for_resetting<T: ClientTask>(task: &T) -> Vec<T::Output> {
    run_for_all(task)
}
