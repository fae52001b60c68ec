//! Running a program and saying so first.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::root;

/// The environment variable that names the server.
pub(crate) const MYSQL_URL: &str = "MYSQL_URL";

/// Which server a program is told about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Server<'a> {
    /// The one in our own `MYSQL_URL`.
    AsGiven,
    /// A private one, at this URL.
    At(&'a str),
    /// None: tests have servers of their own, and nobody's real one should be within their reach.
    Hidden,
}

/// The cargo that runs this, in the root of the checkout.
pub(crate) fn cargo(words: &str, server: Server<'_>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(words.split_whitespace()).current_dir(root());
    match server {
        Server::AsGiven => &mut command,
        Server::At(url) => command.env(MYSQL_URL, url),
        Server::Hidden => command.env_remove(MYSQL_URL),
    };
    command
}

/// Prints the command line and runs it to its end.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus, Failure> {
    announce(command);
    command.status().map_err(cannot_run(command))
}

/// How a program with a time limit ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself.
    With(ExitStatus),
    /// Killed, because its time was up.
    OutOfTime,
}

/// Runs a program whose two outputs go to files, and kills it when it takes longer than `limit`.
pub(crate) fn run_quietly(
    command: &mut Command,
    [stdout, stderr]: [&Path; 2],
    limit: Duration,
) -> Result<Ended, Failure> {
    let create = |path: &Path| {
        let what = format!("write {}", path.display());
        File::create(path).map_err(Failure::while_doing(what))
    };
    command.stdout(create(stdout)?).stderr(create(stderr)?);
    wait_within(command, limit)
}

/// Prints the command line, runs it without input, and kills it when it takes longer than `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<Ended, Failure> {
    announce(command);
    wait_within(command, limit)
}

fn wait_within(command: &mut Command, limit: Duration) -> Result<Ended, Failure> {
    let child = command
        .stdin(Stdio::null())
        .spawn()
        .map_err(cannot_run(command))?;
    let mut child = Reaped(child);
    let start = Instant::now();
    while start.elapsed() < limit {
        match child.0.try_wait().map_err(cannot_run(command))? {
            Some(status) => return Ok(Ended::With(status)),
            None => thread::sleep(Duration::from_millis(10)),
        }
    }
    Ok(Ended::OutOfTime)
}

/// A child that does not outlive its guard.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // Both fail only for a child that has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `$ cargo test --workspace`, before whatever the program writes.
fn announce(command: &Command) {
    println!("$ {}", command_line(command));
    // A closed output is no reason not to run.
    let _ = std::io::stdout().flush();
}

/// The command as one would type it. A URL that was given is not repeated: it may hold a password.
fn command_line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program);
    let url = command
        .get_envs()
        .filter(|(key, _)| *key == MYSQL_URL)
        .find_map(|(_, value)| value)
        .map(|url| format!("{MYSQL_URL}={} ", url.to_string_lossy()))
        .unwrap_or_default();
    let arguments: String = command
        .get_args()
        .map(|argument| format!(" {}", argument.to_string_lossy()))
        .collect();
    format!("{url}{name}{arguments}")
}

fn cannot_run(command: &Command) -> impl FnOnce(std::io::Error) -> Failure + use<> {
    Failure::while_doing(format!("cannot run `{}`", command_line(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_ends_in_time_gives_its_status() {
        let ended = run_within(&mut shell("exit 7"), Duration::from_secs(60)).expect("sh runs");
        assert!(
            matches!(ended, Ended::With(status) if status.code() == Some(7)),
            "{ended:?}"
        );
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let start = Instant::now();
        let ended =
            run_within(&mut shell("exec sleep 600"), Duration::from_millis(100)).expect("sh runs");
        assert!(matches!(ended, Ended::OutOfTime), "{ended:?}");
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "and not waited for"
        );
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let url = "mysql://root@127.0.0.1:3306/mysql";
        let private = cargo("run --example quickstart", Server::At(url));
        assert!(command_line(&private).ends_with(" --example quickstart"));
        assert!(
            command_line(&private)
                .starts_with("MYSQL_URL=mysql://root@127.0.0.1:3306/mysql cargo ")
        );
        let hidden = cargo("test --workspace", Server::Hidden);
        assert_eq!(command_line(&hidden), "cargo test --workspace");
        let given = cargo("test --workspace", Server::AsGiven);
        assert_eq!(command_line(&given), "cargo test --workspace");
    }
}
