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

use self::machine::Machine;
use crate::effort::Effort;
use crate::workload::Outcome;

/// A run that is over.
pub(crate) struct Run {
    pub(crate) effort: Effort,
    pub(crate) machine: Machine,
    pub(crate) outcomes: Vec<Outcome>,
    /// Names and settings of all contenders.
    pub(crate) settings: Vec<(&'static str, &'static str)>,
}

impl Run {
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
