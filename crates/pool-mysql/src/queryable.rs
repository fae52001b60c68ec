//! The driver's `Queryable` on our connection and our transaction.

use mysql_async::prelude::{AsQuery, FromRow, Queryable, StatementLike};
use mysql_async::{
    BinaryProtocol, DriverError, FromRowError, Params, QueryResult, ResultSetStream, Row,
    Statement, TextProtocol,
};

use crate::command::{DriverFuture, count};
use crate::connection::Connection;
use crate::gate::Command;
use crate::transaction::Transaction;

impl Connection {
    fn connection(&mut self) -> &mut Connection {
        self
    }
}

/// A row as a `T`; one that does not fit is an error here, where the driver panics.
fn convert<T: FromRow>(row: Row) -> mysql_async::Result<T> {
    T::from_row_opt(row).map_err(|FromRowError(row)| DriverError::FromRow { row }.into())
}

fn convert_all<T: FromRow>(rows: Vec<Row>) -> mysql_async::Result<Vec<T>> {
    rows.into_iter().map(convert).collect()
}

/// The driver's provided methods are written anew so that they, too, run as one command from beginning to end: theirs
/// read the rows past the gate.
macro_rules! impl_queryable {
    ($type:ty) => {
        impl Queryable for $type {
            fn ping(&mut self) -> DriverFuture<'_, ()> {
                self.connection().run(Command::ping(), |conn| conn.ping())
            }

            fn query_iter<'a, Q>(
                &'a mut self,
                query: Q,
            ) -> DriverFuture<'a, QueryResult<'a, 'static, TextProtocol>>
            where
                Q: AsQuery + 'a,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                this.run(command, |conn| conn.query_iter(query))
            }

            fn prep<'a, Q>(&'a mut self, query: Q) -> DriverFuture<'a, Statement>
            where
                Q: AsQuery + 'a,
            {
                let this = self.connection();
                let command = this.prepare_command(&query);
                this.run(command, |conn| conn.prep(query))
            }

            fn close(&mut self, statement: Statement) -> DriverFuture<'_, ()> {
                self.connection()
                    .run(Command::close_statement(), |conn| conn.close(statement))
            }

            fn exec_iter<'a: 's, 's, Q, P>(
                &'a mut self,
                statement: Q,
                params: P,
            ) -> DriverFuture<'s, QueryResult<'a, 'static, BinaryProtocol>>
            where
                Q: StatementLike + 's,
                P: Into<Params>,
            {
                let this = self.connection();
                let params = params.into();
                let command = this.hidden_command(Some(count(&params)));
                this.run(command, |conn| conn.exec_iter(statement, params))
            }

            fn query<'a, T, Q>(&'a mut self, query: Q) -> DriverFuture<'a, Vec<T>>
            where
                Q: AsQuery + 'a,
                T: FromRow + Send + 'static,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                let rows = this.run(command, |conn| conn.query(query));
                Box::pin(async { convert_all(rows.await?) })
            }

            fn query_first<'a, T, Q>(&'a mut self, query: Q) -> DriverFuture<'a, Option<T>>
            where
                Q: AsQuery + 'a,
                T: FromRow + Send + 'static,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                let row = this.run(command, |conn| conn.query_first(query));
                Box::pin(async { row.await?.map(convert).transpose() })
            }

            fn query_map<'a, T, F, Q, U>(
                &'a mut self,
                query: Q,
                mut f: F,
            ) -> DriverFuture<'a, Vec<U>>
            where
                Q: AsQuery + 'a,
                T: FromRow + Send + 'static,
                F: FnMut(T) -> U + Send + 'a,
                U: Send,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                Box::pin(async move {
                    let mapped = this.run(command, |conn| {
                        conn.query_map(query, move |row| convert(row).map(&mut f))
                    });
                    mapped.await?.into_iter().collect()
                })
            }

            fn query_fold<'a, T, F, Q, U>(
                &'a mut self,
                query: Q,
                init: U,
                mut f: F,
            ) -> DriverFuture<'a, U>
            where
                Q: AsQuery + 'a,
                T: FromRow + Send + 'static,
                F: FnMut(U, T) -> U + Send + 'a,
                U: Send + 'a,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                let folded = this.run(command, |conn| {
                    conn.query_fold(query, Ok(init), move |folded, row| {
                        Ok(f(folded?, convert(row)?))
                    })
                });
                Box::pin(async { folded.await? })
            }

            fn query_drop<'a, Q>(&'a mut self, query: Q) -> DriverFuture<'a, ()>
            where
                Q: AsQuery + 'a,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                this.run(command, |conn| conn.query_drop(query))
            }

            fn exec_batch<'a: 'b, 'b, S, P, I>(
                &'a mut self,
                statement: S,
                params: I,
            ) -> DriverFuture<'b, ()>
            where
                S: StatementLike + 'b,
                I: IntoIterator<Item = P> + Send + 'b,
                I::IntoIter: Send,
                P: Into<Params> + Send,
            {
                let this = self.connection();
                let command = this.hidden_command(None);
                this.run(command, |conn| conn.exec_batch(statement, params))
            }

            fn exec<'a: 'b, 'b, T, S, P>(
                &'a mut self,
                statement: S,
                params: P,
            ) -> DriverFuture<'b, Vec<T>>
            where
                S: StatementLike + 'b,
                P: Into<Params> + Send + 'b,
                T: FromRow + Send + 'static,
            {
                let this = self.connection();
                let params = params.into();
                let command = this.hidden_command(Some(count(&params)));
                let rows = this.run(command, |conn| conn.exec(statement, params));
                Box::pin(async { convert_all(rows.await?) })
            }

            fn exec_first<'a: 'b, 'b, T, S, P>(
                &'a mut self,
                statement: S,
                params: P,
            ) -> DriverFuture<'b, Option<T>>
            where
                S: StatementLike + 'b,
                P: Into<Params> + Send + 'b,
                T: FromRow + Send + 'static,
            {
                let this = self.connection();
                let params = params.into();
                let command = this.hidden_command(Some(count(&params)));
                let row = this.run(command, |conn| conn.exec_first(statement, params));
                Box::pin(async { row.await?.map(convert).transpose() })
            }

            fn exec_map<'a: 'b, 'b, T, S, P, U, F>(
                &'a mut self,
                statement: S,
                params: P,
                mut f: F,
            ) -> DriverFuture<'b, Vec<U>>
            where
                S: StatementLike + 'b,
                P: Into<Params> + Send + 'b,
                T: FromRow + Send + 'static,
                F: FnMut(T) -> U + Send + 'a,
                U: Send + 'a,
            {
                let this = self.connection();
                let params = params.into();
                let command = this.hidden_command(Some(count(&params)));
                let mapped = this.run(command, |conn| {
                    conn.exec_map(statement, params, move |row| convert(row).map(&mut f))
                });
                Box::pin(async { mapped.await?.into_iter().collect() })
            }

            fn exec_fold<'a: 'b, 'b, T, S, P, U, F>(
                &'a mut self,
                statement: S,
                params: P,
                init: U,
                mut f: F,
            ) -> DriverFuture<'b, U>
            where
                S: StatementLike + 'b,
                P: Into<Params> + Send + 'b,
                T: FromRow + Send + 'static,
                F: FnMut(U, T) -> U + Send + 'a,
                U: Send + 'a,
            {
                let this = self.connection();
                let params = params.into();
                let command = this.hidden_command(Some(count(&params)));
                let folded = this.run(command, |conn| {
                    conn.exec_fold(statement, params, Ok(init), move |folded, row| {
                        Ok(f(folded?, convert(row)?))
                    })
                });
                Box::pin(async { folded.await? })
            }

            fn exec_drop<'a: 'b, 'b, S, P>(
                &'a mut self,
                statement: S,
                params: P,
            ) -> DriverFuture<'b, ()>
            where
                S: StatementLike + 'b,
                P: Into<Params> + Send + 'b,
            {
                let this = self.connection();
                let params = params.into();
                let command = this.hidden_command(Some(count(&params)));
                this.run(command, |conn| conn.exec_drop(statement, params))
            }

            fn query_stream<'a, T, Q>(
                &'a mut self,
                query: Q,
            ) -> DriverFuture<'a, ResultSetStream<'a, 'a, 'static, T, TextProtocol>>
            where
                T: Unpin + FromRow + Send + 'static,
                Q: AsQuery + 'a,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                this.run(command, |conn| conn.query_stream(query))
            }

            fn exec_stream<'a: 's, 's, T, Q, P>(
                &'a mut self,
                statement: Q,
                params: P,
            ) -> DriverFuture<'s, ResultSetStream<'a, 'a, 'static, T, BinaryProtocol>>
            where
                T: Unpin + FromRow + Send + 'static,
                Q: StatementLike + 's,
                P: Into<Params> + Send + 's,
            {
                let this = self.connection();
                let params = params.into();
                let command = this.hidden_command(Some(count(&params)));
                this.run(command, |conn| conn.exec_stream(statement, params))
            }
        }
    };
}

impl_queryable!(Connection);
impl_queryable!(Transaction<'_>);
