//! The cursor that has one row at a time: how it executes.

use std::fmt;

use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Params, QueryResult, Row};

use super::description::ColumnDescription;
use super::result::Head;
use crate::connection::Connection;
use crate::connection::answer::{Front, front};
use crate::connection::run::count;
use crate::error::{Error, closed};

/// Executes statements and takes their rows as they come, one at a time, as aiomysql's `SSCursor`.
///
/// A result of any length needs the memory of one row. The server does not say in advance how many rows there are, and
/// there is no way back to a row that was fetched.
///
/// The connection is busy with a result until its last row was fetched. What was not fetched when the cursor executes
/// something else, is closed or dropped, is read and thrown away by the next command as long as it is short: less than a
/// mebibyte, in less than 200 ms. Otherwise the connection is closed.
///
/// # Examples
///
/// ```no_run
/// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
/// let mut cur = conn.ss_cursor();
/// cur.execute("SELECT id, name FROM a_table_of_millions", ()).await?;
/// while let Some((id, name)) = cur.fetchone::<(u64, String)>().await? {
///     println!("{id}: {name}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct SsCursor<'a> {
    pub(super) conn: &'a mut Connection,
    /// What is known of the current result; nothing before the first statement.
    head: Option<Head>,
    pub(super) rest: Rest,
    /// A row that did not fit the type it was asked as.
    pub(super) kept: Option<Row>,
    /// How many rows of the current result were fetched.
    pub(super) fetched: u64,
    arraysize: usize,
    closed: bool,
}

/// What is left of the current result.
pub(super) enum Rest {
    /// Perhaps rows; nobody knows before they come.
    Unread,
    /// No rows. What comes next is another result, or nothing.
    Over(Option<Front>),
}

impl<'a> SsCursor<'a> {
    pub(crate) fn new(conn: &'a mut Connection) -> Self {
        Self {
            conn,
            head: None,
            rest: Rest::Over(None),
            kept: None,
            fetched: 0,
            arraysize: 1,
            closed: false,
        }
    }

    /// Executes a statement; returns how many rows it has changed, 0 where it has rows to give.
    ///
    /// Statements and parameters are those of [`Cursor::execute`](crate::Cursor::execute). An error in a later one of
    /// several statements comes where the rows before it end.
    ///
    /// # Errors
    ///
    /// As [`Cursor::execute`](crate::Cursor::execute); [`Error::NotClean`] where too much of the last result was left
    /// unread: the connection is closed then.
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
        self.clear().await?;
        let query = query.as_ref();
        let front = match params.into() {
            Params::Empty => {
                let command = self.conn.statement(query.as_bytes(), None);
                let answer = self.conn.run(command, |conn| {
                    Box::pin(async move { first(conn.query_iter(query).await?).await })
                });
                answer.await?
            }
            params => {
                let statement = self.conn.prepare_for(query, &params).await?;
                let given = count(&params);
                let command = self.conn.statement(query.as_bytes(), Some(given));
                let answer = self.conn.run(command, |conn| {
                    Box::pin(async move { first(conn.exec_iter(&statement, params).await?).await })
                });
                answer.await?
            }
        };
        // Every statement has a first result; a driver that knows of none has lost its connection.
        let front = front.ok_or_else(|| Error::Driver(closed()))?;
        self.conn.state.rows_begun(!front.is_all);
        self.begin(&front);
        Ok(self.rowcount())
    }

    /// Executes a statement once for each set of parameters; returns how many rows were changed in all.
    ///
    /// See [`Cursor::executemany`](crate::Cursor::executemany).
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute), from the first set that fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection: nobody can know how far the server came.
    pub async fn executemany<P, I>(
        &mut self,
        query: impl AsRef<str> + Send,
        params: I,
    ) -> Result<u64, Error>
    where
        I: IntoIterator<Item = P> + Send,
        P: Into<Params> + Send,
    {
        self.clear().await?;
        let query = query.as_ref();
        let sets: Vec<Params> = params.into_iter().map(Into::into).collect();
        match self.conn.execute_at_once(query, sets).await? {
            Ok(head) => self.head = Some(head),
            Err(sets) => {
                let mut changed = 0;
                for params in sets {
                    changed += self.execute(query, params).await?;
                }
                if let Some(head) = &mut self.head {
                    head.rowcount = changed;
                }
            }
        }
        Ok(self.rowcount())
    }

    /// Calls a stored procedure, whose results then come row by row: see [`Cursor::callproc`](crate::Cursor::callproc).
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute) and [`Cursor::callproc`](crate::Cursor::callproc).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection: nobody can know how far the server came.
    pub async fn callproc<P>(
        &mut self,
        procedure: impl AsRef<str> + Send,
        params: P,
    ) -> Result<u64, Error>
    where
        P: Into<Params> + Send,
    {
        self.clear().await?;
        let call = self
            .conn
            .arguments(procedure.as_ref(), params.into())
            .await?;
        self.execute(call, ()).await
    }

    /// The columns of the result; `None` where the statement has no rows to give, or none was executed.
    pub fn description(&self) -> Option<&[ColumnDescription]> {
        self.head.as_ref()?.columns()
    }

    /// How many rows the statement has changed, or how many of its result were fetched so far; 0 before the first.
    pub fn rowcount(&self) -> u64 {
        match &self.head {
            Some(head) if head.description.is_empty() => head.rowcount,
            _ => self.fetched,
        }
    }

    /// The number that an INSERT has drawn for an AUTO_INCREMENT column, the first where it drew several; `None` where
    /// there is none.
    pub fn lastrowid(&self) -> Option<u64> {
        self.head.as_ref().and_then(|head| head.last_insert_id)
    }

    /// The number of the row that is fetched next, from 0.
    pub fn rownumber(&self) -> u64 {
        self.fetched
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

    /// Closes the cursor, reads what is left of its result and throws it away.
    ///
    /// Every later call but this one is an error.
    ///
    /// # Errors
    ///
    /// [`Error::NotClean`] where too much is left: the connection is closed then. The error of a later statement whose
    /// result was not reached is thrown away too.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection where it was busy reading.
    pub async fn close(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.closed, true) {
            true => Ok(()),
            false => self.throw_away().await,
        }
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Makes room for a new result.
    async fn clear(&mut self) -> Result<(), Error> {
        match self.closed {
            true => Err(Error::CursorClosed),
            false => self.throw_away().await,
        }
    }

    async fn throw_away(&mut self) -> Result<(), Error> {
        self.head = None;
        self.rest = Rest::Over(None);
        self.kept = None;
        self.fetched = 0;
        match self.conn.state.has_unread_rows() && !self.conn.skip_the_rest().await? {
            true => Err(Error::NotClean("a long result was left unread")),
            false => Ok(()),
        }
    }

    /// Makes a result the current one.
    pub(super) fn begin(&mut self, front: &Front) {
        self.head = Some(Head::of(front));
        self.rest = match front.is_all {
            true => Rest::Over(None),
            false => Rest::Unread,
        };
        self.kept = None;
        self.fetched = 0;
    }

    pub(super) fn current(&self) -> Result<&Head, Error> {
        match self.closed {
            true => Err(Error::CursorClosed),
            false => self.head.as_ref().ok_or(Error::NotExecuted),
        }
    }
}

/// The first of the results; what comes after its front is left to the connection.
async fn first<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
) -> mysql_async::Result<Option<Front>> {
    front(&mut result).await
}

impl fmt::Debug for SsCursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SsCursor")
            .field("conn", &self.conn)
            .field("fetched", &self.fetched)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}
