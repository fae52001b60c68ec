//! `cargo xtask prove`: the promises of the pool, checked by machines.

mod models;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::mutants::{self, Layer, Layers, Scratch};
use crate::root;
use crate::step::{self, Server};

/// How many scripts the simulator runs on every push.
const RUNS: u64 = 50_000;

/// What the deliberate faults are looked for with, the cheapest to build first.
const LAYERS: [Layer; 4] = [
    Layer {
        name: "simulator",
        words: "run --offline --profile proof -p pool-sim -- --runs 20000",
        cfg: None,
        variable: None,
        finding: &["shortened: ", "regressions/"],
        limit: MUTANT_LIMIT,
        finds_hangs: true,
    },
    Layer {
        name: "unit tests",
        words: "test --offline --profile proof -p pool-core --lib",
        cfg: None,
        variable: None,
        finding: &["panicked at", "test result: FAILED"],
        limit: MUTANT_LIMIT,
        finds_hangs: true,
    },
    Layer {
        name: "shuttle",
        words: "test --offline --profile proof -p pool-models --tests",
        cfg: Some("shuttle"),
        variable: Some(("POOL_MODELS_SCHEDULES", "2000")),
        finding: &["panicked at", "test result: FAILED"],
        limit: MUTANT_LIMIT,
        finds_hangs: true,
    },
    Layer {
        name: "loom",
        words: "test --offline --profile proof -p pool-models --tests",
        cfg: Some("loom"),
        variable: Some(("LOOM_MAX_PREEMPTIONS", "2")),
        finding: &["panicked at", "test result: FAILED"],
        limit: MUTANT_LIMIT,
        finds_hangs: true,
    },
];
const MUTANT_LIMIT: Duration = Duration::from_secs(240);

/// How many of the deliberate faults every push looks for: the classic ones, which come first in the folder. Each has to be
/// compiled.
const CLASSIC_FAULTS: usize = 2;

/// The cancellation matrix had 14,025 cases when this was written.
const FEWEST_CASES: u64 = 15_000;

/// How much is to be proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// What every push runs: under ten minutes.
    Push,
    /// For about so many minutes. The simulator goes on with the seeds after those of its last run, and shuttle takes other
    /// random schedules in each run. loom starts over with more preemptions, the cancellation matrix is the same, and each
    /// deliberate fault is looked for in every way.
    Long(u64),
}

impl Size {
    /// What is built: on a push building takes longer than running.
    fn profile(self) -> &'static str {
        match self {
            Self::Push => "proof",
            Self::Long(_) => "release",
        }
    }

    /// Reads the words after `prove`.
    pub(crate) fn read(words: &[&str]) -> Result<Self, Failure> {
        match words {
            [] => Ok(Self::Push),
            ["--long", minutes] => match minutes.parse() {
                Ok(minutes) if minutes > 0 => Ok(Self::Long(minutes)),
                _ => Err(Failure::usage(format!(
                    "--long takes a number of minutes, and got `{minutes}`"
                ))),
            },
            _ => Err(Failure::usage(format!(
                "`prove` takes --long MINUTES or no argument, and got `{}`",
                words.join(" ")
            ))),
        }
    }
}

pub(crate) fn run(size: Size) -> Result<(), Failure> {
    let start = Instant::now();
    let folder = folder()?;
    simulate(size, &folder)?;
    models::run(size, &folder)?;
    matrix(&folder)?;
    println!("\nxtask prove: mutants");
    let scratch = Scratch::new(
        folder.join("mutants"),
        &["pool-core", "pool-sim", "pool-models"],
    )?;
    let (how_many, most) = match size {
        Size::Push => (Layers::UntilFound, CLASSIC_FAULTS),
        Size::Long(_) => (Layers::All, usize::MAX),
    };
    let caught = mutants::hunt(&scratch, "pool-sim/mutants", most, &LAYERS, how_many)?;
    println!(
        "\nxtask prove: all steps passed in {} s; {caught} mutants, none survived",
        start.elapsed().as_secs()
    );
    Ok(())
}

/// Where everything goes that is not to be kept.
fn folder() -> Result<PathBuf, Failure> {
    let folder = root().join("target/prove");
    let what = format!("make {}", folder.display());
    fs::create_dir_all(&folder).map_err(Failure::while_doing(what))?;
    Ok(folder)
}

fn simulate(size: Size, folder: &Path) -> Result<(), Failure> {
    println!("\nxtask prove: the simulator");
    let words = format!("run --quiet --profile {} -p pool-sim --", size.profile());
    let mut command = step::cargo(&words, Server::Hidden);
    match size {
        Size::Push => command.args(["--runs", &RUNS.to_string()]),
        // The other half is for the models.
        Size::Long(minutes) => command
            .args(["--minutes", &minutes.div_ceil(2).to_string(), "--tally"])
            .arg(folder.join("simulator.txt")),
    };
    must_pass("the simulator", &mut command)
}

/// Every verb dropped at each of its polls. The folder keeps what it prints.
fn matrix(folder: &Path) -> Result<(), Failure> {
    println!("\nxtask prove: every future dropped at every poll");
    let printed = folder.join("matrix.txt");
    let what = || format!("write {}", printed.display());
    let output = fs::File::create(&printed).map_err(Failure::while_doing(what()))?;
    // The panics that its managers are told to have, and what cargo says.
    let errors = fs::File::create(folder.join("matrix.stderr.txt"));
    let errors = errors.map_err(Failure::while_doing(what()))?;
    // With the features of `cargo xtask test`, so that nothing is built twice.
    let words = "test --workspace --exclude pool-bench --exclude pool-peers --test cancellation_matrix -- --nocapture";
    let mut command = step::cargo(words, Server::Hidden);
    let passed = must_pass(
        "the cancellation matrix",
        command.stdout(output).stderr(errors),
    );
    let text = fs::read_to_string(&printed);
    let text = text.map_err(Failure::while_doing(format!("read {}", printed.display())))?;
    if passed.is_err() {
        print!("{text}");
    }
    passed?;
    let cases = cases(&text);
    println!("cancellation matrix: {cases} cases; 0 failed");
    match cases > FEWEST_CASES {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "the cancellation matrix has lost cases: there were more than {FEWEST_CASES}; see {}",
            printed.display()
        ))),
    }
}

/// How many cases there were, from lines such as `cancellation matrix on Spawner: 2483 cases`.
fn cases(text: &str) -> u64 {
    let of_line = |line: &str| {
        let (_, rest) = line.split_once("cancellation matrix on ")?;
        let (_, rest) = rest.split_once(": ")?;
        rest.strip_suffix(" cases")?.parse::<u64>().ok()
    };
    text.lines().filter_map(of_line).sum()
}

fn must_pass(what: &str, command: &mut Command) -> Result<(), Failure> {
    let status = step::run(command)?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::of_program(what, status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_a_push_or_a_number_of_minutes() {
        let read = |words: &[&str]| Size::read(words).ok();
        assert_eq!(read(&[]), Some(Size::Push));
        assert_eq!(read(&["--long", "90"]), Some(Size::Long(90)));
        for wrong in [
            &["--long"][..],
            &["--long", "0"],
            &["--long", "-1"],
            &["--long", "an hour"],
            &["--long", "5", "6"],
            &["--short"],
            &["5"],
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        let why = |words: &[&str]| Size::read(words).expect_err("wrong words").to_string();
        assert_eq!(
            why(&["--long", "0"]),
            "--long takes a number of minutes, and got `0`"
        );
        assert_eq!(
            why(&["--short"]),
            "`prove` takes --long MINUTES or no argument, and got `--short`"
        );
    }

    #[test]
    fn the_cases_of_the_matrix_are_added_up() {
        let text = "running 3 tests\nSpawner: clear: 90 cases, up to 4 awaits\ncancellation matrix on Spawner: 2483 cases\n\
            test a ... cancellation matrix on NoSpawner: 17 cases\n";
        assert_eq!(cases(text), 2_500);
        assert_eq!(cases("running 0 tests"), 0);
    }
}
