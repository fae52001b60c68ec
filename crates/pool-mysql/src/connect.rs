//! Opens a connection that belongs to no pool.

use crate::connection::Connection;
use crate::connection::open::open_within;
use crate::error::Error;
use crate::options::ConnectOptions;
use crate::transport::connector::Connector;

/// Opens a connection, as `aiomysql.connect()`.
///
/// It works under every executor. [`ConnectOptions::io_runtime`] chooses where the socket lives.
///
/// # Errors
///
/// [`Error::Config`] for an option that cannot be used, [`Error::ConnectTimeout`] after `connect_timeout` (default 10 s),
/// [`Error::Driver`] where the server cannot be reached or refuses. Its text names the address and the user:
/// `connecting to 127.0.0.1:3306 as app failed: 1045 (28000): Access denied …`.
///
/// # Cancel safety
///
/// Dropping the future cancels the connect and closes its socket.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::{ConnectOptions, connect};
///
/// # async fn example() -> Result<(), pool_mysql::Error> {
/// let mut conn = connect(ConnectOptions::new().host("127.0.0.1").user("root")).await?;
/// conn.ping().await?;
/// # Ok(())
/// # }
/// ```
pub async fn connect(options: ConnectOptions) -> Result<Connection, Error> {
    let limit = options.connect_limit();
    let echo = options.echo;
    let connector = Connector::new(options)?;
    open_within(limit, &connector, echo).await
}
