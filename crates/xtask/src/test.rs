//! `cargo xtask test`: everything that can be tested, in a few steps that each have a name.

use std::path::PathBuf;
use std::time::Duration;

use private_server::PrivateServer;

use crate::browser;
use crate::example_list;
use crate::failure::Failure;
use crate::openssl;
use crate::other_servers;
use crate::server_program::{self, Wanted};
use crate::step::{self, Ended, Server};

/// How long one example may run. They take seconds; what takes longer hangs.
const EXAMPLE_LIMIT: Duration = Duration::from_secs(120);

/// The packages of the steps with a TLS library. All are the same, so that pool-mysql is built once with each library; and
/// they give its dependencies the features that the whole workspace gives them, so that only the driver and what is above
/// it is built again. The targets say what is run.
const TLS_PACKAGES: &str = "-p pool-mysql -p tests -p examples";

/// One step: what it is called and the arguments of cargo.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    name: String,
    words: String,
    /// It runs one example: against a server that we start, and not for ever.
    is_example: bool,
}

impl Step {
    fn cargo(name: &str, words: &str) -> Self {
        Self {
            name: name.to_owned(),
            words: words.to_owned(),
            is_example: false,
        }
    }

    fn example(name: &str) -> Self {
        Self {
            name: format!("example {name}"),
            words: format!("run --quiet --example {name}"),
            is_example: true,
        }
    }
}

pub(crate) fn run() -> Result<(), Failure> {
    server_program::ensure(Wanted::MariaDb)?;
    openssl::ensure()?;
    let browser = browser::ensure()?;
    take_all(
        &steps(&example_list::names()?),
        &[(browser::VARIABLE, browser)],
    )
}

/// `cargo xtask test --mysql`: what needs another server than the usual one.
pub(crate) fn run_on_other_servers() -> Result<(), Failure> {
    server_program::ensure(Wanted::MariaDb)?;
    openssl::ensure()?;
    let others = other_servers::ensure()?;
    let environment = [
        (other_servers::MYSQL, others.mysql),
        (other_servers::PLUGINS, others.plugins),
    ];
    let accounts = ["rustls", "native-tls"].map(|tls| {
        Step::cargo(
            &format!("accounts of other servers, {tls}"),
            &format!("test -p tests --features {tls},other-servers --test mysql_accounts"),
        )
    });
    let mut steps = Vec::from(accounts);
    steps.push(Step::cargo(
        "cursors on Oracle's server",
        "test -p tests --features other-servers --test mysql_cursor",
    ));
    steps.push(Step::cargo(
        "what Oracle's server leaves in a session",
        "test -p tests --features other-servers --test mysql_return oracle",
    ));
    take_all(&steps, &environment)
}

fn take_all(steps: &[Step], environment: &[(&str, PathBuf)]) -> Result<(), Failure> {
    let mut server = None;
    for (done, step) in steps.iter().enumerate() {
        println!(
            "\nxtask test: step {} of {}, {}",
            done + 1,
            steps.len(),
            step.name
        );
        take(step, environment, &mut server).map_err(|why| {
            Failure::new(format!(
                "test: failed at step {} of {}, {}: {why}",
                done + 1,
                steps.len(),
                step.name
            ))
        })?;
    }
    if let Some(server) = server {
        server.stop();
    }
    println!("\nxtask test: all {} steps passed", steps.len());
    Ok(())
}

/// All steps, the one that finds most first.
fn steps(examples: &[String]) -> Vec<Step> {
    let mut steps = vec![
        // Not these two: the other pools take longer to compile than everything else.
        Step::cargo(
            "all tests and doc tests",
            "test --workspace --exclude pool-bench --exclude pool-peers",
        ),
        // Built before they run, so that their time limit is for running.
        Step::cargo("building the examples", "build --examples"),
    ];
    steps.extend(examples.iter().map(|name| Step::example(name)));
    // Alone, because features unify across a workspace.
    steps.push(Step::cargo(
        "pool-core with default features",
        "test -p pool-core",
    ));
    steps.push(Step::cargo(
        "pool-core without default features",
        "test -p pool-core --no-default-features",
    ));
    // The driver has one TLS library or the other, so the workspace is tested with neither.
    for tls in ["rustls", "native-tls"] {
        let features = format!(
            "--features tests/{tls},pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry"
        );
        let with = |name: &str, targets: &str| {
            Step::cargo(
                &format!("{name} {tls}"),
                &format!("test {TLS_PACKAGES} {features} {targets}"),
            )
        };
        steps.push(with("pool-mysql and TLS by", "--lib --test mysql_tls"));
        steps.push(with(
            "cancelled commands over TLS by",
            "--test mysql_cancel tls",
        ));
        if tls == "rustls" {
            steps.push(with("doc tests of pool-mysql with", "--doc"));
        }
    }
    steps
}

/// Takes one step. The first example starts the server that all of them share.
fn take(
    step: &Step,
    environment: &[(&str, PathBuf)],
    server: &mut Option<PrivateServer>,
) -> Result<(), Failure> {
    if !step.is_example {
        let mut command = step::cargo(&step.words, Server::Hidden);
        for (variable, path) in environment {
            command.env(variable, path);
        }
        let status = step::run(&mut command)?;
        return if status.success() {
            Ok(())
        } else {
            Err(Failure::new(status.to_string()))
        };
    }
    let server = match server {
        Some(server) => server,
        None => server.insert(
            PrivateServer::start().map_err(Failure::while_doing("start a private server"))?,
        ),
    };
    let mut command = step::cargo(&step.words, Server::At(&server.url()));
    match step::run_within(&mut command, EXAMPLE_LIMIT)? {
        Ended::With(status) if status.success() => Ok(()),
        Ended::With(status) => Err(Failure::new(status.to_string())),
        Ended::OutOfTime => Err(Failure::new(format!(
            "killed after {} s, for it did not end",
            EXAMPLE_LIMIT.as_secs()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_step_and_pool_core_is_tested_alone() {
        let steps = steps(&["quickstart".to_owned(), "own_manager".to_owned()]);
        let lines: Vec<&str> = steps.iter().map(|step| step.words.as_str()).collect();
        assert_eq!(
            lines,
            [
                "test --workspace --exclude pool-bench --exclude pool-peers",
                "build --examples",
                "run --quiet --example quickstart",
                "run --quiet --example own_manager",
                "test -p pool-core",
                "test -p pool-core --no-default-features",
                "test -p pool-mysql -p tests -p examples --features \
                 tests/rustls,pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry --lib --test mysql_tls",
                "test -p pool-mysql -p tests -p examples --features \
                 tests/rustls,pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry --test mysql_cancel tls",
                "test -p pool-mysql -p tests -p examples --features \
                 tests/rustls,pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry --doc",
                "test -p pool-mysql -p tests -p examples --features \
                 tests/native-tls,pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry --lib --test mysql_tls",
                "test -p pool-mysql -p tests -p examples --features \
                 tests/native-tls,pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry --test mysql_cancel tls",
            ]
        );
        let limited = steps.iter().filter(|step| step.is_example).count();
        assert_eq!(limited, 2, "examples have a server and a time limit");
    }
}
