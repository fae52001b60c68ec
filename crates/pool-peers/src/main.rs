//! Runs the scenarios of known pool bugs against pool-core and against other pools, and prints the table.
//!
//! `cargo run -p pool-peers` runs all. `--only SCENARIO` and `--pool NAME` choose. It fails if the column of pool-core is not as
//! expected. What a panic prints goes to nowhere: panics are part of the scenarios.

#![forbid(unsafe_code)]

mod expectation;
mod peer;
mod peers;
mod runner;
mod scenarios;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod world;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use crate::peer::Kind;
use crate::runner::{Cell, Scenario};

/// How many cells run at the same time. Most of the time a cell waits.
const AT_ONCE: usize = 3;

fn main() -> ExitCode {
    let (mut only, mut pool) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--only", Some(value)) => only = Some(value),
            ("--pool", Some(value)) => pool = Some(value),
            _ => {
                eprintln!("usage: pool-peers [--only SCENARIO] [--pool NAME]");
                return ExitCode::FAILURE;
            }
        }
    }
    let scenarios: Vec<_> = scenarios::all()
        .into_iter()
        .filter(|scenario| only.as_ref().is_none_or(|only| scenario.id == only))
        .collect();
    let kinds: Vec<_> = peers::ALL
        .into_iter()
        .filter(|kind| pool.as_ref().is_none_or(|pool| kind.name == pool))
        .collect();
    if scenarios.is_empty() || kinds.is_empty() {
        eprintln!("no such scenario or pool");
        return ExitCode::FAILURE;
    }
    std::panic::set_hook(Box::new(|_| ()));
    let rows = run(&scenarios, &kinds);
    table::print(&kinds, &rows);
    let differences = expectation::differences(&kinds, &rows);
    for difference in &differences {
        eprintln!("{difference}");
    }
    match differences.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Runs each scenario with each kind of pool, some at the same time.
fn run(scenarios: &[Scenario], kinds: &[Kind]) -> Vec<table::Row> {
    let count = scenarios.len() * kinds.len();
    let next = AtomicUsize::new(0);
    let cells: Mutex<Vec<Option<Cell>>> = Mutex::new(vec![None; count]);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, SeqCst);
                    if nth >= count {
                        return;
                    }
                    let cell = scenarios[nth / kinds.len()].cell(kinds[nth % kinds.len()]);
                    cells.lock().unwrap_or_else(PoisonError::into_inner)[nth] = Some(cell);
                }
            });
        }
    });
    let cells = cells.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut cells = cells.into_iter().flatten();
    scenarios
        .iter()
        .map(|scenario| (*scenario, cells.by_ref().take(kinds.len()).collect()))
        .collect()
}
