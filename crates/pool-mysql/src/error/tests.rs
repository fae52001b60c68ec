//! Which failures are which.

use std::io;

use mysql_async::ServerError;

use super::*;

fn server(code: u16) -> Error {
    Error::Driver(mysql_async::Error::Server(ServerError {
        code,
        message: "what the server says".into(),
        state: "HY000".into(),
    }))
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
fn messages_do_not_repeat_their_source() {
    let error = server(1045);
    assert_eq!(
        error.to_string(),
        "the server refused with error 1045 (HY000)"
    );
    assert_eq!(error.server_code(), Some(1045));
    let source = error.source().expect("the driver's error");
    assert!(source.to_string().contains("what the server says"));
    let error = Error::from(ConfigError::new("port", "0 is no port"));
    assert_eq!(error.to_string(), "an option cannot be used");
    assert_eq!(
        error.source().map(ToString::to_string).as_deref(),
        Some("port: 0 is no port")
    );
}
