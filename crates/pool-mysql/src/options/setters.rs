//! One method for each option.

use std::path::PathBuf;
use std::time::Duration;

use mysql_async::consts::CapabilityFlags;

use super::setting::Setting;
use super::{ConnectOptions, IoRuntime, ResetPolicy, SslMode};

impl ConnectOptions {
    /// The server's name or address; default `localhost`, which here means TCP. Not used with
    /// [`unix_socket`](Self::unix_socket).
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Setting::explicit(host.into());
        self
    }

    /// The server's TCP port; default 3306.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Setting::explicit(port);
        self
    }

    /// The user to log in as; default the one who runs the program (`LOGNAME`, `USER` or `USERNAME` of the environment).
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// The password; an empty one is none, which is the default.
    ///
    /// Over plain TCP some accounts send it to whoever answers: `caching_sha2_password` encrypts it with a key that the server
    /// names. Use [`ssl_mode`](Self::ssl_mode), a unix socket or a network that you trust.
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
    /// What is executed as a prepared `Statement`, or through the methods of
    /// [`Queryable`](mysql_async::prelude::Queryable) under its name, appears as `(a prepared statement)`: the driver keeps
    /// that text to itself.
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

    /// Whether the server is told to end a command whose future was dropped; default off.
    ///
    /// A server does not notice that nobody waits any more: it works on, with all its locks. With this a connection beside
    /// the others, with the same account, tells it to `KILL` the one that was given up, which is closed in any case. It takes
    /// a connect and two round trips, off the caller's path. What the command has changed may stay: a COMMIT may be through.
    pub fn kill_on_cancel(mut self, on: bool) -> Self {
        self.kill_on_cancel = on;
        self
    }

    /// Where the sockets live; default [`IoRuntime::Auto`].
    pub fn io_runtime(mut self, io_runtime: IoRuntime) -> Self {
        self.io_runtime = io_runtime;
        self
    }

    /// Client flags of the protocol, as the bits of [`CapabilityFlags`](mysql_async::consts::CapabilityFlags); default 0.
    ///
    /// `CLIENT_FOUND_ROWS` can be chosen; what the driver announces anyway (several statements and results, local files and
    /// so on) may be named too. Another one is an error that says what to use instead.
    pub fn client_flag(mut self, flags: CapabilityFlags) -> Self {
        self.client_flag = flags.bits();
        self
    }

    /// How the password is shown to the server; default: as the server asks.
    ///
    /// The driver answers with `mysql_native_password`, `caching_sha2_password`, and with the feature `ed25519`
    /// `client_ed25519`; none of these can be forced, so the one name to give is `mysql_clear_password`, which says that the
    /// server is expected to want the password as it is. That one is answered over TLS and over a unix socket only, unless
    /// [`enable_cleartext_plugin`](Self::enable_cleartext_plugin) says otherwise: to give its name without either is an error.
    pub fn auth_plugin(mut self, name: impl Into<String>) -> Self {
        self.auth_plugin = Some(name.into());
        self
    }

    /// Sends the password as it is also over plain TCP when the server asks for that (`mysql_clear_password`); default off.
    ///
    /// Everybody on the way can then read it, and whoever poses as the server can have it.
    pub fn enable_cleartext_plugin(mut self, enable: bool) -> Self {
        self.enable_cleartext_plugin = enable;
        self
    }

    /// Whether to speak TLS, and whom to believe; default [`SslMode::Disabled`], or [`SslMode::VerifyIdentity`] where
    /// [`ssl_ca`](Self::ssl_ca) is given.
    pub fn ssl_mode(mut self, mode: SslMode) -> Self {
        self.ssl.mode = Some(mode);
        self
    }

    /// The path of the certificates, in PEM, that the server's must be signed by; default those of Mozilla (feature `rustls`)
    /// or of the system (`native-tls`). The file is read once, when the options are put to use.
    pub fn ssl_ca(mut self, path: impl Into<PathBuf>) -> Self {
        self.ssl.ca = Some(path.into());
        self
    }

    /// The path of the client's own certificate; default none.
    ///
    /// With the feature `rustls` it is a chain in PEM and [`ssl_key`](Self::ssl_key) has its key; with `native-tls` it is a
    /// PKCS#12 archive that holds both. The file is read once, when the options are put to use.
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

    /// An option file of MySQL, such as `~/.my.cnf`; default none. What is said here wins over what the file says.
    ///
    /// Its groups `[client]` and [`read_default_group`](Self::read_default_group) are read, the latter winning, with these
    /// keys: `user`, `password`, `host`, `port`, `database`, `socket`, `default-character-set`, `ssl-mode`, `ssl-ca`,
    /// `ssl-cert`, `ssl-key`, and MariaDB's `ssl` and `ssl-verify-server-cert`; others are for other programs. The file is
    /// read when the options are put to use; one that cannot be read is an error.
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

    /// aiomysql's switch for `LOAD DATA LOCAL INFILE`; default off. To turn it on, name the files in
    /// [`local_infile_paths`](Self::local_infile_paths) instead: on alone is an error, because a server can ask for any file.
    pub fn local_infile(mut self, on: bool) -> Self {
        self.local_infile = on;
        self
    }

    /// The files that the server may have when a statement says `LOAD DATA LOCAL INFILE`, written as the statement writes
    /// them; default none. Each call adds to them.
    ///
    /// A server that asks for anything else gets nothing and loses the connection.
    /// [`load_local`](crate::Connection::load_local) sends bytes of yours without any file.
    pub fn local_infile_paths<P: Into<PathBuf>>(
        mut self,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        self.local_infile_paths
            .extend(paths.into_iter().map(Into::into));
        self
    }
}
