//! When the pool connects: how many connects run at once, who is told of a failure, who waits for the next attempt, and
//! what an operator sees of it.

#[path = "governed_connects/breaker.rs"]
mod breaker;
#[path = "governed_connects/cancelled.rs"]
mod cancelled;
#[path = "governed_connects/max_connecting.rs"]
mod max_connecting;
#[path = "governed_connects/overloaded.rs"]
mod overloaded;
#[path = "governed_connects/retry.rs"]
mod retry;
#[path = "governed_connects/start.rs"]
mod start;

use std::time::Duration;

use pool_core::Error;
use support::{FakeControl, FakeError, FakeGuard, FakePool, Probe, Stage};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

type Acquired = Result<FakeGuard, Error<FakeError>>;

/// So many acquires that have joined the queue.
fn callers(pool: &FakePool, count: usize) -> Vec<Probe<'_, Acquired>> {
    (0..count).map(|_| Probe::polled(pool.acquire())).collect()
}

/// Nothing fails any more: the breaker closes as soon as somebody connects.
fn recovers(stage: &Stage, pool: &FakePool, control: &FakeControl) {
    control.all_goes_well();
    let mut all = callers(pool, pool.maxsize());
    pass(stage, &mut all, SECOND, 12);
    assert!(all.iter_mut().all(|one| one.take().is_ok()));
    drop(all);
    stage.settle();
}

/// Lets time pass in steps, and runs what can run after each.
fn pass<T>(stage: &Stage, probes: &mut [Probe<'_, T>], step: Duration, times: u32) {
    for _ in 0..times {
        stage.drive(probes);
        stage.advance(step);
    }
    stage.drive(probes);
}
