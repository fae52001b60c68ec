//! Pools of connections, with deadlines and a runtime already chosen.

use std::time::Duration;

use pool_core::{Builder, ConfigError};

use crate::manager::MySqlManager;
use crate::options::{ConnectOptions, PoolOptions};
use crate::transport::io_runtime::MySqlRuntime;

/// A pool of MySQL or MariaDB connections.
pub type Pool = pool_core::Pool<MySqlManager>;

/// A connection that somebody has acquired; it goes back to its [`Pool`] when it is dropped.
pub type PooledConnection = pool_core::PooledConnection<MySqlManager>;

/// Begins a pool, as `aiomysql.create_pool()`: all of it can be changed before `build().await` opens the first connections.
///
/// The defaults are those of [`pool_core::Builder`] (minsize 1, maxsize 10), with these changes: `acquire_timeout` 30 s,
/// `connect_timeout` 10 s or that of the options, `check_timeout` 5 s, `recycle_timeout` 5 s, `close_timeout` 1 s,
/// `connect_retry` 3 s, `max_connecting` 16, `max_lifetime` 30 min, `idle_timeout` 10 min, `echo` as in the options, and
/// [`MySqlRuntime`] for tasks and timers. `build` reports an option that cannot be used.
///
/// # Examples
///
/// ```no_run
/// use pool_mysql::{ConnectOptions, create_pool};
///
/// # async fn example() -> Result<(), pool_mysql::Error> {
/// let options = ConnectOptions::new().host("127.0.0.1").user("root").db("mysql");
/// let pool = create_pool(options).minsize(1).maxsize(10).build().await?;
/// {
///     let mut conn = pool.acquire().await?;
///     conn.ping().await?;
/// } // back in the pool
/// pool.close();
/// pool.wait_closed().await?;
/// # Ok(())
/// # }
/// ```
pub fn create_pool(options: ConnectOptions) -> Builder<MySqlManager> {
    let connect_timeout = options.connect_limit();
    let echo = options.echo;
    let runtime = MySqlRuntime::beside(options.io_runtime);
    Pool::builder(MySqlManager::without_connect_limit(options))
        .runtime(runtime)
        .acquire_timeout(Duration::from_secs(30))
        .connect_timeout(connect_timeout)
        .check_timeout(Duration::from_secs(5))
        .recycle_timeout(Duration::from_secs(5))
        .close_timeout(Duration::from_secs(1))
        .connect_retry(Duration::from_secs(3))
        .max_connecting(16)
        .max_lifetime(Duration::from_secs(30 * 60))
        .idle_timeout(Duration::from_secs(10 * 60))
        .echo(echo)
}

impl PoolOptions {
    /// Begins the pool: all of it can be changed before `build().await` opens the first connections.
    pub fn builder(self) -> Builder<MySqlManager> {
        self.apply_to(create_pool(self.connect_options().clone()))
    }
}

/// Begins a pool from a URL: as for [`ConnectOptions::from_url`], with the pool's settings among its parameters.
///
/// [`PoolOptions::from_url`] names them. A setting that the URL does not give is as in [`create_pool`].
///
/// # Errors
///
/// A [`ConfigError`] that names the part of the URL that cannot be used, and says what to do. It never shows the password.
///
/// # Examples
///
/// ```
/// use pool_mysql::create_pool_from_url;
///
/// let url = "mysql://root@127.0.0.1/mysql?minsize=0&maxsize=20&pool_recycle=3600";
/// let pool = create_pool_from_url(url)?.build_lazy()?;
/// assert_eq!(pool.maxsize(), 20);
/// # Ok::<(), pool_mysql::Error>(())
/// ```
pub fn create_pool_from_url(url: &str) -> Result<Builder<MySqlManager>, ConfigError> {
    PoolOptions::from_url(url).map(PoolOptions::builder)
}

#[cfg(all(
    test,
    feature = "tracing",
    feature = "metrics",
    feature = "opentelemetry"
))]
mod tests {
    use pool_core::{MetricsObserver, OpenTelemetryObserver, TracingObserver};

    use super::*;

    /// The observers are in pool-core: with these features this crate brings them along.
    #[test]
    fn a_pool_takes_the_observers_that_the_features_bring_along() {
        let _: Option<OpenTelemetryObserver> = None;
        let builder = create_pool(ConnectOptions::new()).minsize(0);
        let builder = builder.observer(TracingObserver::new());
        let pool = builder.observer(MetricsObserver::new()).build_lazy();
        assert_eq!(pool.map(|pool| pool.size()).ok(), Some(0));
    }
}
