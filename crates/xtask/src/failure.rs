//! Why a task failed, and with which exit status xtask passes that on.

use std::error::Error;
use std::fmt;
use std::process::{ExitCode, ExitStatus};

/// Why a task failed.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The task was tried and did not succeed.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }

    /// A program that xtask ran on somebody's behalf failed: its exit status is passed on.
    pub(crate) fn of_program(what: &str, status: ExitStatus) -> Self {
        // Without a code it was killed by a signal; 1 says as much as xtask can.
        let code = status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1);
        Self {
            message: format!("{what} failed ({status})"),
            code,
        }
    }

    /// For `map_err`: what was attempted, and all the error says about why it failed.
    pub(crate) fn while_doing<E: Error>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| {
            let mut message = format!("{what}: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                message += &format!(": {error}");
                cause = error.source();
            }
            Self::new(message)
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
