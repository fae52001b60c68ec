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
        let group = self.read_default_group.take();
        if file.is_none() && group.is_none() {
            return Ok(self);
        }
        let file = file.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let said = my_cnf::read(file, group.as_deref())?;
        self.fill(&said).map_err(|error| {
            let message = format!("{}: {}", file.display(), error.message());
            ConfigError::new(error.field().to_owned(), message)
        })?;
        Ok(self)
    }

    fn fill(&mut self, said: &Group) -> Result<(), ConfigError> {
        // A host or port of the caller and a socket of the file are two different addresses; they are not mixed.
        let has_address =
            self.host.is_explicit || self.port.is_explicit || self.unix_socket.is_some();
        if !has_address {
            fill(&mut self.unix_socket, said, "socket", Value::path)?;
        }
        fill_default(&mut self.host, said, "host", Value::text)?;
        fill_default(&mut self.port, said, "port", Value::whole)?;
        fill(&mut self.user, said, "user", Value::text)?;
        fill(&mut self.password, said, "password", Value::text)?;
        self.password = self.password.take().filter(|password| !password.is_empty());
        fill(&mut self.db, said, "database", Value::text)?;
        fill(
            &mut self.charset,
            said,
            "default_character_set",
            Value::text,
        )?;
        self.fill_ssl(said)
    }

    /// Fills the options for TLS that the caller has not given.
    fn fill_ssl(&mut self, said: &Group) -> Result<(), ConfigError> {
        let ssl = &mut self.ssl;
        let silent = ssl.mode.is_none() && ssl.ca.is_none() && ssl.cert.is_none();
        if silent && self.unix_socket.is_some() {
            // The driver has no TLS on a unix socket: the file means TCP connections.
            return Ok(());
        }
        let mode = |value: Value, key: &str| value.one_of(key, SSL_MODES);
        fill(&mut ssl.mode, said, "ssl_mode", mode)?;
        if silent && ssl.mode.is_none() && is_on(said, "ssl")? == Some(false) {
            ssl.mode = Some(SslMode::Disabled);
        }
        if ssl.mode == Some(SslMode::Disabled) {
            return Ok(());
        }
        if !matches!(ssl.mode, Some(SslMode::Preferred | SslMode::Required)) {
            fill(&mut ssl.ca, said, "ssl_ca", Value::path)?;
        }
        if ssl.cert.is_none() {
            fill(&mut ssl.cert, said, "ssl_cert", Value::path)?;
            fill(&mut ssl.key, said, "ssl_key", Value::path)?;
        }
        if ssl.mode.is_none() {
            let on = is_on(said, "ssl")? == Some(true) || ssl.cert.is_some();
            ssl.mode = match (is_on(said, "ssl_verify_server_cert")?, &ssl.ca) {
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
    place: &mut Option<T>,
    said: &Group,
    key: &str,
    read: impl FnOnce(Value, &str) -> Result<T, ConfigError>,
) -> Result<(), ConfigError> {
    if place.is_none()
        && let Some(Some(text)) = said.get(key)
    {
        *place = Some(read(Value::Text(text.to_owned()), key)?);
    }
    Ok(())
}

/// Fills an option that has its default value.
fn fill_default<T>(
    place: &mut Setting<T>,
    said: &Group,
    key: &str,
    read: impl FnOnce(Value, &str) -> Result<T, ConfigError>,
) -> Result<(), ConfigError> {
    let mut value = None;
    if !place.is_explicit {
        fill(&mut value, said, key, read)?;
    }
    if let Some(value) = value {
        *place = Setting::explicit(value);
    }
    Ok(())
}

/// A switch of the file. Its name without a value means on; `skip_` before its name means off.
fn is_on(said: &Group, key: &str) -> Result<Option<bool>, ConfigError> {
    if said.get(&format!("skip_{key}")).is_some() {
        return Ok(Some(false));
    }
    match said.get(key) {
        None => Ok(None),
        Some(None) => Ok(Some(true)),
        Some(Some(text)) => Value::Text(text.to_owned()).switch(key).map(Some),
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
