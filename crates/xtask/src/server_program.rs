//! Makes sure that a server program is there.

use std::env;
use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};

use private_server::{ServerError, find_server_program};

use crate::failure::Failure;
use crate::install::{self, Means, Sudo, WhyNot};
use crate::step;

/// Finds a server program, or installs one through apt, saying so before it does.
pub(crate) fn ensure() -> Result<(), Failure> {
    if find_server_program().is_some() {
        return Ok(());
    }
    let plan = install::plan(means(), install::SERVER).map_err(|why| {
        let obstacle = match why {
            WhyNot::NoApt => "there is no apt-get here, so xtask cannot install it by itself",
            WhyNot::NoRights => {
                "this user is not root, and sudo is missing or cannot ask for a password here"
            }
        };
        Failure::new(format!("{}\n{obstacle}", ServerError::NotFound))
    })?;
    println!(
        "xtask: no MariaDB or MySQL server program was found; installing mariadb-server-core with these commands:"
    );
    for words in &plan {
        println!("xtask:   {}", words.join(" "));
    }
    for words in &plan {
        let status = step::run(&mut install::command(words))?;
        if !status.success() {
            return Err(Failure::of_program(
                &format!("`{}`", words.join(" ")),
                status,
            ));
        }
    }
    match find_server_program() {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!(
            "it was installed, and yet: {}",
            ServerError::NotFound
        ))),
    }
}

/// Whether there is a program of that name.
pub(crate) fn is_on_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).is_file())
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
fn output_of(words: &[&str]) -> Option<String> {
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
