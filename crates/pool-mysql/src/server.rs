//! Who the server is.

use mysql_async::prelude::FromRow;
use mysql_async::{Conn, Row};

/// What a server says about itself when a session begins.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// The session's number at the server.
    pub(crate) connection_id: u64,
    /// The server's own name for its version.
    pub(crate) info: String,
    pub(crate) version: (u16, u16, u16),
    /// Which of the servers behind one address it is: its host name and port; nothing where it does not say.
    pub(crate) identity: Option<(String, u64)>,
    /// The largest packet that the server takes, in bytes.
    pub(crate) max_packet: usize,
}

/// Asks for all of it, in columns of [`Server::learn`].
pub(crate) const QUESTION: &str =
    "SELECT CONNECTION_ID(), VERSION(), @@hostname, @@port, @@max_allowed_packet";

impl Server {
    /// What the greeting alone tells.
    pub(crate) fn from_greeting(conn: &Conn) -> Self {
        let version = conn.server_version();
        Self {
            connection_id: conn.id().into(),
            info: format!("{}.{}.{}", version.0, version.1, version.2),
            version,
            identity: None,
            max_packet: 1024 * 1024,
        }
    }

    /// Adds the answer to [`QUESTION`]; what does not look like one is left out.
    pub(crate) fn learn(&mut self, row: Row) {
        type Answer = (u64, String, String, u64, usize);
        if let Ok((id, info, host, port, max_packet)) = Answer::from_row_opt(row) {
            self.connection_id = id;
            self.info = info;
            self.identity = Some((host, port));
            self.max_packet = max_packet;
        }
    }
}
