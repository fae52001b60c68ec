//! Makes sure that a server program is there.

use std::env;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use private_server::{ServerError, find_server_program};

use crate::failure::Failure;
use crate::install::{self, Means, Sudo};
use crate::step;

/// Which server program a task can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// MariaDB's or MySQL's.
    Either,
    /// MariaDB's alone: the tests use SQL that MySQL does not have.
    MariaDb,
}

impl Wanted {
    /// Whether a program that prints this as its version will do.
    fn takes(self, version: &str) -> bool {
        self == Self::Either || version.contains("MariaDB")
    }
}

/// Finds a server program, or installs one through apt, saying so before it does.
///
/// Beside a program that will not do nothing is installed: apt would remove the one to make room for the other.
pub(crate) fn ensure(wanted: Wanted) -> Result<(), Failure> {
    if let Some(program) = find_server_program() {
        if version_of(&program).is_none_or(|version| wanted.takes(&version)) {
            return Ok(());
        }
        return Err(Failure::new(format!(
            "{} is not MariaDB's server, and the tests use SQL that only MariaDB has\n\
             install MariaDB's (mariadbd) and try again, or name it in PRIVATE_SERVER_PROGRAM; on Debian and Ubuntu, where \
             the two exclude each other, a container is the place for that",
            program.display()
        )));
    }
    let plan = install::plan(means(), &[install::SERVER])
        .map_err(|why| Failure::new(format!("{}\n{why}", ServerError::NotFound)))?;
    let missing = "no MariaDB or MySQL server program";
    print!("{}", install::announcement(missing, install::SERVER, &plan));
    plan.iter().try_for_each(|words| must_run(words))?;
    match find_server_program() {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!(
            "it was installed, and yet: {}",
            ServerError::NotFound
        ))),
    }
}

/// Runs a command that must succeed.
pub(crate) fn must_run(words: &[&str]) -> Result<(), Failure> {
    let status = step::run(&mut install::command(words))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::of_program(
            &format!("`{}`", words.join(" ")),
            status,
        )),
    }
}

/// What the program says of itself; nothing where it does not run, which whoever starts it will say better.
fn version_of(program: &Path) -> Option<String> {
    output_of(&[&program.to_string_lossy(), "--no-defaults", "--version"])
}

/// Whether there is a program of that name.
pub(crate) fn is_on_path(name: &str) -> bool {
    find_on_path(name).is_some()
}

/// The program of that name.
pub(crate) fn find_on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Looks at this machine and this user.
pub(crate) fn means() -> Means {
    let sudo = if !is_on_path("sudo") {
        Sudo::Useless
    } else if output_of(&["sudo", "-n", "true"]).is_some() {
        Sudo::Silent
    } else if io::stdin().is_terminal() {
        Sudo::Asks
    } else {
        Sudo::Useless
    };
    Means {
        apt: is_on_path("apt-get"),
        root: output_of(&["id", "-u"]).is_some_and(|id| id.trim() == "0"),
        sudo,
    }
}

/// What a program prints, if it succeeds.
pub(crate) fn output_of(words: &[&str]) -> Option<String> {
    let mut command: Command = install::command(words);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_take_mariadb_alone_and_by_any_name() {
        let mariadb = "/usr/sbin/mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu";
        let mysql =
            "/usr/sbin/mysqld  Ver 8.4.2 for Linux on x86_64 (MySQL Community Server - GPL)";
        assert!(Wanted::MariaDb.takes(mariadb));
        assert!(!Wanted::MariaDb.takes(mysql));
        assert!(Wanted::Either.takes(mysql));
    }
}
