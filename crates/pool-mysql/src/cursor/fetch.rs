//! Fetching rows from the buffered cursor.

use mysql_async::prelude::FromRow;

use super::buffered::Cursor;
use super::scroll::{ScrollMode, target};
use crate::error::Error;

impl Cursor<'_> {
    /// The next row of the result, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// [`Error::Conversion`] if the row does not fit `T`. The row stays and can be fetched as another type; `Row` always
    /// fits. [`Error::NotExecuted`], [`Error::CursorClosed`].
    ///
    /// # Cancel safety
    ///
    /// Safe: the future never waits.
    pub async fn fetchone<T: FromRow>(&mut self) -> Result<Option<T>, Error> {
        self.current()?.next_row()
    }

    /// Moves to another row of the result: it is the next one to be fetched.
    ///
    /// # Errors
    ///
    /// [`Error::ScrollOutOfRange`] if there is no such row; the cursor does not move. [`Error::NotExecuted`],
    /// [`Error::CursorClosed`].
    ///
    /// # Cancel safety
    ///
    /// Safe: the future never waits.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use pool_mysql::ScrollMode;
    ///
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.cursor();
    /// cur.execute("SELECT name FROM users ORDER BY name", ()).await?;
    /// cur.scroll(2, ScrollMode::Absolute).await?;
    /// let third: Option<String> = cur.fetchone().await?;
    /// cur.scroll(-1, ScrollMode::Relative).await?;
    /// let the_same: Option<String> = cur.fetchone().await?;
    /// assert_eq!(third, the_same);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn scroll(&mut self, value: i64, mode: ScrollMode) -> Result<(), Error> {
        let set = self.current()?;
        let position = target(set.position as u64, value, mode);
        let rows = set.rows.len();
        match usize::try_from(position) {
            Ok(position) if position < rows => {
                set.position = position;
                Ok(())
            }
            _ => Err(Error::ScrollOutOfRange {
                position,
                rows: rows as u64,
            }),
        }
    }
}
