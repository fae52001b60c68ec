//! `LOAD DATA LOCAL INFILE` with bytes instead of a file.

use bytes::Bytes;
use mysql_async::LocalInfileError;
use mysql_async::prelude::Queryable;

use crate::connection::Connection;
use crate::error::local_infile::InfileRefused;

impl Connection {
    /// Runs a `LOAD DATA LOCAL INFILE` statement with these bytes instead of a file; returns how many rows were loaded.
    ///
    /// The file name in the statement does not matter: no file is opened.
    ///
    /// # Errors
    ///
    /// When the server refuses, the connection is closed, or the statement asks for no local file.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection. A transactional table then has none of the rows.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let rows = conn
    ///     .load_local("LOAD DATA LOCAL INFILE 'memory' INTO TABLE t", "1\tone\n2\ttwo\n")
    ///     .await?;
    /// assert_eq!(rows, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn load_local(
        &mut self,
        sql: &str,
        data: impl Into<Bytes>,
    ) -> mysql_async::Result<u64> {
        self.infile.give(data.into());
        let command = self.statement(sql.as_bytes(), None);
        let sql = sql.to_owned();
        let result = self
            .run(command, |conn| {
                Box::pin(async move {
                    conn.query_drop(sql).await?;
                    Ok(conn.affected_rows())
                })
            })
            .await;
        let was_left = self.infile.take_back();
        match result {
            Ok(_) if was_left => Err(LocalInfileError::other(InfileRefused::NotAsked).into()),
            result => result,
        }
    }
}
