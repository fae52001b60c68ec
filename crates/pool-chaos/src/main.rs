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
//! - A session is reset between two moves. With `ResetPolicy::IfDirty` the reset is skipped after some of the moves that ran
//!   only plain statements, and after no others. A user variable that a trigger sets shows it.
//! - The pool has at most `maxsize` sessions; see `sampler` for which sessions are counted. A pool that is made smaller fits its
//!   new maxsize within [`shrinking::LIMIT`], and stays so.
//! - No connection is handed out that is older than [`handed_out::MAX_LIFETIME`], or that `clear_all` or `recycle_all` was to
//!   replace.
//! - After each fault a move succeeds within [`recovery::LIMIT`].
//! - The server refuses no login of an acquire, although users and passwords change.
//! - Each kind of fault was caused, if the round was long enough: if one kind was tried [`report::TRIES_ENOUGH`] times.
//! - `wait_closed` returns, and a closed pool leaves no session.
//!
//! Half of the time runs with `ResetPolicy::Always`, the other half with `ResetPolicy::IfDirty`. `--policy` chooses one.

#![forbid(unsafe_code)]

mod arguments;
mod attempt;
mod audit;
mod bank;
mod faults;
mod handed_out;
mod journal;
mod leftover;
mod mover;
mod path;
mod pool_place;
mod recovery;
mod report;
mod round;
mod sampler;
mod session_check;
mod shrinking;
mod tally;
mod vault;

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::attempt::PANIC_ON_PURPOSE;
use crate::report::Sum;
use crate::round::Round;

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
    for (number, (name, policy, length)) in arguments.rounds().into_iter().enumerate() {
        println!("chaos: {name}");
        let round = Round {
            name,
            policy,
            length,
            seed: arguments.seed.wrapping_add(number as u64),
            only: arguments.only.clone(),
        };
        match round.run() {
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
