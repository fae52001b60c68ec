//! shuttle: many schedules, half of them random, half by PCT, which changes the order of the threads at few points.

pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
pub use shuttle::thread::{JoinHandle, spawn};

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler};
use shuttle::{Config, Runner};

use super::number;

pub(super) const NAME: &str = "shuttle";

/// At how many points a schedule of PCT changes the order of the threads.
const PCT_DEPTH: usize = 3;

/// Runs the schedules, or the one to be repeated.
pub(super) fn explore(model: fn()) -> usize {
    let mut config = Config::new();
    // The futures of an unoptimized build are large.
    config.stack_size = 0x4_0000;
    if let Ok(schedule) = std::env::var("POOL_MODELS_REPLAY") {
        let scheduler = ReplayScheduler::new_from_encoded(&schedule);
        return Runner::new(scheduler, config).run(model);
    }
    let schedules = number("POOL_MODELS_SCHEDULES", 20_000);
    let random = RandomScheduler::new(schedules / 2);
    let pct = PctScheduler::new(PCT_DEPTH, schedules - schedules / 2);
    Runner::new(random, config.clone()).run(model) + Runner::new(pct, config).run(model)
}
