//! Runs random scripts, and prints the first failure as a script that can be kept as a test.
//!
//! `cargo run --release -p pool-sim -- --runs 200000` runs the scripts of the first 200,000 seeds, after those of
//! `regressions/`. `--minutes M` runs for so long. With `--tally FILE` the seeds go on from where the last run with this
//! file has ended, and the file keeps the sum.

#![forbid(unsafe_code)]

use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pool_sim::{Coverage, Failure, generate, run, shrink};

mod arguments;
mod kept;
mod tally;

use arguments::Arguments;
use tally::Tally;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("pool-sim: {why}");
            return ExitCode::from(2);
        }
    };
    let mut tally = match Tally::read(arguments.tally.as_deref()) {
        Ok(tally) => tally,
        Err(why) => {
            eprintln!("pool-sim: {why}");
            return ExitCode::from(2);
        }
    };
    // The panics are part of the scripts.
    panic::set_hook(Box::new(|_| {}));
    let kept = kept::failures();
    for failure in &kept {
        println!("{failure}");
    }
    let from = arguments.from.unwrap_or(tally.next_seed);
    let (seen, failures) = runs_from(from, &arguments);
    for (seed, failure) in &failures {
        let short = shrink(&generate(*seed));
        let short_failure = run(&short).err();
        let what = short_failure.as_ref().unwrap_or(failure);
        println!("seed {seed}: {failure}\nshortened: {what}\n{short}");
    }
    let failed = kept.len() + failures.len();
    println!("simulator: {seen}; {failed} failed");
    tally.add(from, &seen, failures.len());
    if let Err(why) = tally.write(arguments.tally.as_deref()) {
        eprintln!("pool-sim: {why}");
        return ExitCode::FAILURE;
    }
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Runs the scripts of the seeds from here on, on all cores, until the time is up or one fails.
fn runs_from(from: u64, arguments: &Arguments) -> (Coverage, Vec<(u64, Failure)>) {
    let end = from.saturating_add(arguments.runs.unwrap_or(u64::MAX));
    let until = arguments
        .minutes
        .map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let next = AtomicU64::new(from);
    let failed = AtomicBool::new(false);
    let total = Mutex::new((Coverage::default(), Vec::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let is_over = || until.is_some_and(|until| Instant::now() >= until);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut seen = Coverage::default();
                let mut failures = Vec::new();
                while !failed.load(Ordering::Relaxed) && !is_over() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    match run(&generate(seed)) {
                        Ok(coverage) => seen += coverage,
                        Err(failure) => {
                            failed.store(true, Ordering::Relaxed);
                            failures.push((seed, failure));
                        }
                    }
                }
                let mut total = total.lock().expect("no panic under this lock");
                total.0 += seen;
                total.1.extend(failures);
            });
        }
    });
    total.into_inner().expect("no panic under this lock")
}
