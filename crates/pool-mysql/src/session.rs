//! What a session is told by verbs of its own: a ping, the current database, transactions.

use std::borrow::Cow;

use mysql_async::prelude::Queryable;

use crate::connection::Connection;
use crate::quote;

impl Connection {
    /// Asks the server whether it is there.
    ///
    /// # Errors
    ///
    /// When it is not, or the connection is closed; never reconnects.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn ping(&mut self) -> mysql_async::Result<()> {
        Queryable::ping(self).await
    }

    /// Makes another database the current one.
    ///
    /// A pool puts the session back into the configured one before the next user gets it.
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

    /// Begins a transaction; one that is open is committed by that, as the server does it.
    ///
    /// [`start_transaction`](Self::start_transaction) is the form that rolls back by itself.
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

    /// Commits what was done since the last commit.
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

    /// Takes back what was done since the last commit.
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

    /// Says whether each statement commits by itself.
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
