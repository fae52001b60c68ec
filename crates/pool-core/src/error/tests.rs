//! What the errors say.

use super::*;

#[test]
fn each_error_says_its_cause_in_one_line() {
    let cause = Arc::new(std::io::Error::other("no route to host"));
    let last_connect = Some(Arc::clone(&cause));
    let status = Status::default();
    let cases: [(Error<std::io::Error>, &str); 4] = [
        (
            Error::Connect(Arc::clone(&cause)),
            "connecting failed: no route to host",
        ),
        (
            Error::Recycle(cause),
            "recycling failed, and the connection was discarded: no route to host",
        ),
        (
            Error::Timeout {
                phase: Phase::Wait,
                after: Duration::from_secs(3),
                status,
                last_connect,
                report: Box::default(),
            },
            "; the last connect failed: no route to host",
        ),
        (
            Error::Config(ConfigError::new("maxsize", "too large")),
            "a setting of the pool cannot be used: maxsize: too large",
        ),
    ];
    for (error, text) in cases {
        let line = error.to_string();
        assert!(line.ends_with(text) && !line.contains('\n'), "{line}");
        assert!(error.source().is_some());
    }
}

#[test]
fn a_cause_of_several_lines_is_part_of_one() {
    let cause = Arc::new(std::io::Error::other("no route\n  to host\r\n\nat all\n"));
    let message = "one\ntwo".to_owned();
    let last_connect = Some(Arc::clone(&cause));
    let errors = [
        Error::Connect(Arc::clone(&cause)),
        Error::Recycle(Arc::clone(&cause)),
        Error::Check(Arc::clone(&cause)),
        Error::Panicked {
            phase: Phase::Check,
            message,
        },
        Error::Timeout {
            phase: Phase::Wait,
            after: Duration::from_secs(3),
            status: Status::default(),
            last_connect: last_connect.clone(),
            report: Box::default(),
        },
        Error::BreakerOpen {
            pool: Arc::from("orders"),
            class: ErrorClass::Auth,
            last_connect,
            retry_after: Duration::from_secs(1),
        },
        Error::Config(ConfigError::new("timeout", "one\n two")),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(!text.contains(['\n', '\r']), "{text:?}");
        assert!(text.ends_with("no route to host at all") || text.ends_with("one two"));
    }
}

#[test]
fn a_manager_that_says_itself_what_it_was_connecting_to_is_not_introduced_twice() {
    let text = "connecting to db.example:3306 failed: no route to host";
    let error = Error::Connect(Arc::new(std::io::Error::other(text)));
    assert_eq!(error.to_string(), text);
    let error = Error::Connect(Arc::new(std::io::Error::other("connection refused")));
    assert_eq!(error.to_string(), "connecting failed: connection refused");
}
