//! The test programs: how they are built, and how one of them is run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::output;
use crate::failure::Failure;
use crate::step::{self, MYSQL_URL, Server};

/// The builds whose test programs are run: those of the plain `test`, with what is built in another way once more.
const BUILDS: [(&str, &str); 5] = [
    (
        "",
        "test --workspace --exclude pool-bench --exclude pool-peers --no-run",
    ),
    ("alone", "test -p pool-core --no-run"),
    (
        "no-timer",
        "test -p pool-core --no-default-features --no-run",
    ),
    (
        "rustls",
        "test -p pool-mysql -p tests -p examples --features \
         tests/rustls,pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry \
         --test mysql_tls --test mysql_cancel --no-run",
    ),
    (
        "native-tls",
        "test -p pool-mysql -p tests -p examples --features \
         tests/native-tls,pool-core/default,pool-mysql/tracing,pool-mysql/metrics,pool-mysql/opentelemetry \
         --test mysql_tls --test mysql_cancel --no-run",
    ),
];

/// A test program of libtest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TestProgram {
    name: String,
    path: PathBuf,
    /// The folder of its package, in which cargo runs it.
    folder: PathBuf,
}

impl TestProgram {
    /// The name of its target, with that of its build if there are several.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        // Tests have servers of their own, and nobody's real one should be within their reach.
        command
            .current_dir(&self.folder)
            .env_remove(MYSQL_URL)
            .stdin(Stdio::null());
        command
    }

    /// The names of its tests.
    pub(super) fn tests(&self) -> Result<Vec<String>, Failure> {
        let output = self
            .command()
            .args(["--list", "--format", "terse"])
            .output()
            .map_err(Failure::while_doing(format!(
                "list the tests of {}",
                self.name
            )))?;
        Ok(output::list(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// Builds all test programs.
pub(super) fn build() -> Result<Vec<TestProgram>, Failure> {
    let mut programs = Vec::new();
    for (build, words) in BUILDS {
        println!("$ cargo {words}");
        let output = step::cargo(&format!("{words} --message-format=json"), Server::Hidden)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(Failure::while_doing(format!("cannot run `cargo {words}`")))?;
        if !output.status.success() {
            return Err(Failure::of_program(
                &format!("`cargo {words}`"),
                output.status,
            ));
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        programs.extend(messages.lines().filter_map(|line| program(build, line)));
    }
    Ok(programs)
}

/// The test program that one of cargo's messages is about.
fn program(build: &str, message: &str) -> Option<TestProgram> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let path = PathBuf::from(message["executable"].as_str()?);
    let manifest = Path::new(message["manifest_path"].as_str()?);
    let target = message["target"]["name"].as_str()?;
    Some(TestProgram {
        name: match build {
            "" => target.to_owned(),
            build => format!("{target}-{build}"),
        },
        path,
        folder: manifest.parent()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_program_is_found_in_a_message_of_cargo() {
        let message = r#"{"reason":"compiler-artifact","manifest_path":"/c/tests/Cargo.toml",
            "target":{"kind":["test"],"name":"status"},"profile":{"test":true},
            "executable":"/c/target/debug/deps/status-1"}"#;
        let expected = TestProgram {
            name: "status-rustls".to_owned(),
            path: PathBuf::from("/c/target/debug/deps/status-1"),
            folder: PathBuf::from("/c/tests"),
        };
        assert_eq!(program("rustls", message), Some(expected));
        assert_eq!(
            program("", message).map(|found| found.name),
            Some("status".to_owned())
        );
    }

    #[test]
    fn other_messages_are_about_no_test_program() {
        for message in [
            "",
            "Compiling",
            r#"{"reason":"build-finished","success":true}"#,
            r#"{"manifest_path":"/c/Cargo.toml","target":{"name":"x"},"profile":{"test":false},"executable":"/c/x"}"#,
            r#"{"manifest_path":"/c/Cargo.toml","target":{"name":"x"},"profile":{"test":true},"executable":null}"#,
        ] {
            assert_eq!(program("", message), None, "{message}");
        }
    }
}
