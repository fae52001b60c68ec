//! `cargo xtask test --repeat N [--busy]`: runs the test programs again and again, and counts how often each test fails.

mod busy;
mod output;
mod programs;
mod tally;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::busy::BusyLoops;
use self::programs::TestProgram;
use self::tally::Tally;
use crate::failure::Failure;
use crate::step::{self, Ended};
use crate::{browser, openssl, root, server_program};

/// How long one test program may run. The longest takes some 20 s; a program that takes this long hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// How long one test program may run beside busy loops, which take more than half of the time of the cores.
const BUSY_LIMIT: Duration = Duration::from_secs(900);

/// What the command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub(crate) runs: u32,
    /// Beside as many busy loops as there are cores.
    pub(crate) busy: bool,
}

impl Repeat {
    /// How long one test program may run.
    fn limit(self) -> Duration {
        if self.busy { BUSY_LIMIT } else { LIMIT }
    }

    /// Reads the arguments of `test`, if they are about repeating.
    pub(crate) fn read(words: &[&str]) -> Option<Result<Self, Failure>> {
        let (runs, busy) = match words {
            ["--repeat", runs] => (runs, false),
            ["--repeat", runs, "--busy"] | ["--busy", "--repeat", runs] => (runs, true),
            ["--repeat"] | ["--busy", ..] => {
                return Some(Err(Failure::usage(
                    "say how often: `test --repeat 20 [--busy]`",
                )));
            }
            _ => return None,
        };
        Some(match runs.parse() {
            Ok(runs) if runs > 0 => Ok(Self { runs, busy }),
            _ => Err(Failure::usage(format!(
                "`--repeat {runs}`: give a whole number of 1 or more"
            ))),
        })
    }
}

pub(crate) fn run(repeat: Repeat) -> Result<(), Failure> {
    server_program::ensure(server_program::Wanted::MariaDb)?;
    openssl::ensure()?;
    // The test of the dashboard finds it by itself.
    browser::ensure()?;
    let programs = programs::build()?;
    let folder = target_folder().join("xtask-repeat");
    // The outputs of an earlier call are gone. Mostly there are some.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)
        .map_err(Failure::while_doing(format!("make {}", folder.display())))?;
    let loops = match repeat.busy {
        true => BusyLoops::on_all_cores(),
        false => BusyLoops::none(),
    };
    let mut tally = Tally::default();
    for number in 1..=repeat.runs {
        let start = Instant::now();
        let failures = tally.failures();
        tally = run_all(&programs, &folder, repeat.limit(), tally)?;
        println!(
            "xtask test: run {number} of {}, {} failures, {} s",
            repeat.runs,
            tally.failures() - failures,
            start.elapsed().as_secs()
        );
    }
    println!("{}", tally.table(repeat.runs));
    println!(
        "xtask test: {} runs{}, {} tests each, {} failures; doc tests and examples run in the plain `test` only",
        repeat.runs,
        loops.words(),
        tally.tests_per_run(repeat.runs),
        tally.failures(),
    );
    println!("{} passed, {} failed", tally.passes(), tally.failures());
    match tally.failures() {
        0 => Ok(()),
        failures => Err(Failure::new(format!("test: {failures} failures"))),
    }
}

/// The folder that cargo builds into.
pub(crate) fn target_folder() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Runs each program once, as many at a time as there are cores.
fn run_all(
    programs: &[TestProgram],
    folder: &Path,
    limit: Duration,
    tally: Tally,
) -> Result<Tally, Failure> {
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(tally);
    let work = || {
        while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
            run_once(program, folder, limit, &tally)?;
        }
        Ok(())
    };
    let results: Vec<Result<(), Failure>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..busy::cores()).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join());
        results
            .map(|result| result.expect("a worker does not panic"))
            .collect()
    });
    results.into_iter().collect::<Result<(), Failure>>()?;
    Ok(tally.into_inner().expect("a worker does not panic"))
}

fn run_once(
    program: &TestProgram,
    folder: &Path,
    limit: Duration,
    tally: &Mutex<Tally>,
) -> Result<(), Failure> {
    // Two files: what a child prints must not end up in a line of the test program.
    let outputs = ["out", "err"].map(|end| folder.join(format!("{}.{end}", program.name())));
    let [stdout, stderr] = &outputs;
    let ended = step::run_quietly(&mut program.command(), [stdout, stderr], limit)?;
    let output::Results { passed, mut failed } = output::results(&read(stdout)?);
    let was_cut_off = match ended {
        Ended::OutOfTime => true,
        Ended::With(status) => status.code().is_none(),
    };
    if was_cut_off {
        let finished = |test: &String| passed.contains(test) || failed.contains(test);
        let unfinished = program.tests()?.into_iter().filter(|test| !finished(test));
        let unfinished: Vec<String> = unfinished.collect();
        failed.extend(unfinished);
    } else if failed.is_empty() && !matches!(ended, Ended::With(status) if status.success()) {
        failed.push("(the program itself)".to_owned());
    }
    let kept = |test: String| {
        let kept = keep(&outputs, folder, program, &test)?;
        Ok((test, kept))
    };
    let failed: Vec<(String, PathBuf)> = failed.into_iter().map(kept).collect::<Result<_, _>>()?;
    let mut tally = tally.lock().expect("a worker does not panic");
    tally.passed(passed.len());
    for (test, kept) in failed {
        tally.failed(program.name(), &test, kept);
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path).map_err(Failure::while_doing(format!("read {}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Keeps the outputs of the run in which a test has failed.
fn keep(
    outputs: &[PathBuf; 2],
    folder: &Path,
    program: &TestProgram,
    test: &str,
) -> Result<PathBuf, Failure> {
    let name: String = test
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '_' {
                c
            } else {
                '.'
            }
        })
        .collect();
    let kept = folder.join(format!("failed-{}-{name}.log", program.name()));
    let text = read(&outputs[0])? + &read(&outputs[1])?;
    fs::write(&kept, text).map_err(Failure::while_doing(format!("write {}", kept.display())))?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_says_how_often_and_whether_beside_busy_loops() {
        let read =
            |words: &[&str]| Repeat::read(words).map(|read| read.map_err(|why| why.to_string()));
        let quiet = Repeat {
            runs: 3,
            busy: false,
        };
        assert_eq!(read(&["--repeat", "3"]), Some(Ok(quiet)));
        let busy = Repeat {
            busy: true,
            ..quiet
        };
        assert_eq!(read(&["--repeat", "3", "--busy"]), Some(Ok(busy)));
        assert_eq!(read(&["--busy", "--repeat", "3"]), Some(Ok(busy)));
        for words in [
            &["--repeat", "0"][..],
            &["--repeat", "often"],
            &["--repeat"],
            &["--busy"],
        ] {
            assert!(matches!(read(words), Some(Err(_))), "{words:?}");
        }
        assert_eq!(read(&["--mysql"]), None);
    }

    #[test]
    fn a_program_may_run_longer_beside_busy_loops() {
        let limit = |busy| Repeat { runs: 1, busy }.limit();
        assert!(limit(true) > limit(false));
    }
}
