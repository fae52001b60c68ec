//! The cursor that has one row at a time.

use std::fmt;

use mysql_async::prelude::{FromRow, Protocol};
use mysql_async::{Params, QueryResult, Row};

use super::body::{Body, Results, cursor_methods};
use super::description::ColumnDescription;
use super::mogrify::{dialect, mogrify};
use super::result::Head;
use crate::connection::Connection;
use crate::error::{Error, closed};
use crate::reading::{Front, front};

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
    pub(super) body: Body<'a, Streamed>,
}

/// A result whose rows are taken one at a time.
#[derive(Default)]
pub(super) struct Streamed {
    /// What is known of the current result; `None` before the first statement.
    head: Option<Head>,
    pub(super) rest: Rest,
    /// A row that was read and not yet returned: it did not fit the requested type, or `scroll` has looked at it.
    pub(super) kept: Option<Row>,
    /// How many rows of the current result were fetched.
    pub(super) fetched: u64,
}

/// What is left of the current result.
pub(super) enum Rest {
    /// Perhaps rows: only the next read tells.
    Unread,
    /// No rows. What comes next is another result, or nothing.
    Over(Option<Front>),
}

impl Default for Rest {
    fn default() -> Self {
        Self::Over(None)
    }
}

impl Streamed {
    /// Makes a result the current one.
    pub(super) fn begin(&mut self, front: &Front) {
        *self = Self {
            head: Some(Head::of(front)),
            rest: match front.is_all {
                true => Rest::Over(None),
                false => Rest::Unread,
            },
            ..Self::default()
        };
    }
}

impl Results for Streamed {
    /// The beginning of the first result; what comes after it is left to the connection.
    type Answer = Option<Front>;

    async fn read<P: Protocol>(
        mut result: QueryResult<'_, 'static, P>,
    ) -> mysql_async::Result<Self::Answer> {
        front(&mut result).await
    }

    async fn discard(&mut self, conn: &mut Connection) -> Result<(), Error> {
        *self = Self::default();
        match conn.gate.streams && !conn.skip_the_rest().await? {
            true => Err(Error::NotClean("a long result was left unread")),
            false => Ok(()),
        }
    }

    fn accept(&mut self, conn: &mut Connection, front: Self::Answer) -> Result<(), Error> {
        // Every statement has a first result. If the driver knows of none, it has lost its connection.
        let front = front.ok_or_else(|| Error::Driver(closed()))?;
        conn.gate.streams = !front.is_all;
        self.begin(&front);
        Ok(())
    }

    fn accept_many(&mut self, head: Head) {
        self.head = Some(head);
    }

    fn set_changed(&mut self, rows: u64) {
        if let Some(head) = &mut self.head {
            head.rowcount = rows;
        }
    }

    fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    fn rowcount(&self) -> u64 {
        match &self.head {
            Some(head) if head.description.is_empty() => head.rowcount,
            _ => self.fetched,
        }
    }
}

cursor_methods! {
    SsCursor;

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
    execute;

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
    executemany;

    /// Calls a stored procedure, whose results then come row by row: see [`Cursor::callproc`](crate::Cursor::callproc).
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute) and [`Cursor::callproc`](crate::Cursor::callproc).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection: nobody can know how far the server came.
    callproc;

    /// The text of the statement with its parameters in it: see [`Cursor::mogrify`](crate::Cursor::mogrify).
    ///
    /// # Errors
    ///
    /// As [`Cursor::mogrify`](crate::Cursor::mogrify).
    mogrify;

    /// How many rows the statement has changed, or how many of its result were fetched so far; 0 before the first.
    rowcount;

    /// The next `size` rows of the result, or what is left of it.
    ///
    /// # Errors
    ///
    /// As [`fetchone`](Self::fetchone); the rows before the error are gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll closes the connection, unless it was about to ask for no row.
    fetchmany;

    /// All rows of the result that are left, at once; for a large result that is what this cursor is there to avoid.
    ///
    /// # Errors
    ///
    /// As [`fetchmany`](Self::fetchmany).
    ///
    /// # Cancel safety
    ///
    /// As [`fetchmany`](Self::fetchmany).
    fetchall;
}

impl SsCursor<'_> {
    /// The number of the row that is fetched next, from 0.
    pub fn rownumber(&self) -> u64 {
        self.body.results.fetched
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
        let was_closed = std::mem::replace(&mut self.body.closed, true);
        match was_closed {
            true => Ok(()),
            false => self.body.results.discard(self.body.conn).await,
        }
    }

    pub(super) fn current(&self) -> Result<&Head, Error> {
        self.body.check_open()?;
        self.body.results.head().ok_or(Error::NotExecuted)
    }

    /// How many rows are certain to come: the server does not say.
    fn known_rows(&self) -> usize {
        0
    }
}

impl fmt::Debug for SsCursor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SsCursor")
            .field("conn", &self.body.conn)
            .field("fetched", &self.body.results.fetched)
            .field("closed", &self.body.closed)
            .finish_non_exhaustive()
    }
}
