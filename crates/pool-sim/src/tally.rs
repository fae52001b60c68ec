//! The sum of all runs with one file.

use std::fs;
use std::path::Path;

use pool_sim::Coverage;

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) next_seed: u64,
    runs: u64,
    ops: u64,
    failed: u64,
}

impl Tally {
    /// The sum so far; a file that is not there is an empty one.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, String> {
        let Some(text) = path.and_then(|path| fs::read_to_string(path).ok()) else {
            return Ok(Self::default());
        };
        let mut tally = Self::default();
        for line in text.lines() {
            let number = line
                .split_once('=')
                .and_then(|(name, value)| Some((name.trim(), value.trim().parse::<u64>().ok()?)));
            match number {
                Some(("next_seed", number)) => tally.next_seed = number,
                Some(("runs", number)) => tally.runs = number,
                Some(("operations", number)) => tally.ops = number,
                Some(("failed", number)) => tally.failed = number,
                _ => return Err(format!("the tally has a line {line:?}: delete the file")),
            }
        }
        Ok(tally)
    }

    pub(crate) fn add(&mut self, from: u64, seen: &Coverage, failures: usize) {
        let failed = failures as u64;
        self.next_seed = self.next_seed.max(from + seen.runs + failed);
        self.runs += seen.runs + failed;
        self.ops += seen.ops;
        self.failed += failed;
    }

    pub(crate) fn write(&self, path: Option<&Path>) -> Result<(), String> {
        let Some(path) = path else {
            return Ok(());
        };
        let Self {
            next_seed,
            runs,
            ops,
            failed,
        } = self;
        let text = format!(
            "next_seed = {next_seed}\nruns = {runs}\noperations = {ops}\nfailed = {failed}\n"
        );
        println!(
            "simulator, all runs with this tally: {runs} runs, {ops} operations; {failed} failed"
        );
        fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
}
