//! How often each test has failed.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// The results of all runs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    passes: usize,
    /// By program and test: how often it has failed, and the output of the last time.
    failures: BTreeMap<(String, String), (usize, PathBuf)>,
}

impl Tally {
    pub(super) fn passed(&mut self, tests: usize) {
        self.passes += tests;
    }

    pub(super) fn failed(&mut self, program: &str, test: &str, output: PathBuf) {
        let key = (program.to_owned(), test.to_owned());
        let entry = self.failures.entry(key).or_default();
        *entry = (entry.0 + 1, output);
    }

    pub(super) fn passes(&self) -> usize {
        self.passes
    }

    pub(super) fn failures(&self) -> usize {
        self.failures.values().map(|(count, _)| count).sum()
    }

    pub(super) fn tests_per_run(&self, runs: u32) -> usize {
        (self.passes + self.failures()) / runs.max(1) as usize
    }

    /// One line for each test that has failed, after this many runs.
    pub(super) fn table(&self, runs: u32) -> String {
        let mut table = String::new();
        for ((program, test), (count, output)) in &self.failures {
            let output = output.display();
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "{program}::{test} failed {count} of {runs}; output of its last failure: {output}"
            );
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_test() {
        let mut tally = Tally::default();
        for run in 0..3 {
            tally.passed(7);
            if run > 0 {
                tally.failed("upkeep", "it_fills", PathBuf::from(format!("/out/{run}")));
            } else {
                tally.passed(1);
            }
        }
        assert_eq!((tally.passes(), tally.failures()), (22, 2));
        assert_eq!(tally.tests_per_run(3), 8);
        assert_eq!(
            tally.table(3),
            "upkeep::it_fills failed 2 of 3; output of its last failure: /out/2\n"
        );
    }
}
