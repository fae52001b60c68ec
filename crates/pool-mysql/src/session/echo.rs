//! The log of statements, which the option `echo` switches on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The log entry of one statement; empty if `echo` is off.
///
/// It holds the number of parameters, never their values.
#[derive(Default)]
pub(crate) struct Log(Option<Box<Entry>>);

struct Entry {
    connection: u64,
    statement: String,
    parameters: Option<usize>,
    started: Option<Instant>,
}

impl Log {
    /// Creates the entry. It is written when the statement ends.
    pub(crate) fn new(connection: u64, statement: String, parameters: Option<usize>) -> Self {
        Self(Some(Box::new(Entry {
            connection,
            statement,
            parameters,
            started: None,
        })))
    }

    /// Notes the time at which the statement is sent.
    pub(crate) fn start(&mut self) {
        if let Some(entry) = &mut self.0 {
            entry.started = Some(Instant::now());
        }
    }

    /// Writes the entry, after the answer of the server.
    pub(crate) fn finish(mut self, outcome: Result<(), &mysql_async::Error>) {
        let Some(entry) = self.0.take() else { return };
        match outcome {
            Ok(()) => entry.write("ok"),
            Err(mysql_async::Error::Server(error)) => {
                entry.write(&format!("error {}", error.code));
            }
            Err(_) => entry.write("connection lost"),
        }
    }
}

/// A statement that was sent and got no `finish` was cancelled: its future was dropped.
impl Drop for Log {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take()
            && entry.started.is_some()
        {
            // The subscriber is somebody else's code, and a drop must not panic.
            let _ = catch_unwind(AssertUnwindSafe(|| entry.write("cancelled")));
        }
    }
}

impl Entry {
    fn write(&self, outcome: &str) {
        let elapsed = self
            .started
            .map_or(Duration::ZERO, |started| started.elapsed());
        tracing::info!(
            target: "pool_mysql::echo",
            connection = self.connection,
            elapsed = ?elapsed,
            outcome,
            parameters = self.parameters,
            "{}",
            self.statement,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::panics::Panics;

    #[test]
    fn a_subscriber_that_panics_does_not_make_the_drop_of_a_command_panic() {
        let mut log = Log::new(7, "SELECT 1".into(), None);
        log.start();
        let drop_it = AssertUnwindSafe(|| drop(log));
        let result = catch_unwind(|| tracing::subscriber::with_default(Panics, drop_it));
        assert!(result.is_ok());
    }
}
