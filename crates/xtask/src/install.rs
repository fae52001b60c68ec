//! Which commands install a server program here. Only decides; runs nothing.

use std::fmt;
use std::process::Command;

/// Debian's package with nothing but the server: no service, no user, no data directory.
pub(crate) const SERVER: &str = "mariadb-server-core";

/// What this machine and this user can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    /// `apt-get` is there.
    pub(crate) apt: bool,
    /// This user is root.
    pub(crate) root: bool,
    /// `sudo` is there, and whether it asks.
    pub(crate) sudo: Sudo,
}

/// What `sudo` can do for this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sudo {
    /// It runs commands without asking for a password.
    Silent,
    /// It would ask, and there is a terminal to answer on.
    Asks,
    /// It is not there, or it would ask and nobody could answer.
    Useless,
}

/// The two command lines that install packages, or why there are none.
pub(crate) fn plan(
    means: Means,
    packages: &[&'static str],
) -> Result<[Vec<&'static str>; 2], WhyNot> {
    let prefix = prefix(means)?;
    let update = ["apt-get", "update"].as_slice();
    let install = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-y",
        "--no-install-recommends",
    ];
    Ok([update, &[&install, packages].concat()].map(|words| [prefix, words].concat()))
}

/// What stands before a command that only root may run, or why there is none.
pub(crate) fn prefix(means: Means) -> Result<&'static [&'static str], WhyNot> {
    match (means.apt, means.root, means.sudo) {
        (false, _, _) => Err(WhyNot::NoApt),
        (_, true, _) => Ok(&[]),
        (_, false, Sudo::Silent) => Ok(&["sudo", "-n"]),
        (_, false, Sudo::Asks) => Ok(&["sudo"]),
        (_, false, Sudo::Useless) => Err(WhyNot::NoRights),
    }
}

/// Why xtask cannot install packages by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhyNot {
    /// There is no `apt-get`.
    NoApt,
    /// Neither root nor a `sudo` that helps.
    NoRights,
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoApt => "there is no apt-get here, so xtask cannot install it by itself",
            Self::NoRights => {
                "this user is not root, and sudo is missing or cannot ask for a password here"
            }
        })
    }
}

/// What is said before a plan is carried out: what is missing, and the commands that will bring it.
pub(crate) fn announcement(missing: &str, package: &str, plan: &[Vec<&str>]) -> String {
    let mut text =
        format!("xtask: {missing} was found; installing {package} with these commands:\n");
    for words in plan {
        text += &format!("xtask:   {}\n", words.join(" "));
    }
    text
}

/// A command from its words.
pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Means = Means {
        apt: true,
        root: true,
        sudo: Sudo::Useless,
    };

    fn lines(means: Means) -> Vec<String> {
        let plan = plan(means, &[SERVER]).expect("a plan");
        plan.iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn root_updates_the_lists_and_installs_the_server_alone() {
        assert_eq!(
            lines(ROOT),
            [
                "apt-get update",
                "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server-core",
            ]
        );
    }

    #[test]
    fn others_go_through_sudo_and_it_asks_only_where_somebody_can_answer() {
        let root = false;
        let silent = Means {
            root,
            sudo: Sudo::Silent,
            ..ROOT
        };
        assert!(
            lines(silent)
                .iter()
                .all(|line| line.starts_with("sudo -n "))
        );
        let asks = Means {
            root,
            sudo: Sudo::Asks,
            ..ROOT
        };
        assert!(
            lines(asks)
                .iter()
                .all(|line| line.starts_with("sudo apt") || line.starts_with("sudo env"))
        );
        let useless = Means { root, ..ROOT };
        assert_eq!(plan(useless, &[SERVER]), Err(WhyNot::NoRights));
    }

    #[test]
    fn nothing_is_tried_without_apt() {
        assert_eq!(
            plan(Means { apt: false, ..ROOT }, &[SERVER]),
            Err(WhyNot::NoApt)
        );
    }
}
