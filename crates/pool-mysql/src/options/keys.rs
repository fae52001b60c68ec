//! The options by name, as URLs and configuration files write them.

use pool_core::ConfigError;

use super::aliases;
use super::nearest::nearest;
use super::pool_setting::POOL_KEYS;
use super::setting::Setting;
use super::values::Value;
use super::{ConnectOptions, IoRuntime, ResetPolicy, SslMode};

/// Sets one option. Its arguments include the name that was used, for error messages.
type Set = fn(&mut ConnectOptions, &str, Value) -> Result<(), ConfigError>;

/// The options of a connection, in alphabetical order.
const KEYS: &[(&str, Set)] = &[
    ("auth_plugin", |o, k, v| put(&mut o.auth_plugin, v.text(k))),
    ("autocommit", |o, k, v| {
        v.switch_or_none(k).map(|on| o.autocommit = on)
    }),
    ("charset", |o, k, v| put(&mut o.charset, v.text(k))),
    ("client_flag", |o, k, v| {
        v.whole(k).map(|flags| o.client_flag = flags)
    }),
    ("command_timeout", |o, k, v| {
        v.duration(k).map(|limit| o.command_timeout = limit)
    }),
    ("connect_timeout", |o, k, v| {
        put(&mut o.connect_timeout, v.duration(k))
    }),
    ("echo", |o, k, v| v.switch(k).map(|on| o.echo = on)),
    ("enable_cleartext_plugin", |o, k, v| {
        v.switch(k).map(|on| o.enable_cleartext_plugin = on)
    }),
    ("init_command", |o, k, v| {
        put(&mut o.init_command, v.text(k))
    }),
    ("io_runtime", |o, k, v| {
        v.one_of(k, IO_RUNTIMES).map(|place| o.io_runtime = place)
    }),
    ("kill_on_cancel", |o, k, v| {
        v.switch(k).map(|on| o.kill_on_cancel = on)
    }),
    ("local_infile", |o, k, v| {
        v.switch(k).map(|on| o.local_infile = on)
    }),
    ("local_infile_paths", |o, k, v| {
        v.paths(k).map(|paths| o.local_infile_paths.extend(paths))
    }),
    ("program_name", |o, k, v| {
        put(&mut o.program_name, v.text(k))
    }),
    ("read_default_file", |o, k, v| {
        put(&mut o.read_default_file, v.path(k))
    }),
    ("read_default_group", |o, k, v| {
        put(&mut o.read_default_group, v.text(k))
    }),
    ("reset_policy", |o, k, v| {
        v.one_of(k, RESET_POLICIES)
            .map(|policy| o.reset_policy = policy)
    }),
    ("sql_mode", |o, k, v| put(&mut o.sql_mode, v.text(k))),
    ("ssl_ca", |o, k, v| put(&mut o.ssl.ca, v.path(k))),
    ("ssl_cert", |o, k, v| put(&mut o.ssl.cert, v.path(k))),
    ("ssl_cert_password", |o, k, v| {
        put(&mut o.ssl.cert_password, v.text(k))
    }),
    ("ssl_key", |o, k, v| put(&mut o.ssl.key, v.path(k))),
    ("ssl_mode", |o, k, v| {
        put(&mut o.ssl.mode, v.one_of(k, SSL_MODES))
    }),
    ("statement_cache_size", |o, k, v| {
        v.whole(k)
            .map(|statements| o.statement_cache_size = statements)
    }),
    ("tcp_keepalive", |o, k, v| {
        v.duration(k).map(|after| o.tcp_keepalive = after)
    }),
    ("tcp_nodelay", |o, k, v| {
        v.switch(k).map(|on| o.tcp_nodelay = on)
    }),
    ("unix_socket", |o, k, v| put(&mut o.unix_socket, v.path(k))),
];

/// The options that have their own place in a URL, and are keys in a configuration file.
const PLACES: &[(&str, Set)] = &[
    ("db", |o, k, v| put(&mut o.db, v.text(k))),
    ("host", |o, k, v| {
        v.text(k).map(|host| o.host = Setting::explicit(host))
    }),
    ("password", |o, k, v| {
        let password = v.text(k)?;
        o.password = Some(password).filter(|password| !password.is_empty());
        Ok(())
    }),
    ("port", |o, k, v| {
        v.whole(k).map(|port| o.port = Setting::explicit(port))
    }),
    ("user", |o, k, v| put(&mut o.user, v.text(k))),
];

const IO_RUNTIMES: &[(&str, IoRuntime)] = &[
    ("auto", IoRuntime::Auto),
    ("background", IoRuntime::Background),
];

const RESET_POLICIES: &[(&str, ResetPolicy)] = &[
    ("always", ResetPolicy::Always),
    ("if_dirty", ResetPolicy::IfDirty),
    ("rollback_only", ResetPolicy::RollbackOnly),
    ("never", ResetPolicy::Never),
];

/// The values of `ssl-mode`.
pub(super) const SSL_MODES: &[(&str, SslMode)] = &[
    ("disabled", SslMode::Disabled),
    ("preferred", SslMode::Preferred),
    ("required", SslMode::Required),
    ("verify_ca", SslMode::VerifyCa),
    ("verify_identity", SslMode::VerifyIdentity),
];

/// The parameters of `aiomysql.connect()` that this crate does not have, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    (
        "conv",
        "there are no converters to give: a type of yours that implements FromValue decodes a column as it likes; remove it",
    ),
    (
        "cursorclass",
        "a cursor is chosen where it is made, by the method of the connection that makes it; remove it",
    ),
    (
        "loop",
        "there is no event loop to give: every executor will do; remove it",
    ),
    (
        "server_public_key",
        "the driver takes no key: use a unix socket, or ssl_mode=verify_identity, where none is needed; remove it",
    ),
    (
        "ssl",
        "there is no context object to give: say ssl_mode=required, or ssl_mode=verify_identity with ssl_ca",
    ),
    (
        "use_unicode",
        "there is no switch: read a column as String for text, or as Vec<u8> for bytes; remove it",
    ),
];

/// What to do where a special character has cut a URL in two at the wrong place.
pub(super) const ENCODE: &str = "write special characters of user, password and database percent-encoded (@ as %40, / as %2F, # as %23, ? as %3F, : as %3A)";

/// Where an option was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Among the parameters of a URL.
    Url,
    /// As a field of a configuration file.
    #[cfg_attr(not(feature = "serde"), allow(dead_code))]
    Field,
}

impl ConnectOptions {
    /// Sets an option by its name. The value of an option that connections do not have is given back.
    pub(super) fn set(
        &mut self,
        form: Form,
        key: &str,
        value: Value,
    ) -> Result<Option<Value>, ConfigError> {
        let places = match form {
            Form::Url => &[],
            Form::Field => PLACES,
        };
        let plain = plain(key);
        match KEYS.iter().chain(places).find(|(name, _)| *name == plain) {
            Some((name, set)) => set(self, name, value).map(|()| None),
            None => Ok(Some(value)),
        }
    }
}

/// The form in which a key is looked up: MySQL writes `ssl-mode`, aiomysql would write `ssl_mode`, others say `sslmode`.
pub(super) fn plain(key: &str) -> String {
    match aliases::same(key) {
        Some(ours) => ours.to_owned(),
        None => key.replace('-', "_"),
    }
}

fn put<T>(place: &mut Option<T>, value: Result<T, ConfigError>) -> Result<(), ConfigError> {
    *place = Some(value?);
    Ok(())
}

/// The error for an unknown key; `of_pool` says whether the options of a pool are allowed here.
pub(super) fn unknown(form: Form, key: &str, of_pool: bool) -> ConfigError {
    if !is_word(key) {
        return strange(form);
    }
    let error = |message: String| ConfigError::new(key.to_owned(), message);
    let similar = aliases::similar(key);
    let plain = similar.map_or_else(|| plain(key), ToOwned::to_owned);
    if let Some((_, instead)) = REFUSED.iter().find(|(name, _)| *name == plain) {
        return error((*instead).to_owned());
    }
    if !of_pool && POOL_KEYS.contains(&plain.as_str()) {
        return error(match form {
            Form::Url => {
                "only a pool has a use for it: pass this URL to create_pool_from_url".into()
            }
            Form::Field => "only a pool has a use for it: read PoolOptions instead".into(),
        });
    }
    let in_place = PLACES.iter().map(|(name, _)| *name);
    if form == Form::Url && in_place.clone().any(|name| name == plain) {
        return error("it has its own place: mysql://user:password@host:port/db".into());
    }
    let mut known: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
    if of_pool {
        known.extend(POOL_KEYS);
    }
    if form == Form::Field {
        known.extend(in_place);
    }
    known.sort_unstable();
    error(match similar.or_else(|| nearest(&plain, &known)) {
        Some(nearest) => format!("no such parameter; did you mean {nearest}?"),
        None => format!("no such parameter; there are {}", known.join(", ")),
    })
}

/// The error for a key that was given twice.
pub(super) fn twice(form: Form, key: &str) -> ConfigError {
    match is_word(key) {
        true => ConfigError::new(key.to_owned(), "it is given twice: remove one"),
        false => strange(form),
    }
}

/// Whether the key may be given more than once.
pub(super) fn is_a_list(key: &str) -> bool {
    key == "local_infile_paths"
}

/// A key that does not look like a key is usually the second half of a password, so an error must not show it.
pub(super) fn strange(form: Form) -> ConfigError {
    match form {
        Form::Url => ConfigError::new(
            "url",
            format!("what follows the ? is no list of parameters: {ENCODE}"),
        ),
        Form::Field => ConfigError::new("options", "a name is no word of letters, digits and _"),
    }
}

fn is_word(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 32
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_in_order_and_there_is_no_key_twice() {
        let keys: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let mut all = [&keys, POOL_KEYS].concat();
        all.extend(PLACES.iter().map(|(name, _)| *name));
        all.extend(REFUSED.iter().map(|(name, _)| *name));
        all.sort_unstable();
        let number = all.len();
        all.dedup();
        assert_eq!(all.len(), number);
    }

    #[test]
    fn a_dash_means_an_underscore() {
        let mut options = ConnectOptions::new();
        let value = Value::Text("VERIFY-CA".into());
        assert!(matches!(
            options.set(Form::Url, "ssl-mode", value),
            Ok(None)
        ));
        assert_eq!(options, ConnectOptions::new().ssl_mode(SslMode::VerifyCa));
    }

    #[test]
    fn the_host_is_a_field_but_no_parameter_of_a_url() {
        let mut options = ConnectOptions::new();
        let value = || Value::Text("h".into());
        assert!(matches!(
            options.set(Form::Url, "host", value()),
            Ok(Some(_))
        ));
        assert!(matches!(
            options.set(Form::Field, "host", value()),
            Ok(None)
        ));
        assert_eq!(options, ConnectOptions::new().host("h"));
        let error = unknown(Form::Url, "host", true);
        assert!(error.message().contains("its own place"));
    }

    #[test]
    fn parameters_of_aiomysql_that_are_missing_name_a_replacement() {
        for (name, instead) in REFUSED {
            let error = unknown(Form::Field, name, true);
            assert_eq!((error.field(), error.message()), (*name, *instead));
        }
    }
}
