//! The methods by which a statement with parameters goes to the server.

use fastrand::Rng;
use pool_mysql::mysql_async::Value;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::BoxFuture;
use pool_mysql::{Connection, Error, Transaction};

/// A family of methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// The driver's `Queryable`. pool-mysql does not see the text, so the session counts as dirty.
    Queryable,
    /// The methods of `Connection` and `Transaction` with the same names, which see the text.
    Method,
    /// A cursor, which sees the text.
    Cursor,
}

impl Path {
    pub(crate) fn pick(random: &mut Rng) -> Self {
        match random.u8(..4) {
            0 => Self::Queryable,
            1 => Self::Cursor,
            _ => Self::Method,
        }
    }

    /// Whether pool-mysql can read the text of a statement.
    pub(crate) fn shows_text(self) -> bool {
        self != Self::Queryable
    }
}

/// A connection or a transaction.
pub(crate) trait Statements: Send {
    /// Changes rows, and returns how many.
    fn change<'a>(
        &'a mut self,
        path: Path,
        sql: &'static str,
        parameters: Vec<Value>,
    ) -> BoxFuture<'a, Result<u64, Error>>;

    /// Selects one number.
    fn number<'a>(
        &'a mut self,
        path: Path,
        sql: &'static str,
        parameters: Vec<Value>,
    ) -> BoxFuture<'a, Result<Option<u64>, Error>>;
}

/// Connection and transaction have methods of the same names, and no trait that shows the text.
macro_rules! impl_statements {
    ($type:ty) => {
        impl Statements for $type {
            fn change<'a>(
                &'a mut self,
                path: Path,
                sql: &'static str,
                parameters: Vec<Value>,
            ) -> BoxFuture<'a, Result<u64, Error>> {
                Box::pin(async move {
                    let result = match path {
                        Path::Cursor => return self.cursor().execute(sql, parameters).await,
                        Path::Method => self.exec_iter(sql, parameters).await?,
                        Path::Queryable => Queryable::exec_iter(self, sql, parameters).await?,
                    };
                    let rows = result.affected_rows();
                    result.drop_result().await?;
                    Ok(rows)
                })
            }

            fn number<'a>(
                &'a mut self,
                path: Path,
                sql: &'static str,
                parameters: Vec<Value>,
            ) -> BoxFuture<'a, Result<Option<u64>, Error>> {
                Box::pin(async move {
                    match path {
                        Path::Cursor => {
                            let mut cursor = self.cursor();
                            cursor.execute(sql, parameters).await?;
                            cursor.fetchone().await
                        }
                        Path::Method => Ok(self.exec_first(sql, parameters).await?),
                        Path::Queryable => Ok(Queryable::exec_first(self, sql, parameters).await?),
                    }
                })
            }
        }
    };
}

impl_statements!(Connection);
impl_statements!(Transaction<'_>);
