//! Connections to MySQL and MariaDB, alone or from a pool, on any async runtime.
//!
//! A dropped future, a panic, a dead network or a dirty session never costs the pool its capacity and never leaks one
//! user's data to the next. The names and their meaning are those of aiomysql; the protocol is spoken by
//! [`mysql_async`]; the pool is [`pool_core`].
//!
//! ```no_run
//! use pool_mysql::{ConnectOptions, create_pool};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
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
//! # Runtimes
//!
//! The same code runs on tokio, smol, async-std or a bare `block_on`. The driver's sockets need a tokio reactor: inside a
//! multi-threaded tokio runtime a connection uses that one, everywhere else the thread `pool-mysql-io`, which starts with
//! the first connection and stays. [`IoRuntime`] chooses.
//!
//! # What a connection guarantees
//!
//! - A cancelled command closes the connection: the next command never reads the answer to an older one.
//! - Between two users of a pool the session is reset, the configured database included. [`ResetPolicy`] switches that
//!   off.
//! - `terminate` ends a query that somebody waits for, also at the server.
//! - No password appears in a `Debug` form, an error or a log; except in the `Debug` form of the driver's own
//!   `QueryResult` and `ResultSetStream`, which should not be printed.
//!
//! # What it does not do
//!
//! No TLS yet: use a unix socket or a network that you trust. No `LOAD DATA LOCAL INFILE`: a server that asks for a file
//! loses the connection.

#![forbid(unsafe_code)]

mod abort;
mod command;
mod connect;
mod connection;
mod cursor;
mod database;
mod echo;
mod error;
mod gate;
mod goodbye;
mod inspect;
mod io_runtime;
mod kill;
mod manager;
mod options;
mod pool;
mod queryable;
mod quote;
mod recycle;
mod server;
mod session;
mod transaction;
mod unread;

pub use mysql_async;
pub use pool_core;

pub use crate::connect::connect;
pub use crate::connection::Connection;
pub use crate::cursor::{ColumnDescription, Cursor, CursorClosed};
pub use crate::error::Error;
pub use crate::inspect::TransactionStatus;
pub use crate::io_runtime::MySqlRuntime;
pub use crate::manager::MySqlManager;
pub use crate::options::{ConnectOptions, IoRuntime, ResetPolicy};
pub use crate::pool::{Pool, PooledConnection, create_pool, create_pool_from_url};
pub use crate::transaction::Transaction;
