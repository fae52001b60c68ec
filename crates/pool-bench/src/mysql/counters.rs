//! What the server says that it was asked.

use pool_mysql::mysql_async::Conn;
use pool_mysql::mysql_async::prelude::Queryable;
use tokio::runtime::Runtime;

use crate::executors::current_thread;
use crate::mysql::client::Failed;
use crate::mysql::target::Target;

/// A connection of the benchmark's own, to look at the counters.
pub(crate) struct Counters {
    runtime: Runtime,
    conn: Conn,
}

/// The server's counters at one moment, or their growth.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    /// Statements that read.
    pub(crate) selects: f64,
    /// Pings, resets and other commands that are not statements.
    pub(crate) admin: f64,
    /// Sessions that were opened.
    pub(crate) sessions: f64,
}

impl Counters {
    pub(crate) fn new(target: &Target) -> Result<Self, Failed> {
        let runtime = current_thread();
        let conn = runtime.block_on(Conn::new(target.opts()))?;
        Ok(Self { runtime, conn })
    }

    pub(crate) fn version(&mut self) -> Result<String, Failed> {
        let version = self
            .runtime
            .block_on(self.conn.query_first("SELECT VERSION()"))?;
        Ok(version.unwrap_or_default())
    }

    pub(crate) fn read(&mut self) -> Result<Count, Failed> {
        let rows: Vec<(String, f64)> = self.runtime.block_on(self.conn.query(
            "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_select', 'Com_admin_commands', 'Connections')",
        ))?;
        let mut count = Count::default();
        for (name, value) in rows {
            match name.as_str() {
                "Com_select" => count.selects = value,
                "Com_admin_commands" => count.admin = value,
                _ => count.sessions = value,
            }
        }
        Ok(count)
    }
}

impl std::ops::Sub for Count {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            selects: self.selects - earlier.selects,
            admin: self.admin - earlier.admin,
            sessions: self.sessions - earlier.sessions,
        }
    }
}
