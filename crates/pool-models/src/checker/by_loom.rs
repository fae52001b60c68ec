//! loom: every schedule up to a number of preemptions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
pub use loom::thread::{JoinHandle, spawn};

use super::number;

pub(super) const NAME: &str = "loom";

/// Goes through every schedule. A failing one is found again by running the test again.
pub(super) fn explore(model: fn()) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(number("LOOM_MAX_PREEMPTIONS", 2));
    builder.max_branches = number("LOOM_MAX_BRANCHES", 10_000);
    let counted = Arc::clone(&count);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    count.load(Ordering::Relaxed)
}
