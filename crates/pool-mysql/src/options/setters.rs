//! One method for each option.

use std::path::PathBuf;
use std::time::Duration;

use mysql_async::consts::CapabilityFlags;

use super::setting::Setting;
use super::{ConnectOptions, IoRuntime, ResetPolicy, SslMode};
use crate::credentials::{CredentialsProvider, Provided};

impl ConnectOptions {
    /// The server's name or address; default `localhost`, which here means TCP. Not used with
    /// [`unix_socket`](Self::unix_socket).
    ///
    /// If the name has several addresses, IPv6 or IPv4, they are tried in turn, in the order of the system's resolver, until
    /// one is reached; each but the last gets an equal share of what is left of [`connect_timeout`](Self::connect_timeout), for
    /// everything up to the login. If none is reached, the error says what happened at each. What a server says, such as a refused password, is the answer: then no
    /// other address is tried.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Setting::explicit(host.into());
        self
    }

    /// The server's TCP port; default 3306.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Setting::explicit(port);
        self
    }

    /// The user to log in as; default the user who runs the program (`LOGNAME`, `USER` or `USERNAME` of the environment).
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The password; default none. An empty password means none.
    ///
    /// Over plain TCP, `caching_sha2_password` encrypts the password with a key that the server sends. Somebody who poses as
    /// the server can send a key of his own and read the password. Use [`SslMode::VerifyIdentity`], a unix socket or a
    /// network that you trust.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into()).filter(|password| !password.is_empty());
        self
    }

    /// Where the user and the password come from, if they change while the program runs; default none.
    ///
    /// It is used instead of [`user`](Self::user) and [`password`](Self::password). The provider is asked when a connection is
    /// opened, once for all that are opened at the same time, and again before its answer expires, or when the server
    /// refuses it. Until the answer expires, no connect waits for the next one. Connections whose credentials have expired and were replaced are closed when they come back to their pool.
    /// A URL or a file cannot name a provider.
    ///
    /// # Examples
    ///
    /// ```
    /// use pool_mysql::{ConnectOptions, Credentials};
    ///
    /// let options = ConnectOptions::new().credentials(|| async {
    ///     let password = std::fs::read_to_string("/run/secrets/db-password")?;
    ///     Ok::<_, std::io::Error>(Credentials::new("app", password.trim_end()))
    /// });
    /// # drop(options);
    /// ```
    pub fn credentials(mut self, provider: impl CredentialsProvider) -> Self {
        self.credentials = Some(Provided::new(provider));
        self
    }

    /// The database that a session starts in; default none. A pool puts the session back into it before the next user gets
    /// the connection.
    pub fn db(mut self, db: impl Into<String>) -> Self {
        self.db = Some(db.into());
        self
    }

    /// The path of a unix socket, which is used instead of host and port; default none.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }

    /// The character set of the session (`SET NAMES`); default the driver's `utf8mb4`.
    ///
    /// Text arrives in this character set. If it is not `utf8mb4` or `ascii`, read text as `Vec<u8>`.
    pub fn charset(mut self, charset: impl Into<String>) -> Self {
        self.charset = Some(charset.into());
        self
    }

    /// The SQL mode of the session, modes separated by commas; default the server's.
    pub fn sql_mode(mut self, sql_mode: impl Into<String>) -> Self {
        self.sql_mode = Some(sql_mode.into());
        self
    }

    /// A statement that is run at the start of every session, and again after each reset; default none. A transaction that
    /// it opens is committed, as in aiomysql.
    pub fn init_command(mut self, init_command: impl Into<String>) -> Self {
        self.init_command = Some(init_command.into());
        self
    }

    /// How long a connect may take, including the handshake and the first statements; default 10 s, `None` for no limit.
    ///
    /// [`create_pool`](crate::create_pool) makes it the pool's own `connect_timeout`, which the builder can still change. A
    /// connect of such a pool that takes longer fails with [`Timeout`](pool_core::Error::Timeout), any other one with
    /// [`ConnectTimeout`](crate::Error::ConnectTimeout).
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = Some(limit.into());
        self
    }

    /// Whether each statement commits by itself; default `None`, which leaves it to the server (usually on).
    ///
    /// aiomysql's default is off: use `autocommit(false)` for the same.
    pub fn autocommit(mut self, autocommit: impl Into<Option<bool>>) -> Self {
        self.autocommit = autocommit.into();
        self
    }

    /// Logs every statement with the time that it took, through `tracing` at level INFO under the target
    /// `pool_mysql::echo`; default off. Parameters are only counted, never shown. Values inside the text of a statement are
    /// shown.
    ///
    /// A prepared `Statement`, and a statement that is run by a method called as
    /// [`Queryable::exec…`](mysql_async::prelude::Queryable), appears as `(a prepared statement)`: the driver does not give
    /// its text.
    pub fn echo(mut self, echo: bool) -> Self {
        self.echo = echo;
        self
    }

    /// The name of this program among the connection attributes that the server shows; default none.
    pub fn program_name(mut self, program_name: impl Into<String>) -> Self {
        self.program_name = Some(program_name.into());
        self
    }

    /// What happens to a session between two users of the pool; default [`ResetPolicy::Always`].
    pub fn reset_policy(mut self, policy: ResetPolicy) -> Self {
        self.reset_policy = policy;
        self
    }

    /// Whether the server is told to end a command whose future was dropped; default off.
    ///
    /// A server does not notice that nobody waits for a command any more: it goes on with the command and keeps its locks.
    /// With this option a side connection of the same account sends `KILL` for the connection of the dropped command, which
    /// is closed in any case. This takes a connect and three round trips in the background. What the command has changed
    /// may stay: a COMMIT may already be done.
    pub fn kill_on_cancel(mut self, on: bool) -> Self {
        self.kill_on_cancel = on;
        self
    }

    /// How long a command may take until the server answers; default without limit.
    ///
    /// When the time is up, the server is told to end the command (`KILL QUERY`, through a side connection). If the answer
    /// comes, within five seconds, the connection is kept: mostly the answer is that the command was ended, and the error says
    /// so ([`Error::is_command_timeout`](crate::Error::is_command_timeout)). If the answer is that the command has gone well, that
    /// is the result of a BEGIN, COMMIT or ROLLBACK, and of a statement whose rows show it. For another statement it is an error
    /// of the same kind: MariaDB also says so of some UPDATEs that it has ended, so what it has changed is not known. Without
    /// an answer the connection is closed.
    ///
    /// The limit is for each statement, prepare and batch of a user. A [`Cursor`](crate::Cursor) reads all rows within it; an
    /// [`SsCursor`](crate::SsCursor) has it for each row anew. `query_iter`, `exec_iter` and the driver's streams are limited
    /// until their first answer, which the server may send before it looks for the first row. Ping, and what the pool does,
    /// have limits of their own. So a command can take the limit twice, where something has to be sent before it, such as
    /// the rollback of a transaction that was dropped.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use pool_mysql::mysql_async::prelude::Queryable;
    /// use pool_mysql::{ConnectOptions, MySqlErrorExt, connect};
    ///
    /// # async fn example() -> Result<(), pool_mysql::Error> {
    /// let options = ConnectOptions::new().command_timeout(Duration::from_secs(2));
    /// let mut conn = connect(options).await?;
    /// if let Err(error) = conn.query_drop("SELECT SLEEP(60)").await {
    ///     assert!(error.is_command_timeout());
    /// }
    /// conn.query_drop("SELECT 1").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn command_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.command_timeout = limit.into();
        self
    }

    /// Where the sockets live; default [`IoRuntime::Auto`].
    pub fn io_runtime(mut self, io_runtime: IoRuntime) -> Self {
        self.io_runtime = io_runtime;
        self
    }

    /// After how long without traffic the system begins to ask whether the server is still there (TCP keep-alive); default
    /// 60 s, `None` for never. Fractions of a second are left out, and less than a second is an error.
    ///
    /// A server that vanished without a word, as in a failover, otherwise holds a connection that waits for an answer for
    /// hours. How often the system asks, and when it gives up, are settings of the system (on Linux nine times, 75 s apart,
    /// so after twelve minutes in all). While something that was sent is not acknowledged, the system does not ask but sends it
    /// again (on Linux for about 15 minutes). The driver gives no access to its socket, so these, and the time limit for what was
    /// sent (`TCP_USER_TIMEOUT`), cannot be set here: for a command under way,
    /// [`command_timeout`](Self::command_timeout) is the limit. It has no effect on a unix socket.
    pub fn tcp_keepalive(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.tcp_keepalive = after.into();
        self
    }

    /// Whether each command is sent at once (`TCP_NODELAY`); default on. Without it, a command may wait for the
    /// acknowledgement of the one before, for up to 40 ms.
    pub fn tcp_nodelay(mut self, on: bool) -> Self {
        self.tcp_nodelay = on;
        self
    }

    /// How many prepared statements a connection keeps; default 32. With 0 or 1 it keeps the last one, until it prepares
    /// another.
    ///
    /// Each of them counts against the server's `max_prepared_stmt_count`. A reset of the session drops them, so this
    /// matters under [`ResetPolicy::IfDirty`], [`ResetPolicy::RollbackOnly`] and [`ResetPolicy::Never`]: `docs/mysql.md` has the
    /// arithmetic.
    pub fn statement_cache_size(mut self, statements: usize) -> Self {
        self.statement_cache_size = statements;
        self
    }

    /// Client flags of the protocol, as the bits of [`CapabilityFlags`](mysql_async::consts::CapabilityFlags); default 0.
    ///
    /// `CLIENT_FOUND_ROWS` can be chosen. The flags that the driver always sends (several statements and results, local files
    /// and so on) are accepted. Any other flag is an error that says what to use instead.
    pub fn client_flag(mut self, flags: CapabilityFlags) -> Self {
        self.client_flag = flags.bits();
        self
    }

    /// The authentication method; default: the one that the server asks for.
    ///
    /// The driver knows `mysql_native_password`, `caching_sha2_password` and, with the feature `ed25519`, `client_ed25519`. It
    /// cannot be told to use one of these. The only name that can be given is `mysql_clear_password`: the server is expected
    /// to ask for the password in clear text. The driver sends it so only over TLS or a unix socket, or if
    /// [`enable_cleartext_plugin`](Self::enable_cleartext_plugin) is on; without any of these the name is an error.
    pub fn auth_plugin(mut self, name: impl Into<String>) -> Self {
        self.auth_plugin = Some(name.into());
        self
    }

    /// Sends the password in clear text also over plain TCP, when the server asks for it (`mysql_clear_password`); default
    /// off.
    ///
    /// Everybody on the network can then read it, and somebody who poses as the server gets it.
    pub fn enable_cleartext_plugin(mut self, enable: bool) -> Self {
        self.enable_cleartext_plugin = enable;
        self
    }

    /// Whether to use TLS, and which certificates to accept.
    ///
    /// The default is [`SslMode::Preferred`] in a build with the feature `rustls` or `native-tls`, otherwise
    /// [`SslMode::Disabled`]; [`SslMode::VerifyIdentity`] where [`ssl_ca`](Self::ssl_ca) is given. In a URL it is `ssl_mode=`
    /// with `disabled`, `preferred`, `required`, `verify_ca` or `verify_identity`. **Over a network, use `verify_identity`:**
    /// with every other mode, somebody who poses as the server can get the password. [`SslMode`] says why.
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        self.ssl.mode = Some(mode);
        self
    }

    /// The path of the authorities' certificates, in PEM, one of which must have signed the server's certificate; default
    /// those of Mozilla (feature `rustls`) or of the system (`native-tls`). The file is read once, when the connection is
    /// opened or the pool is created.
    pub fn ssl_ca(mut self, path: impl Into<PathBuf>) -> Self {
        self.ssl.ca = Some(path.into());
        self
    }

    /// The path of the client's own certificate; default none.
    ///
    /// With the feature `rustls` it is a chain in PEM and [`ssl_key`](Self::ssl_key) has its key; with `native-tls` it is a
    /// PKCS#12 archive that holds both. The file is read once, when the connection is opened or the pool is created.
    pub fn ssl_cert(mut self, path: impl Into<PathBuf>) -> Self {
        self.ssl.cert = Some(path.into());
        self
    }

    /// The path of the key of [`ssl_cert`](Self::ssl_cert), in PEM; only with the feature `rustls`.
    pub fn ssl_key(mut self, path: impl Into<PathBuf>) -> Self {
        self.ssl.key = Some(path.into());
        self
    }

    /// The password of the PKCS#12 archive in [`ssl_cert`](Self::ssl_cert); only with the feature `native-tls`.
    pub fn ssl_cert_password(mut self, password: impl Into<String>) -> Self {
        self.ssl.cert_password = Some(password.into());
        self
    }

    /// An option file of MySQL, such as `~/.my.cnf`; default none. A value that was set by a method wins over the file.
    ///
    /// The groups `[client]` and [`read_default_group`](Self::read_default_group) are read; the latter wins. These keys are
    /// used: `user`, `password`, `host`, `port`, `database`, `socket`, `default-character-set`, `ssl-mode`, `ssl-ca`,
    /// `ssl-cert`, `ssl-key`, and MariaDB's `ssl` and `ssl-verify-server-cert`. Other keys are ignored. The file is read once,
    /// when the connection is opened or the pool is created. A file that cannot be read is an error.
    pub fn read_default_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.read_default_file = Some(path.into());
        self
    }

    /// The group of the option file that is read after `[client]`; default none. Without
    /// [`read_default_file`](Self::read_default_file) the file is `/etc/my.cnf`.
    pub fn read_default_group(mut self, group: impl Into<String>) -> Self {
        self.read_default_group = Some(group.into());
        self
    }

    /// aiomysql's switch for `LOAD DATA LOCAL INFILE`; default off. `true` without
    /// [`local_infile_paths`](Self::local_infile_paths) is an error, because a server can ask for any file: name the files
    /// there instead.
    pub fn local_infile(mut self, on: bool) -> Self {
        self.local_infile = on;
        self
    }

    /// The files that the server may read by `LOAD DATA LOCAL INFILE`, written as in the statement; default none. Each call
    /// adds to them.
    ///
    /// When the server asks for another file, it gets nothing and the connection is closed.
    /// [`load_local`](crate::Connection::load_local) sends bytes without any file.
    pub fn local_infile_paths<P: Into<PathBuf>>(
        mut self,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        self.local_infile_paths
            .extend(paths.into_iter().map(Into::into));
        self
    }
}
