//! A cursor: executes statements and keeps their results.

mod description;
mod many;
mod result;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Params, Statement};

pub use self::description::ColumnDescription;
use self::result::{ResultSet, read_all};
use crate::command::count;
use crate::connection::Connection;
use crate::error::Error;
use crate::gate::Command;

/// Executes statements and keeps their results, as aiomysql's cursor.
///
/// A result is read to its end by [`execute`](Self::execute), so fetching asks the server nothing and the cursor can be
/// dropped at any time. For results that do not fit into memory use the streams of
/// [`Queryable`](mysql_async::prelude::Queryable).
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
    conn: &'a mut Connection,
    /// The current result set first; empty before the first statement.
    sets: VecDeque<ResultSet>,
    rowcount: u64,
    rownumber: usize,
    closed: bool,
}

impl Connection {
    /// A cursor: executes statements and keeps their results, as in aiomysql.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.cursor();
    /// cur.execute("SELECT 10", ()).await?;
    /// let (r,): (i32,) = cur.fetchone().await?.expect("one row");
    /// assert_eq!(r, 10);
    /// # Ok(())
    /// # }
    /// ```
    pub fn cursor(&mut self) -> Cursor<'_> {
        Cursor::new(self)
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(conn: &'a mut Connection) -> Self {
        Self {
            conn,
            sets: VecDeque::new(),
            rowcount: 0,
            rownumber: 0,
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
        let params = params.into();
        let sets = match params {
            Params::Empty => self.execute_text(query).await?,
            params => {
                let statement = match &params {
                    Params::Positional(values) => self.prepare(query, values.len()).await?,
                    _ => self.prepare_unseen(query).await?,
                };
                self.execute_prepared(query, &statement, params).await?
            }
        };
        self.rowcount = sets.front().map_or(0, |set| set.rowcount);
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

    /// Prepares a statement for so many parameters: with a wrong number the driver would close the connection.
    async fn prepare(&mut self, query: &str, given: usize) -> Result<Statement, Error> {
        let statement = self.prepare_unseen(query).await?;
        match usize::from(statement.num_params()) {
            expected if expected == given => Ok(statement),
            expected => Err(Error::ParameterCount { expected, given }),
        }
    }

    /// Prepares a statement, or finds it among those that are.
    async fn prepare_unseen(&mut self, query: &str) -> mysql_async::Result<Statement> {
        self.conn
            .run(Command::quiet_prepare(), |conn| conn.prep(query))
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

    /// The next row of the result, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// [`Error::Conversion`] where the row does not fit `T`: it stays and can be fetched as another type, `Row` always
    /// fits. [`Error::NotExecuted`], [`Error::CursorClosed`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it never waits.
    pub async fn fetchone<T: FromRow>(&mut self) -> Result<Option<T>, Error> {
        let set = self.current()?;
        let row = set.next_row()?;
        self.rownumber += usize::from(row.is_some());
        Ok(row)
    }

    /// The next `size` rows of the result, or what is left of it.
    ///
    /// # Errors
    ///
    /// As [`fetchone`](Self::fetchone); the rows before the one that does not fit are gone.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it never waits.
    pub async fn fetchmany<T: FromRow>(&mut self, size: usize) -> Result<Vec<T>, Error> {
        let set = self.current()?;
        let mut rows = Vec::with_capacity(size.min(set.remaining()));
        while rows.len() < size {
            match self.current()?.next_row()? {
                Some(row) => rows.push(row),
                None => break,
            }
            self.rownumber += 1;
        }
        Ok(rows)
    }

    /// All rows of the result that are left.
    ///
    /// # Errors
    ///
    /// As [`fetchmany`](Self::fetchmany).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: it never waits.
    pub async fn fetchall<T: FromRow>(&mut self) -> Result<Vec<T>, Error> {
        self.fetchmany(usize::MAX).await
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
        self.rownumber = 0;
        self.rowcount = self.sets.front().map_or(0, |set| set.rowcount);
        Ok(true)
    }

    /// The columns of the result; `None` where the statement has no rows to give, or none was executed.
    pub fn description(&self) -> Option<&[ColumnDescription]> {
        let set = self.sets.front()?;
        Some(&set.description[..]).filter(|columns| !columns.is_empty())
    }

    /// How many rows the result has, or how many the statement has changed; 0 before the first statement.
    pub fn rowcount(&self) -> u64 {
        self.rowcount
    }

    /// The number that an INSERT has drawn for an AUTO_INCREMENT column, the first where it drew several; `None` where
    /// there is none.
    pub fn lastrowid(&self) -> Option<u64> {
        self.sets.front().and_then(|set| set.last_insert_id)
    }

    /// How many rows of the result were fetched.
    pub fn rownumber(&self) -> usize {
        self.rownumber
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

    /// Makes room for a new result.
    fn clear(&mut self) -> Result<(), Error> {
        self.sets.clear();
        self.rowcount = 0;
        self.rownumber = 0;
        match self.closed {
            true => Err(Error::CursorClosed),
            false => Ok(()),
        }
    }

    fn current(&mut self) -> Result<&mut ResultSet, Error> {
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
            .field("rownumber", &self.rownumber)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// What [`Cursor::close`] returns; a future that is ready.
#[derive(Debug)]
pub struct CursorClosed(());

impl Future for CursorClosed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
