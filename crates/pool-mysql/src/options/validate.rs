//! Finds options that cannot be used, and says what to do.

use std::time::Duration;

use pool_core::ConfigError;

use super::{ConnectOptions, ResolvedOptions, SslMode, client_flag};

/// The longest name of a database, in characters.
const LONGEST_NAME: usize = 64;

/// The longest time that Linux takes for `TCP_KEEPIDLE`, in seconds.
const LONGEST_KEEPALIVE: u64 = 32_767;

/// How long the path of a unix socket may be, in bytes, on the usual system with the lowest limit.
const LONGEST_SOCKET_PATH: usize = 103;

impl ConnectOptions {
    /// Checks whether the options can be used.
    ///
    /// [`connect`](crate::connect) and the pool's builder call this by themselves.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the first option that cannot be used, and says what to do.
    ///
    /// # Examples
    ///
    /// ```
    /// use pool_mysql::ConnectOptions;
    ///
    /// let error = ConnectOptions::new().port(0).validate().unwrap_err();
    /// assert_eq!(error.field(), "port");
    /// ```
    pub fn validate(&self) -> Result<(), ConfigError> {
        ResolvedOptions::new(self.clone()).map(|_| ())
    }

    /// The same, without opening any file.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        host(&self.host.value)?;
        if self.port.value == 0 {
            return Err(bad("port", "0 is no port: give the server's, usually 3306"));
        }
        if let Some(user) = &self.user {
            no_zero_byte("user", user)?;
            if user.is_empty() {
                return Err(bad(
                    "user",
                    "it is empty: give a name, or leave it out for the one who runs the program",
                ));
            }
        }
        if let Some(password) = &self.password {
            no_zero_byte("password", password)?;
        }
        if self.credentials.is_some() {
            for (field, is_given) in [
                ("user", self.user.is_some()),
                ("password", self.password.is_some()),
            ] {
                if is_given {
                    return Err(bad(
                        field,
                        "the provider given to `credentials` has it: give one of the two",
                    ));
                }
            }
        }
        if let Some(name) = &self.db {
            db(name)?;
        }
        if let Some(path) = &self.unix_socket {
            unix_socket(path)?;
        }
        if let Some(after) = self.tcp_keepalive {
            tcp_keepalive(after)?;
        }
        if let Some(charset) = &self.charset {
            let fits = !charset.is_empty()
                && charset
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !fits {
                return Err(bad(
                    "charset",
                    "give the name of a character set, such as utf8mb4: letters, digits and _ only",
                ));
            }
        }
        if let Some(modes) = &self.sql_mode {
            let fits = modes
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b',' | b' '));
            if !fits {
                return Err(bad(
                    "sql_mode",
                    "give the names of modes separated by commas, such as ANSI_QUOTES,NO_ZERO_DATE, or nothing for none",
                ));
            }
        }
        if let Some(command) = &self.init_command
            && command.trim().is_empty()
        {
            return Err(bad("init_command", "it is empty: leave it out"));
        }
        if let Some(name) = &self.program_name {
            no_zero_byte("program_name", name)?;
        }
        client_flag::check(self.client_flag)?;
        if self.local_infile && self.local_infile_paths.is_empty() {
            return Err(bad(
                "local_infile",
                "a server could ask for any file: name those that it may have in local_infile_paths, or send bytes with load_local",
            ));
        }
        if self
            .local_infile_paths
            .iter()
            .any(|path| path.as_os_str().is_empty())
        {
            return Err(bad("local_infile_paths", "a path is empty: remove it"));
        }
        if self.read_default_file.is_none() && self.read_default_group.is_none() {
            // With an option file the host may come from there.
            self.check_ssl()?;
            self.check_auth_plugin()?;
        }
        if self.command_timeout == Some(Duration::ZERO) {
            return Err(bad(
                "command_timeout",
                "zero would end each command at once: give a longer time, or None for no limit",
            ));
        }
        if self.connect_limit() == Some(Duration::ZERO) {
            return Err(bad(
                "connect_timeout",
                "zero would fail at once: give a longer time, or None for no limit",
            ));
        }
        Ok(())
    }

    fn check_auth_plugin(&self) -> Result<(), ConfigError> {
        let Some(name) = &self.auth_plugin else {
            return Ok(());
        };
        if name != "mysql_clear_password" {
            return Err(bad(
                "auth_plugin",
                "the driver answers as the server asks and cannot be forced: leave it out; only mysql_clear_password can be named",
            ));
        }
        let is_safe = self.unix_socket.is_some()
            || !matches!(self.ssl.mode(), SslMode::Disabled | SslMode::Preferred);
        match is_safe || self.enable_cleartext_plugin {
            true => Ok(()),
            false => Err(bad(
                "auth_plugin",
                "everybody on the way could read the password: say ssl_mode=required or more, use a unix socket, or force it with enable_cleartext_plugin",
            )),
        }
    }
}

fn host(host: &str) -> Result<(), ConfigError> {
    if host.is_empty() {
        return Err(bad(
            "host",
            "it is empty: give the server's name or address, such as 127.0.0.1",
        ));
    }
    if host
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '?' | '#'))
    {
        return Err(bad(
            "host",
            "give a name or an address alone; a whole URL goes to from_url, the path of a socket to unix_socket",
        ));
    }
    Ok(())
}

fn db(name: &str) -> Result<(), ConfigError> {
    no_zero_byte("db", name)?;
    if name.is_empty() {
        return Err(bad("db", "it is empty: leave it out for no database"));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(bad(
            "db",
            "the name of a database has at most 64 characters",
        ));
    }
    if name.ends_with(' ') {
        return Err(bad(
            "db",
            "the name of a database cannot end in a space: remove it",
        ));
    }
    Ok(())
}

fn tcp_keepalive(after: Duration) -> Result<(), ConfigError> {
    match after.as_secs() {
        1..=LONGEST_KEEPALIVE => Ok(()),
        0 => Err(bad(
            "tcp_keepalive",
            "the system counts whole seconds: give at least one, or none to switch it off",
        )),
        _ => Err(bad(
            "tcp_keepalive",
            "it is longer than systems take: give at most 32767 s, or none to switch it off",
        )),
    }
}

fn unix_socket(path: &std::path::Path) -> Result<(), ConfigError> {
    let Some(path) = path.to_str() else {
        return Err(bad("unix_socket", "the path must be valid UTF-8"));
    };
    no_zero_byte("unix_socket", path)?;
    if cfg!(not(unix)) {
        return Err(bad(
            "unix_socket",
            "this system has no unix sockets: use host and port",
        ));
    }
    if path.is_empty() {
        return Err(bad(
            "unix_socket",
            "it is empty: give a path, or leave it out to use host and port",
        ));
    }
    if path.len() > LONGEST_SOCKET_PATH {
        return Err(bad(
            "unix_socket",
            "the path is too long for a unix socket: 103 bytes is the limit",
        ));
    }
    Ok(())
}

fn no_zero_byte(field: &'static str, text: &str) -> Result<(), ConfigError> {
    match text.contains('\0') {
        true => Err(bad(field, "it holds a zero byte, which no server takes")),
        false => Ok(()),
    }
}

fn bad(field: &'static str, message: &'static str) -> ConfigError {
    ConfigError::new(field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(options: ConnectOptions) -> Option<String> {
        options
            .validate()
            .err()
            .map(|error| error.field().to_owned())
    }

    #[test]
    fn the_defaults_are_usable() {
        assert_eq!(field_of(ConnectOptions::new()), None);
    }

    #[test]
    fn each_bad_option_is_named() {
        let new = ConnectOptions::new;
        let long = "x".repeat(104);
        for (options, field) in [
            (new().host(""), "host"),
            (new().host("mysql://localhost"), "host"),
            (new().host("a b"), "host"),
            (new().port(0), "port"),
            (new().user(""), "user"),
            (new().user("a\0b"), "user"),
            (new().password("a\0b"), "password"),
            (new().db(""), "db"),
            (new().db("x\0"), "db"),
            (new().db("shop "), "db"),
            (new().db(&long[..65]), "db"),
            (new().unix_socket(""), "unix_socket"),
            (new().unix_socket(&long), "unix_socket"),
            (new().charset(""), "charset"),
            (new().charset("utf8; DROP TABLE t"), "charset"),
            (new().sql_mode("ANSI'; DROP TABLE t; '"), "sql_mode"),
            (new().init_command(" "), "init_command"),
            (new().program_name("\0"), "program_name"),
            (new().command_timeout(Duration::ZERO), "command_timeout"),
            (new().connect_timeout(Duration::ZERO), "connect_timeout"),
            (
                new().tcp_keepalive(Duration::from_millis(999)),
                "tcp_keepalive",
            ),
            (
                new().tcp_keepalive(Duration::from_secs(32_768)),
                "tcp_keepalive",
            ),
            (new().local_infile(true), "local_infile"),
            (new().local_infile_paths([""]), "local_infile_paths"),
            (new().auth_plugin("caching_sha2_password"), "auth_plugin"),
            (new().auth_plugin("mysql_clear_password"), "auth_plugin"),
            (
                new().read_default_file("/no/such/file"),
                "read_default_file",
            ),
        ] {
            assert_eq!(field_of(options).as_deref(), Some(field));
        }
    }

    #[test]
    fn unusual_names_are_accepted() {
        for name in ["a`b", "a b", "naïve", "a;b", "1", &"ä".repeat(64)] {
            assert_eq!(field_of(ConnectOptions::new().db(name)), None);
        }
        assert_eq!(field_of(ConnectOptions::new().host("::1")), None);
        assert_eq!(field_of(ConnectOptions::new().sql_mode("")), None);
        assert_eq!(field_of(ConnectOptions::new().connect_timeout(None)), None);
        let with_paths = ConnectOptions::new()
            .local_infile(true)
            .local_infile_paths(["a.csv"]);
        assert_eq!(field_of(with_paths), None);
    }

    #[test]
    fn the_clear_text_password_needs_a_unix_socket_or_the_option() {
        let with = || ConnectOptions::new().auth_plugin("mysql_clear_password");
        assert_eq!(field_of(with().enable_cleartext_plugin(true)), None);
        assert_eq!(field_of(with().unix_socket("/s")), None);
    }
}
