//! The error of a later statement in a text, until somebody asks for it.

use mysql_async::ServerError;

use crate::error::Error;

/// The error that comes after the results that a cursor has read. `nextset` returns it, or the next `execute`.
///
/// If nobody asks for it, it is logged when the cursor forgets the results.
#[derive(Default)]
pub(super) struct Unseen {
    error: Option<ServerError>,
    connection: u64,
}

impl Unseen {
    pub(super) fn new(error: Option<ServerError>, connection: u64) -> Self {
        Self { error, connection }
    }

    /// The error, once.
    pub(super) fn take(&mut self) -> Result<(), Error> {
        match self.error.take() {
            None => Ok(()),
            Some(error) => Err(Error::Driver(mysql_async::Error::Server(error))),
        }
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        if let Some(error) = &self.error {
            // Without the server's words: they may contain what was written in the statement.
            tracing::warn!(
                connection = self.connection,
                code = error.code,
                "a later statement in a text failed, and nobody has asked for its error: call nextset until it returns false"
            );
        }
    }
}
