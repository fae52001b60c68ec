//! A transaction as a piece of work: committed when it succeeds, rolled back when it fails, done again when asked for.

use pool_core::{BoxFuture, Runtime};

use crate::connection::Connection;
use crate::session::command::Purpose;
use crate::transaction::Transaction;
use crate::transaction::options::TransactionOptions;
use crate::transport::io_runtime::MySqlRuntime;

impl Connection {
    /// Does `work` in a transaction: committed when it returns `Ok`, rolled back when it returns `Err`.
    ///
    /// [`transaction_with`](Self::transaction_with) chooses an isolation level and does it again after a deadlock;
    /// [`start_transaction`](Self::start_transaction) is the form without a closure.
    ///
    /// # Errors
    ///
    /// Those of `work`, and those of [`transaction_with`](Self::transaction_with).
    ///
    /// # Cancel safety
    ///
    /// Nothing is committed unless the future was dropped during the COMMIT: then it is unknown. Dropped during a
    /// command, it closes the connection; between two commands, the transaction is rolled back before the next one.
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

    /// Does `work` in a transaction that begins in a chosen way and, where the options ask for it, is done again after it
    /// lost to another one.
    ///
    /// It is done again when its last statement ended with 1213 (deadlock) or 1205 (lock wait timeout), whatever error
    /// `work` makes of that, after a rollback and a pause. `work` then runs from its beginning, so what it does beside the
    /// database should bear that.
    ///
    /// **A COMMIT is never sent twice**, and nothing is done again once something may be committed. So an error of the
    /// COMMIT itself is returned, even one that [is retryable](crate::MySqlErrorExt::is_retryable); and a transaction in
    /// which anything was run but single SELECT, INSERT, UPDATE, DELETE, REPLACE, WITH, DO and SHOW statements, or anything whose
    /// text is not seen here (the `exec` methods called as `Queryable::exec…`), is not done again.
    ///
    /// Where the server has taken the transaction back and `work` returns `Ok` all the same, nothing is committed and the
    /// server's error is returned: what `work` has done since was outside of it.
    ///
    /// # Errors
    ///
    /// Those of `work`; [`NestedTransaction`](mysql_async::DriverError::NestedTransaction) inside another transaction; what the server
    /// said to the COMMIT; [`OutcomeUnknown`](crate::OutcomeUnknown), in the driver's `Error::Other`, where the connection was
    /// lost before the answer to the COMMIT.
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
            tx.begin(options.begin()).await?;
            let mut outcome = work(&mut tx).await;
            if outcome.is_ok() {
                match tx.why_not_commit() {
                    None => {
                        tx.end("COMMIT").await?;
                        return outcome;
                    }
                    Some(why) => outcome = Err(why.into()),
                }
            }
            let pause = match tx.may_be_repeated() {
                true => options.pause_after(attempt),
                false => None,
            };
            // Where it fails it is tried again before the next command; the caller needs to hear the first error.
            let rolled_back = tx.end("ROLLBACK").await;
            let Some(pause) = pause.filter(|_| rolled_back.is_ok()) else {
                return outcome;
            };
            let runtime = MySqlRuntime::new();
            runtime.sleep_until(runtime.now() + pause).await;
            attempt += 1;
        }
    }
}

impl Transaction<'_> {
    /// Does `work` inside this transaction so that it alone is taken back when it returns `Err`: a savepoint. It nests.
    ///
    /// # Errors
    ///
    /// Those of `work`; when the server refuses, or the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the server then rolls the whole transaction back.
    ///
    /// # Panics
    ///
    /// Where `work` does; the connection is closed then, too.
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
        let mut level = Level {
            tx: Transaction::not_begun(conn),
            is_done: false,
        };
        let outcome = work(&mut level.tx).await;
        level.is_done = true;
        let is_undone = level.tx.why_not_commit().is_some();
        let conn = level.tx.connection();
        conn.state.savepoints_changed(number - 1);
        if is_undone {
            // The server has taken back everything, the savepoint included: whoever commits will hear of it.
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
            // What should be taken back may still be there, and must not be committed.
            conn.close();
        }
        outcome
    }
}

async fn savepoint_command(conn: &mut Connection, sql: String) -> mysql_async::Result<()> {
    let command = conn.logged(sql.as_bytes(), None, Purpose::Savepoint);
    conn.send(command, sql.into()).await
}

/// Work behind a savepoint; left unfinished it closes the connection, so that no half of it is committed.
struct Level<'a> {
    tx: Transaction<'a>,
    is_done: bool,
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.tx.connection().close();
        }
    }
}
