//! The manager: how pool-core connects, checks, cleans and closes connections of this crate.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pool_core::{AbortHandle, ConfigError, ErrorClass, Manager, Verdict};

use crate::connection::Connection;
use crate::connection::open::open_within;
use crate::error::Error;
use crate::error::classify::classify;
use crate::error::closed_because::ClosedBecause;
use crate::options::ConnectOptions;
use crate::transport::connector::Connector;

/// Why a connection that can be used is not wanted back.
const OUTDATED: &str = "its credentials have expired, and there are new ones";
const LEFT_OPEN: &str = "a transaction was left open, and ResetPolicy::Never does not end it";

/// Opens, checks and cleans the connections of a pool.
///
/// [`create_pool`](crate::create_pool) makes a manager, and gives its pool deadlines and a runtime. With
/// [`Pool::builder`](pool_core::Pool::builder) you choose these yourself.
///
/// - check: a ping.
/// - recycle: the session is reset, and the options are applied again, including the configured database (see
///   [`ResetPolicy`](crate::ResetPolicy)). A connection that is closed, broken or left in the middle of a command is
///   discarded. A connection that was not used goes back as it is.
///   Why it was discarded is in [`CloseReason::Broken`](pool_core::CloseReason::Broken) of the pool's events, in the words of
///   [`ClosedBecause::what`](crate::ClosedBecause::what).
/// - idle: the server ends a session that was idle for its `wait_timeout`, which it tells when the connection is opened. The
///   pool closes the connection a moment before.
/// - close: the server is told (COM_QUIT), in at most a second.
/// - terminate: the command under way answers [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed) at once,
///   and the server is told to KILL the connection.
///
/// # Examples
///
/// ```
/// use pool_mysql::{ConnectOptions, MySqlManager, MySqlRuntime, Pool};
///
/// let manager = MySqlManager::new(ConnectOptions::new().host("127.0.0.1").user("root"));
/// let pool: Pool = Pool::builder(manager).runtime(MySqlRuntime::new()).build_lazy()?;
/// # Ok::<(), pool_core::Error<pool_mysql::Error>>(())
/// ```
pub struct MySqlManager {
    options: ConnectOptions,
    connector: Result<Arc<Connector>, ConfigError>,
    /// How long a connect may take; `None` where the pool has a limit of its own.
    connect_limit: Option<Duration>,
    echo: bool,
}

impl MySqlManager {
    /// A manager for connections with these options. `build` of the pool reports an option that cannot be used.
    ///
    /// With a `connect_timeout` among them, a connect that takes longer fails with [`Error::ConnectTimeout`], whatever the
    /// pool's own limit is.
    pub fn new(options: ConnectOptions) -> Self {
        Self {
            connector: Connector::new(options.clone()),
            connect_limit: options.connect_timeout.flatten(),
            echo: options.echo,
            options,
        }
    }

    /// The same for a pool that has its limit from the options' `connect_timeout`, where its builder can change it.
    pub(crate) fn without_connect_limit(options: ConnectOptions) -> Self {
        Self {
            connect_limit: None,
            ..Self::new(options)
        }
    }

    /// The options of its connections.
    pub fn options(&self) -> &ConnectOptions {
        &self.options
    }
}

impl fmt::Debug for MySqlManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlManager")
            .field("options", &self.options)
            .field("echo", &self.echo)
            .finish_non_exhaustive()
    }
}

impl Manager for MySqlManager {
    type Connection = Connection;
    type Error = Error;

    async fn connect(&self) -> Result<Connection, Error> {
        let connector = self.connector.as_ref().map_err(Clone::clone)?;
        open_within(self.connect_limit, connector, self.echo).await
    }

    async fn check(&self, conn: &mut Connection) -> Result<(), Error> {
        let answer = conn.ping().await;
        answer.map_err(|error| conn.explain(error.into()))
    }

    async fn recycle(&self, conn: &mut Connection) -> Result<(), Error> {
        let recycled = conn.recycle(self.options.reset_policy).await;
        recycled.map_err(|error| conn.explain(error))
    }

    fn on_release(&self, conn: &mut Connection) -> Verdict {
        match conn.has_outdated_login() {
            true => Verdict::Discard,
            false => conn.come_back(self.options.reset_policy),
        }
    }

    fn discard_reason(&self, conn: &Connection) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(match conn.closed_because() {
            Some(because) => because.what(),
            None if conn.has_outdated_login() => OUTDATED,
            // `come_back` does not want such a connection, and no other that can be used.
            None => LEFT_OPEN,
        }))
    }

    fn is_lost(&self, conn: &Connection) -> bool {
        matches!(
            conn.closed_because(),
            Some(
                ClosedBecause::ServerClosed
                    | ClosedBecause::ConnectionLost
                    // A network that swallows everything shows first like this.
                    | ClosedBecause::CommandTimeout
                    | ClosedBecause::RuntimeEnded
            )
        )
    }

    async fn close(&self, mut conn: Connection) {
        // An error only means that the server was not told; the connection is closed in any case.
        let _ = conn.ensure_closed().await;
    }

    fn abort_handle(&self, conn: &Connection) -> Option<AbortHandle> {
        conn.abort_handle()
    }

    fn idle_limit(&self, conn: &Connection) -> Option<Duration> {
        conn.server.idle_limit()
    }

    fn classify(&self, error: &Error) -> ErrorClass {
        classify(error)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.options.validate()
    }

    fn set_echo(&mut self, on: bool) {
        self.echo = on;
    }
}
