//! The server-side cursor, which reads one row at a time.

use std::fmt;

use mysql_async::prelude::{FromRow, Protocol};
use mysql_async::{Params, QueryResult, Row, ServerError};

use super::body::{Body, Results, cursor_methods};
use super::description::ColumnDescription;
use super::mogrify::{dialect, mogrify};
use super::result::Head;
use super::typed::Typing;
use crate::connection::Connection;
use crate::connection::answer::{Front, Step, front};
use crate::error::closed_because::LEFT_UNREAD;
use crate::error::{Error, closed};

/// Executes statements and reads their rows one at a time, as aiomysql's `SSCursor`.
///
/// A result of any length needs the memory of one row. The number of rows is not known in advance, and the cursor cannot go
/// back to a row that was fetched.
///
/// The connection is busy with a result until its last row was fetched. If rows are left when the cursor executes another
/// statement or is dropped, the next command reads and drops them, up to one mebibyte and for up to 200 ms. If more is left,
/// the connection is closed, and every later command says so; [`close`](Self::close) reads them all.
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
    /// The current result without its rows; `None` before the first statement.
    head: Option<Head>,
    pub(super) rest: Rest,
    /// A row that was read and not yet returned: it did not fit the requested type, or `scroll` has looked at it.
    pub(super) kept: Option<Row>,
    /// How many rows of the current result were fetched.
    pub(super) fetched: u64,
    /// How to give the values of the text protocol their types.
    typing: Typing,
}

/// What is left of the current result.
pub(super) enum Rest {
    /// There may be rows; only the next read tells.
    Unread,
    /// All rows were read. The next result follows, if there is one.
    Over(Option<Front>),
}

impl Default for Rest {
    fn default() -> Self {
        Self::Over(None)
    }
}

impl Streamed {
    /// A row as it was read, with the types of its columns.
    pub(super) fn typed(&self, mut row: Row) -> Row {
        self.typing.apply(&mut row);
        row
    }

    /// Converts a row into a `T`; on failure it returns the row with the error.
    pub(super) fn convert<T: FromRow>(&mut self, row: Row) -> Result<T, (Row, Error)> {
        match &mut self.head {
            Some(head) => head.wanted.convert(row),
            None => Err((row, Error::NotExecuted)),
        }
    }

    /// Makes a result the current one.
    pub(super) fn begin(&mut self, front: &Front) {
        *self = Self {
            head: Some(Head::of(front)),
            typing: Typing::of(&front.columns),
            rest: match front.is_all {
                true => Rest::Over(None),
                false => Rest::Unread,
            },
            ..Self::default()
        };
    }
}

impl Results for Streamed {
    /// The beginning of the first result. The rest is read later, one row at a time.
    type Answer = Option<Front>;

    async fn read<P: Protocol>(
        mut result: QueryResult<'_, 'static, P>,
    ) -> mysql_async::Result<Self::Answer> {
        front(&mut result).await
    }

    fn shows(answer: &Self::Answer) -> bool {
        let front = answer.as_ref();
        front.is_some_and(|front| !front.columns.is_empty() || !front.is_all)
    }

    /// Errors of later statements come when their results are read.
    fn later_error(_: &Self::Answer) -> Option<&ServerError> {
        None
    }

    async fn finish(&mut self, conn: &mut Connection) -> Result<(), Error> {
        while !matches!(self.rest, Rest::Over(None)) {
            self.rest = match conn.step().await {
                Ok(Step::Row(_)) => Rest::Unread,
                Ok(Step::End(next)) => Rest::Over(next.filter(|front| !front.is_all)),
                Err(error) => {
                    self.rest = Rest::Over(None);
                    return Err(conn.explain(error.into()));
                }
            };
        }
        Ok(())
    }

    async fn discard(&mut self, conn: &mut Connection) -> Result<(), Error> {
        *self = Self::default();
        match conn.state.has_unread_rows() && !conn.skip_the_rest().await? {
            true => Err(Error::NotClean(LEFT_UNREAD)),
            false => Ok(()),
        }
    }

    fn accept(&mut self, conn: &mut Connection, front: Self::Answer) -> Result<(), Error> {
        // Every statement has a first result. If the driver knows of none, it has lost its connection.
        let front = front.ok_or_else(|| Error::Driver(closed()))?;
        conn.state.rows_begun(!front.is_all);
        self.begin(&front);
        Ok(())
    }

    fn accept_many(&mut self, head: Head) {
        self.head = Some(head);
    }

    fn set_changed(&mut self, rows: u64, last_insert_id: Option<u64>) {
        if let Some(head) = &mut self.head {
            head.rowcount = rows;
            head.last_insert_id = last_insert_id;
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

    /// Executes a statement; returns the number of changed rows, 0 for a statement that returns rows.
    ///
    /// Statements and parameters are those of [`Cursor::execute`](crate::Cursor::execute). If the text has several
    /// statements, the error of a later one is returned after the last row before it.
    ///
    /// # Errors
    ///
    /// The errors of [`Cursor::execute`](crate::Cursor::execute); [`Error::NotClean`] if too much of the last result was left
    /// unread: the connection is then closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection, because nobody can know how far the server came.
    execute;

    /// Executes a statement once for each set of parameters; returns how many rows were changed in all.
    ///
    /// See [`Cursor::executemany`](crate::Cursor::executemany).
    ///
    /// # Errors
    ///
    /// [`Error::ManyFailed`], as from [`Cursor::executemany`](crate::Cursor::executemany). An error before the first set is
    /// executed is one of [`execute`](Self::execute).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection, because nobody can know how far the server came.
    executemany;

    /// Calls a stored procedure, whose results are then read row by row: see [`Cursor::callproc`](crate::Cursor::callproc).
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute) and [`Cursor::callproc`](crate::Cursor::callproc).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection, because nobody can know how far the server came.
    callproc;

    /// The text of the statement with its parameters in it: see [`Cursor::mogrify`](crate::Cursor::mogrify).
    ///
    /// # Errors
    ///
    /// As [`Cursor::mogrify`](crate::Cursor::mogrify).
    mogrify;

    /// The number of changed rows, or the number of rows fetched so far; 0 before the first statement.
    rowcount;

    /// The next `size` rows of the result, or fewer at its end.
    ///
    /// # Errors
    ///
    /// The errors of [`fetchone`](Self::fetchone). The rows before the error are lost.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll closes the connection, unless `size` is 0.
    fetchmany;

    /// All remaining rows of the result, in memory: for a large result fetch one row at a time instead.
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
    /// The number of the next row to be fetched, from 0.
    pub fn rownumber(&self) -> u64 {
        self.body.results.fetched
    }

    /// Closes the cursor, reads the rest of its results and drops it, however long it is.
    ///
    /// Every later call, except `close`, returns an error. A rest that takes longer than a new connection is better left
    /// unread: the next command then closes the connection.
    ///
    /// # Errors
    ///
    /// An error that the server sends in the rest, as that of a later statement. [`Error::Closed`] if the connection was closed before.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection if rows were left to read.
    pub async fn close(&mut self) -> Result<(), Error> {
        let was_closed = std::mem::replace(&mut self.body.closed, true);
        match was_closed {
            true => Ok(()),
            false => {
                let finished = self.body.results.finish(self.body.conn).await;
                self.body.results = Streamed::default();
                finished
            }
        }
    }

    pub(super) fn current(&self) -> Result<&Head, Error> {
        self.body.check_open()?;
        self.body.results.head().ok_or(Error::NotExecuted)
    }

    /// The number of rows that are left is not known.
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
