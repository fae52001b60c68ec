//! The machine, the date and the versions of a run.

use std::fs;
use std::process::Command;
use std::thread;

use super::root;

/// The packages whose versions are shown.
const PACKAGES: [&str; 16] = [
    "pool-core",
    "pool-mysql",
    "asyncband",
    "bb8",
    "crossbeam-queue",
    "deadpool",
    "mobc",
    "mysql_async",
    "mysql_common",
    "parking_lot",
    "r2d2",
    "smol",
    "sqlx-core",
    "sqlx-mysql",
    "tokio",
    "tokio-util",
];

/// The machine, the date and the versions.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) rustc: String,
    pub(crate) server: String,
    /// The load average when the run began and when it ended.
    pub(crate) load: (String, String),
    pub(crate) packages: Vec<(String, String)>,
}

impl Machine {
    /// Reads everything from this machine except the version of the server, which is given.
    pub(crate) fn look(server: String) -> Self {
        Self {
            date: output(&["date", "-u", "+%Y-%m-%d"]),
            processor: processor(),
            cores: thread::available_parallelism().map_or(0, usize::from),
            system: output(&["uname", "-sr"]),
            rustc: output(&["rustc", "--version"]),
            server,
            load: (load(), String::new()),
            packages: packages(),
        }
    }

    /// Reads the load average at the end of the run.
    pub(crate) fn look_again(&mut self) {
        self.load.1 = load();
    }
}

fn output(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).output();
    output.map_or("unknown".to_owned(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find(|line| line.starts_with("model name"));
    let name = name.and_then(|line| line.split_once(':'));
    name.map_or("unknown", |(_, name)| name.trim()).to_owned()
}

/// The load average of the last minute.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn packages() -> Vec<(String, String)> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap_or_default();
    let versions = versions(&lock);
    versions
        .into_iter()
        .filter(|(name, _)| PACKAGES.contains(&name.as_str()))
        .collect()
}

/// Names and versions in a lock file.
fn versions(lock: &str) -> Vec<(String, String)> {
    let value = |line: &str, key| {
        let value = line.strip_prefix(key)?.strip_suffix('"')?;
        Some(value.to_owned())
    };
    let lines: Vec<&str> = lock.lines().collect();
    lines
        .windows(2)
        .filter_map(|two| Some((value(two[0], "name = \"")?, value(two[1], "version = \"")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"b\"\nversion = \"4.0.0\"\n";
        let expected = [("a", "1.2.3"), ("b", "4.0.0")];
        assert_eq!(
            versions(lock),
            expected.map(|(name, version)| (name.to_owned(), version.to_owned()))
        );
    }
}
