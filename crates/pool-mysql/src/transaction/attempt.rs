//! A transaction as a closure: committed when it succeeds, rolled back when it fails, repeated where the options say so.

use pool_core::{BoxFuture, Runtime};

use crate::connection::Connection;
use crate::error::closed_because::ClosedBecause;
use crate::session::command::Purpose;
use crate::transaction::Transaction;
use crate::transaction::options::TransactionOptions;
use crate::transport::io_runtime::MySqlRuntime;

impl Connection {
    /// Runs `work` in a transaction, which is committed when `work` returns `Ok`, and rolled back when it returns `Err`.
    ///
    /// With [`transaction_with`](Self::transaction_with) you can choose an isolation level, and have it repeated after a
    /// deadlock. [`start_transaction`](Self::start_transaction) is the form without a closure.
    ///
    /// # Errors
    ///
    /// Those of `work`, and those of [`transaction_with`](Self::transaction_with).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped during the COMMIT, it is unknown whether the transaction was committed; otherwise it was
    /// not. If it is dropped during another command, the connection is closed. If it is dropped between two commands, the
    /// transaction is rolled back before the next command.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let left: Option<i64> = conn
    ///     .transaction(|tx| {
    ///         Box::pin(async move {
    ///             tx.exec_drop("UPDATE accounts SET n = n - ? WHERE id = ?", (10, 1)).await?;
    ///             tx.exec_drop("UPDATE accounts SET n = n + ? WHERE id = ?", (10, 2)).await?;
    ///             let left = tx.exec_first("SELECT n FROM accounts WHERE id = ?", (1,)).await?;
    ///             Ok::<_, pool_mysql::Error>(left)
    ///         })
    ///     })
    ///     .await?;
    /// # drop(left);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn transaction<'c, T, E, F>(&'c mut self, work: F) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Transaction<'c>) -> BoxFuture<'t, Result<T, E>>,
        E: From<mysql_async::Error>,
    {
        self.transaction_with(TransactionOptions::new(), work).await
    }

    /// Runs `work` in a transaction that begins as the options say, and repeats it after a conflict with another
    /// transaction, where the options say so.
    ///
    /// It is repeated when its last statement failed with 1213 (deadlock) or 1205 (lock wait timeout), whatever error `work`
    /// returns then. Before each repetition the transaction is rolled back, and there is a pause. `work` runs from its
    /// beginning, so everything that it does outside the database is done again, too.
    ///
    /// **A COMMIT is never sent twice**, and nothing is repeated once a part of it may be committed. So an error of the COMMIT
    /// itself is returned, even one that [is retryable](crate::MySqlErrorExt::is_retryable). A transaction is also not
    /// repeated if `work` ran a statement that may commit: anything but single SELECT, INSERT, UPDATE, DELETE, REPLACE, WITH,
    /// DO and SHOW statements, and anything whose text is not known (the `exec` methods called as `Queryable::exec…`).
    ///
    /// If the server has rolled the transaction back and `work` returns `Ok` all the same, nothing is committed, and the
    /// server's error is returned: what `work` did after the rollback was outside the transaction.
    ///
    /// # Errors
    ///
    /// - those of `work`;
    /// - [`NestedTransaction`](mysql_async::DriverError::NestedTransaction) inside another transaction;
    /// - why the connection is closed, if it was closed before ([`ClosedBecause`](crate::ClosedBecause)), in the driver's
    ///   `Error::Other`;
    /// - the server's error for the COMMIT;
    /// - [`OutcomeUnknown`](crate::OutcomeUnknown), in the driver's `Error::Other`, if the connection was lost before the answer
    ///   to the COMMIT.
    ///
    /// # Cancel safety
    ///
    /// That of [`transaction`](Self::transaction).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use pool_mysql::TransactionOptions;
    ///
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let again = TransactionOptions::new().retries(3);
    /// let article = String::from("soap");
    /// conn.transaction_with(again, |tx| {
    ///     let article = &article;
    ///     Box::pin(async move {
    ///         tx.exec_drop("UPDATE stock SET n = n - 1 WHERE article = ?", (article,)).await?;
    ///         tx.exec_drop("INSERT INTO sales (article) VALUES (?)", (article,)).await
    ///     })
    /// })
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn transaction_with<'c, T, E, F>(
        &'c mut self,
        options: impl Into<TransactionOptions>,
        mut work: F,
    ) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Transaction<'c>) -> BoxFuture<'t, Result<T, E>>,
        E: From<mysql_async::Error>,
    {
        let options = options.into();
        let mut tx = Transaction::not_begun(self);
        let mut attempt = 0;
        loop {
            let begun = tx.begin(options.begin()).await;
            begun.map_err(|error| tx.connection().explain_driver(error))?;
            let mut outcome = work(&mut tx).await;
            if outcome.is_ok() {
                match tx.why_not_commit() {
                    None => {
                        let committed = tx.end("COMMIT").await;
                        committed.map_err(|error| tx.connection().explain_driver(error))?;
                        return outcome;
                    }
                    Some(why) => outcome = Err(why.into()),
                }
            }
            let pause = match tx.may_be_repeated() {
                true => options.pause_after(attempt),
                false => None,
            };
            // A rollback that fails is tried again before the next command. The caller gets the first error.
            let is_undone = !tx.connection().is_closed() && tx.end("ROLLBACK").await.is_ok();
            let Some(pause) = pause.filter(|_| is_undone) else {
                return outcome;
            };
            let runtime = MySqlRuntime::new();
            runtime.sleep_until(runtime.now() + pause).await;
            attempt += 1;
        }
    }
}

impl Transaction<'_> {
    /// Runs `work` behind a savepoint: when it returns `Err`, only `work` is rolled back. Savepoints can be nested.
    ///
    /// # Errors
    ///
    /// Those of `work`; an error of the server; that the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the server then rolls the whole transaction back.
    ///
    /// # Panics
    ///
    /// When `work` panics; the connection is closed then.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use pool_mysql::mysql_async::prelude::Queryable;
    ///
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// conn.transaction(|tx| {
    ///     Box::pin(async move {
    ///         tx.query_drop("INSERT INTO orders (id) VALUES (7)").await?;
    ///         let bonus = tx.savepoint(|tx| tx.query_drop("UPDATE bonus SET used = 1"));
    ///         if let Err(error) = bonus.await {
    ///             println!("the order stands, without bonus: {error}");
    ///         }
    ///         Ok::<_, pool_mysql::Error>(())
    ///     })
    /// })
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn savepoint<'c, T, E, F>(&'c mut self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction<'c>) -> BoxFuture<'t, Result<T, E>>,
        E: From<mysql_async::Error>,
    {
        let conn = self.connection();
        let number = conn.state.savepoints() + 1;
        savepoint_command(conn, format!("SAVEPOINT pool_mysql_{number}")).await?;
        conn.state.savepoints_changed(number);
        let mut guard = SavepointWork {
            tx: Transaction::not_begun(conn),
            is_done: false,
        };
        let outcome = work(&mut guard.tx).await;
        guard.is_done = true;
        let is_undone = guard.tx.why_not_commit().is_some();
        let conn = guard.tx.connection();
        conn.state.savepoints_changed(number - 1);
        if is_undone || (outcome.is_err() && conn.is_closed()) {
            // The server has rolled back everything, including the savepoint. The commit will fail with that error.
            return outcome;
        }
        let end = match outcome {
            Ok(_) => format!("RELEASE SAVEPOINT pool_mysql_{number}"),
            Err(_) => format!("ROLLBACK TO SAVEPOINT pool_mysql_{number}"),
        };
        let ended = savepoint_command(conn, end).await;
        if outcome.is_ok() {
            ended?;
        } else if ended.is_err() {
            // What should be rolled back may still be there, and must not be committed.
            conn.close_because(ClosedBecause::NotRolledBack);
        }
        outcome
    }
}

async fn savepoint_command(conn: &mut Connection, sql: String) -> mysql_async::Result<()> {
    let command = conn.logged(sql.as_bytes(), None, Purpose::Savepoint);
    conn.send(command, sql.into()).await
}

/// The work behind a savepoint. If it is dropped unfinished, the connection is closed, so that no half of it is committed.
struct SavepointWork<'a> {
    tx: Transaction<'a>,
    is_done: bool,
}

impl Drop for SavepointWork<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.tx.connection().close_because(ClosedBecause::Cancelled);
        }
    }
}
