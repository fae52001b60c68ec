//! Connections to MySQL and MariaDB, alone or from a pool, on any async runtime.
//!
//! A dropped future, a panic, a dead network or a dirty session never costs the pool its capacity and never leaks one
//! user's data to the next. The names and their meaning are those of aiomysql. The driver is [`mysql_async`], the pool is
//! [`pool_core`].
//!
//! ```no_run
//! use pool_mysql::{ConnectOptions, create_pool};
//!
//! # async fn example() -> Result<(), pool_mysql::Error> {
//! let options = ConnectOptions::new().host("127.0.0.1").port(3306).user("root").db("mysql");
//! let pool = create_pool(options).minsize(1).maxsize(10).build().await?;
//!
//! let mut conn = pool.acquire().await?;
//! let mut cur = conn.cursor();
//! cur.execute("SELECT 10", ()).await?;
//! let (r,): (i32,) = cur.fetchone().await?.expect("one row");
//! assert_eq!(r, 10);
//! drop(conn);
//!
//! pool.close();
//! pool.wait_closed().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! A handler needs one error type, [`Error`]: `?` makes it from an error of the pool and from an error of the driver. Its
//! text is one line with the cause, such as `1062 (23000): Duplicate entry 'a' for key 'PRIMARY'`, or `connecting to
//! 127.0.0.1:3306 as app failed: 1045 (28000): Access denied for user 'app'@'localhost' (using password: YES)`.
//! A connection that was closed under its user says why ([`ClosedBecause`]), in the errors of its cursors and by
//! [`Connection::closed_because`].
//!
//! # Runtimes
//!
//! The same code runs on tokio, smol, async-std or a bare `block_on`. The driver's sockets need a tokio reactor. Inside a
//! multi-threaded tokio runtime a connection uses that runtime, and so do the background tasks of its pool. Everywhere else they
//! use the thread `pool-mysql-io`, which starts with the first connection and never ends. [`IoRuntime`] chooses.
//!
//! # What a connection guarantees
//!
//! - A cancelled command closes the connection: the next command never reads the answer to an older one.
//! - Between two users of a pool the session is reset, including the configured database. [`ResetPolicy`] can leave the
//!   reset out after plain statements, or switch it off.
//! - `terminate` ends a query that somebody waits for, also at the server.
//! - No password appears in a `Debug` form, an error or a log. There is one exception: the `Debug` form of the driver's own
//!   `QueryResult` and `ResultSetStream` shows it, so do not print them.
//!
//! # Features
//!
//! No feature is on by default, and none needs another one.
//!
//! | feature | gives |
//! |---|---|
//! | `rustls` | TLS by rustls with ring: no system library, but a C compiler. See [`SslMode`] |
//! | `native-tls` | TLS by the system's library, OpenSSL on Linux. The driver has one TLS library: not together with `rustls` |
//! | `ed25519` | accounts with MariaDB's `ed25519` |
//! | `serde` | `Deserialize` for [`ConnectOptions`] and [`PoolOptions`] |
//! | `derive` | the driver's `#[derive(FromRow)]` for structs and `#[derive(FromValue)]`, as below |
//! | `tracing` | the observer `TracingObserver` of [`pool_core`], and spans around acquire, connect, check, recycle and close. The statement log needs no feature |
//! | `metrics`, `opentelemetry` | the observers `MetricsObserver` and `OpenTelemetryObserver` of [`pool_core`] |
//!
//! # Rows
//!
//! The caller chooses the type of a cursor's rows: a value, a tuple, a [`Dict`], the driver's `Row`, or any type that
//! implements the driver's [`FromRow`](mysql_async::prelude::FromRow). With the feature `derive` a struct can implement it by
//! the names of the columns. `crate_name` is the name under which the derive finds the driver:
//!
#![cfg_attr(feature = "derive", doc = "```no_run")]
#![cfg_attr(not(feature = "derive"), doc = "```ignore")]
//! use pool_mysql::mysql_async::{self, prelude::FromRow};
//!
//! #[derive(FromRow)]
//! #[mysql(crate_name = "mysql_async")]
//! struct Person {
//!     name: String,
//!     #[mysql(rename = "years")]
//!     age: Option<u8>,
//! }
//!
//! # async fn example(conn: &mut pool_mysql::Connection) -> Result<(), pool_mysql::Error> {
//! let mut cur = conn.cursor();
//! cur.execute("SELECT name, years FROM people", ()).await?;
//! for person in cur.fetchall::<Person>().await? {
//!     println!("{} is {:?}", person.name, person.age);
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod connect;
mod connection;
mod credentials;
mod cursor;
mod error;
mod manager;
mod options;
mod pool;
mod session;
mod statement;
mod transaction;
mod transport;

pub use mysql_async;
pub use pool_core;

pub use crate::connect::connect;
pub use crate::connection::Connection;
pub use crate::connection::inspect::TransactionStatus;
pub use crate::connection::warning::Warning;
pub use crate::credentials::{Credentials, CredentialsProvider};
pub use crate::cursor::{
    ColumnDescription, Cursor, CursorClosed, Dict, DictCursor, Rows, ScrollMode, SsCursor,
    SsDictCursor,
};
pub use crate::error::Error;
pub use crate::error::closed_because::ClosedBecause;
pub use crate::error::driver_error::MySqlErrorExt;
pub use crate::error::misfit::Misfit;
pub use crate::error::outcome::OutcomeUnknown;
pub use crate::manager::MySqlManager;
pub use crate::options::{ConnectOptions, IoRuntime, PoolOptions, ResetPolicy, SslMode};
pub use crate::pool::{Pool, PooledConnection, create_pool, create_pool_from_url};
pub use crate::statement::sql::Sql;
pub use crate::transaction::Transaction;
pub use crate::transaction::options::TransactionOptions;
pub use crate::transport::io_runtime::MySqlRuntime;
