//! What a health endpoint is told while a real server stands still, is stopped, and refuses the password.

use std::time::Duration;

use futures::executor::block_on;
use pool_core::{Error, ErrorClass, Phase, Readiness};
use pool_mysql::{ConnectOptions, Pool, create_pool};
use private_server::PrivateServer;

const SECOND: Duration = Duration::from_secs(1);

fn pool(options: ConnectOptions) -> Pool {
    create_pool(options)
        .minsize(0)
        .maxsize(2)
        .connect_timeout(SECOND)
        .check_timeout(SECOND)
        // Each failure is to be seen.
        .connect_retry(None)
        .build_lazy()
        .expect("the settings are right")
}

fn options(server: &PrivateServer) -> ConnectOptions {
    ConnectOptions::from_url(&server.url()).expect("its own url")
}

#[test]
fn a_ping_of_a_server_that_stands_still_ends_with_its_time_out() {
    block_on(async {
        let server = PrivateServer::start().expect("a server");
        let pool = pool(options(&server));
        pool.ping().await.expect("it answers");
        server.pause();
        let error = pool.ping().await.expect_err("nobody answers");
        let Error::Timeout { phase, after, .. } = error else {
            panic!("it must be a time-out: {error}");
        };
        assert_eq!((phase, after), (Phase::Check, SECOND), "the idle one");
        let error = pool.ping().await.expect_err("nobody answers");
        let words = error.to_string();
        assert!(
            words.contains("took longer than 1s") || words.contains("timed out after 1s"),
            "{words}"
        );
        assert!(!pool.readiness().is_serving(), "{}", pool.readiness());
        server.resume();
        pool.ping().await.expect("it answers again");
        assert!(pool.readiness().is_serving(), "{}", pool.readiness());
        pool.close();
        pool.wait_closed().await.expect("it was closed");
    });
}

#[test]
fn while_the_server_is_stopped_the_pool_does_not_serve_and_one_ping_finds_it_again() {
    block_on(async {
        let server = PrivateServer::start().expect("a server");
        let pool = pool(options(&server));
        pool.ping().await.expect("it answers");
        server.stop();
        // The idle connection was lost: the first ping finds that out, or the check before its hand-out does.
        while pool.size() > 0 {
            pool.ping().await.expect_err("nobody is there");
        }
        let error = pool.ping().await.expect_err("nobody is there");
        assert!(matches!(error, Error::Connect(_)), "{error}");
        assert!(error.to_string().contains("refused"), "{error}");
        let words = pool.readiness().to_string();
        assert!(
            words.starts_with("not serving: no connection is open, and the last connect failed ")
                && words.contains(" ago (transient); size 0"),
            "{words}"
        );
        server.start_again().expect("it starts");
        pool.ping().await.expect("it answers again");
        assert!(pool.readiness().to_string().starts_with("ready; size 1"));
        pool.close();
        pool.wait_closed().await.expect("it was closed");
    });
}

#[test]
fn a_wrong_password_is_told_as_such_and_never_shown() {
    block_on(async {
        let server = PrivateServer::start().expect("a server");
        let options = ConnectOptions::new()
            .host(server.host())
            .port(server.port());
        let pool = pool(options.user("app").password("wrong-and-secret"));
        let error = pool.ping().await.expect_err("the password is wrong");
        let readiness = pool.readiness();
        let Readiness::CannotConnect { class, .. } = readiness else {
            panic!("it must say that it cannot connect: {readiness}");
        };
        assert_eq!(class, ErrorClass::Auth);
        assert!(error.to_string().contains("Access denied"), "{error}");
        for words in [
            error.to_string(),
            format!("{error:?}"),
            readiness.to_string(),
            format!("{readiness:?}"),
        ] {
            assert!(!words.contains("wrong-and-secret"), "{words}");
        }
    });
}
