//! Cursors whose rows are maps.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::buffered::Cursor;
use super::dict_row::Dict;
use super::rows::Rows;
use super::server_side::SsCursor;
use crate::error::Error;

macro_rules! dict_cursor {
    ($(#[$docs:meta])* $name:ident, $cursor:ident) => {
        $(#[$docs])*
        pub struct $name<'a> {
            cursor: $cursor<'a>,
        }

        impl<'a> $name<'a> {
            pub(super) fn new(cursor: $cursor<'a>) -> Self {
                Self { cursor }
            }

            #[doc = concat!("As [`", stringify!($cursor), "::fetchone`].")]
            ///
            /// # Errors
            ///
            /// The same, except [`Error::Conversion`]: every row fits a map.
            ///
            /// # Cancel safety
            ///
            /// The same.
            pub async fn fetchone(&mut self) -> Result<Option<Dict>, Error> {
                self.cursor.fetchone().await
            }

            #[doc = concat!("As [`", stringify!($cursor), "::fetchmany`].")]
            ///
            /// # Errors
            ///
            /// The same, except [`Error::Conversion`]: every row fits a map.
            ///
            /// # Cancel safety
            ///
            /// The same.
            pub async fn fetchmany(&mut self, size: usize) -> Result<Vec<Dict>, Error> {
                self.cursor.fetchmany(size).await
            }

            #[doc = concat!("As [`", stringify!($cursor), "::fetchall`].")]
            ///
            /// # Errors
            ///
            /// The same, except [`Error::Conversion`]: every row fits a map.
            ///
            /// # Cancel safety
            ///
            /// The same.
            pub async fn fetchall(&mut self) -> Result<Vec<Dict>, Error> {
                self.cursor.fetchall().await
            }

            #[doc = concat!("As [`", stringify!($cursor), "::rows`].")]
            pub fn rows(&mut self) -> Rows<'_, 'a, Dict> {
                self.cursor.rows()
            }
        }

        impl<'a> Deref for $name<'a> {
            type Target = $cursor<'a>;

            fn deref(&self) -> &Self::Target {
                &self.cursor
            }
        }

        impl DerefMut for $name<'_> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.cursor
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.cursor).finish()
            }
        }
    };
}

dict_cursor! {
    /// A [`Cursor`] whose rows are maps, as aiomysql's `DictCursor`: see [`Dict`].
    ///
    /// It derefs to its [`Cursor`], which has all other methods.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.dict_cursor();
    /// cur.execute("SELECT name, age FROM people", ()).await?;
    /// let person = cur.fetchone().await?.expect("somebody");
    /// println!("{} is {}", person.get::<String>("name")?, person.get::<u8>("age")?);
    /// # Ok(())
    /// # }
    /// ```
    DictCursor, Cursor
}

dict_cursor! {
    /// An [`SsCursor`] whose rows are maps, as aiomysql's `SSDictCursor`: see [`Dict`].
    ///
    /// It derefs to its [`SsCursor`], which has all other methods.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
    /// let mut cur = conn.ss_dict_cursor();
    /// cur.execute("SELECT name, age FROM people", ()).await?;
    /// while let Some(person) = cur.fetchone().await? {
    ///     println!("{} is {}", person.get::<String>("name")?, person.get::<u8>("age")?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    SsDictCursor, SsCursor
}
