//! What the server tells about itself.

use std::net::IpAddr;
use std::time::Duration;

use mysql_async::prelude::FromRow;
use mysql_async::{Conn, Row};

/// What a server tells about itself when a session begins.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// The session's number at the server.
    pub(crate) connection_id: u64,
    /// The version, as the server writes it.
    pub(crate) info: String,
    pub(crate) version: (u16, u16, u16),
    /// The host name and port of the server, which tell several servers behind one address apart; `None` where it does not
    /// tell them.
    pub(crate) identity: Option<(String, u64)>,
    /// Which address of the host name was reached; `None` where there is only one place.
    pub(crate) reached: Option<IpAddr>,
    /// For how long the server lets this session be idle before it closes it.
    pub(crate) wait_timeout: Option<Duration>,
    /// The largest packet that the server takes, in bytes.
    pub(crate) max_packet: usize,
}

/// Asks for all of it, one value a line. One column costs the server and the driver half as much as several.
pub(crate) const QUESTION: &str = "SELECT CONCAT_WS('\n', CONNECTION_ID(), @@port, @@max_allowed_packet, @@wait_timeout, @@hostname, VERSION())";

impl Server {
    /// What the server's greeting tells.
    pub(crate) fn from_greeting(conn: &Conn) -> Self {
        let version = conn.server_version();
        Self {
            connection_id: conn.id().into(),
            info: format!("{}.{}.{}", version.0, version.1, version.2),
            version,
            identity: None,
            reached: None,
            wait_timeout: None,
            max_packet: 1024 * 1024,
        }
    }

    /// For how long a pool may keep the session idle. It is a little less than the time after which the server closes it.
    pub(crate) fn idle_limit(&self) -> Option<Duration> {
        let wait = self.wait_timeout?;
        let margin = (wait / 10).clamp(Duration::from_millis(400), Duration::from_secs(60));
        wait.checked_sub(margin)
    }

    /// Adds the answer to [`QUESTION`]. A row that does not look like one is ignored.
    pub(crate) fn learn(&mut self, row: Row) {
        let answer = <(String,)>::from_row_opt(row);
        let lines: Vec<&str> = match &answer {
            Ok((text,)) => text.split('\n').collect(),
            Err(_) => return,
        };
        let [id, port, max_packet, wait, host, info] = lines[..] else {
            return;
        };
        let numbers = (id.parse(), port.parse(), max_packet.parse(), wait.parse());
        if let (Ok(id), Ok(port), Ok(max_packet), Ok(wait)) = numbers {
            self.wait_timeout = Some(Duration::from_secs(wait));
            self.connection_id = id;
            self.info = info.to_owned();
            self.identity = Some((host.to_owned(), port));
            self.max_packet = max_packet;
        }
    }
}
