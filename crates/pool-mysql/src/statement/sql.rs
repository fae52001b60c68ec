//! The statements that the `exec` methods of a connection accept: a text, or a prepared statement.

use std::borrow::Cow;
use std::sync::Arc;

use mysql_async::Statement;
use mysql_async::prelude::{AsQuery, StatementLike};

/// A statement for [`Connection::exec`](crate::Connection::exec) and the other `exec` methods: a text, or a prepared
/// `Statement`.
///
/// It is the driver's [`StatementLike`] plus the text, which the driver does not show.
/// [`ResetPolicy::IfDirty`](crate::ResetPolicy::IfDirty), the statement log and
/// [`Connection::transaction_with`](crate::Connection::transaction_with) read the text. A function that is generic over
/// statements takes `impl Sql`; with `impl StatementLike` it has to call `Queryable::exec…` by the name of the trait.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::{Connection, Sql, mysql_async};
///
/// async fn count(conn: &mut Connection, query: impl Sql) -> mysql_async::Result<Option<u64>> {
///     conn.exec_first(query, ()).await
/// }
/// ```
pub trait Sql: StatementLike {
    /// The text, in the character set of the connection. `None` if it is not known: the statement is then treated as one that
    /// may do everything.
    fn text(&self) -> Option<Cow<'_, [u8]>> {
        None
    }

    /// The number of a statement that was prepared on the same connection.
    fn prepared(&self) -> Option<u32> {
        None
    }
}

macro_rules! impl_for_texts {
    ($($type:ty),*) => {
        $(impl Sql for $type {
            fn text(&self) -> Option<Cow<'_, [u8]>> {
                Some(self.as_query())
            }
        })*
    };
}

impl_for_texts!(
    &str,
    String,
    Box<str>,
    Arc<str>,
    Cow<'_, str>,
    &[u8],
    Vec<u8>,
    Box<[u8]>,
    Arc<[u8]>,
    Cow<'_, [u8]>
);

impl Sql for Statement {
    fn prepared(&self) -> Option<u32> {
        Some(self.id())
    }
}

impl<T: Sql + Clone> Sql for &T {
    fn text(&self) -> Option<Cow<'_, [u8]>> {
        T::text(self)
    }

    fn prepared(&self) -> Option<u32> {
        T::prepared(self)
    }
}
