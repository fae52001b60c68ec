//! The `exec` methods, as a macro: those of the driver's `Queryable`, and our own of the same names, which see the text.

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{BinaryProtocol, Params, QueryResult, ResultSetStream};

use crate::connection::Connection;
use crate::connection::convert::{convert, convert_all};
use crate::connection::kept::prepare_text;
use crate::connection::run::{DriverFuture, count};
use crate::statement::sql::Sql;

/// All of them, for a kind of statement and the method that makes a command of it.
macro_rules! exec_methods {
    ($vis:vis $bound:ident, $command:ident, $ready:ident) => {
        /// Executes a statement. Its rows are read one by one, and so are further results if it has several.
        ///
        /// The next command reads what is left unread and drops it.
        ///
        /// # Errors
        ///
        /// When the server refuses or the connection is closed.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec_iter<'a: 's, 's, Q, P>(
            &'a mut self,
            statement: Q,
            params: P,
        ) -> DriverFuture<'s, QueryResult<'a, 'static, BinaryProtocol>>
        where
            Q: $bound + 's,
            P: Into<Params>,
        {
            let this = self.connection();
            let params = params.into();
            let command = this.$command(&statement, Some(count(&params)));
            let kept = this.kept.clone();
            this.run_unless_shown(command, |answer| !answer.columns_ref().is_empty(), |conn| {
                Box::pin(async move {
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec_iter(prepared, params).await,
                        None => conn.exec_iter(statement, params).await,
                    }
                })
            })
        }

        /// Executes a statement once for each set of parameters: in one round trip on MariaDB, one by one on MySQL.
        ///
        /// # Errors
        ///
        /// When the server refuses or the connection is closed.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec_batch<'a: 'b, 'b, S, P, I>(
            &'a mut self,
            statement: S,
            params: I,
        ) -> DriverFuture<'b, ()>
        where
            S: $bound + 'b,
            I: IntoIterator<Item = P> + Send + 'b,
            I::IntoIter: Send,
            P: Into<Params> + Send,
        {
            let this = self.connection();
            let mut params = params.into_iter().peekable();
            let command = this.$command(&statement, None).batch(params.peek().is_none());
            let kept = this.kept.clone();
            this.run(command, |conn| {
                Box::pin(async move {
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec_batch(prepared, params).await,
                        None => conn.exec_batch(statement, params).await,
                    }
                })
            })
        }

        /// Executes a statement; returns all rows of its first result.
        ///
        /// # Errors
        ///
        /// When the server refuses, the connection is closed, or a row does not fit the type.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec<'a: 'b, 'b, T, S, P>(
            &'a mut self,
            statement: S,
            params: P,
        ) -> DriverFuture<'b, Vec<T>>
        where
            S: $bound + 'b,
            P: Into<Params> + Send + 'b,
            T: FromRow + Send + 'static,
        {
            let this = self.connection();
            let params = params.into();
            let command = this.$command(&statement, Some(count(&params)));
            let kept = this.kept.clone();
            let rows = this.run_unless_shown(command, |rows: &Vec<_>| !rows.is_empty(), |conn| {
                Box::pin(async move {
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec(prepared, params).await,
                        None => conn.exec(statement, params).await,
                    }
                })
            });
            Box::pin(async { convert_all(rows.await?) })
        }

        /// Executes a statement; returns the first row of its first result.
        ///
        /// # Errors
        ///
        /// When the server refuses, the connection is closed, or a row does not fit the type.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec_first<'a: 'b, 'b, T, S, P>(
            &'a mut self,
            statement: S,
            params: P,
        ) -> DriverFuture<'b, Option<T>>
        where
            S: $bound + 'b,
            P: Into<Params> + Send + 'b,
            T: FromRow + Send + 'static,
        {
            let this = self.connection();
            let params = params.into();
            let command = this.$command(&statement, Some(count(&params)));
            let kept = this.kept.clone();
            let row = this.run_unless_shown(command, Option::is_some, |conn| {
                Box::pin(async move {
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec_first(prepared, params).await,
                        None => conn.exec_first(statement, params).await,
                    }
                })
            });
            Box::pin(async { row.await?.map(convert).transpose() })
        }

        /// Executes a statement and maps the rows of its first result.
        ///
        /// # Errors
        ///
        /// When the server refuses, the connection is closed, or a row does not fit the type.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec_map<'a: 'b, 'b, T, S, P, U, F>(
            &'a mut self,
            statement: S,
            params: P,
            mut f: F,
        ) -> DriverFuture<'b, Vec<U>>
        where
            S: $bound + 'b,
            P: Into<Params> + Send + 'b,
            T: FromRow + Send + 'static,
            F: FnMut(T) -> U + Send + 'a,
            U: Send + 'a,
        {
            let this = self.connection();
            let params = params.into();
            let command = this.$command(&statement, Some(count(&params)));
            let kept = this.kept.clone();
            let mapped = this.run_unless_shown(command, |rows: &Vec<_>| !rows.is_empty(), |conn| {
                Box::pin(async move {
                    let map = move |row| convert(row).map(&mut f);
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec_map(prepared, params, map).await,
                        None => conn.exec_map(statement, params, map).await,
                    }
                })
            });
            Box::pin(async { mapped.await?.into_iter().collect() })
        }

        /// Executes a statement and folds the rows of its first result.
        ///
        /// # Errors
        ///
        /// When the server refuses, the connection is closed, or a row does not fit the type.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec_fold<'a: 'b, 'b, T, S, P, U, F>(
            &'a mut self,
            statement: S,
            params: P,
            init: U,
            mut f: F,
        ) -> DriverFuture<'b, U>
        where
            S: $bound + 'b,
            P: Into<Params> + Send + 'b,
            T: FromRow + Send + 'static,
            F: FnMut(U, T) -> U + Send + 'a,
            U: Send + 'a,
        {
            let this = self.connection();
            let params = params.into();
            let command = this.$command(&statement, Some(count(&params)));
            let kept = this.kept.clone();
            let folded = this.run(command, |conn| {
                Box::pin(async move {
                    let fold = move |folded: mysql_async::Result<U>, row| {
                        Ok(f(folded?, convert(row)?))
                    };
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec_fold(prepared, params, Ok(init), fold).await,
                        None => conn.exec_fold(statement, params, Ok(init), fold).await,
                    }
                })
            });
            Box::pin(async { folded.await? })
        }

        /// Executes a statement and drops its rows.
        ///
        /// # Errors
        ///
        /// When the server refuses or the connection is closed.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec_drop<'a: 'b, 'b, S, P>(
            &'a mut self,
            statement: S,
            params: P,
        ) -> DriverFuture<'b, ()>
        where
            S: $bound + 'b,
            P: Into<Params> + Send + 'b,
        {
            let this = self.connection();
            let params = params.into();
            let command = this.$command(&statement, Some(count(&params)));
            let kept = this.kept.clone();
            this.run(command, |conn| {
                Box::pin(async move {
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec_drop(prepared, params).await,
                        None => conn.exec_drop(statement, params).await,
                    }
                })
            })
        }

        /// Executes a statement. The rows of its first result come as a stream, in constant memory.
        ///
        /// # Errors
        ///
        /// When the server refuses or the connection is closed.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future closes the connection, because nobody knows how far the server came.
        $vis fn exec_stream<'a: 's, 's, T, Q, P>(
            &'a mut self,
            statement: Q,
            params: P,
        ) -> DriverFuture<'s, ResultSetStream<'a, 'a, 'static, T, BinaryProtocol>>
        where
            T: Unpin + FromRow + Send + 'static,
            Q: $bound + 's,
            P: Into<Params> + Send + 's,
        {
            let this = self.connection();
            let params = params.into();
            let command = this.$command(&statement, Some(count(&params)));
            let kept = this.kept.clone();
            this.run_unless_shown(command, |answer| !answer.columns_ref().is_empty(), |conn| {
                Box::pin(async move {
                    match $ready(conn, &kept, &statement).await? {
                        Some(prepared) => conn.exec_stream(prepared, params).await,
                        None => conn.exec_stream(statement, params).await,
                    }
                })
            })
        }
    };
}

pub(crate) use exec_methods;

/// Statements with parameters, prepared by the server.
///
/// These methods hide those of [`Queryable`](mysql_async::prelude::Queryable) with the same names, arguments and results. The
/// difference: they see the text of the statement, which the driver does not give. So
/// [`IfDirty`](crate::ResetPolicy::IfDirty) can read it, and it can be logged.
impl Connection {
    exec_methods!(pub Sql, exec_command, prepare_text);
}
