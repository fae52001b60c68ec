//! What was asked for.

use crate::effort::Effort;
use crate::workloads::instructions;

/// What the program is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Bench(Options),
    /// What it does under callgrind, started by itself.
    Cycles {
        contender: String,
        size: String,
        count: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) effort: Effort,
    /// Whether `docs/performance.md` is to show this run.
    pub(crate) docs: bool,
    /// The beginnings of the names of the workloads; none means all.
    only: Vec<String>,
}

impl Options {
    /// All workloads, and the page is left alone.
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
        if let [instructions::ARGUMENT, contender, size, count] =
            arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
        {
            return Ok(Self::Cycles {
                contender: contender.to_owned(),
                size: size.to_owned(),
                count: count
                    .parse()
                    .map_err(|_| format!("`{count}` is no number"))?,
            });
        }
        let mut options = Options::everything(Effort::Full);
        for argument in arguments {
            match argument.as_str() {
                "--quick" => options.effort = Effort::Quick,
                "--docs" => options.docs = true,
                unknown if unknown.starts_with('-') => {
                    return Err(format!(
                        "there is no `{unknown}`; there are --quick, --docs and the names of workloads"
                    ));
                }
                name => options.only.push(name.to_owned()),
            }
        }
        if options.docs && !options.only.is_empty() {
            return Err("the page shows whole runs: --docs takes no names of workloads".to_owned());
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
    fn a_name_asks_for_all_workloads_that_begin_with_it() {
        let Ok(Command::Bench(options)) = read(&["--quick", "crowd"]) else {
            panic!("a good command line");
        };
        assert!(options.wants("crowd-64") && !options.wants("fill"));
        assert_eq!((options.effort, options.docs), (Effort::Quick, false));
    }

    #[test]
    fn nothing_asks_for_everything() {
        let Ok(Command::Bench(options)) = read(&[]) else {
            panic!("a good command line");
        };
        assert!(options.wants("crowd-64") && options.effort == Effort::Full);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        read(&["--fast"]).expect_err("an unknown option");
        read(&["--docs", "fill"]).expect_err("half a page");
        read(&[instructions::ARGUMENT, "pool-core", "small", "x"]).expect_err("no number");
    }
}
