//! Real threads, a few times.

pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
pub use std::thread::{JoinHandle, spawn};

use super::number;

pub(super) const NAME: &str = "threads";

pub(super) fn explore(model: fn()) -> usize {
    let runs = number("POOL_MODELS_RUNS", 100);
    for _ in 0..runs {
        model();
    }
    runs
}
