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

use crate::server::{Connection as ServerConnection, Server};

/// The database.
#[derive(Debug)]
pub(crate) struct Fake;

/// The type of everything that only statements need. It has no values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Never {}

/// The options of a connect.
#[derive(Clone, Debug)]
pub(crate) struct FakeOptions {
    server: Server,
    connect_limit: Option<Duration>,
}

impl FakeOptions {
    pub(crate) fn new(server: Server, connect_limit: Option<Duration>) -> Self {
        Self {
            server,
            connect_limit,
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct FakeConnection {
    conn: ServerConnection,
}

impl FakeConnection {
    /// The connection to the fake server.
    pub(crate) fn fake(&self) -> &ServerConnection {
        &self.conn
    }
}

impl Database for Fake {
    type Connection = FakeConnection;
    type TransactionManager = Self;
    type Row = Never;
    type QueryResult = ();
    type Column = Never;
    type TypeInfo = Never;
    type Value = Never;
    type ValueRef<'r> = Never;
    type Arguments = Never;
    type ArgumentBuffer = ();
    type Statement = Never;
    const NAME: &'static str = "fake";
    const URL_SCHEMES: &'static [&'static str] = &["fake"];
}

impl Connection for FakeConnection {
    type Database = Fake;
    type Options = FakeOptions;

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
    async fn close_hard(self) -> Result<(), Error> {
        Ok(())
    }
    async fn ping(&mut self) -> Result<(), Error> {
        self.conn
            .ping()
            .await
            .map_err(|error| Error::Protocol(error.to_string()))
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

impl ConnectOptions for FakeOptions {
    type Connection = FakeConnection;

    fn from_url(_: &Url) -> Result<Self, Error> {
        Err(Error::Configuration("this database has no URL".into()))
    }
    async fn connect(&self) -> Result<Self::Connection, Error> {
        Ok(FakeConnection {
            conn: self
                .server
                .connect_within(self.connect_limit)
                .await
                .map_err(|error| Error::Protocol(error.to_string()))?,
        })
    }
    fn log_statements(self, _: log::LevelFilter) -> Self {
        self
    }
    fn log_slow_statements(self, _: log::LevelFilter, _: Duration) -> Self {
        self
    }
}

impl FromStr for FakeOptions {
    type Err = Error;

    fn from_str(_: &str) -> Result<Self, Error> {
        Err(Error::Configuration("this database has no URL".into()))
    }
}

impl TransactionManager for Fake {
    type Database = Self;

    async fn begin(_: &mut FakeConnection, _: Option<SqlStr>) -> Result<(), Error> {
        Ok(())
    }
    async fn commit(_: &mut FakeConnection) -> Result<(), Error> {
        Ok(())
    }
    async fn rollback(_: &mut FakeConnection) -> Result<(), Error> {
        Ok(())
    }
    fn start_rollback(_: &mut FakeConnection) {}
    fn get_transaction_depth(_: &FakeConnection) -> usize {
        0
    }
}

impl Row for Never {
    type Database = Fake;

    fn columns(&self) -> &[Self] {
        match *self {}
    }
    fn try_get_raw<I: ColumnIndex<Self>>(&self, _: I) -> Result<Self, Error> {
        match *self {}
    }
}

impl Column for Never {
    type Database = Fake;

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

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl TypeInfo for Never {
    fn is_null(&self) -> bool {
        match *self {}
    }
    fn name(&self) -> &str {
        match *self {}
    }
}

impl Value for Never {
    type Database = Fake;

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

impl ValueRef<'_> for Never {
    type Database = Fake;

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

impl Default for Never {
    fn default() -> Self {
        unreachable!("no statement is executed, so arguments are never made")
    }
}

impl Arguments for Never {
    type Database = Fake;

    fn reserve(&mut self, _: usize, _: usize) {
        match *self {}
    }
    fn add<'t, T>(&mut self, _: T) -> Result<(), BoxDynError>
    where
        T: Encode<'t, Fake> + Type<Fake>,
    {
        match *self {}
    }
    fn len(&self) -> usize {
        match *self {}
    }
}

impl IntoArguments<Fake> for Never {
    fn into_arguments(self) -> Self {
        self
    }
}

impl Statement for Never {
    type Database = Fake;

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
    fn query(&self) -> Query<'_, Fake, Self> {
        match *self {}
    }
    fn query_with<A: IntoArguments<Fake>>(&self, _: A) -> Query<'_, Fake, A> {
        match *self {}
    }
    fn query_as<O>(&self) -> QueryAs<'_, Fake, O, Self>
    where
        O: for<'r> FromRow<'r, Self>,
    {
        match *self {}
    }
    fn query_as_with<'s, O, A>(&'s self, _: A) -> QueryAs<'s, Fake, O, A>
    where
        O: for<'r> FromRow<'r, Self>,
        A: IntoArguments<Fake>,
    {
        match *self {}
    }
    fn query_scalar<O>(&self) -> QueryScalar<'_, Fake, O, Self>
    where
        (O,): for<'r> FromRow<'r, Self>,
    {
        match *self {}
    }
    fn query_scalar_with<'s, O, A>(&'s self, _: A) -> QueryScalar<'s, Fake, O, A>
    where
        (O,): for<'r> FromRow<'r, Self>,
        A: IntoArguments<Fake>,
    {
        match *self {}
    }
}
