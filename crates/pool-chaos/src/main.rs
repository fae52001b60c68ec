//! The ledger test: tasks move money through a pool while the server and the network fail.
//!
//! Each move is one transaction with an id of its own: a row in `moves` and two updates of `accounts`. A task writes `begin ID`
//! into its journal before it, and `ok ID`, `fail ID` or `unknown ID` after it. Nobody repeats a move. A move has failed when
//! its COMMIT was not sent, or when the error of the COMMIT does not say that the outcome is unknown.
//!
//! At the end every `ok` must be in the database once, no `fail` may be there, an `unknown` may be there once, and the
//! balances must be what the rows of `moves` make of them. Besides:
//!
//! - Each reply goes to its asker: a task selects a random number and compares.
//! - No session begins inside a transaction, or with a user variable of the user before it.
//! - The pool has at most `maxsize` sessions; see `sampler` for which sessions are counted.
//! - After each fault a move succeeds within [`RECOVERY`].
//! - `wait_closed` returns, and a closed pool leaves no session.
//!
//! Half of the time runs with `ResetPolicy::Always`, the other half with `ResetPolicy::IfDirty`.

#![forbid(unsafe_code)]

mod arguments;
mod audit;
mod bank;
mod faults;
mod journal;
mod mover;
mod pool_place;
mod round;
mod sampler;
mod tally;

use std::process::ExitCode;
use std::time::Duration;

use pool_mysql::ResetPolicy;

use crate::arguments::Arguments;
use crate::mover::PANIC_ON_PURPOSE;
use crate::tally::Sum;

/// How long after a fault a move must have succeeded. The pool's `connect_timeout` is 2 s; a busy machine needs more.
const RECOVERY: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let arguments = match Arguments::read(&words) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("pool-chaos: {error}");
            return ExitCode::from(2);
        }
    };
    println!("chaos: seed {}", arguments.seed);
    hide_panics_on_purpose();
    let mut sum = Sum::default();
    for (number, policy) in [ResetPolicy::Always, ResetPolicy::IfDirty]
        .into_iter()
        .enumerate()
    {
        println!("chaos: {policy:?}");
        let seed = arguments.seed.wrapping_add(number as u64);
        match round::run(policy, seed, &arguments) {
            Ok(round) => sum.add(round),
            Err(error) => {
                eprintln!("chaos: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    sum.print();
    match sum.violations.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// A panic that a task was told to have is no news.
fn hide_panics_on_purpose() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&PANIC_ON_PURPOSE) {
            print(info);
        }
    }));
}
