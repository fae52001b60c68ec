//! The arguments of the program.

use crate::effort::Effort;
use crate::mysql::instructions::Queries;
use crate::workloads::instructions::Cycles;

/// The task of the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Bench(Options),
    /// Run some queries of one client. The program starts itself under callgrind with this, and with the next one.
    Queries(Queries),
    /// Run some cycles of one contender.
    Cycles(Cycles),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) effort: Effort,
    /// Whether to write the tables of this run to `docs/performance.md`.
    pub(crate) docs: bool,
    /// Run only the workloads whose names begin with one of these. If it is empty, run all.
    only: Vec<String>,
}

impl Options {
    /// All workloads, without writing to the page.
    pub(crate) fn everything(effort: Effort) -> Self {
        Self {
            effort,
            docs: false,
            only: Vec::new(),
        }
    }

    pub(crate) fn wants(&self, workload: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|begin| workload.starts_with(begin))
    }
}

impl Command {
    pub(crate) fn read(arguments: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if let Some(cycles) = Cycles::read(&words) {
            return cycles.map(Self::Cycles);
        }
        if let Some(queries) = Queries::read(&words) {
            return queries.map(Self::Queries);
        }
        let mut options = Options::everything(Effort::Full);
        for argument in arguments {
            match argument.as_str() {
                "--quick" => options.effort = Effort::Quick,
                "--docs" => options.docs = true,
                unknown if unknown.starts_with('-') => {
                    return Err(format!(
                        "unknown option `{unknown}`; use --quick, --docs and the names of workloads"
                    ));
                }
                name => options.only.push(name.to_owned()),
            }
        }
        if options.docs && !options.only.is_empty() {
            return Err("--docs needs a run of all workloads: leave out the names".to_owned());
        }
        Ok(Self::Bench(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Command, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Command::read(&words)
    }

    #[test]
    fn a_name_selects_all_workloads_that_begin_with_it() {
        let Ok(Command::Bench(options)) = read(&["--quick", "crowd"]) else {
            panic!("a good command line");
        };
        assert!(options.wants("crowd-64") && !options.wants("fill"));
        assert_eq!((options.effort, options.docs), (Effort::Quick, false));
    }

    #[test]
    fn without_arguments_all_workloads_run() {
        let Ok(Command::Bench(options)) = read(&[]) else {
            panic!("a good command line");
        };
        assert!(options.wants("crowd-64") && options.effort == Effort::Full);
    }

    #[test]
    fn unknown_arguments_are_refused() {
        read(&["--fast"]).expect_err("an unknown option");
        read(&["--docs", "fill"]).expect_err("a part of the workloads");
        read(&["--only-cycles", "pool-core", "small", "x"]).expect_err("no number");
        read(&["--only-queries", "bb8", "/s", "1", "10", "x"]).expect_err("no number");
    }
}
