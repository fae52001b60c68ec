//! The measured part of `docs/performance.md`.

use std::fmt::Write;

use super::table::table;
use super::{Run, losses};
use crate::arithmetic::{median, range};
use crate::effort::Effort;
use crate::goals;
use crate::quiet::LIMIT;

const BEGIN: &str =
    "<!-- measured: everything down to the next mark is written by `cargo xtask bench --docs` -->";
const END: &str = "<!-- measured: end -->";

/// All tables, with the machine and the versions. Plots are shown if their file names are given.
pub(super) fn measured(run: &Run, plots: Option<&[String]>) -> String {
    let mut text = String::new();
    let _ = facts(&mut text, run);
    let _ = write!(text, "## Goals\n\n{}\n", goals::table(&run.goals()));
    let _ = writeln!(text, "{}", losses::section(&run.outcomes));
    text += "## Tables\n\n";
    for outcome in &run.outcomes {
        let _ = write!(text, "### {}: {}\n\n", outcome.id, outcome.title);
        let plot = format!("{}.svg", outcome.id);
        if plots.is_some_and(|plots| plots.contains(&plot)) {
            let _ = write!(text, "![{}](performance/{plot})\n\n", outcome.title);
        }
        let _ = writeln!(text, "{}", table(outcome));
        if let (Some(median), Some((_, most))) =
            (median(&outcome.others_share), range(&outcome.others_share))
            && most > LIMIT
        {
            let _ = write!(
                text,
                "Other processes used {:.0} % of the machine in the median measurement, {:.0} % at most.\n\n",
                median * 100.0,
                most * 100.0
            );
        }
    }
    text += "## Contenders and their settings\n\n";
    for (heading, settings) in [("In memory", &run.in_memory), ("On MySQL", &run.mysql)] {
        let _ = write!(text, "### {heading}\n\n");
        for (name, words) in settings {
            let _ = writeln!(text, "- `{name}`: {words}");
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn facts(text: &mut String, run: &Run) -> std::fmt::Result {
    let machine = &run.machine;
    let command = match run.options.effort {
        Effort::Full => "cargo xtask bench",
        Effort::Quick => "cargo xtask bench --quick",
    };
    writeln!(text, "## Machine and versions\n")?;
    let seconds = run.elapsed.as_secs();
    writeln!(
        text,
        "- `{command}` on {}, in {} min {} s",
        machine.date,
        seconds / 60,
        seconds % 60
    )?;
    writeln!(
        text,
        "- {} cores of {}, {}",
        machine.cores, machine.processor, machine.system
    )?;
    writeln!(
        text,
        "- load average {} when it began, {} when it ended",
        machine.load.0, machine.load.1
    )?;
    writeln!(text, "- {}; release, thin LTO", machine.rustc)?;
    writeln!(text, "- server: {}", machine.server)?;
    let packages = machine.packages.iter();
    let packages: Vec<String> = packages
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    writeln!(text, "- {}\n", packages.join(", "))
}

/// The page with a new measured part, or `None` if it does not have the two marks.
pub(super) fn replace(page: &str, measured: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{measured}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_between_the_marks_is_replaced() {
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let new = replace(&page, "new\n").expect("it has its marks");
        assert_eq!(new, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!(replace("no marks", "new"), None);
    }
}
