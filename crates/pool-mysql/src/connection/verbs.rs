//! The verbs of a connection beside queries: ping, current database, kill, warnings, transactions, values as text.

use std::borrow::Cow;

use mysql_async::Value;
use mysql_async::prelude::Queryable;

use crate::connection::Connection;
use crate::connection::warning::Warning;
use crate::statement::literal;
use crate::statement::quote;

impl Connection {
    /// Checks that the server answers.
    ///
    /// # Errors
    ///
    /// When it does not, or the connection is closed. It never reconnects.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn ping(&mut self) -> mysql_async::Result<()> {
        Queryable::ping(self).await
    }

    /// Changes the current database.
    ///
    /// A pool changes back to the configured database before the next user gets the connection.
    ///
    /// # Errors
    ///
    /// When there is no such database, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn select_db(&mut self, db: &str) -> mysql_async::Result<()> {
        self.execute(format!("USE {}", quote::name(db))).await
    }

    /// Ends another session at the server, by its [`connection_id`](Self::connection_id).
    ///
    /// # Errors
    ///
    /// When there is no such session (error 1094), this user may not end it, or the connection is closed. A connection that
    /// ends its own session gets the error that it was killed, and is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn kill(&mut self, connection_id: u64) -> mysql_async::Result<()> {
        self.execute(format!("KILL {connection_id}")).await
    }

    /// The warnings of the last statement: the lines of `SHOW WARNINGS`.
    ///
    /// # Errors
    ///
    /// When the connection is closed or fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use pool_mysql::mysql_async::{self, prelude::Queryable};
    /// # async fn example(conn: &mut pool_mysql::Connection) -> mysql_async::Result<()> {
    /// conn.query_drop("DROP TABLE IF EXISTS nowhere").await?;
    /// for warning in conn.show_warnings().await? {
    ///     println!("{warning}"); // Note 1051: Unknown table 'test.nowhere'
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn show_warnings(&mut self) -> mysql_async::Result<Vec<Warning>> {
        self.query("SHOW WARNINGS").await
    }

    /// A value as SQL text, in quotes where it needs them. The same as [`literal`](Self::literal); aiomysql has both names.
    pub fn escape(&self, value: impl Into<Value>) -> String {
        self.literal(value)
    }

    /// A value as SQL text, in quotes where it needs them.
    ///
    /// It can be put into any statement of any session, with any character set and `sql_mode`: text that could be misread
    /// is written in hexadecimal. Where parameters (`?`) are possible, they are the better way.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(conn: &pool_mysql::Connection) {
    /// assert_eq!(conn.literal("O'Brien"), "'O''Brien'");
    /// assert_eq!(conn.literal(7), "7");
    /// assert_eq!(conn.literal(None::<i32>), "NULL");
    /// # }
    /// ```
    pub fn literal(&self, value: impl Into<Value>) -> String {
        literal::literal(&value.into())
    }

    /// Begins a transaction. If one is open, the server commits it first.
    ///
    /// [`start_transaction`](Self::start_transaction) gives a guard that rolls back when it is dropped.
    ///
    /// # Errors
    ///
    /// When the server refuses, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the server then rolls back.
    pub async fn begin(&mut self) -> mysql_async::Result<()> {
        self.execute("BEGIN").await
    }

    /// Commits everything since the last commit or rollback.
    ///
    /// # Errors
    ///
    /// When the server refuses, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; whether the server has committed is then unknown.
    pub async fn commit(&mut self) -> mysql_async::Result<()> {
        self.execute("COMMIT").await
    }

    /// Rolls back everything since the last commit or rollback.
    ///
    /// # Errors
    ///
    /// When the server refuses, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the server then rolls back.
    pub async fn rollback(&mut self) -> mysql_async::Result<()> {
        self.execute("ROLLBACK").await
    }

    /// Sets whether each statement commits by itself.
    ///
    /// # Errors
    ///
    /// When the server refuses, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn autocommit(&mut self, on: bool) -> mysql_async::Result<()> {
        self.execute(format!("SET autocommit = {}", u8::from(on)))
            .await?;
        self.autocommit = on;
        Ok(())
    }

    async fn execute(&mut self, sql: impl Into<Cow<'_, str>>) -> mysql_async::Result<()> {
        let sql = sql.into();
        let command = self.statement(sql.as_bytes(), None);
        self.send(command, sql).await
    }
}
