//! Measures pool-core and pool-mysql of two revisions in one run. `cargo xtask bench --compare REV` builds it with both and starts
//! it. Built in the workspace, it has this revision on both sides: what it then finds is noise.
//!
//! The workloads are those of pool-bench, compiled from its sources. In each round every contender has one short turn, and there are
//! many rounds.

#![forbid(unsafe_code)]

mod contenders;
mod mysql;
mod revisions;
mod summary;
mod workloads;

#[path = "../../pool-bench/src/arithmetic.rs"]
mod arithmetic;
#[path = "../../pool-bench/src/callgrind.rs"]
mod callgrind;
#[path = "../../pool-bench/src/contender.rs"]
#[expect(
    dead_code,
    reason = "the settings of the contenders are not shown here"
)]
mod contender;
#[path = "../../pool-bench/src/cpu_time.rs"]
mod cpu_time;
#[path = "../../pool-bench/src/effort.rs"]
mod effort;
#[path = "../../pool-bench/src/executors.rs"]
mod executors;
#[path = "../../pool-bench/src/fake.rs"]
#[expect(dead_code, reason = "not every workload of pool-bench runs here")]
mod fake;
#[path = "../../pool-bench/src/histogram.rs"]
mod histogram;
#[path = "../../pool-bench/src/progress.rs"]
mod progress;
#[path = "../../pool-bench/src/quiet.rs"]
mod quiet;
#[path = "../../pool-bench/src/report/table.rs"]
#[expect(dead_code, reason = "only the alignment is needed")]
mod table;
#[path = "../../pool-bench/src/workload.rs"]
#[expect(dead_code, reason = "the titles are not shown here")]
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use crate::effort::Effort;
use crate::mysql::instructions::Queries;
use crate::progress::Progress;
use crate::summary::Summary;
use crate::workload::{RepeatBudget, Workload};
use crate::workloads::instructions::Cycles;

/// The workloads that run if none is named: the ways that each use of a pool goes.
const DEFAULT: [&str; 9] = [
    "instructions",
    "uncontended",
    "crowd-64",
    "hand-off-10",
    "mysql-instructions-1",
    "mysql-instructions-64",
    "mysql-1-unix",
    "mysql-8-unix",
    "mysql-64-unix",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match counted_part(&arguments) {
        Some(outcome) => outcome,
        None => Options::read(&arguments).and_then(|options| compare(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("pool-compare: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what callgrind counts, if the arguments ask for it: the program starts itself with them.
fn counted_part(arguments: &[String]) -> Option<Result<(), String>> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let cycles = Cycles::read(&words).map(|cycles| cycles?.run());
    cycles.or_else(|| Queries::read(&words).map(|queries| queries?.run()))
}

#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// How the tables call the other revision.
    revision: String,
    quick: bool,
    /// Run the workloads whose names begin with one of these. If it is empty, run those of [`DEFAULT`].
    only: Vec<String>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let [revision, words @ ..] = arguments else {
            return Err("the first argument is the name of the other revision".to_owned());
        };
        let mut options = Self {
            revision: revision.clone(),
            quick: false,
            only: Vec::new(),
        };
        for word in words {
            match word.as_str() {
                "--quick" => options.quick = true,
                unknown if unknown.starts_with('-') => {
                    return Err(format!(
                        "unknown option `{unknown}`; --compare REV goes with --quick and the names of workloads"
                    ));
                }
                name => options.only.push(name.to_owned()),
            }
        }
        Ok(options)
    }

    fn wants(&self, workload: &str) -> bool {
        match self.only.as_slice() {
            [] => DEFAULT.contains(&workload),
            only => only.iter().any(|begin| workload.starts_with(begin)),
        }
    }

    fn rounds(&self) -> usize {
        if self.quick { 7 } else { 25 }
    }
}

fn compare(options: &Options) -> Result<(), String> {
    let server =
        mysql::Server::start().map_err(|error| format!("cannot start the server: {error}"))?;
    // The turns are short, and there are many of them: so both revisions see the same noise.
    let mut all = workloads::all(Effort::Quick);
    all.extend(server.workloads(Effort::Quick));
    all.retain(|workload| options.wants(workload.id) && !workload.cells.is_empty());
    if all.is_empty() {
        return Err("no workload has a name that begins so".to_owned());
    }
    // Instructions are counted once: they are nearly the same in each run.
    for workload in all.iter_mut().filter(|workload| workload.rounds > 1) {
        workload.rounds = options.rounds();
    }
    let progress = Progress::new(all.iter().map(Workload::turns).sum());
    let mut budget = RepeatBudget {
        left: Duration::from_secs(30),
        pids: server.pid().into_iter().collect(),
    };
    let mut summary = Summary::new(&options.revision);
    for workload in all {
        progress.workload(&workload.title);
        summary.add(&workload.run(&progress, &mut budget));
    }
    progress.done();
    println!("{}", summary.text(options.rounds()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Options::read(&words)
    }

    #[test]
    fn without_names_the_hot_paths_run() {
        let options = read(&["main"]).expect("a good command line");
        assert!(options.wants("crowd-64") && !options.wants("crowd-1000"));
        assert_eq!((options.revision.as_str(), options.quick), ("main", false));
    }

    #[test]
    fn names_select_all_workloads_that_begin_with_them() {
        let options = read(&["v1", "crowd", "--quick"]).expect("a good command line");
        assert!(options.wants("crowd-1000") && !options.wants("uncontended"));
        assert!(options.quick && options.rounds() < 10);
    }

    #[test]
    fn unknown_arguments_are_refused() {
        read(&[]).expect_err("no revision");
        read(&["main", "--docs"]).expect_err("the page is about other pools");
        let words = ["--only-cycles", "pool-core", "small", "x"].map(str::to_owned);
        let counted = counted_part(&words).expect("it is for callgrind");
        counted.expect_err("no number");
    }
}
