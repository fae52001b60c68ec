//! The rows of a cursor as a stream.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use mysql_async::prelude::FromRow;

use super::buffered::Cursor;
use super::server_side::SsCursor;
use crate::error::Error;

/// The rows of a cursor's result as a [`Stream`], like `async for` in aiomysql.
///
/// The stream ends after the last row and after an error. A row that does not fit `T` stays with the cursor.
///
/// Dropping the stream while it waits for a row closes the connection, as dropping a command does. Dropping it between two
/// rows leaves the cursor at the next row.
#[must_use = "a stream does nothing until it is polled"]
pub struct Rows<'c, 'a, T> {
    source: Source<'c, 'a, T>,
}

enum Source<'c, 'a, T> {
    /// All rows are in memory.
    Buffered(&'c mut Cursor<'a>),
    /// No fetch is under way.
    Idle(&'c mut SsCursor<'a>),
    Fetching(Fetch<'c, 'a, T>),
    Done,
}

type Fetch<'c, 'a, T> = Pin<Box<dyn Future<Output = Fetched<'c, 'a, T>> + Send + 'c>>;

/// A fetch owns the cursor and returns it with the row.
type Fetched<'c, 'a, T> = (&'c mut SsCursor<'a>, Result<Option<T>, Error>);

impl<'a> Cursor<'a> {
    /// The remaining rows, as a stream that never waits.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// use futures::TryStreamExt;
    ///
    /// let mut cur = conn.cursor();
    /// cur.execute("SELECT id, name FROM users", ()).await?;
    /// let mut rows = cur.rows::<(u64, String)>();
    /// while let Some((id, name)) = rows.try_next().await? {
    ///     println!("{id}: {name}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn rows<T: FromRow>(&mut self) -> Rows<'_, 'a, T> {
        Rows {
            source: Source::Buffered(self),
        }
    }
}

impl<'a> SsCursor<'a> {
    /// The remaining rows, as a stream that reads one row at a time.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// use futures::TryStreamExt;
    ///
    /// let mut cur = conn.ss_cursor();
    /// cur.execute("SELECT price FROM a_table_of_millions", ()).await?;
    /// let sum = cur
    ///     .rows::<u64>()
    ///     .try_fold(0, async |sum, price| Ok(sum + price))
    ///     .await?;
    /// # drop(sum);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rows<T: FromRow>(&mut self) -> Rows<'_, 'a, T> {
        Rows {
            source: Source::Idle(self),
        }
    }
}

impl<'c, 'a: 'c, T: FromRow + 'c> Stream for Rows<'c, 'a, T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let source = &mut self.get_mut().source;
        let mut fetch: Fetch<'c, 'a, T> = match std::mem::replace(source, Source::Done) {
            Source::Buffered(cursor) => {
                let row = cursor.current().and_then(|set| set.next_row());
                if let Ok(Some(_)) = row {
                    *source = Source::Buffered(cursor);
                }
                return Poll::Ready(row.transpose());
            }
            Source::Idle(cursor) => Box::pin(async move {
                let row = cursor.fetchone().await;
                (cursor, row)
            }),
            Source::Fetching(fetch) => fetch,
            Source::Done => return Poll::Ready(None),
        };
        let Poll::Ready((cursor, row)) = fetch.as_mut().poll(cx) else {
            *source = Source::Fetching(fetch);
            return Poll::Pending;
        };
        if let Ok(Some(_)) = row {
            *source = Source::Idle(cursor);
        }
        Poll::Ready(row.transpose())
    }
}

impl<T> fmt::Debug for Rows<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}
