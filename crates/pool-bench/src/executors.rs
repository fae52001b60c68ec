//! The executors that the workloads run on.

use std::future::Future;
use std::time::Duration;

use futures_lite::future::or;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// The number of workers in the contended workloads.
pub(crate) const WORKERS: usize = 2;

/// tokio's current-thread executor.
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

/// The time limit of one measurement. A contender that does not hang needs less.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// The note for a measurement that reached the time limit.
pub(crate) fn hangs() -> String {
    format!("HANGS: not finished after {} s", LIMIT.as_secs())
}

/// Drives a measurement on `runtime`, then shuts the runtime down. It does not wait for tasks that hang.
pub(crate) fn drive<T>(runtime: Runtime, measure: impl Future<Output = T>) -> Result<T, String> {
    let result = runtime.block_on(async { timeout(LIMIT, measure).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    result.map_err(|_| hangs())
}

/// The executor of a workload on one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Executor {
    Tokio,
    Smol,
}

impl Executor {
    pub(crate) fn drive<T>(self, measure: impl Future<Output = T>) -> Result<T, String> {
        match self {
            Self::Tokio => drive(current_thread(), measure),
            Self::Smol => smol::block_on(or(async { Ok(measure.await) }, async {
                smol::Timer::after(LIMIT).await;
                Err(hangs())
            })),
        }
    }
}
