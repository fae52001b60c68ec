//! Servers and proxies that refuse the commands for cleaning a session.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use pool_core::PooledConnection;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Pool, ResetPolicy, create_pool};
use support::{Answer, FakeServer, Received, warnings, within};

const MINUTE: Duration = Duration::from_secs(60);
const VERSION: &str = "8.0.30";
const QUERY: u8 = 0x03;
const CHANGE_USER: u8 = 0x11;
const RESET: u8 = 0x1f;
const SETTINGS: &str = "SET sql_mode = 'ANSI'";

/// The answer to everything that is not scripted.
fn plain(command: &Received) -> Answer {
    let text = command.text();
    match command.byte {
        QUERY if text.starts_with("SELECT CONCAT_WS") => Answer::Error(1193, "no such variable"),
        QUERY if text == "BEGIN" || text == "START TRANSACTION" => Answer::InTransaction,
        _ => Answer::Ok,
    }
}

/// A server that answers each of these commands with the error.
fn refusing(refused: &'static [(u8, u16, &'static str)]) -> FakeServer {
    let script = move |command: &Received| {
        let found = refused.iter().find(|(byte, ..)| *byte == command.byte);
        found.map_or_else(
            || plain(command),
            |&(_, code, text)| Answer::Error(code, text),
        )
    };
    FakeServer::start(VERSION, script).expect("a server")
}

async fn pool(server: &FakeServer, policy: ResetPolicy) -> Pool {
    let options = ConnectOptions::new()
        .host("127.0.0.1")
        .port(server.port())
        .user("app")
        .sql_mode("ANSI")
        .reset_policy(policy);
    let pool = create_pool(options).minsize(0).maxsize(1);
    pool.build().await.expect("a pool")
}

/// Takes a connection, runs the statement and gives the connection back. Returns how its return has failed.
async fn use_once(pool: &Pool, sql: &str) -> Option<String> {
    let mut conn = pool.acquire().await.expect("a connection");
    conn.query_drop(sql).await.expect("an answer");
    let released = PooledConnection::release(conn).await;
    released.err().map(|error| error.to_string())
}

async fn five_times(pool: &Pool) -> Vec<Option<String>> {
    let mut failures = Vec::new();
    for number in 0..5 {
        failures.push(use_once(pool, &format!("SET @a = {number}")).await);
    }
    failures
}

const NO_RESET: &[(u8, u16, &str)] = &[(RESET, 1047, "Unknown command")];
const NEITHER: &[(u8, u16, &str)] = &[
    (RESET, 1047, "Unknown command"),
    (
        CHANGE_USER,
        1047,
        "command handling not implemented yet: 17",
    ),
];

#[test]
fn a_server_without_reset_refuses_one_command_and_keeps_its_connection() {
    for policy in [ResetPolicy::Always, ResetPolicy::IfDirty] {
        let warnings = warnings("without reset", async move || {
            let server = refusing(NO_RESET);
            let pool = pool(&server, policy).await;
            assert_eq!(five_times(&pool).await, [const { None }; 5], "{policy:?}");
            assert_eq!(server.connections(), 1, "{policy:?}");
            assert_eq!(server.count(RESET), 1, "{policy:?}");
            assert_eq!(server.count(CHANGE_USER), 5, "{policy:?}");
            assert_eq!(
                server.queries(SETTINGS),
                6,
                "at the connect and after each login"
            );
        });
        assert_eq!(warnings, [""; 0], "{policy:?}");
    }
}

#[test]
fn what_tidb_and_an_old_proxysql_answer_is_a_refusal_too() {
    for refused in [
        &[(RESET, 1105, "command 31 not supported now")],
        &[(RESET, 9003, "Command not supported")],
    ] {
        let warnings = warnings("other numbers", async move || {
            let server = refusing(refused);
            let pool = pool(&server, ResetPolicy::Always).await;
            assert_eq!(five_times(&pool).await, [const { None }; 5]);
            assert_eq!((server.connections(), server.count(RESET)), (1, 1));
        });
        assert_eq!(warnings, [""; 0]);
    }
}

#[test]
fn a_server_with_neither_is_warned_of_once_and_sees_each_command_once() {
    for policy in [ResetPolicy::Always, ResetPolicy::IfDirty] {
        let warnings = warnings("neither", async move || {
            let server = refusing(NEITHER);
            let pool = pool(&server, policy).await;
            for failure in five_times(&pool).await {
                let failure = failure.expect("it cannot be made clean");
                assert!(
                    failure.contains("refuses COM_RESET_CONNECTION and COM_CHANGE_USER"),
                    "{failure}"
                );
            }
            assert_eq!(server.connections(), 5);
            assert_eq!((server.count(RESET), server.count(CHANGE_USER)), (1, 1));
        });
        let [warning] = &warnings[..] else {
            panic!("one warning: {warnings:?}");
        };
        for part in [
            "ResetPolicy::RollbackOnly",
            "ResetPolicy::Never",
            "1047 (HY000): command handling not implemented yet: 17",
        ] {
            assert!(warning.contains(part), "{warning}");
        }
    }
}

#[test]
fn a_plain_statement_under_if_dirty_keeps_its_connection_where_both_are_refused() {
    within(MINUTE, "plain", || {
        block_on(async {
            let server = refusing(NEITHER);
            let pool = pool(&server, ResetPolicy::IfDirty).await;
            for _ in 0..5 {
                assert_eq!(use_once(&pool, "DELETE FROM t").await, None);
            }
            assert_eq!((server.connections(), server.count(RESET)), (1, 0));
        });
    });
}

#[test]
fn rollback_only_needs_neither_command() {
    let warnings = warnings("rollback only", async || {
        let server = refusing(NEITHER);
        let pool = pool(&server, ResetPolicy::RollbackOnly).await;
        assert_eq!(five_times(&pool).await, [const { None }; 5]);
        for _ in 0..5 {
            assert_eq!(use_once(&pool, "BEGIN").await, None);
        }
        assert_eq!(server.connections(), 1);
        assert_eq!(server.queries("ROLLBACK"), 5);
        assert_eq!((server.count(RESET), server.count(CHANGE_USER)), (0, 0));
    });
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn an_error_that_passes_is_not_learnt() {
    within(MINUTE, "passes", || {
        block_on(async {
            let resets = AtomicUsize::new(0);
            let script = move |command: &Received| match command.byte {
                RESET if resets.fetch_add(1, Ordering::SeqCst) == 0 => {
                    Answer::Error(1205, "Lock wait timeout exceeded")
                }
                _ => plain(command),
            };
            let server = FakeServer::start(VERSION, script).expect("a server");
            let pool = pool(&server, ResetPolicy::Always).await;
            assert_eq!(five_times(&pool).await, [const { None }; 5]);
            assert_eq!(server.connections(), 1);
            assert_eq!(server.count(RESET), 6, "five, and one again");
            assert_eq!(server.count(CHANGE_USER), 0);
        });
    });
}

#[test]
fn an_unknown_error_is_learnt_when_it_comes_twice_in_a_row() {
    within(MINUTE, "twice", || {
        block_on(async {
            let server = refusing(&[(RESET, 1235, "not supported yet")]);
            let pool = pool(&server, ResetPolicy::Always).await;
            assert_eq!(five_times(&pool).await, [const { None }; 5]);
            assert_eq!((server.connections(), server.count(RESET)), (1, 2));
        });
    });
}

#[test]
fn a_server_that_was_upgraded_is_asked_again() {
    within(MINUTE, "upgraded", || {
        block_on(async {
            let server = refusing(NO_RESET);
            let pool = pool(&server, ResetPolicy::Always).await;
            assert_eq!(five_times(&pool).await, [const { None }; 5]);
            server.upgrade("8.0.31");
            pool.clear().await;
            assert_eq!(five_times(&pool).await, [const { None }; 5]);
            assert_eq!((server.connections(), server.count(RESET)), (2, 2));
        });
    });
}

#[test]
fn a_server_that_is_too_old_for_a_reset_is_logged_in_to_again() {
    within(MINUTE, "old", || {
        block_on(async {
            let server = FakeServer::start("5.6.51", plain).expect("a server");
            let pool = pool(&server, ResetPolicy::Always).await;
            assert_eq!(five_times(&pool).await, [const { None }; 5]);
            assert_eq!((server.connections(), server.count(RESET)), (1, 0));
            assert_eq!(server.count(CHANGE_USER), 5);
        });
    });
}

#[test]
fn a_reset_serves_on_where_only_the_login_is_refused() {
    let warnings = warnings("no login", async || {
        let server = refusing(&[(CHANGE_USER, 1047, "Unknown command")]);
        let pool = pool(&server, ResetPolicy::Always).await;
        // No statement goes back to having no database.
        let failure = use_once(&pool, "USE test").await.expect("it is closed");
        assert!(failure.contains("refuses COM_CHANGE_USER"), "{failure}");
        assert_eq!(five_times(&pool).await, [const { None }; 5]);
        assert_eq!((server.connections(), server.count(RESET)), (2, 5));
        assert!(use_once(&pool, "USE test").await.is_some());
        assert_eq!(server.count(CHANGE_USER), 1);
    });
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn the_fake_server_answers_rows() {
    within(MINUTE, "rows", || {
        block_on(async {
            let script = |command: &Received| match command.text().as_str() {
                "SELECT 'a', 'b'" => Answer::Row(vec!["a".into(), "b".into()]),
                _ => plain(command),
            };
            let server = FakeServer::start(VERSION, script).expect("a server");
            let pool = pool(&server, ResetPolicy::Always).await;
            let mut conn = pool.acquire().await.expect("a connection");
            let row: Option<(String, String)> =
                conn.query_first("SELECT 'a', 'b'").await.expect("a row");
            assert_eq!(row, Some(("a".into(), "b".into())));
        });
    });
}
