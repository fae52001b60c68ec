//! A database with only what sqlx's pool needs: connections that can be opened, pinged and closed.
//!
//! No statement is executed, so one type without values stands for all types of statements.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx_core::Either;
use sqlx_core::Url;
use sqlx_core::arguments::{Arguments, IntoArguments};
use sqlx_core::column::{Column, ColumnIndex};
use sqlx_core::connection::{ConnectOptions, Connection};
use sqlx_core::database::Database;
use sqlx_core::encode::Encode;
use sqlx_core::error::{BoxDynError, Error};
use sqlx_core::from_row::FromRow;
use sqlx_core::query::Query;
use sqlx_core::query_as::QueryAs;
use sqlx_core::query_scalar::QueryScalar;
use sqlx_core::row::Row;
use sqlx_core::sql_str::SqlStr;
use sqlx_core::statement::Statement;
use sqlx_core::transaction::{Transaction, TransactionManager};
use sqlx_core::type_info::TypeInfo;
use sqlx_core::types::Type;
use sqlx_core::value::{Value, ValueRef};

use crate::fake::{self, Server};

/// The database.
#[derive(Debug)]
pub(crate) struct Null<const PAD: usize>;

/// The type of everything that only statements need. It has no values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Never<const PAD: usize> {}

/// The options of a connect.
#[derive(Clone, Debug)]
pub(crate) struct NullOptions<const PAD: usize> {
    server: Server,
}

impl<const PAD: usize> NullOptions<PAD> {
    pub(crate) fn new(server: Server) -> Self {
        Self { server }
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct NullConnection<const PAD: usize> {
    conn: fake::Connection<PAD>,
}

impl<const PAD: usize> Database for Null<PAD> {
    type Connection = NullConnection<PAD>;
    type TransactionManager = Self;
    type Row = Never<PAD>;
    type QueryResult = ();
    type Column = Never<PAD>;
    type TypeInfo = Never<PAD>;
    type Value = Never<PAD>;
    type ValueRef<'r> = Never<PAD>;
    type Arguments = Never<PAD>;
    type ArgumentBuffer = ();
    type Statement = Never<PAD>;
    const NAME: &'static str = "null";
    const URL_SCHEMES: &'static [&'static str] = &["null"];
}

impl<const PAD: usize> Connection for NullConnection<PAD> {
    type Database = Null<PAD>;
    type Options = NullOptions<PAD>;

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
    async fn close_hard(self) -> Result<(), Error> {
        Ok(())
    }
    async fn ping(&mut self) -> Result<(), Error> {
        self.conn.check().await;
        Ok(())
    }
    async fn begin(&mut self) -> Result<Transaction<'_, Self::Database>, Error> {
        Transaction::begin(self, None).await
    }
    fn shrink_buffers(&mut self) {}
    async fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
    fn should_flush(&self) -> bool {
        false
    }
}

impl<const PAD: usize> ConnectOptions for NullOptions<PAD> {
    type Connection = NullConnection<PAD>;

    fn from_url(_: &Url) -> Result<Self, Error> {
        Err(Error::Configuration("this database has no URL".into()))
    }
    async fn connect(&self) -> Result<Self::Connection, Error> {
        Ok(NullConnection {
            conn: self.server.connect().await,
        })
    }
    fn log_statements(self, _: log::LevelFilter) -> Self {
        self
    }
    fn log_slow_statements(self, _: log::LevelFilter, _: Duration) -> Self {
        self
    }
}

impl<const PAD: usize> FromStr for NullOptions<PAD> {
    type Err = Error;

    fn from_str(_: &str) -> Result<Self, Error> {
        Err(Error::Configuration("this database has no URL".into()))
    }
}

impl<const PAD: usize> TransactionManager for Null<PAD> {
    type Database = Self;

    async fn begin(_: &mut NullConnection<PAD>, _: Option<SqlStr>) -> Result<(), Error> {
        Ok(())
    }
    async fn commit(_: &mut NullConnection<PAD>) -> Result<(), Error> {
        Ok(())
    }
    async fn rollback(_: &mut NullConnection<PAD>) -> Result<(), Error> {
        Ok(())
    }
    fn start_rollback(_: &mut NullConnection<PAD>) {}
    fn get_transaction_depth(_: &NullConnection<PAD>) -> usize {
        0
    }
}

impl<const PAD: usize> Row for Never<PAD> {
    type Database = Null<PAD>;

    fn columns(&self) -> &[Self] {
        match *self {}
    }
    fn try_get_raw<I: ColumnIndex<Self>>(&self, _: I) -> Result<Self, Error> {
        match *self {}
    }
}

impl<const PAD: usize> Column for Never<PAD> {
    type Database = Null<PAD>;

    fn ordinal(&self) -> usize {
        match *self {}
    }
    fn name(&self) -> &str {
        match *self {}
    }
    fn type_info(&self) -> &Self {
        match *self {}
    }
}

impl<const PAD: usize> fmt::Display for Never<PAD> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl<const PAD: usize> TypeInfo for Never<PAD> {
    fn is_null(&self) -> bool {
        match *self {}
    }
    fn name(&self) -> &str {
        match *self {}
    }
}

impl<const PAD: usize> Value for Never<PAD> {
    type Database = Null<PAD>;

    fn as_ref(&self) -> Self {
        match *self {}
    }
    fn type_info(&self) -> Cow<'_, Self> {
        match *self {}
    }
    fn is_null(&self) -> bool {
        match *self {}
    }
}

impl<const PAD: usize> ValueRef<'_> for Never<PAD> {
    type Database = Null<PAD>;

    fn to_owned(&self) -> Self {
        match *self {}
    }
    fn type_info(&self) -> Cow<'_, Self> {
        match *self {}
    }
    fn is_null(&self) -> bool {
        match *self {}
    }
}

impl<const PAD: usize> Default for Never<PAD> {
    fn default() -> Self {
        unreachable!("no statement is executed, so arguments are never made")
    }
}

impl<const PAD: usize> Arguments for Never<PAD> {
    type Database = Null<PAD>;

    fn reserve(&mut self, _: usize, _: usize) {
        match *self {}
    }
    fn add<'t, T>(&mut self, _: T) -> Result<(), BoxDynError>
    where
        T: Encode<'t, Null<PAD>> + Type<Null<PAD>>,
    {
        match *self {}
    }
    fn len(&self) -> usize {
        match *self {}
    }
}

impl<const PAD: usize> IntoArguments<Null<PAD>> for Never<PAD> {
    fn into_arguments(self) -> Self {
        self
    }
}

impl<const PAD: usize> Statement for Never<PAD> {
    type Database = Null<PAD>;

    fn into_sql(self) -> SqlStr {
        match self {}
    }
    fn sql(&self) -> &SqlStr {
        match *self {}
    }
    fn parameters(&self) -> Option<Either<&[Self], usize>> {
        match *self {}
    }
    fn columns(&self) -> &[Self] {
        match *self {}
    }
    fn query(&self) -> Query<'_, Null<PAD>, Self> {
        match *self {}
    }
    fn query_with<A: IntoArguments<Null<PAD>>>(&self, _: A) -> Query<'_, Null<PAD>, A> {
        match *self {}
    }
    fn query_as<O>(&self) -> QueryAs<'_, Null<PAD>, O, Self>
    where
        O: for<'r> FromRow<'r, Self>,
    {
        match *self {}
    }
    fn query_as_with<'s, O, A>(&'s self, _: A) -> QueryAs<'s, Null<PAD>, O, A>
    where
        O: for<'r> FromRow<'r, Self>,
        A: IntoArguments<Null<PAD>>,
    {
        match *self {}
    }
    fn query_scalar<O>(&self) -> QueryScalar<'_, Null<PAD>, O, Self>
    where
        (O,): for<'r> FromRow<'r, Self>,
    {
        match *self {}
    }
    fn query_scalar_with<'s, O, A>(&'s self, _: A) -> QueryScalar<'s, Null<PAD>, O, A>
    where
        (O,): for<'r> FromRow<'r, Self>,
        A: IntoArguments<Null<PAD>>,
    {
        match *self {}
    }
}
