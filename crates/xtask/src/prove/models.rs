//! The models: what several threads do at once, under shuttle and under loom.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::step::{self, Server};

use super::{Size, must_pass};

/// How many schedules shuttle runs of each model on every push.
const SCHEDULES: u64 = 8_000;

/// How many more it runs in each minute of a long run: about half a minute's worth on two cores.
const SCHEDULES_A_MINUTE: u64 = 12_000;

/// Runs the models under both. The folder keeps what they print, and how many schedules shuttle has run in all runs: each
/// run of shuttle takes other random schedules, while loom goes through the same ones.
pub(super) fn run(size: Size, folder: &Path) -> Result<(), Failure> {
    let (schedules, preemptions) = match size {
        Size::Push => (SCHEDULES, 2),
        Size::Long(minutes) => (SCHEDULES.max(minutes * SCHEDULES_A_MINUTE), 3),
    };
    let words = format!("test -p pool-models --profile {} --tests", size.profile());
    let run = under(
        "shuttle",
        &words,
        ("POOL_MODELS_SCHEDULES", schedules),
        folder,
    )?;
    add_up("shuttle", run, folder)?;
    under(
        "loom",
        &words,
        ("LOOM_MAX_PREEMPTIONS", preemptions),
        folder,
    )
    .map(drop)
}

/// Runs the models under one of them: how many schedules there were.
fn under(
    checker: &str,
    words: &str,
    (variable, value): (&str, u64),
    folder: &Path,
) -> Result<u64, Failure> {
    println!("\nxtask prove: the models under {checker}, {variable}={value}");
    let target = folder.join(checker);
    let printed = folder.join(format!("{checker}.txt"));
    let what = format!("write {}", printed.display());
    let output = fs::File::create(&printed).map_err(Failure::while_doing(what))?;
    let mut command = step::cargo(words, Server::Hidden);
    // The flag is for every crate, so it has a target folder of its own.
    command
        .env("RUSTFLAGS", format!("--cfg {checker}"))
        .env("CARGO_TARGET_DIR", &target)
        .env(variable, value.to_string())
        .stdout(output);
    let passed = must_pass(&format!("the models under {checker}"), &mut command);
    let text = fs::read_to_string(&printed);
    let text = text.map_err(Failure::while_doing(format!("read {}", printed.display())))?;
    if passed.is_err() {
        // It has the schedule that failed.
        print!("{text}");
    }
    passed?;
    let (models, schedules) = counted(checker, &text);
    println!("{checker}: {models} models, {schedules} schedules; 0 failed");
    match models {
        0 => Err(Failure::new(format!(
            "{checker} has run no model; see {}",
            printed.display()
        ))),
        _ => Ok(schedules),
    }
}

/// Adds the schedules of this run to those of the runs before it.
fn add_up(checker: &str, schedules: u64, folder: &Path) -> Result<(), Failure> {
    let tally = folder.join(format!("{checker}.tally.txt"));
    let before = fs::read_to_string(&tally).ok();
    let before: u64 = before
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    let sum = before + schedules;
    fs::write(&tally, format!("{sum}\n"))
        .map_err(Failure::while_doing(format!("write {}", tally.display())))?;
    println!("{checker}, all runs with this target folder: {sum} schedules");
    Ok(())
}

/// How many models there were, and how many schedules: from lines such as `shuttle hand_over: 20000 schedules in 1.0 s`.
fn counted(checker: &str, text: &str) -> (u64, u64) {
    let mut sum = (0, 0);
    for line in text.lines() {
        let schedules = line
            .split_once(&format!("{checker} "))
            .and_then(|(_, rest)| rest.split_once(": "))
            .and_then(|(_, rest)| rest.split_once(" schedules"))
            .and_then(|(number, _)| number.parse::<u64>().ok());
        if let Some(schedules) = schedules {
            sum = (sum.0 + 1, sum.1 + schedules);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_models_are_counted() {
        let text = "running 2 tests\nshuttle hand_over: 20000 schedules in 1.0 s\ntest hand_over ... ok\n\
            shuttle clear: 20 schedules in 0.1 s\n";
        assert_eq!(counted("shuttle", text), (2, 20_020));
        assert_eq!(counted("loom", text), (0, 0));
    }
}
