//! What comes out of a run: tables, a file for programs, plots, and the page in `docs`.

mod json;
mod losses;
pub(crate) mod machine;
mod page;
mod plot;
pub(crate) mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::machine::Machine;
use crate::command_line::Options;
use crate::goals::{self, Judged};
use crate::workload::Outcome;

/// Names of contenders and how they were set up.
pub(crate) type Settings = Vec<(&'static str, &'static str)>;

/// A run that is over.
pub(crate) struct Run {
    pub(crate) options: Options,
    pub(crate) machine: Machine,
    /// How long all of it took, the start of the server included.
    pub(crate) elapsed: Duration,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) in_memory: Settings,
    pub(crate) mysql: Settings,
}

impl Run {
    /// The goals of the workloads that were asked for.
    fn goals(&self) -> Vec<Judged> {
        goals::judge(&self.outcomes, |workload| self.options.wants(workload))
    }

    /// Everything as text.
    pub(crate) fn text(&self) -> String {
        page::measured(self, None)
    }

    /// Writes the file for programs and the plots; says where they lie.
    pub(crate) fn write(&self) -> io::Result<PathBuf> {
        let folder = root().join("target/bench");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("results.json"), json::results(self))?;
        fs::write(folder.join("results.md"), self.text())?;
        for (name, svg) in plot::plots(&self.outcomes) {
            fs::write(folder.join(name), svg)?;
        }
        Ok(folder)
    }

    /// Puts the tables and plots of this run into the documentation; says where.
    pub(crate) fn publish(&self) -> io::Result<PathBuf> {
        let page = root().join("docs/performance.md");
        let folder = root().join("docs/performance");
        fs::create_dir_all(&folder)?;
        let plots = plot::plots(&self.outcomes);
        for (name, svg) in &plots {
            fs::write(folder.join(name), svg)?;
        }
        let text = fs::read_to_string(&page)?;
        let names: Vec<String> = plots.into_iter().map(|(name, _)| name).collect();
        let text = page::replace(&text, &page::measured(self, Some(&names)))
            .ok_or_else(|| io::Error::other("docs/performance.md has lost its two marks"))?;
        fs::write(&page, text)?;
        Ok(page)
    }
}

/// The root of the checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this package lies in crates/pool-bench")
}
