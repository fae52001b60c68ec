//! A copy of pool-core and pool-sim that may be broken.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::root;

/// The crates that are copied.
const CRATES: [&str; 2] = ["pool-core", "pool-sim"];

/// A workspace of its own, in the target folder.
pub(super) struct Scratch {
    pub(super) folder: PathBuf,
}

impl Scratch {
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let making = || format!("copy the crates to {}", folder.display());
        copy_all(folder).map_err(Failure::while_doing(making()))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The source of pool-core.
    pub(super) fn source(&self) -> PathBuf {
        self.folder.join("crates/pool-core/src")
    }
}

fn copy_all(folder: &Path) -> std::io::Result<()> {
    let crates = folder.join("crates");
    if crates.exists() {
        fs::remove_dir_all(&crates)?;
    }
    for name in CRATES {
        copy(&root().join("crates").join(name), &crates.join(name))?;
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    fs::write(folder.join("Cargo.toml"), with_members(&manifest))?;
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        match path.is_dir() {
            true => copy(&path, &target)?,
            false => fs::copy(&path, &target).map(drop)?,
        }
    }
    Ok(())
}

/// The manifest of the workspace with these two members only.
fn with_members(manifest: &str) -> String {
    let members = CRATES.map(|name| format!("\"crates/{name}\"")).join(", ");
    let mut text = String::new();
    let mut is_in_list = false;
    for line in manifest.lines() {
        if is_in_list {
            is_in_list = line != "]";
        } else if line.starts_with("members = [") {
            text += &format!("members = [{members}]\n");
            is_in_list = !line.ends_with(']');
        } else if line.starts_with("default-members = [") {
            is_in_list = !line.ends_with(']');
        } else {
            text += line;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_members_are_changed() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n    \"a\",\n]\n# All but b.\ndefault-members = [\n    \"a\",\n]\n\n[profile.dev]\n";
        assert_eq!(
            with_members(manifest),
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/pool-core\", \"crates/pool-sim\"]\n# All but b.\n\n[profile.dev]\n"
        );
    }
}
