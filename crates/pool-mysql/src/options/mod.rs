//! The options of connections and pools: where the server is, and how a new session begins.

mod aliases;
mod client_flag;
mod debug;
mod keys;
mod my_cnf;
mod nearest;
mod pool_options;
mod pool_setting;
#[cfg(test)]
mod properties;
mod resolve;
mod resolved;
#[cfg(feature = "serde")]
mod serde_form;
mod setters;
mod setting;
mod ssl;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod ssl_files;
mod url;
mod validate;
mod validate_ssl;
mod values;

use std::path::PathBuf;
use std::time::Duration;

pub use self::pool_options::PoolOptions;
pub(crate) use self::resolved::ResolvedOptions;
use self::setting::Setting;
use self::ssl::Ssl;
pub use self::ssl::SslMode;
use crate::credentials::Provided;

/// How long a connect may take by default.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_TCP_KEEPALIVE: Duration = Duration::from_secs(60);
/// The driver's default.
const DEFAULT_STATEMENT_CACHE_SIZE: usize = 32;

/// Where the server is, and how a new session begins. The names and their meaning are those of `aiomysql.connect()`.
///
/// The setters check nothing. [`connect`](crate::connect) and the pool's builder check all options, and their error names
/// the one that cannot be used. The `Debug` form never shows the password.
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
    pub(crate) host: Setting<String>,
    pub(crate) port: Setting<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) credentials: Option<Provided>,
    pub(crate) db: Option<String>,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) charset: Option<String>,
    pub(crate) sql_mode: Option<String>,
    pub(crate) init_command: Option<String>,
    /// `None` is the default limit, `Some(None)` is no limit.
    pub(crate) connect_timeout: Option<Option<Duration>>,
    pub(crate) autocommit: Option<bool>,
    pub(crate) echo: bool,
    pub(crate) program_name: Option<String>,
    pub(crate) client_flag: u32,
    pub(crate) auth_plugin: Option<String>,
    pub(crate) enable_cleartext_plugin: bool,
    pub(crate) ssl: Ssl,
    pub(crate) read_default_file: Option<PathBuf>,
    pub(crate) read_default_group: Option<String>,
    pub(crate) local_infile: bool,
    pub(crate) local_infile_paths: Vec<PathBuf>,
    pub(crate) reset_policy: ResetPolicy,
    pub(crate) kill_on_cancel: bool,
    pub(crate) io_runtime: IoRuntime,
    pub(crate) command_timeout: Option<Duration>,
    pub(crate) tcp_keepalive: Option<Duration>,
    pub(crate) tcp_nodelay: bool,
    pub(crate) statement_cache_size: usize,
}

/// What happens to the session of a used connection before the next user of the pool gets it.
///
/// A table in `docs/mysql.md` shows what each policy cleans.
///
/// # Examples
///
/// ```
/// use pool_mysql::{ConnectOptions, ResetPolicy};
///
/// // For a program that runs mostly plain statements: the reset is sent only after other ones.
/// let options = ConnectOptions::new().reset_policy(ResetPolicy::IfDirty);
/// # drop(options);
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResetPolicy {
    /// The server resets the session, and the options are applied again: nothing that one user did reaches the next. This
    /// is the default. It costs one round trip for each use of a connection, and one more where the options change the
    /// session. The reset drops the prepared statements.
    #[default]
    Always,
    /// As [`Always`](Self::Always), but the session is not reset if only plain statements were run in it.
    ///
    /// A statement is plain if all of this holds:
    ///
    /// - It is a single SELECT, INSERT, UPDATE, DELETE or REPLACE, and the connection sees its text.
    /// - It has no variables, comments or backslashes, and calls only well-known functions that keep nothing in the session.
    /// - It ended without an error, a warning or a new `LAST_INSERT_ID`, and its result was read to the end.
    ///
    /// A transaction of plain statements that has ended is plain, too.
    ///
    /// **A trigger, a view or the default of a column may change the session behind a plain statement. This is not noticed**,
    /// and the change reaches the next user.
    IfDirty,
    /// An open transaction is rolled back, and nothing else is cleaned: **the variables, locks, temporary tables, prepared
    /// statements and the current database of one user reach the next**. It costs a round trip after a transaction that was
    /// left open, and after an error.
    RollbackOnly,
    /// Nothing is cleaned: **what one user did reaches the next**. There are two exceptions. A connection that is inside a
    /// transaction is closed, as in aiomysql. A [`Transaction`](crate::Transaction) that was dropped is rolled back. It costs
    /// nothing, except a ping after an error.
    Never,
}

/// Where the sockets of a connection live, and the background tasks of its pool run.
///
/// The driver needs a tokio reactor for its sockets. Everything else runs on the executor that polls the future.
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
    /// On the multi-threaded tokio runtime that is current when the connection is opened, or that was current when its pool
    /// was made. Without such a runtime it is as [`IoRuntime::Background`]. This is the default.
    ///
    /// A current-thread runtime is never used: it may stop being driven, or end, long before the connection does. When a
    /// multi-threaded runtime ends, the connections in use end with it; an idle connection of a pool is opened anew for its
    /// next user. Choose `Background` for a pool that several runtimes share, such as a `static` one in tests.
    ///
    /// A reset is a task of the multi-threaded runtime that is current when the connection comes back. A thread that computes or
    /// blocks for long afterwards, and never comes to an `.await`, holds up the reset of its own last connection: an open
    /// transaction ends that much later, unless an acquire needs the connection before. Choose `Background` where that matters.
    #[default]
    Auto,
    /// On the thread `pool-mysql-io`, which starts with the first connection and never ends. The connection works under any
    /// executor and outlives every runtime, and its reset begins at once, whatever the caller does. A round trip takes one or two
    /// microseconds longer, and a busy pool on a multi-threaded runtime serves up to a quarter fewer queries.
    Background,
}

impl ConnectOptions {
    /// The defaults: `localhost`, port 3306, the user who runs the program, no password, no database.
    pub fn new() -> Self {
        Self {
            host: Setting::default("localhost".into()),
            port: Setting::default(3306),
            user: None,
            password: None,
            credentials: None,
            db: None,
            unix_socket: None,
            charset: None,
            sql_mode: None,
            init_command: None,
            connect_timeout: None,
            autocommit: None,
            echo: false,
            program_name: None,
            client_flag: 0,
            auth_plugin: None,
            enable_cleartext_plugin: false,
            ssl: Ssl::default(),
            read_default_file: None,
            read_default_group: None,
            local_infile: false,
            local_infile_paths: Vec::new(),
            reset_policy: ResetPolicy::Always,
            kill_on_cancel: false,
            io_runtime: IoRuntime::Auto,
            command_timeout: None,
            tcp_keepalive: Some(DEFAULT_TCP_KEEPALIVE),
            tcp_nodelay: true,
            statement_cache_size: DEFAULT_STATEMENT_CACHE_SIZE,
        }
    }

    /// The host to connect to.
    pub(crate) fn host_name(&self) -> &str {
        &self.host.value
    }

    /// The port to connect to.
    pub(crate) fn port_number(&self) -> u16 {
        self.port.value
    }

    /// Where a connect goes, for error messages: `127.0.0.1:3306 as app`, or the path of the socket instead of the address.
    pub(crate) fn destination(&self) -> String {
        let address = match &self.unix_socket {
            Some(path) => path.display().to_string(),
            None => match self.host_name() {
                host if host.contains(':') => format!("[{host}]:{}", self.port_number()),
                host => format!("{host}:{}", self.port_number()),
            },
        };
        match self.login() {
            Some(user) => format!("{address} as {user}"),
            None => address,
        }
    }

    /// How long a connect may take, where the pool has no limit of its own.
    pub(crate) fn connect_limit(&self) -> Option<Duration> {
        self.connect_timeout
            .unwrap_or(Some(DEFAULT_CONNECT_TIMEOUT))
    }

    /// How long one call of the provider of credentials may take. It is not as short as a short connect, because it goes on
    /// without the connect.
    pub(crate) fn provider_limit(&self) -> Duration {
        let limit = self.connect_limit().unwrap_or(Duration::from_secs(60));
        limit.max(DEFAULT_CONNECT_TIMEOUT)
    }

    /// The user to log in as; with a provider of credentials, the user that it has named last.
    pub(crate) fn login(&self) -> Option<String> {
        if let Some(provided) = &self.credentials {
            return provided.source().user();
        }
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
