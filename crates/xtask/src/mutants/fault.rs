//! One deliberate fault, as a file of `crates/pool-sim/mutants` or `crates/pool-chaos/mutants` describes it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What separates the lines as they are from what they become.
const IS: &str = "--- is\n";
const BECOMES: &str = "\n--- becomes\n";

/// A fault: some lines of one file, and what they become.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) name: String,
    /// What is wrong then.
    pub(super) what: String,
    /// The file, in `crates`.
    file: PathBuf,
    /// The one layer in which it can show; `None` for all.
    shows_in: Option<String>,
    is: String,
    becomes: String,
}

/// Reads all files of a folder, in the order of their names.
pub(super) fn read_all(folder: &Path) -> Result<Vec<Fault>, Failure> {
    let reading = || format!("read {}", folder.display());
    let files = fs::read_dir(folder).map_err(Failure::while_doing(reading()))?;
    let mut paths: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Fault, Failure> {
    let text = fs::read_to_string(path);
    let text = text.map_err(Failure::while_doing(format!("read {}", path.display())))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    parse(&name, &text).ok_or_else(|| {
        Failure::new(format!(
            "{} is no mutant: it needs a sentence, `file: NAME`, perhaps `shows in: LAYER`, `--- is` and `--- becomes`",
            path.display()
        ))
    })
}

fn parse(name: &str, text: &str) -> Option<Fault> {
    let (head, change) = text.split_once(IS)?;
    let (is, becomes) = change.split_once(BECOMES)?;
    let (what, file) = head.trim_end().split_once("\nfile: ")?;
    let (file, shows_in) = match file.split_once("\nshows in: ") {
        Some((file, layer)) => (file, Some(layer.to_owned())),
        None => (file, None),
    };
    Some(Fault {
        name: name.to_owned(),
        what: what.to_owned(),
        file: file.into(),
        shows_in,
        is: is.to_owned(),
        becomes: becomes.trim_end_matches('\n').to_owned(),
    })
}

/// A fault that is in the source at the moment; it is mended when this is dropped.
pub(super) struct Applied {
    path: PathBuf,
    original: String,
}

impl Fault {
    /// Whether the layer of this name can find it.
    pub(super) fn can_show_in(&self, layer: &str) -> bool {
        self.shows_in.as_ref().is_none_or(|only| only == layer)
    }

    /// Puts the fault into a copy of `crates`.
    ///
    /// # Errors
    ///
    /// Its lines are not there, or are there more than once: somebody has changed them, and the mutant with them.
    pub(super) fn apply(&self, crates: &Path) -> Result<Applied, Failure> {
        let path = crates.join(&self.file);
        let original = fs::read_to_string(&path);
        let original =
            original.map_err(Failure::while_doing(format!("read {}", path.display())))?;
        let times = original.matches(&self.is).count();
        if times != 1 {
            return Err(Failure::new(format!(
                "the lines of mutant {} are {times} times in {}: bring its file up to date",
                self.name,
                self.file.display(),
            )));
        }
        let changed = original.replace(&self.is, &self.becomes);
        fs::write(&path, changed)
            .map_err(Failure::while_doing(format!("write {}", path.display())))?;
        Ok(Applied { path, original })
    }
}

impl Drop for Applied {
    fn drop(&mut self) {
        // If that fails, the next mutant does not find its lines or does not compile.
        let _ = fs::write(&self.path, &self.original);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_is_a_sentence_a_file_and_a_change() {
        let text = "A wake is forgotten.\nfile: ledger/x.rs\n--- is\n    a;\n    b;\n--- becomes\n    a;\n";
        let mutant = parse("01-wake", text).expect("a mutant");
        assert_eq!(mutant.what, "A wake is forgotten.");
        assert_eq!(mutant.file, Path::new("ledger/x.rs"));
        assert_eq!(
            (&*mutant.is, &*mutant.becomes),
            ("    a;\n    b;", "    a;")
        );
        assert!(mutant.can_show_in("any layer"));
        assert_eq!(parse("02", "A wake is forgotten."), None);
    }

    #[test]
    fn a_mutant_can_name_the_only_layer_in_which_it_shows() {
        let text = "A wake is forgotten.\nfile: x.rs\nshows in: one\n--- is\na;\n--- becomes\nb;\n";
        let mutant = parse("01-wake", text).expect("a mutant");
        assert_eq!(mutant.file, Path::new("x.rs"));
        assert!(mutant.can_show_in("one") && !mutant.can_show_in("another"));
    }

    #[test]
    fn all_mutants_of_the_checkout_fit_its_source() {
        let crates = crate::root().join("crates");
        for (folder, at_least) in [("pool-sim/mutants", 24), ("pool-chaos/mutants", 3)] {
            let mutants = read_all(&crates.join(folder)).expect("readable mutants");
            assert!(mutants.len() >= at_least, "{folder}: {}", mutants.len());
            for mutant in mutants {
                let text = fs::read_to_string(crates.join(&mutant.file)).expect("a file of it");
                assert_eq!(text.matches(&mutant.is).count(), 1, "{}", mutant.name);
                assert_ne!(mutant.is, mutant.becomes, "{}", mutant.name);
            }
        }
    }
}
