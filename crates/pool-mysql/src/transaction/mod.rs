//! A transaction that rolls back unless it is committed.

mod attempt;
pub(crate) mod options;
mod queryable;

use std::fmt;

use mysql_async::{DriverError, TxOpts};

use crate::connection::Connection;
use crate::connection::inspect::TransactionStatus;
use crate::session::command::Purpose;

/// A transaction on a connection. If it is dropped without [`commit`](Self::commit), it is rolled back before the next
/// command.
///
/// It implements the driver's [`Queryable`](mysql_async::prelude::Queryable), as the connection does. In a pool the
/// rollback happens when the connection goes back, so no lock outlives the guard.
///
/// [`Connection::transaction`] is the form with a closure. It commits by itself.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::mysql_async::TxOpts;
///
/// # async fn example(conn: &mut pool_mysql::Connection) -> pool_mysql::mysql_async::Result<()> {
/// let mut tx = conn.start_transaction(TxOpts::default()).await?;
/// tx.exec_drop("INSERT INTO log VALUES (?)", ("hello",)).await?;
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction<'a> {
    conn: &'a mut Connection,
    open: bool,
}

impl Connection {
    /// Starts a transaction that is rolled back unless it is committed.
    ///
    /// # Errors
    ///
    /// [`NestedTransaction`](mysql_async::DriverError::NestedTransaction) inside another transaction, because the server
    /// would commit that one; an error of the server; that the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the server then rolls back.
    pub async fn start_transaction(
        &mut self,
        options: TxOpts,
    ) -> mysql_async::Result<Transaction<'_>> {
        let mut transaction = Transaction::not_begun(self);
        transaction.begin(&options).await?;
        Ok(transaction)
    }
}

fn start(options: &TxOpts) -> String {
    let level = options
        .isolation_level()
        .map(|level| format!("SET TRANSACTION ISOLATION LEVEL {level}; "));
    let snapshot = options
        .consistent_snapshot()
        .then_some("WITH CONSISTENT SNAPSHOT");
    let access = options.readonly().map(|readonly| match readonly {
        true => "READ ONLY",
        false => "READ WRITE",
    });
    let how: Vec<&str> = snapshot.into_iter().chain(access).collect();
    let text = format!(
        "{}START TRANSACTION {}",
        level.unwrap_or_default(),
        how.join(", ")
    );
    text.trim_end().to_owned()
}

impl<'a> Transaction<'a> {
    /// A transaction that has not begun yet, or that is a part of one that has. Dropping it does nothing.
    pub(crate) fn not_begun(conn: &'a mut Connection) -> Self {
        Self { conn, open: false }
    }

    pub(crate) async fn begin(&mut self, options: &TxOpts) -> mysql_async::Result<()> {
        let conn = &mut *self.conn;
        if conn.transaction_status() == TransactionStatus::Unknown {
            // The answer to a ping has the flags.
            conn.ping().await?;
        }
        if conn.transaction_status() == TransactionStatus::Open && !conn.state.owes_rollback() {
            return Err(DriverError::NestedTransaction.into());
        }
        let sql = start(options);
        let command = conn.logged(sql.as_bytes(), None, Purpose::BeginTransaction);
        conn.send(command, sql.into()).await?;
        conn.state.transaction_begun();
        self.open = true;
        Ok(())
    }

    /// Commits the transaction. If the server refuses, the transaction is rolled back.
    ///
    /// # Errors
    ///
    /// The server's error for the commit; that the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; whether the server has committed is then unknown.
    pub async fn commit(mut self) -> mysql_async::Result<()> {
        self.end("COMMIT").await
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    ///
    /// When the server refuses, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the server then rolls back.
    pub async fn rollback(mut self) -> mysql_async::Result<()> {
        self.end("ROLLBACK").await
    }

    pub(crate) async fn end(&mut self, sql: &'static str) -> mysql_async::Result<()> {
        self.conn.state.transaction_ending();
        let command = self.conn.statement(sql.as_bytes(), None);
        let result = self.conn.send(command, sql.into()).await;
        let is_refused = matches!(result, Err(mysql_async::Error::Server(_)));
        if is_refused && !self.conn.is_closed() {
            // The caller gets the error of the commit. A rollback that fails is tried again before the next command.
            let rollback = self.conn.send(Purpose::Internal, "ROLLBACK".into()).await;
            self.open = rollback.is_err();
        } else {
            self.open = result.is_err();
        }
        result
    }

    /// The server's error, where the server has rolled the transaction back: it cannot be committed.
    pub(crate) fn why_not_commit(&mut self) -> Option<mysql_async::Error> {
        self.look();
        self.conn.state.why_not_commit()
    }

    /// Whether it failed because of another transaction, and nothing of it can have been committed.
    pub(crate) fn may_be_repeated(&mut self) -> bool {
        self.look();
        self.conn.state.may_repeat_transaction()
    }

    fn look(&mut self) {
        let flags = self.conn.status_flags();
        self.conn.state.look_at_transaction(flags);
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.conn
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            self.conn.state.transaction_dropped();
        }
    }
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("conn", &self.conn)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::IsolationLevel;

    use super::*;

    #[test]
    fn the_options_become_one_text() {
        assert_eq!(start(&TxOpts::default()), "START TRANSACTION");
        let mut options = TxOpts::default();
        options
            .with_isolation_level(IsolationLevel::ReadCommitted)
            .with_consistent_snapshot(true)
            .with_readonly(true);
        assert_eq!(
            start(&options),
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
        );
    }
}
