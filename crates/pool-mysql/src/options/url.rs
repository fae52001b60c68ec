//! Connection URLs.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use pool_core::ConfigError;
use url::Url;

use super::nearest::nearest;
use super::url_values::{duration, one_of, switch};
use super::{ConnectOptions, IoRuntime, ResetPolicy};

/// What a URL's parameters may set on a connection.
const KEYS: &[&str] = &[
    "autocommit",
    "charset",
    "connect_timeout",
    "echo",
    "init_command",
    "io_runtime",
    "program_name",
    "reset_policy",
    "sql_mode",
    "unix_socket",
];

/// What only a pool has a use for.
const POOL_KEYS: &[&str] = &[
    "acquire_timeout",
    "check_timeout",
    "close_timeout",
    "maxsize",
    "minsize",
    "pool_recycle",
    "recycle_timeout",
];

const ENCODE: &str = "write special characters of user, password and database percent-encoded (@ as %40, / as %2F, # as %23, ? as %3F, : as %3A)";

impl ConnectOptions {
    /// Options from a URL: `mysql://user:password@host:port/db?autocommit=false`.
    ///
    /// Everything but the scheme (`mysql` or `mariadb`) may be left out. The parameters are `charset`, `sql_mode`,
    /// `init_command`, `connect_timeout` (seconds, or `500ms`, `30s`; `none` for no limit), `autocommit`, `echo`,
    /// `program_name`, `unix_socket`, `reset_policy` (`always` or `never`) and `io_runtime` (`auto` or `background`).
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the part of the URL that cannot be used, and what to do. It never repeats the password.
    ///
    /// # Examples
    ///
    /// ```
    /// use pool_mysql::ConnectOptions;
    ///
    /// let options = ConnectOptions::from_url("mysql://root@127.0.0.1:3306/mysql?autocommit=false")?;
    /// let same = ConnectOptions::new().host("127.0.0.1").user("root").db("mysql").autocommit(false);
    /// assert_eq!(options, same);
    ///
    /// let error = ConnectOptions::from_url("mysql://root@localhost/?autocomit=false").unwrap_err();
    /// assert_eq!(error.to_string(), "autocomit: no such parameter; did you mean autocommit?");
    /// # Ok::<(), pool_core::ConfigError>(())
    /// ```
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        Self::from_url_with(url, |key, _| {
            Err(match POOL_KEYS.contains(&key) {
                true => ConfigError::new(
                    key.to_owned(),
                    "only a pool has a use for it: pass this URL to create_pool_from_url",
                ),
                false => unknown(key, KEYS),
            })
        })
    }

    /// The same; parameters that are not a connection's go to `other`.
    pub(super) fn from_url_with(
        url: &str,
        mut other: impl FnMut(&str, &str) -> Result<(), ConfigError>,
    ) -> Result<Self, ConfigError> {
        let url = Url::parse(url).map_err(|error| match error {
            url::ParseError::EmptyHost => ConfigError::new(
                "host",
                "it is empty: write the server's name, such as localhost",
            ),
            error => ConfigError::new("url", format!("it cannot be read ({error}): {ENCODE}")),
        })?;
        let mut options = Self::new();
        address(&mut options, &url)?;
        let mut seen = HashSet::new();
        for (key, value) in url.query_pairs() {
            if !seen.insert(key.clone()) {
                return Err(twice(&key));
            }
            options.set(&key, &value, &mut other)?;
        }
        options.validate()?;
        Ok(options)
    }

    fn set(
        &mut self,
        key: &str,
        value: &str,
        other: &mut impl FnMut(&str, &str) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        match key {
            "autocommit" => {
                self.autocommit = match value.eq_ignore_ascii_case("none") {
                    true => None,
                    false => Some(switch(key, value)?),
                }
            }
            "charset" => self.charset = Some(value.into()),
            "connect_timeout" => self.connect_timeout = Some(duration(key, value)?),
            "echo" => self.echo = switch(key, value)?,
            "init_command" => self.init_command = Some(value.into()),
            "io_runtime" => {
                let words = [
                    ("auto", IoRuntime::Auto),
                    ("background", IoRuntime::Background),
                ];
                self.io_runtime = one_of(key, value, &words)?;
            }
            "program_name" => self.program_name = Some(value.into()),
            "reset_policy" => {
                let words = [
                    ("always", ResetPolicy::Always),
                    ("never", ResetPolicy::Never),
                ];
                self.reset_policy = one_of(key, value, &words)?;
            }
            "sql_mode" => self.sql_mode = Some(value.into()),
            "unix_socket" => self.unix_socket = Some(value.into()),
            _ => other(key, value)?,
        }
        Ok(())
    }
}

/// Scheme, user, password, host, port and path.
fn address(options: &mut ConnectOptions, url: &Url) -> Result<(), ConfigError> {
    if !matches!(url.scheme(), "mysql" | "mariadb") {
        return Err(ConfigError::new(
            "url",
            "it must begin with mysql:// or mariadb://",
        ));
    }
    if url.cannot_be_a_base() {
        return Err(ConfigError::new(
            "url",
            "two slashes are missing: it must begin with mysql:// or mariadb://",
        ));
    }
    if url.fragment().is_some() {
        return Err(ConfigError::new("url", format!("it has a #: {ENCODE}")));
    }
    if !url.username().is_empty() {
        options.user = Some(decoded("user", url.username())?);
    }
    if let Some(password) = url.password() {
        let password = decoded("password", password)?;
        options.password = Some(password).filter(|password| !password.is_empty());
    }
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        let host = decoded("host", host)?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        match bare.unwrap_or(&host) {
            path if path.starts_with('/') => options.unix_socket = Some(path.into()),
            host => options.host = host.to_owned(),
        }
    }
    if let Some(port) = url.port() {
        options.port = port;
    }
    let path = url.path().strip_prefix('/').unwrap_or_default();
    // Such a path is usually the second half of a password: it must not be shown.
    if path.contains(['/', '@']) {
        return Err(ConfigError::new(
            "db",
            format!("the path must be one name: {ENCODE}"),
        ));
    }
    if !path.is_empty() {
        options.db = Some(decoded("db", path)?);
    }
    Ok(())
}

fn decoded(field: &'static str, text: &str) -> Result<String, ConfigError> {
    percent_decode_str(text)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| ConfigError::new(field, "its percent-encoded bytes must be valid UTF-8"))
}

/// An error about a parameter that nobody knows.
pub(super) fn unknown(key: &str, known: &[&str]) -> ConfigError {
    if !is_word(key) {
        return strange();
    }
    if matches!(key, "host" | "port" | "user" | "password" | "db") {
        return ConfigError::new(
            key.to_owned(),
            "it has its own place: mysql://user:password@host:port/db",
        );
    }
    let message = match nearest(key, known) {
        Some(nearest) => format!("no such parameter; did you mean {nearest}?"),
        None => format!("no such parameter; there are {}", known.join(", ")),
    };
    ConfigError::new(key.to_owned(), message)
}

fn twice(key: &str) -> ConfigError {
    match is_word(key) {
        true => ConfigError::new(key.to_owned(), "it is given twice: remove one"),
        false => strange(),
    }
}

/// A parameter that looks like no parameter is usually the second half of a password: it must not be shown.
fn strange() -> ConfigError {
    ConfigError::new(
        "url",
        format!("what follows the ? is no list of parameters: {ENCODE}"),
    )
}

fn is_word(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 32
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// All parameters that a pool's URL may have.
pub(super) fn all_keys() -> Vec<&'static str> {
    let mut keys = [KEYS, POOL_KEYS].concat();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
