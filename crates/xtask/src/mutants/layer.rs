//! One way to look for a deliberate fault, and what its run says.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::Scratch;
use crate::failure::Failure;
use crate::step::{self, Ended, Server};

/// One way to look for a fault.
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    /// The arguments of cargo.
    pub(crate) words: &'static str,
    /// Flags for every crate, as the model checkers need them. Such a layer has a target folder of its own.
    pub(crate) cfg: Option<&'static str>,
    /// A variable of its environment: how much it runs.
    pub(crate) variable: Option<(&'static str, &'static str)>,
    /// What a failed run prints when it has found something. A run that fails without one of these has found nothing.
    pub(crate) finding: &'static [&'static str],
    /// What it may take for one fault, with the build.
    pub(crate) limit: Duration,
    /// Whether a run that takes longer than its limit has found a hang.
    pub(crate) finds_hangs: bool,
}

/// What a run of a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It passes.
    Passes,
    /// It has found the fault, in this way.
    Finds(&'static str),
    /// It fails, and does not say that it has found anything.
    IsBroken,
}

/// What came of the run of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Passed,
    Failed,
    OutOfTime,
}

impl Layer {
    /// Runs the layer over the scratch copy.
    ///
    /// # Errors
    ///
    /// The layer fails without a finding: a mutant that does not compile, or a server that does not start.
    pub(super) fn look(&self, scratch: &Scratch) -> Result<Option<&'static str>, Failure> {
        let output = |stream: &str| {
            let name = format!("{}.{stream}.txt", self.name.replace(' ', "_"));
            scratch.folder().join(name)
        };
        let outputs = [output("stdout"), output("stderr")];
        let mut command = self.command(scratch);
        let ended = step::run_quietly(&mut command, [&outputs[0], &outputs[1]], self.limit)?;
        let run = match ended {
            Ended::OutOfTime => Run::OutOfTime,
            Ended::With(status) if status.success() => Run::Passed,
            Ended::With(_) => Run::Failed,
        };
        match self.judge(run, &read(&outputs)?) {
            Verdict::Passes => Ok(None),
            Verdict::Finds(how) => Ok(Some(how)),
            Verdict::IsBroken => Err(Failure::new(format!(
                "the {} fails and has found nothing: does it compile, and does what it needs start? See {} and {}",
                self.name,
                outputs[0].display(),
                outputs[1].display()
            ))),
        }
    }

    fn command(&self, scratch: &Scratch) -> Command {
        let mut command = step::cargo(self.words, Server::Hidden);
        let mut target = scratch.folder().join("target");
        if let Some(cfg) = self.cfg {
            target = target.join(cfg);
            command.env("RUSTFLAGS", format!("--cfg {cfg}"));
        }
        command.envs(self.variable);
        command
            .current_dir(scratch.folder())
            .env("CARGO_TARGET_DIR", target);
        command
    }

    fn judge(&self, run: Run, printed: &str) -> Verdict {
        // The compiler may print the same words.
        let was_built = was_built(printed);
        let has_found = was_built && self.finding.iter().any(|words| printed.contains(words));
        match run {
            Run::Passed => Verdict::Passes,
            Run::OutOfTime if self.finds_hangs && was_built => Verdict::Finds("hang"),
            Run::Failed | Run::OutOfTime if has_found => Verdict::Finds("failure"),
            Run::Failed | Run::OutOfTime => Verdict::IsBroken,
        }
    }
}

/// Whether the program was built: cargo says so before it runs it.
fn was_built(printed: &str) -> bool {
    ["Running `", "Running unittests", "Running tests"]
        .iter()
        .any(|said| printed.contains(said))
}

fn read(outputs: &[PathBuf; 2]) -> Result<String, Failure> {
    let mut text = String::new();
    for path in outputs {
        let bytes = fs::read(path);
        let bytes = bytes.map_err(Failure::while_doing(format!("read {}", path.display())))?;
        text += &String::from_utf8_lossy(&bytes);
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(finds_hangs: bool) -> Layer {
        Layer {
            name: "ledger test",
            words: "run",
            cfg: None,
            variable: None,
            finding: &["chaos: BROKEN"],
            limit: Duration::from_secs(1),
            finds_hangs,
        }
    }

    #[test]
    fn a_run_that_fails_and_prints_a_finding_finds_the_fault() {
        let printed = "     Running `pool-chaos`\nchaos: BROKEN: move 7 was ok, and is lost\n";
        assert_eq!(
            layer(false).judge(Run::Failed, printed),
            Verdict::Finds("failure")
        );
    }

    #[test]
    fn a_server_that_does_not_start_finds_no_fault() {
        let printed = "     Running `pool-chaos`\nchaos: the server program ended at once\n";
        assert_eq!(layer(false).judge(Run::Failed, printed), Verdict::IsBroken);
    }

    #[test]
    fn a_mutant_that_does_not_compile_is_nobodys_find() {
        let printed = "error[E0308]: mismatched types: chaos: BROKEN\n";
        assert_eq!(layer(true).judge(Run::Failed, printed), Verdict::IsBroken);
        assert_eq!(
            layer(true).judge(Run::OutOfTime, printed),
            Verdict::IsBroken,
            "the build took too long"
        );
    }

    #[test]
    fn a_hang_is_a_find_only_where_the_layer_looks_for_hangs() {
        let printed = "     Running unittests src/lib.rs\n";
        assert_eq!(
            layer(true).judge(Run::OutOfTime, printed),
            Verdict::Finds("hang")
        );
        assert_eq!(
            layer(false).judge(Run::OutOfTime, printed),
            Verdict::IsBroken
        );
    }

    #[test]
    fn a_run_that_passes_finds_nothing_whatever_it_prints() {
        assert_eq!(
            layer(true).judge(Run::Passed, "chaos: BROKEN"),
            Verdict::Passes
        );
    }
}
