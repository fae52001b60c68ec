//! Runs random scripts, as many as asked for, and prints the first failure as a script that can be kept as a test.
//!
//! `cargo run --release -p pool-sim -- --runs 200000 [--from SEED]`

use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use pool_sim::{Coverage, generate, run, shrink};

fn main() -> ExitCode {
    let Some((runs, from)) = arguments() else {
        eprintln!("usage: pool-sim --runs N [--from SEED]");
        return ExitCode::from(2);
    };
    // The panics are part of the scripts.
    panic::set_hook(Box::new(|_| {}));
    let next = AtomicU64::new(from);
    let failed = AtomicBool::new(false);
    let total = Mutex::new((Coverage::default(), Vec::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut seen = Coverage::default();
                let mut failures = Vec::new();
                while !failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from.saturating_add(runs) {
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
    let (seen, failures) = total.into_inner().expect("no panic under this lock");
    for (seed, failure) in &failures {
        let short = shrink(&generate(*seed));
        let short_failure = run(&short).err();
        let what = short_failure.as_ref().unwrap_or(failure);
        println!("seed {seed}: {failure}\nshortened: {what}\n{short}");
    }
    println!("{seen}; {} failed", failures.len());
    match failures.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn arguments() -> Option<(u64, u64)> {
    let mut arguments = std::env::args().skip(1);
    let (mut runs, mut from) = (None, 0);
    while let Some(name) = arguments.next() {
        let value = arguments.next()?.parse().ok()?;
        match name.as_str() {
            "--runs" => runs = Some(value),
            "--from" => from = value,
            _ => return None,
        }
    }
    Some((runs?, from))
}
