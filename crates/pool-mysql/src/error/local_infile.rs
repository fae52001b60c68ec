//! Why a server that asked for a local file got none.

use std::fmt;

use mysql_async::LocalInfileError;

#[derive(Debug)]
pub(crate) enum InfileRefused {
    /// The server named a file that the options do not allow.
    NotAllowed(String),
    /// The caller gave bytes, and the server did not ask for a file.
    NotAsked,
}

impl fmt::Display for InfileRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed(name) => write!(
                f,
                "the server asked for the local file {name:?}, which is not among local_infile_paths"
            ),
            Self::NotAsked => f.write_str(
                "the statement asked for no local file: it must say LOAD DATA LOCAL INFILE",
            ),
        }
    }
}

impl std::error::Error for InfileRefused {}

/// Whether this is [`InfileRefused::NotAsked`]: the server has carried out the statement.
pub(crate) fn was_not_asked_for(error: &LocalInfileError) -> bool {
    match error {
        LocalInfileError::OtherError(error) => {
            matches!(error.downcast_ref(), Some(InfileRefused::NotAsked))
        }
        _ => false,
    }
}
