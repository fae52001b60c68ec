//! The server's own counters of the commands that it got.

use pool_mysql::mysql_async::Conn;
use pool_mysql::mysql_async::prelude::Queryable;
use tokio::runtime::Runtime;

use crate::executors::current_thread;
use crate::mysql::client::Failed;
use crate::mysql::target::Target;

/// A connection that reads the counters. It is not one of those that are measured.
pub(crate) struct Counters {
    runtime: Runtime,
    conn: Conn,
}

/// The values of the counters at one moment, or the difference of two such values.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    /// SELECT statements.
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
