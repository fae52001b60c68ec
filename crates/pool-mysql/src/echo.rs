//! The statement log.

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
            entry.write("cancelled");
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
