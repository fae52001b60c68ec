//! The executors that the workloads run on.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

/// How many workers the contended workloads have.
pub(crate) const WORKERS: usize = 2;

/// tokio on the thread that calls it.
pub(crate) fn current_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("an executor")
}

/// tokio with two workers.
pub(crate) fn two_workers() -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build();
    runtime.expect("an executor")
}

/// Where a workload on one thread runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Executor {
    Tokio,
    Smol,
}

impl Executor {
    pub(crate) fn block_on<T>(self, future: impl Future<Output = T>) -> T {
        match self {
            Self::Tokio => current_thread().block_on(future),
            Self::Smol => smol::block_on(future),
        }
    }
}
