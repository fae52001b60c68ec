//! The options in the form that the driver and the server need.

use mysql_async::{Opts, OptsBuilder};
use pool_core::ConfigError;

use super::{ConnectOptions, SslMode, client_flag};
use crate::statement::quote;

/// What the options mean for the driver and the server, worked out once: option files and certificates were read.
///
/// It holds the password, so it has no `Debug`.
pub(crate) struct ResolvedOptions {
    /// The options, with what their option file adds.
    pub(crate) options: ConnectOptions,
    pub(crate) opts: Opts,
    /// The same without TLS, for a server that has none. `None` where the options insist on TLS.
    pub(crate) without_tls: Option<Opts>,
    /// The statement that applies the options to a session of the server's defaults; empty where there is nothing to apply.
    ///
    /// It is one text, so that it costs one round trip. It is not among the driver's own `setup` statements for two
    /// reasons: the driver runs those in reverse order, and this text is sent together with the first question to a new
    /// session.
    pub(crate) settings: String,
    /// The same, after `USE` of the configured database: a reset leaves the session in the database of its last user.
    pub(crate) settings_and_db: String,
}

impl ResolvedOptions {
    /// Checks the options, reads their files, and works out the rest.
    pub(crate) fn new(options: ConnectOptions) -> Result<Self, ConfigError> {
        options.check()?;
        let options = options.resolved()?;
        options.check()?;
        let plain = driver_opts(&options);
        let (opts, without_tls) = match (options.ssl.mode(), &options.unix_socket) {
            (SslMode::Disabled, _) | (_, Some(_)) => (plain, None),
            (SslMode::Preferred, None) => (with_tls(&options, plain.clone())?, Some(plain)),
            (_, None) => (with_tls(&options, plain)?, None),
        };
        let settings = settings(&options);
        let mut settings_and_db = settings.clone();
        if let Some(db) = &options.db {
            settings_and_db = format!("USE {}", quote::name(db));
            if !settings.is_empty() {
                settings_and_db.push_str("; ");
                settings_and_db.push_str(&settings);
            }
        }
        Ok(Self {
            options,
            opts,
            without_tls,
            settings,
            settings_and_db,
        })
    }
}

fn driver_opts(options: &ConnectOptions) -> Opts {
    let mut builder = OptsBuilder::default()
        .ip_or_hostname(options.host_name())
        .tcp_port(options.port_number())
        .user(options.login())
        .pass(options.password.as_deref())
        .db_name(options.db.as_deref())
        // By default the driver changes from a TCP connection on the loopback address to the server's unix socket. That
        // costs a second connect, and the caller asked for TCP.
        .prefer_socket(false)
        .tcp_keepalive(options.tcp_keepalive)
        .tcp_nodelay(options.tcp_nodelay)
        // Without a cache the driver never closes a statement that it has prepared by itself. With one place it closes
        // each when the next comes.
        .stmt_cache_size(options.statement_cache_size.max(1))
        .client_found_rows(client_flag::wants_found_rows(options.client_flag))
        // Nobody else can read what goes through a unix socket.
        .enable_cleartext_plugin(options.enable_cleartext_plugin || options.unix_socket.is_some())
        .connect_attribute("_client_name", env!("CARGO_PKG_NAME"))
        .connect_attribute("_client_version", env!("CARGO_PKG_VERSION"))
        .connect_attribute("_pid", std::process::id().to_string());
    if let Some(path) = options
        .unix_socket
        .as_deref()
        .and_then(|path| path.to_str())
    {
        builder = builder.socket(Some(path));
    }
    if let Some(name) = &options.program_name {
        builder = builder.connect_attribute("program_name", name);
    }
    builder.into()
}

/// The same over TLS, where the password may be sent in clear text.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn with_tls(options: &ConnectOptions, plain: Opts) -> Result<Opts, ConfigError> {
    let builder = OptsBuilder::from_opts(plain)
        .ssl_opts(Some(super::ssl_files::ssl_opts(&options.ssl)?))
        .enable_cleartext_plugin(true);
    Ok(builder.into())
}

/// Never called: `check` refuses TLS in a build without it.
#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn with_tls(_: &ConnectOptions, _: Opts) -> Result<Opts, ConfigError> {
    Err(ConfigError::new("ssl_mode", "this build has no TLS"))
}

/// `check` has refused values that would end a quoted text or begin another statement.
fn settings(options: &ConnectOptions) -> String {
    let mut parts = Vec::new();
    if let Some(charset) = &options.charset {
        parts.push(format!("NAMES {charset}"));
    }
    if let Some(on) = options.autocommit {
        parts.push(format!("autocommit = {}", u8::from(on)));
    }
    if let Some(modes) = &options.sql_mode {
        parts.push(format!("sql_mode = '{modes}'"));
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!("SET {}", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(options: ConnectOptions) -> ResolvedOptions {
        ResolvedOptions::new(options)
            .map_err(|e| e.to_string())
            .unwrap()
    }

    #[test]
    fn default_options_apply_nothing_to_a_session() {
        let resolved = resolved(ConnectOptions::new());
        assert_eq!(resolved.settings, "");
        assert_eq!(resolved.settings_and_db, "");
    }

    #[test]
    fn all_settings_of_a_session_go_into_one_text() {
        let options = ConnectOptions::new()
            .db("a`b")
            .charset("latin1")
            .autocommit(false)
            .sql_mode("ANSI_QUOTES");
        let resolved = resolved(options);
        let settings = "SET NAMES latin1, autocommit = 0, sql_mode = 'ANSI_QUOTES'";
        assert_eq!(resolved.settings, settings);
        assert_eq!(resolved.settings_and_db, format!("USE `a``b`; {settings}"));
    }

    #[test]
    fn the_driver_gets_what_it_needs() {
        let options = ConnectOptions::new()
            .host("db.example")
            .port(3307)
            .user("app")
            .password("secret")
            .db("shop")
            .program_name("till");
        let opts = resolved(options).opts;
        assert_eq!(opts.ip_or_hostname(), "db.example");
        assert_eq!(opts.tcp_port(), 3307);
        assert_eq!(opts.user(), Some("app"));
        assert_eq!(opts.pass(), Some("secret"));
        assert_eq!(opts.db_name(), Some("shop"));
        assert!(!opts.prefer_socket());
        assert_eq!(opts.socket(), None);
        let attributes = opts.connect_attributes().expect("there are some");
        assert_eq!(attributes["program_name"], "till");
        assert_eq!(attributes["_client_name"], "pool-mysql");
        assert_eq!(attributes["_pid"], std::process::id().to_string());
    }

    #[test]
    fn a_clear_text_password_goes_over_plain_tcp_only_if_enabled() {
        let new = || ConnectOptions::new().ssl_mode(SslMode::Disabled);
        assert!(!resolved(new()).opts.enable_cleartext_plugin());
        let forced = resolved(new().enable_cleartext_plugin(true));
        assert!(forced.opts.enable_cleartext_plugin());
        assert!(
            resolved(new().unix_socket("/s"))
                .opts
                .enable_cleartext_plugin()
        );
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    #[test]
    fn tls_is_in_the_opts_and_preferred_has_opts_without_it() {
        let with = |mode| resolved(ConnectOptions::new().ssl_mode(mode));
        let preferred = with(SslMode::Preferred);
        assert!(preferred.opts.ssl_opts().is_some());
        assert!(preferred.opts.enable_cleartext_plugin());
        let without = preferred.without_tls.expect("it may do without");
        assert!(without.ssl_opts().is_none());
        assert!(!without.enable_cleartext_plugin());
        for (mode, any_name, anybody) in [
            (SslMode::Required, true, true),
            (SslMode::VerifyCa, true, false),
            (SslMode::VerifyIdentity, false, false),
        ] {
            let strict = with(mode);
            assert!(strict.without_tls.is_none());
            let ssl = strict.opts.ssl_opts().expect("TLS");
            assert_eq!(ssl.skip_domain_validation(), any_name);
            assert_eq!(ssl.accept_invalid_certs(), anybody);
        }
        let options = ConnectOptions::new().ssl_mode(SslMode::Preferred);
        let socket = resolved(options.unix_socket("/s"));
        assert!(socket.opts.ssl_opts().is_none());
    }

    #[test]
    fn found_rows_are_counted_if_the_flag_is_given() {
        use mysql_async::consts::CapabilityFlags;
        let flags = CapabilityFlags::CLIENT_FOUND_ROWS;
        let found = resolved(ConnectOptions::new().client_flag(flags));
        assert!(found.opts.client_found_rows());
        assert!(!resolved(ConnectOptions::new()).opts.client_found_rows());
    }

    #[test]
    fn bad_options_never_reach_the_driver() {
        let error = ResolvedOptions::new(ConnectOptions::new().host("")).err();
        assert_eq!(error.expect("the host is empty").field(), "host");
    }
}
