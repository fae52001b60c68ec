//! What a pool tells while its server is down, does not answer, refuses the password, is full, or is restarted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{join_all, join3};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::{self, Builder, CheckPolicy, ErrorClass};
use pool_mysql::{
    ClosedBecause, ConnectOptions, Error, MySqlManager, Pool, PooledConnection, create_pool,
};
use support::Told;

use crate::server::{Server, number, sleep, test};

const SOON: Duration = Duration::from_millis(150);
pub(crate) const LATER: Duration = Duration::from_secs(20);

/// A pool that checks each connection, and what it tells. A check and a connect may take so long.
fn told(options: ConnectOptions, maxsize: usize, limit: Duration) -> (Pool, Told) {
    let builder: Builder<MySqlManager> = create_pool(options)
        .name("orders")
        .minsize(0)
        .maxsize(maxsize)
        .check_policy(CheckPolicy::Always)
        .check_timeout(limit)
        .connect_timeout(limit)
        // Each failure is to be seen.
        .connect_retry(None)
        .acquire_timeout(LATER);
    let (builder, told) = Told::by(builder);
    (builder.build_lazy().expect("a good pool"), told)
}

/// Takes a connection and gives it back, so that it is idle; returns its number.
async fn one_is_idle(pool: &Pool) -> u64 {
    let start = Instant::now();
    loop {
        // On a busy machine a short limit may be too short.
        match pool.acquire().await {
            Ok(conn) => {
                let id = PooledConnection::id(&conn);
                PooledConnection::release(conn).await.expect("it is clean");
                return id;
            }
            Err(error) => assert!(start.elapsed() < LATER, "{error}"),
        }
    }
}

/// The sentence with these words at its beginning; the time in it is cut out.
fn sentence(sentences: &[String], words: &str) -> String {
    let found = sentences
        .iter()
        .find(|sentence| sentence.starts_with(words));
    let found = found.unwrap_or_else(|| panic!("no {words:?} in {sentences:#?}"));
    let mut parts: Vec<&str> = found.split(' ').collect();
    if let Some(after) = parts.iter().position(|part| *part == "after") {
        parts[after + 1] = parts[after + 1].trim_start_matches(|c: char| c != ':');
        parts.remove(after);
    }
    parts.join(" ").replace(" :", ":")
}

/// Waits for a time at which the pool can serve again.
pub(crate) async fn serves_again(pool: &Pool) {
    let start = Instant::now();
    loop {
        match pool.acquire().await {
            Ok(mut conn) => return assert_eq!(number(&mut conn, "SELECT 42").await, 42),
            Err(error) => assert!(start.elapsed() < LATER, "{error}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn while_the_server_is_down_the_errors_and_the_events_name_the_cause() {
    test(|| async {
        let server = Server::start();
        let (pool, told) = told(server.tcp(), 2, LATER);
        one_is_idle(&pool).await;
        told.take();
        server.kill();
        let error = pool.acquire().await.unwrap_err();
        let refused = format!(
            "connecting to 127.0.0.1:{} as root failed: Connection refused (os error 111)",
            server.port()
        );
        assert_eq!(error.to_string(), refused);
        let sentences = told.take();
        let check = sentence(&sentences, "the check of connection 1 failed");
        assert!(
            check.starts_with(
                "the check of connection 1 failed: the connection to the server failed: "
            ),
            "{check}"
        );
        assert_eq!(
            sentence(&sentences, "connection 1 was closed"),
            "connection 1 was closed: its check failed"
        );
        let connect = sentences
            .iter()
            .find(|it| it.starts_with("connecting number 2 failed"));
        let connect = connect.expect("the connect is told");
        assert!(
            connect.ends_with(&format!(" (transient): {refused}")),
            "{connect}"
        );
        let failed = sentences
            .iter()
            .find(|it| it.starts_with("acquire 2 failed"));
        assert!(failed.expect("it is told").ends_with(&refused));
        server.start_again().expect("it starts");
        serves_again(&pool).await;
        assert_eq!(pool.stats().connect_failures(), 1);
    });
}

#[test]
fn a_server_that_stands_still_fails_the_check_and_the_connect_by_their_time_outs() {
    test(|| async {
        let server = Server::start();
        let (pool, told) = told(server.tcp(), 2, SOON);
        let id = one_is_idle(&pool).await;
        told.take();
        server.pause();
        let error = pool.acquire().await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("pool \"orders\" timed out after 150")
                && text.contains("ms while connecting; size "),
            "{text}"
        );
        let sentences = told.take();
        let check = sentence(&sentences, &format!("the check of connection {id} failed"));
        assert!(
            check.contains("timed out") && check.contains("while checking a connection"),
            "{check}"
        );
        assert_eq!(
            sentence(&sentences, &format!("connection {id} was closed")),
            format!("connection {id} was closed: its check failed")
        );
        let connect = sentence(&sentences, &format!("connecting number {} failed", id + 1));
        assert!(
            connect.contains("(transient)") && connect.contains("while connecting"),
            "{connect}"
        );
        server.resume();
        serves_again(&pool).await;
    });
}

#[test]
fn a_password_that_was_changed_is_an_error_of_class_auth_in_the_event_and_in_the_next_time_out() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run("CREATE USER till@'%' IDENTIFIED BY 'old'; GRANT ALL ON test.* TO till@'%'")
            .await;
        let (pool, told) = told(server.tcp().user("till").password("old"), 2, LATER);
        let mut held = pool.acquire().label("report").await.unwrap();
        let line = line!() - 1;
        watcher.run("ALTER USER till@'%' IDENTIFIED BY 'new'").await;
        // What is open goes on.
        assert_eq!(number(&mut held, "SELECT 42").await, 42);
        told.take();
        let error = pool.acquire().await.unwrap_err();
        let refused = format!(
            "connecting to 127.0.0.1:{} as till failed: 1045 (28000): Access denied for user 'till'@",
            server.port()
        );
        let text = error.to_string();
        assert!(
            text.starts_with(&refused) && text.ends_with("(using password: YES)"),
            "{text}"
        );
        assert_eq!(Error::from(error).server_code(), Some(1045));
        let sentences = told.take();
        let connect = sentences
            .iter()
            .find(|it| it.starts_with("connecting number 2 failed"));
        let connect = connect.expect("the connect is told");
        assert!(
            connect.contains(&format!(" (auth): {refused}")),
            "{connect}"
        );
        // The next time-out, whatever makes it, still names the password.
        server.pause();
        let error = pool
            .acquire()
            .timeout(Duration::from_millis(50))
            .await
            .unwrap_err();
        server.resume();
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines[0].starts_with("pool \"orders\" timed out after "),
            "{text}"
        );
        assert!(
            lines[0].contains("; the last connect failed ")
                && lines[0].contains(&format!(" ago (auth): {refused}")),
            "{text}"
        );
        assert!(
            lines[1].starts_with("held longest: connection 1 for ")
                && lines[1].ends_with(&format!("{}:{line} (report)", file!())),
            "{text}"
        );
        let (cause, class, _) = error.last_connect().expect("it is known");
        assert_eq!((cause.server_code(), class), (Some(1045), ErrorClass::Auth));
        assert!(matches!(error, pool_core::Error::Timeout { .. }));
    });
}

#[test]
fn a_full_server_is_told_as_overloaded() {
    test(|| async {
        // The smallest number that the server takes.
        let server = Server::with(&["--max-connections=10"]);
        let (pool, told) = told(server.tcp().user("app").password("app"), 20, LATER);
        let mut held = Vec::new();
        // The eleventh waits for one of the ten that are in use.
        let error = loop {
            match pool.acquire().timeout(Duration::from_secs(1)).await {
                Ok(conn) => held.push(conn),
                Err(error) => break error,
            }
        };
        assert_eq!(held.len(), 10);
        let refused = format!(
            "connecting to 127.0.0.1:{} as app failed: 1040 (08004): Too many connections",
            server.port()
        );
        let (cause, class, _) = error.last_connect().expect("it is known");
        assert_eq!(
            (full(&cause.to_string()), class),
            (refused.clone(), ErrorClass::Overloaded)
        );
        assert!(cause.server_code() == Some(1040) && cause.is_retryable());
        let sentences = told.take();
        let connect = sentences
            .iter()
            .find(|it| it.starts_with("connecting number 11 failed"));
        let connect = connect.expect("the connect is told");
        assert!(
            full(connect).ends_with(&format!(" (overloaded): {refused}")),
            "{connect}"
        );
    });
}

/// A text with one and the same SQLSTATE for a full server. MariaDB has another one where it refuses before it has greeted.
pub(crate) fn full(text: &str) -> String {
    text.replace("1040 (HY000)", "1040 (08004)")
}

/// Whether this is how a connect fails that a crash of the server has met half-way, or that has found nobody.
pub(crate) fn is_met_by_a_crash(error: &str, server: &Server) -> bool {
    let words = format!("connecting to 127.0.0.1:{} as root failed: ", server.port());
    let known = [
        "Connection refused (os error 111)",
        "Connection reset by peer (os error 104)",
        "Broken pipe (os error 32)",
        "connection closed",
    ];
    let cause = error.strip_prefix(&words);
    cause.is_some_and(|cause| known.contains(&cause))
}

/// How each of the connects has failed that these sentences tell of.
pub(crate) fn failed_connects(sentences: &[String]) -> Vec<&str> {
    let connects = sentences.iter().filter_map(|sentence| {
        let (_, how) = sentence
            .strip_prefix("connecting number ")?
            .split_once(" failed after ")?;
        let (_, cause) = how.split_once(' ')?;
        Some(cause)
    });
    connects.collect()
}

/// Works until the server is back and has served ten times since; whatever fails is tried again. Returns the errors.
pub(crate) async fn work(pool: &Pool, is_back: &AtomicBool) -> Vec<String> {
    let start = Instant::now();
    let (mut served, mut errors) = (0, Vec::new());
    while served < 10 {
        assert!(start.elapsed() < 2 * LATER, "{}", pool.status());
        let after = is_back.load(Ordering::SeqCst);
        let done = async {
            let mut conn = pool.acquire().await?;
            Ok::<_, Error>(conn.query_drop("DO SLEEP(0.001)").await?)
        };
        match done.await {
            Ok(()) => served += usize::from(after),
            Err(error) => {
                errors.push(error.to_string());
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
    errors
}

#[test]
fn a_server_that_is_restarted_under_load_leaves_only_reasons_that_name_it() {
    test(|| async {
        let server = Arc::new(Server::start());
        let is_back = Arc::new(AtomicBool::new(false));
        let mut watcher = server.watcher().await;
        let (pool, told) = told(server.tcp(), 4, LATER);
        // One is in the middle of a command when the server goes.
        let mut held = pool.acquire().await.unwrap();
        let in_command = async {
            let error = held.query_drop("DO SLEEP(1000)").await.unwrap_err();
            (Error::from(error), held.closed_because())
        };
        let restart = async {
            watcher.somebody_runs("SLEEP(1000)").await;
            let (server, is_back) = (Arc::clone(&server), Arc::clone(&is_back));
            std::thread::spawn(move || {
                server.kill();
                server.start_again().expect("it starts");
                is_back.store(true, Ordering::SeqCst);
            })
        };
        let load = join_all((0..6).map(|_| work(&pool, &is_back)));
        let ((error, because), restarter, errors) = join3(in_command, restart, load).await;
        restarter.join().expect("it is back");
        let text = error.to_string();
        assert!(
            text.starts_with("the connection to the server failed: "),
            "{text}"
        );
        assert_eq!(because, Some(ClosedBecause::ServerClosed));
        for error in errors.iter().flatten() {
            let is_of_a_command = error.starts_with("the connection to the server failed: ");
            assert!(
                is_of_a_command || is_met_by_a_crash(error, &server),
                "{error}"
            );
        }
        drop(held);
        pool.close();
        pool.wait_closed().await.unwrap();
        let sentences = told.take();
        let failed = failed_connects(&sentences);
        assert!(!failed.is_empty(), "{sentences:#?}");
        for failed in failed {
            let cause = failed.strip_prefix("(transient): ");
            assert!(
                cause.is_some_and(|cause| is_met_by_a_crash(cause, &server)),
                "{failed}"
            );
        }
        let reasons: BTreeSet<&str> = sentences
            .iter()
            .filter_map(|sentence| sentence.split_once(" was closed: "))
            .map(|(_, reason)| reason)
            .collect();
        let its_fault = "it cannot be used again: the server closed it";
        assert!(reasons.contains(its_fault), "{reasons:?}");
        let known = [
            its_fault,
            "its check failed",
            "its recycle failed",
            "the pool was closed",
        ];
        assert!(
            reasons.iter().all(|reason| known.contains(reason)),
            "{reasons:?}"
        );
    });
}
