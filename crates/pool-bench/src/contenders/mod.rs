//! The contenders, a file each.

mod array_queue;
mod asyncband;
mod bb8;
mod deadpool;
mod mobc;
mod mutex_vec;
mod null_database;
mod pool_core;
mod r2d2;
mod recorder;
mod sqlx;

use crate::contender::{Contender, ContenderTask};
use crate::fake::SMALL;

/// The contender with which the others are compared.
pub(crate) const OURS: &str = pool_core::PoolCore::<SMALL, { pool_core::REUSE }>::NAME;

/// Runs a task for all contenders with connections of this padding. Ours are first.
pub(crate) fn run_for_all<const PAD: usize, T: ContenderTask>(task: &T) -> Vec<T::Output> {
    vec![
        task.run::<pool_core::PoolCore<PAD, { pool_core::REUSE }>>(),
        task.run::<pool_core::PoolCore<PAD, { pool_core::RECYCLE }>>(),
        task.run::<asyncband::Asyncband<PAD>>(),
        task.run::<deadpool::Deadpool<PAD>>(),
        task.run::<bb8::Bb8<PAD, false>>(),
        task.run::<mobc::Mobc<PAD, false>>(),
        task.run::<sqlx::Sqlx<PAD, false>>(),
        task.run::<r2d2::R2d2<PAD>>(),
        task.run::<array_queue::Queue<PAD>>(),
        task.run::<mutex_vec::Stack<PAD>>(),
    ]
}

/// Runs a task for the contenders that check a connection only on demand, configured to check in each acquire.
pub(crate) fn run_for_checking<const PAD: usize, T: ContenderTask>(task: &T) -> Vec<T::Output> {
    vec![
        task.run::<pool_core::PoolCore<PAD, { pool_core::CHECK }>>(),
        task.run::<bb8::Bb8<PAD, true>>(),
        task.run::<mobc::Mobc<PAD, true>>(),
        task.run::<sqlx::Sqlx<PAD, true>>(),
    ]
}

/// Runs a task for pool-core with nothing that measures, and with each of what an operator can turn on.
pub(crate) fn run_for_watched<T: ContenderTask>(task: &T) -> Vec<T::Output> {
    vec![
        task.run::<pool_core::PoolCore<SMALL, { pool_core::REUSE }>>(),
        task.run::<pool_core::PoolCore<SMALL, { pool_core::LEAKS }>>(),
        task.run::<pool_core::PoolCore<SMALL, { pool_core::OBSERVER }>>(),
        task.run::<pool_core::PoolCore<SMALL, { pool_core::METRICS }>>(),
        task.run::<pool_core::PoolCore<SMALL, { pool_core::OPEN_TELEMETRY }>>(),
    ]
}

/// Names and settings of all contenders.
pub(crate) fn settings() -> Vec<(&'static str, &'static str)> {
    struct Settings;
    impl ContenderTask for Settings {
        type Output = (&'static str, &'static str);
        fn run<C: Contender>(&self) -> Self::Output {
            (C::NAME, C::SETTINGS)
        }
    }
    let mut settings = run_for_all::<SMALL, _>(&Settings);
    settings.extend(run_for_checking::<SMALL, _>(&Settings));
    settings.extend(run_for_watched(&Settings).into_iter().skip(1));
    settings
}
