//! The output of a run: tables, a file for other programs, plots, and the page in `docs`.

mod clean_pools;
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

/// The names of contenders and their settings.
pub(crate) type Settings = Vec<(&'static str, &'static str)>;

/// A finished run.
pub(crate) struct Run {
    pub(crate) options: Options,
    pub(crate) machine: Machine,
    /// The duration of the run, including the start of the server.
    pub(crate) elapsed: Duration,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) in_memory: Settings,
    pub(crate) mysql: Settings,
}

impl Run {
    /// The goals of the selected workloads.
    fn goals(&self) -> Vec<Judged> {
        goals::judge(&self.outcomes, |workload| self.options.wants(workload))
    }

    /// All tables as text.
    pub(crate) fn text(&self) -> String {
        page::measured(self, None)
    }

    /// Writes the file for other programs, the tables and the plots. Returns their folder.
    pub(crate) fn write(&self) -> io::Result<PathBuf> {
        let folder = root().join("target/bench");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("results.json"), json::results(self))?;
        fs::write(folder.join("results.md"), self.text())?;
        for (name, svg) in pictures(&self.outcomes) {
            fs::write(folder.join(name), svg)?;
        }
        Ok(folder)
    }

    /// Writes the tables and plots of this run into the documentation. Returns the page.
    pub(crate) fn publish(&self) -> io::Result<PathBuf> {
        let page = root().join("docs/performance.md");
        let folder = root().join("docs/performance");
        fs::create_dir_all(&folder)?;
        let plots = pictures(&self.outcomes);
        for (name, svg) in &plots {
            fs::write(folder.join(name), svg)?;
        }
        let text = fs::read_to_string(&page)?;
        let names: Vec<String> = plots.into_iter().map(|(name, _)| name).collect();
        let text = page::replace(&text, &page::measured(self, Some(&names)))
            .ok_or_else(|| io::Error::other("docs/performance.md does not have the two marks"))?;
        fs::write(&page, text)?;
        Ok(page)
    }
}

/// The names and contents of the files with pictures.
fn pictures(outcomes: &[Outcome]) -> Vec<(String, String)> {
    let mut files = plot::plots(outcomes);
    files.extend(clean_pools::draw(outcomes).map(|svg| (clean_pools::FILE.to_owned(), svg)));
    files
}

/// The root of the checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this package is in crates/pool-bench")
}
