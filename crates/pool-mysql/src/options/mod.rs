//! How to reach a server and what a new session looks like.

mod debug;
mod driver;
mod nearest;
mod packet_limit;
mod pool_url;
mod url;
mod url_values;
mod validate;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use self::driver::Blueprint;
pub(crate) use self::pool_url::PoolUrl;

/// How long a connect may take when nobody said anything else.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach a server and what a new session looks like; the names and their meaning are those of
/// `aiomysql.connect()`.
///
/// Nothing is checked while the options are collected: [`connect`](crate::connect) and the pool's builder check them all
/// and name the one that cannot be used. The `Debug` form never shows the password.
///
/// # Examples
///
/// ```
/// use pool_mysql::ConnectOptions;
///
/// let options = ConnectOptions::new()
///     .host("127.0.0.1")
///     .user("app")
///     .password("secret")
///     .db("shop")
///     .autocommit(false);
/// assert!(!format!("{options:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "options do nothing until they are passed to `connect` or `create_pool`"]
pub struct ConnectOptions {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) db: Option<String>,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) charset: Option<String>,
    pub(crate) sql_mode: Option<String>,
    pub(crate) init_command: Option<String>,
    /// `None` is the default deadline, `Some(None)` is no deadline.
    pub(crate) connect_timeout: Option<Option<Duration>>,
    pub(crate) autocommit: Option<bool>,
    pub(crate) echo: bool,
    pub(crate) program_name: Option<String>,
    pub(crate) reset_policy: ResetPolicy,
    pub(crate) io_runtime: IoRuntime,
}

/// What happens to the session of a used connection before the next user of the pool gets it.
///
/// # Examples
///
/// ```
/// use pool_mysql::{ConnectOptions, ResetPolicy};
///
/// // Every user of this pool is one and the same, and the session variables are meant to stay.
/// let options = ConnectOptions::new().reset_policy(ResetPolicy::Never);
/// # drop(options);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResetPolicy {
    /// The server resets the session and the options are applied again: nothing that one user did reaches the next. The
    /// default. It costs one round trip a checkout, and one more where the options have anything to apply.
    #[default]
    Always,
    /// Nothing but a rollback of an open transaction: **the variables, locks, temporary tables, prepared statements and the
    /// current database of one user reach the next**, as in aiomysql. It costs nothing.
    Never,
}

/// Where the sockets of a connection live.
///
/// The driver needs a tokio reactor for them; everything else runs wherever you await it.
///
/// # Examples
///
/// ```
/// use pool_mysql::{ConnectOptions, IoRuntime};
///
/// let options = ConnectOptions::new().io_runtime(IoRuntime::Background);
/// # drop(options);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IoRuntime {
    /// On the multi-threaded tokio runtime that is current when the connection is opened, or was when its pool was made; else
    /// as [`IoRuntime::Background`]. The default.
    ///
    /// A current-thread runtime is never used: it may stop being driven, or end, long before the connection does. When a
    /// multi-threaded one ends, the sessions in use end with it; a connection that waits in a pool is opened anew for its
    /// next user. Choose `Background` for a pool that several runtimes share, such as a `static` one in tests.
    #[default]
    Auto,
    /// On the thread `pool-mysql-io`, which starts with the first connection and stays: the connection works under any
    /// executor and outlives every runtime. A round trip takes a microsecond or two longer, and a busy pool on a
    /// multi-threaded runtime serves up to a quarter less.
    Background,
}

impl ConnectOptions {
    /// The defaults: `localhost`, port 3306, the user who runs the program, no password, no database.
    pub fn new() -> Self {
        Self {
            host: "localhost".into(),
            port: 3306,
            user: None,
            password: None,
            db: None,
            unix_socket: None,
            charset: None,
            sql_mode: None,
            init_command: None,
            connect_timeout: None,
            autocommit: None,
            echo: false,
            program_name: None,
            reset_policy: ResetPolicy::Always,
            io_runtime: IoRuntime::Auto,
        }
    }

    /// The server's name or address; default `localhost`, which here means TCP. Not used with
    /// [`unix_socket`](Self::unix_socket).
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The server's TCP port; default 3306.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The user to log in as; default the one who runs the program (`LOGNAME`, `USER` or `USERNAME` of the environment).
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The password; an empty one is none, which is the default.
    ///
    /// Over plain TCP some accounts send it to whoever answers: use a unix socket or a network that you trust.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into()).filter(|password| !password.is_empty());
        self
    }

    /// The database that a session starts in, and is put back into before the next user of the pool gets it; default none.
    pub fn db(mut self, db: impl Into<String>) -> Self {
        self.db = Some(db.into());
        self
    }

    /// The path of a unix socket; it is used instead of host and port.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }

    /// The character set of the session (`SET NAMES`); default the driver's `utf8mb4`.
    ///
    /// Text arrives in this character set: with another one than `utf8mb4` or `ascii` read it as `Vec<u8>`.
    pub fn charset(mut self, charset: impl Into<String>) -> Self {
        self.charset = Some(charset.into());
        self
    }

    /// The SQL mode of the session, modes separated by commas; default the server's.
    pub fn sql_mode(mut self, sql_mode: impl Into<String>) -> Self {
        self.sql_mode = Some(sql_mode.into());
        self
    }

    /// A statement that every session starts with, also after each reset; default none. A transaction that it opens is
    /// committed, as in aiomysql.
    pub fn init_command(mut self, init_command: impl Into<String>) -> Self {
        self.init_command = Some(init_command.into());
        self
    }

    /// How long a connect may take, handshake and first statements included; default 10 s, `None` for no limit.
    ///
    /// A pool made by [`create_pool`](crate::create_pool) takes it as its own `connect_timeout`, which its builder can still
    /// change; there it ends in [`Timeout`](pool_core::Error::Timeout), elsewhere in
    /// [`ConnectTimeout`](crate::Error::ConnectTimeout).
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = Some(limit.into());
        self
    }

    /// Whether each statement commits by itself; default `None`, which leaves it to the server (usually on).
    ///
    /// aiomysql's default is off: say `autocommit(false)` to have the same.
    pub fn autocommit(mut self, autocommit: impl Into<Option<bool>>) -> Self {
        self.autocommit = autocommit.into();
        self
    }

    /// Logs every statement with the time that it took, through `tracing` at level INFO under the target
    /// `pool_mysql::echo`; default off. Parameters are only counted, never shown; what is written into the text of a
    /// statement is.
    ///
    /// `exec` and its kin of [`Queryable`](mysql_async::prelude::Queryable) appear as `(a prepared statement)`, because the
    /// driver keeps their text to itself; a `prep` and a [`Cursor`](crate::Cursor) show theirs.
    pub fn echo(mut self, echo: bool) -> Self {
        self.echo = echo;
        self
    }

    /// The name that the server shows for this program among the attributes of a connection; default none.
    pub fn program_name(mut self, program_name: impl Into<String>) -> Self {
        self.program_name = Some(program_name.into());
        self
    }

    /// What happens to a session between two users of the pool; default [`ResetPolicy::Always`].
    pub fn reset_policy(mut self, policy: ResetPolicy) -> Self {
        self.reset_policy = policy;
        self
    }

    /// Where the sockets live; default [`IoRuntime::Auto`].
    pub fn io_runtime(mut self, io_runtime: IoRuntime) -> Self {
        self.io_runtime = io_runtime;
        self
    }

    /// The deadline of a connect, as it is when nobody else sets one.
    pub(crate) fn connect_limit(&self) -> Option<Duration> {
        self.connect_timeout
            .unwrap_or(Some(DEFAULT_CONNECT_TIMEOUT))
    }

    /// The user to log in as.
    pub(crate) fn login(&self) -> Option<String> {
        self.user.clone().or_else(|| {
            ["LOGNAME", "USER", "USERNAME"]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|user| !user.is_empty())
        })
    }
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self::new()
    }
}
