//! The statement log.

use std::time::{Duration, Instant};

/// One statement on its way into the log; an empty one where `echo` is off.
///
/// Parameters are never here, only their number.
#[derive(Default)]
pub(crate) struct Log(Option<Box<Entry>>);

struct Entry {
    connection: u64,
    statement: String,
    parameters: Option<usize>,
    started: Option<Instant>,
}

impl Log {
    /// A statement that is to be logged.
    pub(crate) fn new(connection: u64, statement: String, parameters: Option<usize>) -> Self {
        Self(Some(Box::new(Entry {
            connection,
            statement,
            parameters,
            started: None,
        })))
    }

    /// The statement is sent now.
    pub(crate) fn start(&mut self) {
        if let Some(entry) = &mut self.0 {
            entry.started = Some(Instant::now());
        }
    }

    /// The server has answered.
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

/// Whoever waited for the answer has gone away.
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
