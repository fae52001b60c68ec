//! Where things that outlive one server lie: prepared data directories and reservations of ports.

use std::env;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::ServerError;

/// The name of the folder for the user `uid`, in whichever parent it lies.
fn folder_name(uid: u32) -> String {
    format!("private-server-{uid}")
}

/// The folder of user `uid`: in `$XDG_CACHE_HOME`, `~/.cache` or the temporary directory, the first that can be used.
pub(crate) fn folder(uid: u32) -> Result<PathBuf, ServerError> {
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    for parent in [xdg, home]
        .into_iter()
        .flatten()
        .filter(|path| path.is_absolute())
    {
        let path = parent.join(folder_name(uid));
        if prepare(&path, uid) {
            return Ok(path);
        }
    }
    let path = env::temp_dir().join(folder_name(uid));
    if prepare(&path, uid) {
        return Ok(path);
    }
    Err(ServerError::io("use a cache directory")(
        std::io::Error::other(format!(
            "neither $XDG_CACHE_HOME nor $HOME/.cache nor {} is ours to write to",
            path.display()
        )),
    ))
}

/// Makes sure of the folder; false when it cannot be made, belongs to somebody else or cannot be written to.
fn prepare(path: &Path, uid: u32) -> bool {
    let created = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .is_ok();
    // In a temporary directory that all share, another user may have made a folder of this name to plant things in.
    created
        && fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid)
        && File::options()
            .create(true)
            .append(true)
            .open(path.join("writable"))
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    #[test]
    fn a_folder_of_ours_is_used() {
        let parent = Folder::create().expect("a temporary folder");
        assert!(prepare(&parent.path().join("deep/cache"), parent.uid()));
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let parent = Folder::create().expect("a temporary folder");
        assert!(!prepare(&parent.path().join("cache"), parent.uid() + 1));
    }

    #[test]
    fn a_link_planted_in_its_place_is_refused() {
        let parent = Folder::create().expect("a temporary folder");
        let link = parent.path().join("cache");
        std::os::unix::fs::symlink(parent.path(), &link).expect("a link");
        assert!(!prepare(&link, parent.uid()));
    }
}
