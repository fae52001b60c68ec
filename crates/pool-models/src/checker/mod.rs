//! The model checker, as far as the models need it: threads, a mutex, a condition variable, and how a model is run.
//!
//! Without one, the models run on real threads, which shows that they compile and end.

#[cfg(loom)]
mod by_loom;
#[cfg(all(shuttle, not(loom)))]
mod by_shuttle;
#[cfg(not(any(loom, shuttle)))]
mod by_threads;

use std::io::Write;
use std::time::Instant;

#[cfg(loom)]
use self::by_loom as checker;
#[cfg(all(shuttle, not(loom)))]
use self::by_shuttle as checker;
#[cfg(not(any(loom, shuttle)))]
use self::by_threads as checker;

pub(crate) use self::checker::{Condvar, Mutex, MutexGuard};
pub use self::checker::{JoinHandle, spawn};

/// Runs a model under each model checker, and prints through how many schedules it went.
///
/// # Panics
///
/// When a schedule fails or ends with threads that wait for each other or for a wake that never comes.
pub fn check(name: &str, model: fn()) {
    let start = Instant::now();
    let schedules = checker::explore(model);
    let seconds = start.elapsed().as_secs_f64();
    let line = format!(
        "{} {name}: {schedules} schedules in {seconds:.1} s\n",
        checker::NAME
    );
    // Not `println!`, which the test harness would keep to itself.
    let _ = std::io::stdout().write_all(line.as_bytes());
}

/// As [`check`], but not under loom: the model has more schedules than loom can go through, or more threads than it can
/// have.
pub fn check_by_sampling(name: &str, model: fn()) {
    if !cfg!(loom) {
        check(name, model);
    }
}

/// A number from the environment.
///
/// # Panics
///
/// When the variable is not a number.
fn number(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}
