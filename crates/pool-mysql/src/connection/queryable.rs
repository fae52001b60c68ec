//! The driver's `Queryable` for our connection. It is a macro, because a transaction has it too.

use mysql_async::prelude::{AsQuery, FromRow, Queryable, StatementLike};
use mysql_async::{BinaryProtocol, Params, QueryResult, ResultSetStream, Statement, TextProtocol};

use crate::connection::Connection;
use crate::connection::convert::{convert, convert_all};
use crate::connection::exec::exec_methods;
use crate::connection::kept::{leave_to_driver, prepare};
use crate::connection::run::{DriverFuture, count};
use crate::session::command::Purpose;

impl Connection {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        self
    }
}

/// The driver's provided methods are written anew, so that each of them is one command of ours from beginning to end: the
/// driver's own ones would read rows without the checks of [`Connection::run`].
macro_rules! impl_queryable {
    ($type:ty) => {
        impl Queryable for $type {
            fn ping(&mut self) -> DriverFuture<'_, ()> {
                self.connection()
                    .run(Purpose::Ping.into(), |conn| conn.ping())
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
                this.run_unless_shown(
                    command,
                    |answer| !answer.columns_ref().is_empty(),
                    |conn| conn.query_iter(query),
                )
            }

            fn prep<'a, Q>(&'a mut self, query: Q) -> DriverFuture<'a, Statement>
            where
                Q: AsQuery + 'a,
            {
                let this = self.connection();
                Box::pin(async move {
                    let text = query.as_query();
                    let (command, reading) = (this.prepare_command(&text), this.read(&text));
                    drop(text);
                    let kept = this.kept.clone();
                    let prepared = this.run(command, |conn| {
                        Box::pin(async move { prepare(conn, &kept, query).await })
                    });
                    let statement = prepared.await?;
                    this.kept.belongs_to_user(statement.id());
                    this.state.statement_prepared(statement.id(), reading);
                    Ok(statement)
                })
            }

            fn close(&mut self, statement: Statement) -> DriverFuture<'_, ()> {
                let this = self.connection();
                this.state.statement_closed(statement.id());
                this.kept.closed(statement.id());
                this.run(Purpose::CloseStatement.into(), |conn| conn.close(statement))
            }

            fn query<'a, T, Q>(&'a mut self, query: Q) -> DriverFuture<'a, Vec<T>>
            where
                Q: AsQuery + 'a,
                T: FromRow + Send + 'static,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                this.run_and(
                    command,
                    |rows: &Vec<_>| !rows.is_empty(),
                    |conn| conn.query(query),
                    convert_all,
                )
            }

            fn query_first<'a, T, Q>(&'a mut self, query: Q) -> DriverFuture<'a, Option<T>>
            where
                Q: AsQuery + 'a,
                T: FromRow + Send + 'static,
            {
                let this = self.connection();
                let command = this.query_command(&query);
                this.run_and(
                    command,
                    Option::is_some,
                    |conn| conn.query_first(query),
                    |row| row.map(convert).transpose(),
                )
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
                    let mapped = this.run_unless_shown(
                        command,
                        |rows: &Vec<_>| !rows.is_empty(),
                        |conn| conn.query_map(query, move |row| convert(row).map(&mut f)),
                    );
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
                this.run_unless_shown(
                    command,
                    |answer| !answer.columns_ref().is_empty(),
                    |conn| conn.query_stream(query),
                )
            }

            exec_methods!(StatementLike, hidden_command, leave_to_driver);
        }
    };
}

pub(crate) use impl_queryable;

impl_queryable!(Connection);
