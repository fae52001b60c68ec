//! Fetching rows from the server-side cursor.

use mysql_async::Row;
use mysql_async::prelude::FromRow;

use super::scroll::{ScrollMode, target};
use super::server_side::{Rest, SsCursor};
use crate::connection::answer::Step;
use crate::error::Error;

impl SsCursor<'_> {
    /// The next row of the result, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// [`Error::Conversion`] if the row does not fit `T`. The row stays and can be fetched as another type; `Row` always
    /// fits. An error that the server sends among the rows or after them. [`Error::Closed`] if the connection was closed before.
    /// [`Error::NotExecuted`], [`Error::CursorClosed`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll closes the connection.
    pub async fn fetchone<T: FromRow>(&mut self) -> Result<Option<T>, Error> {
        let Some(row) = self.next_row().await? else {
            return Ok(None);
        };
        match self.body.results.convert(row) {
            Ok(row) => {
                self.body.results.fetched += 1;
                Ok(Some(row))
            }
            Err((row, error)) => {
                self.body.results.kept = Some(row);
                Err(error)
            }
        }
    }

    /// Moves forward to another row of the result. The rows before it are read and dropped.
    ///
    /// # Errors
    ///
    /// [`Error::ScrollBackwards`] if the row was passed already; the cursor does not move. [`Error::ScrollOutOfRange`] if
    /// there is no such row; the cursor is then behind the last row. The errors of [`fetchone`](Self::fetchone).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll closes the connection.
    pub async fn scroll(&mut self, value: i64, mode: ScrollMode) -> Result<(), Error> {
        self.current()?;
        let position = target(self.body.results.fetched, value, mode);
        let forward = u64::try_from(position)
            .ok()
            .filter(|to| *to >= self.body.results.fetched);
        let Some(to) = forward else {
            return Err(Error::ScrollBackwards {
                position,
                rownumber: self.body.results.fetched,
            });
        };
        while self.body.results.fetched < to {
            if self.next_row().await?.is_none() {
                break;
            }
            self.body.results.fetched += 1;
        }
        // Reads one row ahead, to find out whether the row exists.
        match self.next_row().await? {
            Some(row) => {
                self.body.results.kept = Some(row);
                Ok(())
            }
            None => Err(Error::ScrollOutOfRange {
                position,
                rows: self.body.results.fetched,
            }),
        }
    }

    /// Moves to the next result, if a text with several statements or a procedure has several; `false` after the last.
    ///
    /// All rows of the current result that were not fetched are read and dropped, however many there are.
    ///
    /// # Errors
    ///
    /// As [`fetchone`](Self::fetchone).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future after its first poll closes the connection, unless all rows were fetched before.
    pub async fn nextset(&mut self) -> Result<bool, Error> {
        self.current()?;
        while self.next_row().await?.is_some() {}
        let Rest::Over(next) = &mut self.body.results.rest else {
            return Ok(false);
        };
        match next.take() {
            Some(front) => {
                self.body.results.begin(&front);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn next_row(&mut self) -> Result<Option<Row>, Error> {
        self.current()?;
        if let Some(row) = self.body.results.kept.take() {
            return Ok(Some(row));
        }
        if let Rest::Over(_) = self.body.results.rest {
            return Ok(None);
        }
        match self.body.conn.step().await {
            Ok(Step::Row(row)) => Ok(Some(self.body.results.typed(row))),
            Ok(Step::End(next)) => {
                self.body.results.rest = Rest::Over(next);
                Ok(None)
            }
            Err(error) => {
                // After an error the server sends no more rows and no more results.
                self.body.results.rest = Rest::Over(None);
                Err(self.body.conn.explain(error.into()))
            }
        }
    }
}
