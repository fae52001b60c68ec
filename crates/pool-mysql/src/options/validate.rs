//! Which options cannot be used, and what to do about it.

use std::time::Duration;

use pool_core::ConfigError;

use super::ConnectOptions;

/// The longest name of a database, in characters.
const LONGEST_NAME: usize = 64;

/// What a unix socket's path may have in bytes on the narrowest of the usual systems.
const LONGEST_SOCKET_PATH: usize = 103;

impl ConnectOptions {
    /// Are these options usable?
    ///
    /// [`connect`](crate::connect) and the pool's builder ask this by themselves.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the first option that cannot be used, and what to do.
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
        host(&self.host)?;
        if self.port == 0 {
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
        if let Some(name) = &self.db {
            db(name)?;
        }
        if let Some(path) = &self.unix_socket {
            unix_socket(path)?;
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
        if self.connect_limit() == Some(Duration::ZERO) {
            return Err(bad(
                "connect_timeout",
                "zero would fail at once: give a longer time, or None for no limit",
            ));
        }
        Ok(())
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
            (new().connect_timeout(Duration::ZERO), "connect_timeout"),
        ] {
            assert_eq!(field_of(options).as_deref(), Some(field));
        }
    }

    #[test]
    fn odd_names_are_taken() {
        for name in ["a`b", "a b", "naïve", "a;b", "1", &"ä".repeat(64)] {
            assert_eq!(field_of(ConnectOptions::new().db(name)), None);
        }
        assert_eq!(field_of(ConnectOptions::new().host("::1")), None);
        assert_eq!(field_of(ConnectOptions::new().sql_mode("")), None);
        assert_eq!(field_of(ConnectOptions::new().connect_timeout(None)), None);
    }
}
