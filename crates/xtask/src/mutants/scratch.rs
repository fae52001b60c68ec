//! A copy of some crates that may be broken.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::root;

/// A workspace of its own, in the target folder.
pub(crate) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Copies these crates into a folder. What was built there before is used again.
    pub(crate) fn new(folder: PathBuf, crates: &[&str]) -> Result<Self, Failure> {
        let what = format!("copy the crates to {}", folder.display());
        copy_all(&folder, crates).map_err(Failure::while_doing(what))?;
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn crates(&self) -> PathBuf {
        self.folder.join("crates")
    }
}

fn copy_all(folder: &Path, names: &[&str]) -> std::io::Result<()> {
    let crates = folder.join("crates");
    if crates.exists() {
        fs::remove_dir_all(&crates)?;
    }
    for name in names {
        copy(&root().join("crates").join(name), &crates.join(name))?;
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    fs::write(folder.join("Cargo.toml"), with_members(&manifest, names))?;
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

/// The manifest of the workspace with these members only.
fn with_members(manifest: &str, names: &[&str]) -> String {
    let members = names.iter().map(|name| format!("\"crates/{name}\""));
    let members = members.collect::<Vec<_>>().join(", ");
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
            with_members(manifest, &["pool-core", "pool-sim"]),
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/pool-core\", \"crates/pool-sim\"]\n# All but b.\n\n[profile.dev]\n"
        );
    }
}
