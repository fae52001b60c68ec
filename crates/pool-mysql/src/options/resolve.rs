//! Adds the values of an option file to the options.

use std::path::Path;

use pool_core::ConfigError;

use super::keys::SSL_MODES;
use super::my_cnf::{self, DEFAULT_FILE, Group};
use super::setting::Setting;
use super::values::Value;
use super::{ConnectOptions, SslMode};

impl ConnectOptions {
    /// Fills the options that were not given from the option file, if there is one.
    ///
    /// The result names no file any more, so the file is read once.
    pub(super) fn resolved(mut self) -> Result<Self, ConfigError> {
        let file = self.read_default_file.take();
        let name = self.read_default_group.take();
        if file.is_none() && name.is_none() {
            return Ok(self);
        }
        let file = file.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let group = my_cnf::read(file, name.as_deref())?;
        self.fill(&group).map_err(|error| {
            let message = format!("{}: {}", file.display(), error.message());
            ConfigError::new(error.field().to_owned(), message)
        })?;
        Ok(self)
    }

    fn fill(&mut self, group: &Group) -> Result<(), ConfigError> {
        // A host or port of the caller and a socket of the file are two different addresses; they are not mixed.
        let has_address =
            self.host.is_explicit || self.port.is_explicit || self.unix_socket.is_some();
        if !has_address {
            fill(&mut self.unix_socket, group, "socket", Value::path)?;
        }
        fill_default(&mut self.host, group, "host", Value::text)?;
        fill_default(&mut self.port, group, "port", Value::whole)?;
        fill(&mut self.user, group, "user", Value::text)?;
        fill(&mut self.password, group, "password", Value::text)?;
        self.password = self.password.take().filter(|password| !password.is_empty());
        fill(&mut self.db, group, "database", Value::text)?;
        fill(
            &mut self.charset,
            group,
            "default_character_set",
            Value::text,
        )?;
        self.fill_ssl(group)
    }

    /// Fills the options for TLS that the caller has not given.
    fn fill_ssl(&mut self, group: &Group) -> Result<(), ConfigError> {
        let ssl = &mut self.ssl;
        let is_not_given = ssl.mode.is_none() && ssl.ca.is_none() && ssl.cert.is_none();
        if is_not_given && self.unix_socket.is_some() {
            // The driver has no TLS on a unix socket: the file means TCP connections.
            return Ok(());
        }
        let mode = |value: Value, key: &str| value.one_of(key, SSL_MODES);
        fill(&mut ssl.mode, group, "ssl_mode", mode)?;
        if is_not_given && ssl.mode.is_none() && is_on(group, "ssl")? == Some(false) {
            ssl.mode = Some(SslMode::Disabled);
        }
        if ssl.mode == Some(SslMode::Disabled) {
            return Ok(());
        }
        if !matches!(ssl.mode, Some(SslMode::Preferred | SslMode::Required)) {
            fill(&mut ssl.ca, group, "ssl_ca", Value::path)?;
        }
        if ssl.cert.is_none() {
            fill(&mut ssl.cert, group, "ssl_cert", Value::path)?;
            fill(&mut ssl.key, group, "ssl_key", Value::path)?;
        }
        if ssl.mode.is_none() {
            let on = is_on(group, "ssl")? == Some(true) || ssl.cert.is_some();
            ssl.mode = match (is_on(group, "ssl_verify_server_cert")?, &ssl.ca) {
                (Some(true), _) => Some(SslMode::VerifyIdentity),
                (Some(false), Some(_)) => Some(SslMode::VerifyCa),
                (_, None) if on => Some(SslMode::Required),
                _ => None,
            };
        }
        Ok(())
    }
}

/// Fills an option that was not given.
fn fill<T>(
    option: &mut Option<T>,
    group: &Group,
    key: &str,
    read: impl FnOnce(Value, &str) -> Result<T, ConfigError>,
) -> Result<(), ConfigError> {
    if option.is_none()
        && let Some(Some(text)) = group.get(key)
    {
        *option = Some(read(Value::Text(text.to_owned()), key)?);
    }
    Ok(())
}

/// Fills an option that has its default value.
fn fill_default<T>(
    option: &mut Setting<T>,
    group: &Group,
    key: &str,
    read: impl FnOnce(Value, &str) -> Result<T, ConfigError>,
) -> Result<(), ConfigError> {
    let mut value = None;
    if !option.is_explicit {
        fill(&mut value, group, key, read)?;
    }
    if let Some(value) = value {
        *option = Setting::explicit(value);
    }
    Ok(())
}

/// A switch of the file. Its name without a value means on; `skip_` before its name means off.
fn is_on(group: &Group, key: &str) -> Result<Option<bool>, ConfigError> {
    if group.get(&format!("skip_{key}")).is_some() {
        return Ok(Some(false));
    }
    match group.get(key) {
        None => Ok(None),
        Some(None) => Ok(Some(true)),
        Some(Some(text)) => Value::Text(text.to_owned()).switch(key).map(Some),
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
