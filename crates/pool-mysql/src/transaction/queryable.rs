//! The methods of a connection that run statements, inside a transaction.

use mysql_async::prelude::{AsQuery, FromRow, Queryable, StatementLike};
use mysql_async::{BinaryProtocol, Params, QueryResult, ResultSetStream, Statement, TextProtocol};

use crate::connection::convert::{convert, convert_all};
use crate::connection::exec::exec_methods;
use crate::connection::kept::{leave_to_driver, prepare, prepare_text};
use crate::connection::queryable::impl_queryable;
use crate::connection::run::{DriverFuture, count};
use crate::session::command::Purpose;
use crate::statement::sql::Sql;
use crate::transaction::Transaction;

impl_queryable!(Transaction<'_>);

/// Statements with parameters, as on [`Connection`](crate::Connection).
impl Transaction<'_> {
    exec_methods!(pub Sql, exec_command, prepare_text);
}
