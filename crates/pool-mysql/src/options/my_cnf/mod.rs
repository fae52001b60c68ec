//! Option files of MySQL and MariaDB (`my.cnf`).
//!
//! They are read by our own code, because the crates for INI files do not read them as MySQL does: some have no
//! `!include`, some no keys without value, and none MySQL's quotes and escapes. A `#` in a quoted password must not begin a
//! comment.

mod line;

use std::fs;
use std::path::{Path, PathBuf};

use pool_core::ConfigError;

use self::line::{Line, read_line};

/// How deep files may include each other, as in MySQL.
const DEEPEST: usize = 10;

/// The file that is read when only a group is given.
pub(super) const DEFAULT_FILE: &str = "/etc/my.cnf";

/// The options of one group, in the order in which they were found. Of two options with the same name the later one counts.
///
/// It may hold a password, so it has no `Debug`.
#[derive(Default)]
pub(super) struct Group(Vec<(String, Option<String>)>);

impl Group {
    /// The last value of an option; `Some(None)` if it is there without a value.
    pub(super) fn get(&self, key: &str) -> Option<Option<&str>> {
        let found = self.0.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_deref())
    }

    /// Adds another group, whose options win over those of this one.
    fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// The options of a file for a program of this group: those of `[client]`, then those of the group, which win.
pub(super) fn read(file: &Path, group: Option<&str>) -> Result<Group, ConfigError> {
    let names = ["client"].into_iter().chain(group);
    let mut groups: Vec<(&str, Group)> = names.map(|name| (name, Group::default())).collect();
    read_file(&at_home(file)?, &mut groups, DEEPEST)?;
    let mut all = Group::default();
    for (_, group) in groups {
        all.add(group);
    }
    Ok(all)
}

fn read_file(file: &Path, groups: &mut [(&str, Group)], depth: usize) -> Result<(), ConfigError> {
    let bytes = fs::read(file).map_err(|error| cannot_read(file, &error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| cannot_read(file, "it is no UTF-8"))?;
    // Some editors put a byte order mark before a text in UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut group: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| {
            let place = format!("{}, line {}", file.display(), number + 1);
            ConfigError::new("read_default_file", format!("{place}: {what}"))
        };
        match read_line(line).map_err(wrong)? {
            Line::Nothing => {}
            Line::Group(name) => group = Some(name),
            Line::Option(key, value) => {
                let Some(group) = &group else {
                    return Err(wrong("an option stands before the first [group]"));
                };
                for (_, wanted) in groups.iter_mut().filter(|(name, _)| name == group) {
                    wanted.0.push((key.clone(), value.clone()));
                }
            }
            Line::Include(_) | Line::IncludeFolder(_) if depth == 0 => {
                return Err(wrong("files include each other too deep"));
            }
            Line::Include(path) => read_file(&at_home(&path)?, groups, depth - 1)?,
            Line::IncludeFolder(path) => {
                for path in files_in(&at_home(&path)?)? {
                    read_file(&path, groups, depth - 1)?;
                }
            }
        }
    }
    Ok(())
}

/// The option files of a folder, sorted by name.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let failed = |error: std::io::Error| cannot_read(folder, &error.to_string());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        let fits = ending == Some("cnf") || (cfg!(windows) && ending == Some("ini"));
        if fits && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The path, with the user's home folder instead of a leading `~`.
fn at_home(path: &Path) -> Result<PathBuf, ConfigError> {
    let Ok(rest) = path.strip_prefix("~") else {
        return Ok(path.to_owned());
    };
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    match home {
        Some(home) => Ok(home.join(rest)),
        None => Err(cannot_read(path, "this user has no home: write it in full")),
    }
}

fn cannot_read(path: &Path, why: &str) -> ConfigError {
    ConfigError::new(
        "read_default_file",
        format!("{} cannot be read: {why}", path.display()),
    )
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
