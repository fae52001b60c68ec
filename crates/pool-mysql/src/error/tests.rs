//! Which failures are which.

use std::io;
use std::sync::Arc;

use mysql_async::ServerError;

use pool_core::ErrorClass;

use super::*;
use crate::error::classify::classify;

fn server_error(code: u16) -> mysql_async::Error {
    mysql_async::Error::Server(ServerError {
        code,
        message: "what the server says".into(),
        state: "HY000".into(),
    })
}

fn server(code: u16) -> Error {
    Error::Driver(server_error(code))
}

#[test]
fn server_errors_are_classified_by_their_number() {
    for (class, codes) in [
        (ErrorClass::Auth, &[1045, 1044, 1698][..]),
        (ErrorClass::Config, &[1049]),
        (ErrorClass::Overloaded, &[1040, 1203, 1226]),
        (ErrorClass::ReadOnly, &[1290, 1792, 1836]),
        (ErrorClass::Transient, &[1053, 1213, 4031]),
    ] {
        for &code in codes {
            assert_eq!(classify(&server(code)), class, "{code}");
        }
    }
}

#[test]
fn a_network_that_fails_may_work_the_next_time() {
    for kind in [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::NotFound,
        io::ErrorKind::UnexpectedEof,
    ] {
        let error = Error::from(mysql_async::Error::from(io::Error::from(kind)));
        assert_eq!(classify(&error), ErrorClass::Transient);
    }
    let lookup = |why: &str| {
        let text = format!("failed to lookup address information: {why}");
        classify(&Error::from(mysql_async::Error::from(io::Error::other(
            text,
        ))))
    };
    assert_eq!(lookup("Name or service not known"), ErrorClass::Config);
    assert_eq!(
        lookup("Temporary failure in name resolution"),
        ErrorClass::Transient
    );
}

#[test]
fn a_network_that_fails_is_lost_and_one_that_nobody_answers_may_be_tried_again() {
    let io = |kind: io::ErrorKind| Error::from(mysql_async::Error::from(io::Error::from(kind)));
    let cut = io(io::ErrorKind::ConnectionReset);
    assert!(cut.is_connection_lost() && !cut.is_retryable());
    let refused = io(io::ErrorKind::ConnectionRefused);
    assert!(refused.is_retryable() && !refused.is_connection_lost());
    let closed = Error::from(closed());
    assert!(closed.is_connection_lost() && !closed.is_retryable());
    let late = Error::ConnectTimeout {
        to: "h:3306 as app".into(),
        after: Duration::from_secs(1),
    };
    assert!(late.is_retryable() && !late.is_connection_lost());
}

#[test]
fn a_commit_without_an_answer_is_an_error_of_its_own() {
    let cut = || mysql_async::Error::from(io::Error::from(io::ErrorKind::ConnectionReset));
    let error = crate::error::outcome::of(cut(), true);
    assert!(error.is_outcome_unknown() && error.is_connection_lost() && !error.is_retryable());
    let error = Error::from(error);
    assert!(error.is_outcome_unknown() && error.is_connection_lost() && !error.is_retryable());
    assert!(
        error
            .source()
            .is_some_and(|source| source.is::<mysql_async::Error>())
    );
    let other = mysql_async::Error::Other("something else".into());
    assert!(matches!(Error::from(other), Error::Driver(_)));
}

#[test]
fn a_message_is_one_line_with_the_cause_and_the_source_is_kept() {
    let error = server(1045);
    assert_eq!(error.to_string(), "1045 (HY000): what the server says");
    assert_eq!(error.server_code(), Some(1045));
    let source = error.source().expect("the driver's error");
    assert!(source.is::<mysql_async::Error>());
    let error = Error::from(ConfigError::new("port", "0 is no port"));
    assert_eq!(
        error.to_string(),
        "an option cannot be used: port: 0 is no port"
    );
    assert_eq!(
        error.source().map(ToString::to_string).as_deref(),
        Some("port: 0 is no port")
    );
    let reset = io::Error::other("reset by peer");
    let error = Error::from(mysql_async::Error::from(reset));
    assert_eq!(
        error.to_string(),
        "the connection to the server failed: reset by peer"
    );
    let error = Error::from(mysql_async::Error::from(DriverError::PacketTooLarge));
    assert_eq!(error.to_string(), "the driver failed: Packet too large.");
    let error = Error::from(crate::error::outcome::of(server_error(1053), true));
    assert_eq!(
        error.to_string(),
        "the connection was lost before the answer to a COMMIT, and whether it was carried out is unknown: \
         1053 (HY000): what the server says"
    );
}

#[test]
fn an_error_of_the_pool_keeps_its_text_its_source_and_what_its_cause_means() {
    let cause = Arc::new(server(1040));
    let from_pool = |error: pool_core::Error<Error>| Error::from(error);
    let error = from_pool(pool_core::Error::Connect(Arc::clone(&cause)));
    assert_eq!(
        error.to_string(),
        "connecting failed: 1040 (HY000): what the server says"
    );
    assert_eq!(error.server_code(), Some(1040));
    assert!(error.is_retryable() && !error.is_connection_lost() && !error.is_closed());
    let source = error.source().expect("the manager's error");
    assert!(source.is::<Error>());
    assert!(
        source
            .source()
            .is_some_and(|e| e.is::<mysql_async::Error>())
    );

    let error = from_pool(pool_core::Error::Recycle(cause));
    assert_eq!(
        error.to_string(),
        "recycling failed, and the connection was discarded: 1040 (HY000): what the server says"
    );
    assert!(from_pool(pool_core::Error::Exhausted).is_retryable());
    let error = from_pool(pool_core::Error::Closed);
    assert_eq!(error.to_string(), "the pool is closed");
    assert!(!error.is_retryable() && !error.is_closed() && error.source().is_none());
    let error = from_pool(ConfigError::new("maxsize", "too large").into());
    assert!(matches!(error, Error::Config(_)));
}

fn failed_connect(cause: mysql_async::Error) -> Error {
    connect_failed::of("db.example:3306 as app".into(), cause).into()
}

#[test]
fn a_failed_connect_says_where_it_went_and_why_it_failed() {
    let refused = io::Error::from_raw_os_error(111);
    let of_the_system = refused.to_string();
    for (cause, text) in [
        (server_error(1045), "1045 (HY000): what the server says"),
        (refused.into(), of_the_system.as_str()),
        (closed(), "the connection was closed"),
        (
            DriverError::CleartextPluginDisabled.into(),
            "mysql_clear_password must be enabled on the client side",
        ),
    ] {
        let error = failed_connect(cause);
        let expected = format!("connecting to db.example:3306 as app failed: {text}");
        assert_eq!(error.to_string(), expected);
        let in_the_pool = pool_core::Error::Connect(Arc::new(error));
        assert_eq!(in_the_pool.to_string(), expected);
        assert_eq!(Error::from(in_the_pool).to_string(), expected);
    }
    let late = Error::ConnectTimeout {
        to: "/run/my.sock as app".into(),
        after: Duration::from_secs(1),
    };
    assert_eq!(
        late.to_string(),
        "connecting to /run/my.sock as app took longer than 1s"
    );
}

#[test]
fn a_failed_connect_means_what_its_cause_means() {
    let causes: [fn() -> mysql_async::Error; 6] = [
        || server_error(1045),
        || server_error(1040),
        || server_error(4031),
        || io::Error::from(io::ErrorKind::ConnectionRefused).into(),
        || io::Error::from(io::ErrorKind::PermissionDenied).into(),
        closed,
    ];
    for cause in causes {
        let (failed, cause) = (failed_connect(cause()), Error::from(cause()));
        assert!(matches!(failed, Error::Driver(_)));
        assert_eq!(classify(&failed), classify(&cause), "{cause}");
        assert_eq!(failed.server_code(), cause.server_code());
        assert_eq!(failed.is_retryable(), cause.is_retryable(), "{cause}");
        assert_eq!(failed.is_connection_lost(), cause.is_connection_lost());
        assert_eq!(failed.is_closed(), cause.is_closed(), "{cause}");
        let source = failed
            .source()
            .and_then(|e| e.downcast_ref::<mysql_async::Error>());
        let Error::Driver(cause) = cause else {
            panic!("no error of the driver: {cause:?}");
        };
        assert_eq!(source.map(ToString::to_string), Some(cause.to_string()));
    }
}

#[test]
fn a_refusal_stays_one_when_the_provider_has_no_other_credentials() {
    let Error::Driver(refusal) = failed_connect(server_error(1045)) else {
        panic!("a failed connect is an error of the driver");
    };
    let why = Error::Credentials(Arc::new(io::Error::other("the vault is sealed")));
    assert_eq!(classify(&why), ErrorClass::Transient);
    let error = Error::from(connect_failed::without_others(refusal, why.to_string()));
    assert_eq!(
        error.to_string(),
        "connecting to db.example:3306 as app failed: 1045 (HY000): what the server says; \
         the credentials provider failed: the vault is sealed"
    );
    assert_eq!(classify(&error), ErrorClass::Auth);
    assert_eq!(error.server_code(), Some(1045));
    assert!(!error.is_retryable());
}

#[test]
fn parameters_that_do_not_fit_read_the_same_from_us_and_from_the_driver() {
    let missing = DriverError::from(mysql_async::params::MissingNamedParameterError(
        "größe".into(),
    ));
    let own = Error::MissingParameter {
        name: "größe".into(),
    };
    let text = "there is no value for the parameter größe";
    assert_eq!(Error::Driver(missing.into()).to_string(), text);
    assert_eq!(own.to_string(), text);
    for (required, given, text) in [
        (1, 2, "the statement has 1 parameter, but 2 were given"),
        (2, 1, "the statement has 2 parameters, but 1 was given"),
        (0, 3, "the statement has 0 parameters, but 3 were given"),
    ] {
        let supplied = given;
        let theirs = DriverError::StmtParamsMismatch { required, supplied };
        assert_eq!(Error::Driver(theirs.into()).to_string(), text);
        let expected = required.into();
        assert_eq!(Error::ParameterCount { expected, given }.to_string(), text);
    }
}

#[test]
fn an_error_of_the_pool_costs_no_more_room_than_one_of_the_driver() {
    let room = std::mem::size_of::<mysql_async::Error>() + std::mem::size_of::<usize>();
    assert!(std::mem::size_of::<Error>() <= room);
}
