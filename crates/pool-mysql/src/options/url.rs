//! Connection URLs.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use pool_core::ConfigError;
use url::Url;

use super::ConnectOptions;
use super::keys::{self, ENCODE, Form};
use super::setting::Setting;
use super::values::Value;

impl ConnectOptions {
    /// Options from a URL: `mysql://user:password@host:port/db?autocommit=false`.
    ///
    /// Everything but the scheme (`mysql` or `mariadb`) may be left out. The parameters have the names of the methods of this
    /// type: `charset`, `sql_mode`, `autocommit` and so on; a dash means an underscore (`ssl-mode`). The names that other
    /// clients have for the same options are accepted, too: `socket`, `sslca`, `sslMode`. In the place of the host there may
    /// be the path of a socket: `mysql://user@%2Frun%2Fmysqld%2Fmysqld.sock/db`. Switches are `true` or
    /// `false`. Times are seconds or have a unit (`500ms`, `30s`); `none` means no limit. The values of
    /// [`SslMode`](crate::SslMode), [`ResetPolicy`](crate::ResetPolicy) and [`IoRuntime`](crate::IoRuntime) are written in
    /// small letters (`verify_ca`). `local_infile_paths` may be given several times.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the part of the URL that cannot be used, and says what to do. It never shows the password.
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
        Self::from_url_with(url, |key, _| Err(keys::unknown(Form::Url, key, false)))
    }

    /// The same, but parameters that connections do not have are given to `other`.
    pub(super) fn from_url_with(
        url: &str,
        mut other: impl FnMut(&str, Value) -> Result<(), ConfigError>,
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
        let read = options.parameters(&url, &mut other);
        read.map_err(|error| match has_a_user_behind_the_query(&url) {
            // It may be a part of a password, as in `mysql://user:12?34@host`, so it must not be shown.
            true => keys::strange(Form::Url),
            false => error,
        })?;
        options.check()?;
        Ok(options)
    }

    fn parameters(
        &mut self,
        url: &Url,
        other: &mut impl FnMut(&str, Value) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        let mut seen = HashSet::new();
        // A path in the place of the host is the same option.
        seen.extend(self.unix_socket.is_some().then(|| "unix_socket".to_owned()));
        for (key, value) in url.query_pairs() {
            let plain = keys::plain(&key);
            if !keys::is_a_list(&plain) && !seen.insert(plain) {
                return Err(keys::twice(Form::Url, &key));
            }
            let value = Value::Text(value.into_owned());
            if let Some(value) = self.set(Form::Url, &key, value)? {
                other(&key, value)?;
            }
        }
        Ok(())
    }
}

/// Whether the text behind `?` may be the second half of a password that contains a `?`.
fn has_a_user_behind_the_query(url: &Url) -> bool {
    let has_user = !url.username().is_empty() || url.password().is_some();
    !has_user && url.query().is_some_and(|query| query.contains('@'))
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
        host_or_socket(options, host, url.port())?;
    }
    if let Some(port) = url.port() {
        options.port = Setting::explicit(port);
    }
    let path = url.path().strip_prefix('/').unwrap_or_default();
    // Such a path is usually the second half of a password, so it must not be shown.
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

/// A name, an address, or the path of a socket with each `/` percent-encoded.
fn host_or_socket(
    options: &mut ConnectOptions,
    host: &str,
    port: Option<u16>,
) -> Result<(), ConfigError> {
    let error = |message| Err(ConfigError::new("host", message));
    // A comma of a path would be written as %2C.
    if host.contains(',') {
        return error("it is a list: a connection goes to one host or one socket; write one");
    }
    let host = decoded("host", host)?;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    match bare.unwrap_or(&host) {
        path if path.starts_with('/') => match port {
            Some(_) => return error("it is the path of a socket, which has no port: remove one"),
            None => options.unix_socket = Some(path.into()),
        },
        path if path.contains('/') => {
            return error("it has a /: the path of a socket must begin with one (%2F)");
        }
        host => options.host = Setting::explicit(host.to_owned()),
    }
    Ok(())
}

fn decoded(field: &'static str, text: &str) -> Result<String, ConfigError> {
    percent_decode_str(text)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| ConfigError::new(field, "its percent-encoded bytes must be valid UTF-8"))
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
