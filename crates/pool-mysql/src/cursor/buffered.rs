//! The cursor that keeps whole results in memory.

use std::collections::VecDeque;
use std::fmt;

use mysql_async::prelude::{FromRow, Protocol};
use mysql_async::{Params, QueryResult, ServerError};

use super::body::{Body, Results, cursor_methods};
use super::closed::CursorClosed;
use super::description::ColumnDescription;
use super::mogrify::{dialect, mogrify};
use super::result::{AllResults, Head, ResultSet, read_all};
use super::unseen::Unseen;
use crate::connection::Connection;
use crate::error::Error;

/// Executes statements and keeps their results, as aiomysql's cursor.
///
/// [`execute`](Self::execute) reads the whole result, so fetching sends nothing to the server, and the cursor can be
/// dropped at any time. All rows stay in memory until the next statement: [`scroll`](Self::scroll) can go back to rows
/// that were fetched. For results that do not fit into memory there is [`SsCursor`](crate::SsCursor).
///
/// # Examples
///
/// ```no_run
/// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
/// let mut cur = conn.cursor();
/// cur.execute("SELECT id, name FROM users WHERE id > ?", (42,)).await?;
/// while let Some((id, name)) = cur.fetchone::<(u64, String)>().await? {
///     println!("{id}: {name}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Cursor<'a> {
    pub(super) body: Body<'a, Buffered>,
}

/// All results of a statement, read completely.
#[derive(Default)]
pub(super) struct Buffered {
    /// The current result first; empty before the first statement.
    sets: VecDeque<ResultSet>,
    rowcount: u64,
    /// What comes after the last of them.
    unseen: Unseen,
}

impl Results for Buffered {
    type Answer = AllResults;

    async fn read<P: Protocol>(
        result: QueryResult<'_, 'static, P>,
    ) -> mysql_async::Result<Self::Answer> {
        read_all(result).await
    }

    fn shows(answer: &Self::Answer) -> bool {
        let last = answer.sets.back();
        answer.error.is_some() || last.is_some_and(|set| set.head.columns().is_some())
    }

    fn later_error(answer: &Self::Answer) -> Option<&ServerError> {
        answer.error.as_ref()
    }

    async fn discard(&mut self, _: &mut Connection) -> Result<(), Error> {
        let mut old = std::mem::take(self);
        old.unseen.take()
    }

    fn accept(&mut self, conn: &mut Connection, answer: Self::Answer) -> Result<(), Error> {
        let AllResults { sets, error } = answer;
        self.rowcount = sets.front().map_or(0, |set| set.head.rowcount);
        self.sets = sets;
        self.unseen = Unseen::new(error, conn.connection_id());
        Ok(())
    }

    async fn finish(&mut self, _: &mut Connection) -> Result<(), Error> {
        self.unseen.take()
    }

    fn accept_many(&mut self, head: Head) {
        self.rowcount = head.rowcount;
        self.sets.push_back(ResultSet::new(head, Vec::new()));
    }

    fn set_changed(&mut self, rows: u64, last_insert_id: Option<u64>) {
        self.rowcount = rows;
        if let Some(set) = self.sets.front_mut() {
            set.head.last_insert_id = last_insert_id;
        }
    }

    fn head(&self) -> Option<&Head> {
        self.sets.front().map(|set| &set.head)
    }

    fn rowcount(&self) -> u64 {
        self.rowcount
    }
}

cursor_methods! {
    Cursor;

    /// Executes a statement and reads its whole result; returns [`rowcount`](Self::rowcount).
    ///
    /// Without parameters, `()`, the text is sent as it is: any SQL works, also several statements in one text. With
    /// parameters (a tuple for `?`, or [`params!`](mysql_async::params!) for `:name`) the server prepares the statement, once
    /// per connection, and the parameters are sent separately from the text.
    ///
    /// # Errors
    ///
    /// The error of the server. If the text has several statements: its error for the first;
    /// [`nextset`](Self::nextset) returns that for a later one, or, if it was not asked, the next `execute`, which then
    /// sends nothing. [`Error::ParameterCount`], before anything is executed; [`Error::CursorClosed`]; [`Error::Closed`] if
    /// the connection was closed before, with the reason.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection, because nobody can know how far the server came.
    execute;

    /// Executes a statement once for each set of parameters; returns how many rows were changed in all.
    ///
    /// Many sets are sent in one command. MariaDB takes INSERT, REPLACE, UPDATE and DELETE in bulk, except
    /// `INSERT … SELECT`, `REPLACE … SELECT` and a DELETE with several tables; for other servers an INSERT or REPLACE becomes
    /// one statement with `VALUES (…), (…)`. Every other statement is executed once for each set. This is not a transaction:
    /// with autocommit on, what was changed before an error stays.
    ///
    /// # Errors
    ///
    /// [`Error::ManyFailed`] says which sets of parameters failed, why, and how many rows were changed before. An error before
    /// the first set is executed is one of [`execute`](Self::execute): for example a syntax error, or a wrong number of
    /// parameters in the first set.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection, because nobody can know how far the server came.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.cursor();
    /// let people = [("Ada", 36), ("Grace", 85)];
    /// let rows = cur.executemany("INSERT INTO people (name, age) VALUES (?, ?)", people).await?;
    /// assert_eq!(rows, 2);
    /// # Ok(())
    /// # }
    /// ```
    executemany;

    /// Calls a stored procedure and reads all it answers; returns [`rowcount`](Self::rowcount).
    ///
    /// As in aiomysql the arguments are stored in server variables, `@_name_0`, `@_name_1` and so on. To read an OUT or INOUT
    /// parameter, SELECT its variable afterwards. The results of the SELECTs in the procedure come first; the last result is
    /// that of the CALL itself and is empty.
    ///
    /// The name can include the database: `shop.total`, with variables `@_shop.total_0`.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute); [`Error::NamedParameters`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection, because nobody can know how far the server came.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.cursor();
    /// // CREATE PROCEDURE twice(IN a INT, OUT b INT) SET b = 2 * a
    /// cur.callproc("twice", (21, None::<i32>)).await?;
    /// cur.execute("SELECT @_twice_1", ()).await?;
    /// assert_eq!(cur.fetchone::<i32>().await?, Some(42));
    /// # Ok(())
    /// # }
    /// ```
    callproc;

    /// The text of the statement with its parameters in it, as aiomysql's `mogrify`: for a log or a file.
    ///
    /// [`execute`](Self::execute) does not send this text: it sends the parameters separately. If the text is sent, it
    /// means the same, whatever character set and `sql_mode` the session has: a text beyond ASCII, or with a backslash, is
    /// written in hexadecimal.
    ///
    /// # Errors
    ///
    /// [`Error::ParameterCount`], [`Error::MissingParameter`], [`Error::NamedParameters`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let sql = conn.cursor().mogrify("INSERT INTO tbl VALUES (?, ?)", (1, "it's"))?;
    /// assert_eq!(sql, "INSERT INTO tbl VALUES (1, 'it''s')");
    /// # Ok(())
    /// # }
    /// ```
    mogrify;

    /// The number of rows in the result, or the number of changed rows; 0 before the first statement.
    rowcount;

    /// The next `size` rows of the result, or fewer at its end.
    ///
    /// # Errors
    ///
    /// The errors of [`fetchone`](Self::fetchone). The rows before the row that does not fit count as fetched.
    ///
    /// # Cancel safety
    ///
    /// Safe: the future never waits.
    fetchmany;

    /// All remaining rows of the result.
    ///
    /// # Errors
    ///
    /// As [`fetchmany`](Self::fetchmany).
    ///
    /// # Cancel safety
    ///
    /// Safe: the future never waits.
    fetchall;
}

impl Cursor<'_> {
    /// Moves to the next result, if a text with several statements or a procedure has several; `false` after the last.
    ///
    /// As in aiomysql, a statement in the text that failed has no result: its error is returned in its place, once, and the
    /// cursor stays at the result before it. The statements after it were not executed.
    ///
    /// # Errors
    ///
    /// The server's error for the next statement of the text. [`Error::NotExecuted`], [`Error::CursorClosed`].
    ///
    /// # Cancel safety
    ///
    /// Safe: the future never waits.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.cursor();
    /// cur.execute("SELECT 1; SELECT 2", ()).await?;
    /// loop {
    ///     println!("{:?}", cur.fetchall::<i64>().await?);
    ///     if !cur.nextset().await? {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn nextset(&mut self) -> Result<bool, Error> {
        self.current()?;
        if self.body.results.sets.len() == 1 {
            return self.body.results.unseen.take().map(|()| false);
        }
        self.body.results.sets.pop_front();
        self.body.results.rowcount = self
            .body
            .results
            .sets
            .front()
            .map_or(0, |set| set.head.rowcount);
        Ok(true)
    }

    /// The number of the next row to be fetched, from 0.
    pub fn rownumber(&self) -> usize {
        let current = self.body.results.sets.front();
        current.map_or(0, |set| set.position)
    }

    /// Closes the cursor. Every later call, except `close`, returns an error.
    ///
    /// The cursor is closed when this returns. The returned future can be awaited, as in aiomysql, and need not be.
    pub fn close(&mut self) -> CursorClosed {
        self.body.closed = true;
        self.body.results = Buffered::default();
        CursorClosed(())
    }

    pub(super) fn current(&mut self) -> Result<&mut ResultSet, Error> {
        self.body.check_open()?;
        let current = self.body.results.sets.front_mut();
        current.ok_or(Error::NotExecuted)
    }

    /// The number of rows that are left.
    fn known_rows(&self) -> usize {
        let current = self.body.results.sets.front();
        current.map_or(0, ResultSet::remaining)
    }
}

impl fmt::Debug for Cursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("conn", &self.body.conn)
            .field("rowcount", &self.rowcount())
            .field("rownumber", &self.rownumber())
            .field("closed", &self.body.closed)
            .finish_non_exhaustive()
    }
}
