//! Cursors execute statements and return their rows, from memory or one at a time from the server.

mod body;
mod buffered;
mod bulk;
mod closed;
mod description;
mod dict;
mod dict_row;
mod fetch;
mod fit;
mod many;
mod misfit;
mod mogrify;
mod prepare;
mod printed;
mod procedure;
mod result;
mod rows;
mod scroll;
mod server_fetch;
mod server_side;
mod typed;
mod unseen;
mod values;

pub use self::buffered::Cursor;
pub use self::closed::CursorClosed;
pub use self::description::ColumnDescription;
pub use self::dict::{DictCursor, SsDictCursor};
pub use self::dict_row::Dict;
pub use self::rows::Rows;
pub use self::scroll::ScrollMode;
pub use self::server_side::SsCursor;
use crate::connection::Connection;
use crate::transaction::Transaction;

impl Connection {
    /// A cursor that executes statements and keeps their results in memory, as in aiomysql.
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

    /// A cursor that reads one row at a time, for results of any length: aiomysql's `SSCursor`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.ss_cursor();
    /// cur.execute("SELECT payload FROM a_large_table", ()).await?;
    /// let mut bytes = 0;
    /// while let Some(payload) = cur.fetchone::<Vec<u8>>().await? {
    ///     bytes += payload.len();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn ss_cursor(&mut self) -> SsCursor<'_> {
        SsCursor::new(self)
    }

    /// A cursor whose rows are maps: aiomysql's `DictCursor`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.dict_cursor();
    /// cur.execute("SELECT name, age FROM people", ()).await?;
    /// for person in cur.fetchall().await? {
    ///     let (name, age): (String, u8) = (person.get("name")?, person.get("age")?);
    ///     println!("{name} is {age}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn dict_cursor(&mut self) -> DictCursor<'_> {
        DictCursor::new(Cursor::new(self))
    }

    /// A cursor that reads one row at a time, as a map: aiomysql's `SSDictCursor`.
    pub fn ss_dict_cursor(&mut self) -> SsDictCursor<'_> {
        SsDictCursor::new(SsCursor::new(self))
    }
}

impl Transaction<'_> {
    /// A cursor inside this transaction.
    pub fn cursor(&mut self) -> Cursor<'_> {
        self.connection().cursor()
    }

    /// A cursor inside this transaction that reads one row at a time.
    pub fn ss_cursor(&mut self) -> SsCursor<'_> {
        self.connection().ss_cursor()
    }

    /// A cursor inside this transaction whose rows are maps.
    pub fn dict_cursor(&mut self) -> DictCursor<'_> {
        self.connection().dict_cursor()
    }

    /// A cursor inside this transaction that reads one row at a time, as a map.
    pub fn ss_dict_cursor(&mut self) -> SsDictCursor<'_> {
        self.connection().ss_dict_cursor()
    }
}
