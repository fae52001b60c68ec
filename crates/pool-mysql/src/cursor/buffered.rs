//! The cursor that has the whole result: how it executes.

use std::collections::VecDeque;
use std::fmt;

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Statement};

use super::CursorClosed;
use super::description::ColumnDescription;
use super::result::{ResultSet, read_all};
use crate::connection::Connection;
use crate::connection::run::count;
use crate::error::Error;

/// Executes statements and keeps their results, as aiomysql's cursor.
///
/// A result is read to its end by [`execute`](Self::execute), so fetching asks the server nothing and the cursor can be
/// dropped at any time. Its rows stay until the next statement, also those that were fetched: [`scroll`](Self::scroll)
/// goes back to them. For results that do not fit into memory there is [`SsCursor`](crate::SsCursor).
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
    pub(super) conn: &'a mut Connection,
    /// The current result set first; empty before the first statement.
    pub(super) sets: VecDeque<ResultSet>,
    pub(super) rowcount: u64,
    arraysize: usize,
    closed: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(conn: &'a mut Connection) -> Self {
        Self {
            conn,
            sets: VecDeque::new(),
            rowcount: 0,
            arraysize: 1,
            closed: false,
        }
    }

    /// Executes a statement and reads its whole result; returns [`rowcount`](Self::rowcount).
    ///
    /// Without parameters, `()`, the text goes to the server as it is: any SQL works, several statements at once
    /// included. With parameters, a tuple for `?` or [`params!`](mysql_async::params!) for `:name`, it is prepared by the
    /// server, once for a connection, and the parameters travel apart from the text.
    ///
    /// # Errors
    ///
    /// What the server says, also to the last of several statements; [`Error::ParameterCount`], before anything is
    /// executed; [`Error::CursorClosed`]; that the connection is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection: nobody can know how far the server came.
    pub async fn execute<P>(
        &mut self,
        query: impl AsRef<str> + Send,
        params: P,
    ) -> Result<u64, Error>
    where
        P: Into<Params> + Send,
    {
        self.clear()?;
        let query = query.as_ref();
        let sets = match params.into() {
            Params::Empty => self.execute_text(query).await?,
            params => {
                let statement = self.conn.prepare_for(query, &params).await?;
                self.execute_prepared(query, &statement, params).await?
            }
        };
        self.rowcount = sets.front().map_or(0, |set| set.head.rowcount);
        self.sets = sets;
        Ok(self.rowcount)
    }

    async fn execute_text(&mut self, query: &str) -> mysql_async::Result<VecDeque<ResultSet>> {
        let command = self.conn.statement(query.as_bytes(), None);
        self.conn
            .run(command, |conn| {
                Box::pin(async move { read_all(conn.query_iter(query).await?).await })
            })
            .await
    }

    async fn execute_prepared(
        &mut self,
        query: &str,
        statement: &Statement,
        params: Params,
    ) -> mysql_async::Result<VecDeque<ResultSet>> {
        let command = self.conn.statement(query.as_bytes(), Some(count(&params)));
        self.conn
            .run(command, |conn| {
                Box::pin(async move { read_all(conn.exec_iter(statement, params).await?).await })
            })
            .await
    }

    /// Executes a statement once for each set of parameters; returns how many rows were changed in all.
    ///
    /// The sets of an INSERT or REPLACE go to the server many at a time: in bulk where the server is a MariaDB, which
    /// takes UPDATE and DELETE so too, and elsewhere as one `VALUES (…), (…)`. It is no transaction: with autocommit on,
    /// what was sent before a set that fails stays.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute), from the first set that fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection: nobody can know how far the server came.
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
    pub async fn executemany<P, I>(
        &mut self,
        query: impl AsRef<str> + Send,
        params: I,
    ) -> Result<u64, Error>
    where
        I: IntoIterator<Item = P> + Send,
        P: Into<Params> + Send,
    {
        self.clear()?;
        let query = query.as_ref();
        let sets: Vec<Params> = params.into_iter().map(Into::into).collect();
        match self.conn.execute_at_once(query, sets).await? {
            Ok(head) => {
                self.rowcount = head.rowcount;
                self.sets.push_back(ResultSet::new(head, Vec::new()));
            }
            Err(sets) => {
                let mut changed = 0;
                for params in sets {
                    changed += self.execute(query, params).await?;
                }
                self.rowcount = changed;
            }
        }
        Ok(self.rowcount)
    }

    /// Calls a stored procedure and reads all it answers; returns [`rowcount`](Self::rowcount).
    ///
    /// As in aiomysql the arguments go into server variables, `@_name_0`, `@_name_1` and so on: what the procedure leaves
    /// in an OUT or INOUT parameter is read from there by a SELECT afterwards. After the results of its SELECTs comes an
    /// empty one, that of the call itself.
    ///
    /// The name may say the database: `shop.total`, with variables `@_shop.total_0`.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute); [`Error::NamedParameters`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection: nobody can know how far the server came.
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
    pub async fn callproc<P>(
        &mut self,
        procedure: impl AsRef<str> + Send,
        params: P,
    ) -> Result<u64, Error>
    where
        P: Into<Params> + Send,
    {
        self.clear()?;
        let call = self
            .conn
            .arguments(procedure.as_ref(), params.into())
            .await?;
        self.execute(call, ()).await
    }

    /// Goes on to the next result, where a text of several statements or a procedure has several; `false` after the last.
    ///
    /// # Errors
    ///
    /// [`Error::NotExecuted`], [`Error::CursorClosed`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it never waits.
    pub async fn nextset(&mut self) -> Result<bool, Error> {
        self.current()?;
        if self.sets.len() == 1 {
            return Ok(false);
        }
        self.sets.pop_front();
        self.rowcount = self.sets.front().map_or(0, |set| set.head.rowcount);
        Ok(true)
    }

    /// The columns of the result; `None` where the statement has no rows to give, or none was executed.
    pub fn description(&self) -> Option<&[ColumnDescription]> {
        self.sets.front()?.head.columns()
    }

    /// How many rows the result has, or how many the statement has changed; 0 before the first statement.
    pub fn rowcount(&self) -> u64 {
        self.rowcount
    }

    /// The number that an INSERT has drawn for an AUTO_INCREMENT column, the first where it drew several; `None` where
    /// there is none.
    pub fn lastrowid(&self) -> Option<u64> {
        self.sets.front().and_then(|set| set.head.last_insert_id)
    }

    /// The number of the row that is fetched next, from 0.
    pub fn rownumber(&self) -> usize {
        self.sets.front().map_or(0, |set| set.position)
    }

    /// How many rows to fetch at a time: a number for `cur.fetchmany(cur.arraysize())`; default 1.
    pub fn arraysize(&self) -> usize {
        self.arraysize
    }

    /// Sets [`arraysize`](Self::arraysize).
    pub fn set_arraysize(&mut self, rows: usize) {
        self.arraysize = rows;
    }

    /// The connection that the cursor works on.
    pub fn connection(&self) -> &Connection {
        self.conn
    }

    /// Closes the cursor: every later call but this one is an error.
    ///
    /// It is done when this returns; what it returns may be awaited, as in aiomysql, and need not be.
    pub fn close(&mut self) -> CursorClosed {
        self.closed = true;
        self.sets.clear();
        CursorClosed(())
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Makes room for a new result.
    fn clear(&mut self) -> Result<(), Error> {
        self.sets.clear();
        self.rowcount = 0;
        match self.closed {
            true => Err(Error::CursorClosed),
            false => Ok(()),
        }
    }

    pub(super) fn current(&mut self) -> Result<&mut ResultSet, Error> {
        match self.closed {
            true => Err(Error::CursorClosed),
            false => self.sets.front_mut().ok_or(Error::NotExecuted),
        }
    }
}

impl fmt::Debug for Cursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("conn", &self.conn)
            .field("rowcount", &self.rowcount)
            .field("rownumber", &self.rownumber())
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
