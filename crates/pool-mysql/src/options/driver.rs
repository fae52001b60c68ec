//! The options as the driver and the server take them.

use std::sync::{Mutex, PoisonError};

use mysql_async::{Opts, OptsBuilder};
use pool_core::ConfigError;

use super::ConnectOptions;
use super::packet_limit::PacketLimit;
use crate::io_runtime::Place;
use crate::quote;

/// Everything that opening and resetting a session needs, worked out once.
///
/// It holds the password, so it has no `Debug`.
pub(crate) struct Blueprint {
    pub(crate) options: ConnectOptions,
    pub(crate) opts: Opts,
    /// The same with a packet limit, for the driver that is told one.
    limited: Mutex<Option<(usize, Opts)>>,
    pub(crate) packet_limit: PacketLimit,
    /// Where its sockets are opened.
    pub(crate) place: Place,
    /// What makes a session of the server's defaults the one that was asked for; empty where that is nothing.
    ///
    /// One text for one round trip. It is not among the driver's own `setup` statements, because those it runs in reverse
    /// order, and because this one rides along with the questions that are asked of a new session.
    pub(crate) settings: String,
    /// The same with the configured database: a reset leaves the session in the database of its last user.
    pub(crate) settings_and_db: String,
}

impl Blueprint {
    /// Checks the options and works out the rest.
    pub(crate) fn new(options: ConnectOptions) -> Result<Self, ConfigError> {
        options.validate()?;
        let opts = driver_opts(&options);
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
            place: Place::new(options.io_runtime),
            packet_limit: PacketLimit::of(&options),
            options,
            opts,
            limited: Mutex::new(None),
            settings,
            settings_and_db,
        })
    }
}

impl Blueprint {
    /// The driver's options for a server that takes packets up to so many bytes; `None`: the driver asks.
    pub(crate) fn opts_with(&self, packet_limit: Option<usize>) -> Opts {
        let Some(limit) = packet_limit else {
            return self.opts.clone();
        };
        let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        match &*limited {
            Some((known, opts)) if *known == limit => opts.clone(),
            _ => {
                let opts: Opts = OptsBuilder::from_opts(self.opts.clone())
                    .max_allowed_packet(Some(limit))
                    // Only the driver's own pool asks for this; where it is not told the driver asks the server.
                    .wait_timeout(Some(0))
                    .into();
                *limited = Some((limit, opts.clone()));
                opts
            }
        }
    }
}

fn driver_opts(options: &ConnectOptions) -> Opts {
    let mut builder = OptsBuilder::default()
        .ip_or_hostname(&options.host)
        .tcp_port(options.port)
        .user(options.login())
        .pass(options.password.as_deref())
        .db_name(options.db.as_deref())
        // By default the driver leaves a loopback TCP connection for the server's unix socket: two connects, and
        // somebody who asked for TCP does not get it.
        .prefer_socket(false)
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

/// `validate` has seen to it that nothing here can leave its place.
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

    fn blueprint(options: ConnectOptions) -> Blueprint {
        Blueprint::new(options).map_err(|e| e.to_string()).unwrap()
    }

    #[test]
    fn a_session_without_wishes_costs_no_round_trip() {
        let blueprint = blueprint(ConnectOptions::new());
        assert_eq!(blueprint.settings, "");
        assert_eq!(blueprint.settings_and_db, "");
    }

    #[test]
    fn all_wishes_go_into_one_text() {
        let options = ConnectOptions::new()
            .db("a`b")
            .charset("latin1")
            .autocommit(false)
            .sql_mode("ANSI_QUOTES");
        let blueprint = blueprint(options);
        let settings = "SET NAMES latin1, autocommit = 0, sql_mode = 'ANSI_QUOTES'";
        assert_eq!(blueprint.settings, settings);
        assert_eq!(blueprint.settings_and_db, format!("USE `a``b`; {settings}"));
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
        let opts = blueprint(options).opts;
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
    fn a_driver_that_is_told_the_packet_limit_gets_everything_else_as_well() {
        let blueprint = blueprint(ConnectOptions::new().user("app").db("shop"));
        let asked = blueprint.opts_with(None);
        assert_eq!(
            (asked.max_allowed_packet(), asked.wait_timeout()),
            (None, None)
        );
        for limit in [2048, 4096, 4096] {
            let told = blueprint.opts_with(Some(limit));
            assert_eq!(told.max_allowed_packet(), Some(limit));
            assert!(told.wait_timeout().is_some());
            assert_eq!((told.user(), told.db_name()), (Some("app"), Some("shop")));
            assert_eq!(told.connect_attributes(), asked.connect_attributes());
            assert!(!told.prefer_socket());
        }
    }

    #[test]
    fn bad_options_never_reach_the_driver() {
        let error = Blueprint::new(ConnectOptions::new().host("")).err();
        assert_eq!(error.expect("the host is empty").field(), "host");
    }
}
