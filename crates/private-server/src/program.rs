//! The server program: where it is, which of the two it is, and where its files lie.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::ServerError;

/// Names of the server program, the preferred one first.
const NAMES: [&str; 2] = ["mariadbd", "mysqld"];

/// Folders that hold it although they are often not in a user's `PATH`.
const EXTRA_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"];

/// Finds a server program: `mariadbd`, or else `mysqld`, in `PATH`, `/usr/sbin`, `/usr/local/sbin` and `/usr/libexec`.
///
/// The environment variable `PRIVATE_SERVER_PROGRAM`, when set, names the program and nothing is searched.
pub fn find_server_program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("PRIVATE_SERVER_PROGRAM") {
        return Some(PathBuf::from(named));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path)
        .chain(EXTRA_FOLDERS.into_iter().map(PathBuf::from))
        .collect();
    find_in(&folders)
}

/// The first program of the best name in these folders.
fn find_in(folders: &[PathBuf]) -> Option<PathBuf> {
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Which of the two servers a program is; they differ in how a data directory is made and in some options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brand {
    MariaDb,
    MySql,
}

/// A server program that was asked who it is.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) brand: Brand,
    /// Such as `10.11.6-MariaDB`; only characters that a file name can hold.
    pub(crate) version: String,
}

impl Program {
    /// Runs `PROGRAM --version`.
    pub(crate) fn ask(path: PathBuf) -> Result<Self, ServerError> {
        let what = || format!("run {} --version", path.display());
        let output = Command::new(&path)
            .args(["--no-defaults", "--version"])
            .output()
            .map_err(ServerError::io(what()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = parse_version(&text).ok_or_else(|| {
            ServerError::io(what())(std::io::Error::other(format!(
                "it named no version: {}",
                text.trim()
            )))
        })?;
        let brand = if text.contains("MariaDB") {
            Brand::MariaDb
        } else {
            Brand::MySql
        };
        Ok(Self {
            path,
            brand,
            version,
        })
    }

    /// The folder with MariaDB's SQL files and messages, and the prefix of the SQL files' names (it changed with 11).
    pub(crate) fn share(&self) -> Result<(PathBuf, &'static str), ServerError> {
        // The program may be a link, as /usr/sbin/mysqld often is; its files lie beside what the link leads to.
        let real = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let prefix = real
            .parent()
            .and_then(Path::parent)
            .unwrap_or(Path::new("/usr"));
        [prefix, Path::new("/usr"), Path::new("/usr/local")]
            .iter()
            .flat_map(|root| [root.join("share/mysql"), root.join("share/mariadb")])
            .flat_map(|share| ["mysql", "mariadb"].map(|prefix| (share.clone(), prefix)))
            .find(|(share, prefix)| share.join(format!("{prefix}_system_tables.sql")).is_file())
            .ok_or_else(|| ServerError::NoSystemTables {
                program: self.path.clone(),
            })
    }
}

/// The word after `Ver` in what `--version` prints.
fn parse_version(text: &str) -> Option<String> {
    let word = text
        .split_whitespace()
        .skip_while(|word| *word != "Ver")
        .nth(1)?;
    let harmless = |c: char| {
        if c.is_ascii_alphanumeric() || ".-".contains(c) {
            c
        } else {
            '_'
        }
    };
    Some(word.chars().map(harmless).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    fn put(folder: &Path, name: &str, mode: u32) {
        fs::create_dir_all(folder).expect("a folder");
        fs::write(folder.join(name), "").expect("a file");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).expect("its mode");
    }

    #[test]
    fn mariadbd_anywhere_is_preferred_to_mysqld() {
        let root = Folder::create().expect("a temporary folder");
        let (first, second) = (root.path().join("first"), root.path().join("second"));
        put(&first, "mysqld", 0o755);
        put(&second, "mariadbd", 0o755);
        assert_eq!(
            find_in(&[first, second.clone()]),
            Some(second.join("mariadbd"))
        );
    }

    #[test]
    fn mysqld_is_taken_when_it_is_all_there_is() {
        let root = Folder::create().expect("a temporary folder");
        put(root.path(), "mysqld", 0o755);
        assert_eq!(
            find_in(&[root.path().to_path_buf()]),
            Some(root.path().join("mysqld"))
        );
    }

    #[test]
    fn a_file_that_cannot_be_run_is_no_program() {
        let root = Folder::create().expect("a temporary folder");
        put(root.path(), "mariadbd", 0o644);
        fs::create_dir(root.path().join("mysqld")).expect("a folder");
        assert_eq!(find_in(&[root.path().to_path_buf()]), None);
    }

    #[test]
    fn versions_are_read_and_made_fit_for_file_names() {
        let mariadb =
            "mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";
        assert_eq!(
            parse_version(mariadb).as_deref(),
            Some("10.11.6-MariaDB-0_deb12u1")
        );
        let mysql =
            "/usr/sbin/mysqld  Ver 8.4.2 for Linux on x86_64 (MySQL Community Server - GPL)";
        assert_eq!(parse_version(mysql).as_deref(), Some("8.4.2"));
        assert_eq!(parse_version("not a server"), None);
    }

    #[test]
    fn a_program_that_names_no_version_is_refused() {
        let error = Program::ask(PathBuf::from("/bin/echo")).expect_err("echo is no server");
        assert!(matches!(error, ServerError::Io { .. }), "{error}");
    }
}
