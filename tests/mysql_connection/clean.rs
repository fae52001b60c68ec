//! What one user of a pool does to a session, the next one must not see.

use pool_core::PooledConnection;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{
    ConnectOptions, Connection, MySqlManager, ResetPolicy, TransactionStatus, create_pool,
};

use crate::server::{Server, number, one, test, text};

/// Does everything to a session that a session can keep.
async fn soil(conn: &mut Connection) {
    conn.query_drop("CREATE TABLE IF NOT EXISTS test.kept (a INT) ENGINE=InnoDB")
        .await
        .unwrap();
    conn.exec_drop("SELECT ?", (1,)).await.unwrap();
    conn.query_drop(
        "SET @var = 1; SET sql_mode = 'ANSI'; SET NAMES latin1; SET foreign_key_checks = 0;
         CREATE TEMPORARY TABLE test.scratch (a INT); DO GET_LOCK('pool', 0); PREPARE p FROM 'DO 1';
         SET autocommit = 0; USE mysql; INSERT INTO test.kept VALUES (1)",
    )
    .await
    .unwrap();
}

/// What is left of it.
async fn traces(conn: &mut Connection) -> Vec<&'static str> {
    let mut traces = Vec::new();
    for (trace, sql) in [
        ("user variable", "SELECT @var IS NOT NULL"),
        ("sql_mode", "SELECT @@sql_mode LIKE '%ANSI%'"),
        ("charset", "SELECT @@character_set_client = 'latin1'"),
        ("session variable", "SELECT @@foreign_key_checks = 0"),
        ("autocommit", "SELECT @@autocommit = 0"),
        ("transaction", "SELECT @@in_transaction"),
        ("lock", "SELECT IS_USED_LOCK('pool') IS NOT NULL"),
        ("database", "SELECT NOT DATABASE() <=> 'test'"),
        ("row", "SELECT COUNT(*) > 0 FROM test.kept"),
    ] {
        if number(conn, sql).await != 0 {
            traces.push(trace);
        }
    }
    if conn.query_drop("SELECT * FROM test.scratch").await.is_ok() {
        traces.push("temporary table");
    }
    if conn.query_drop("EXECUTE p").await.is_ok() {
        traces.push("prepared statement");
    }
    traces
}

/// Lets one user do something and looks at the same session as the next user.
async fn next_user(
    options: ConnectOptions,
    first: impl AsyncFnOnce(&mut PooledConnection<MySqlManager>),
) -> PooledConnection<MySqlManager> {
    let pool = one(options);
    let mut conn = pool.acquire().await.unwrap();
    let id = conn.connection_id();
    first(&mut conn).await;
    PooledConnection::release(conn).await.unwrap();
    let conn = pool.acquire().await.unwrap();
    assert_eq!(conn.connection_id(), id, "it was replaced, not made clean");
    conn
}

#[test]
fn nothing_of_a_session_reaches_the_next_user() {
    test(|| async {
        let server = Server::start();
        for options in server.both() {
            let mut conn = next_user(options, async |conn| {
                soil(conn).await;
                assert_eq!(traces(conn).await.len(), 11);
            })
            .await;
            assert_eq!(traces(&mut conn).await, Vec::<&str>::new());
        }
    });
}

#[test]
fn the_options_are_applied_again() {
    test(|| async {
        let server = Server::start();
        let options = server
            .tcp()
            .charset("latin2")
            .sql_mode("PIPES_AS_CONCAT")
            .autocommit(false)
            .init_command("SET @greeting = 'hello'");
        let mut conn = next_user(options, async |conn| {
            asked_for(conn).await;
            soil(conn).await;
        })
        .await;
        asked_for(&mut conn).await;
    });
}

async fn asked_for(conn: &mut Connection) {
    let charset = text(conn, "SELECT @@character_set_client").await;
    assert_eq!(charset.as_deref(), Some("latin2"));
    let mode = text(conn, "SELECT @@sql_mode").await;
    assert_eq!(mode.as_deref(), Some("PIPES_AS_CONCAT"));
    let greeting = text(conn, "SELECT @greeting").await;
    assert_eq!(greeting.as_deref(), Some("hello"));
    assert_eq!(number(conn, "SELECT @@autocommit").await, 0);
    assert!(!conn.get_autocommit());
    let db = text(conn, "SELECT DATABASE()").await;
    assert_eq!(db.as_deref(), Some("test"));
}

#[test]
fn the_database_comes_back_however_it_was_left() {
    test(|| async {
        let server = Server::start();
        server
            .watcher()
            .await
            .run("CREATE PROCEDURE test.leave() EXECUTE IMMEDIATE 'USE mysql'")
            .await;
        let ways: &[&str] = &[
            "USE mysql",
            "/*!50000USE mysql*/",
            "EXECUTE IMMEDIATE CONCAT('U', 'SE mysql')",
            "CALL test.leave()",
            "SET @s = 'USE mysql'; PREPARE s FROM @s; EXECUTE s",
            "CREATE DATABASE gone; USE gone; DROP DATABASE gone",
        ];
        let none = ConnectOptions::new().unix_socket(server.socket());
        for (options, home) in [
            (server.unix(), Some("test")),
            (none.clone().user("root"), None),
        ] {
            for way in ways {
                let mut conn = next_user(options.clone(), async |conn| {
                    // A server may refuse one of them; then nothing has changed.
                    let _ = conn.query_drop(*way).await;
                })
                .await;
                let db = text(&mut conn, "SELECT DATABASE()").await;
                assert_eq!(db.as_deref(), home, "{way}");
            }
            let mut conn = next_user(options.clone(), async |conn| {
                conn.exec_drop("USE mysql", ()).await.unwrap();
            })
            .await;
            assert_eq!(text(&mut conn, "SELECT DATABASE()").await.as_deref(), home);
            let mut conn = next_user(options, async |conn| {
                conn.select_db("mysql").await.unwrap();
            })
            .await;
            assert_eq!(text(&mut conn, "SELECT DATABASE()").await.as_deref(), home);
        }
        // Back to none is a new login, here with a password.
        let mut conn = next_user(none.user("app").password("app"), async |conn| {
            conn.query_drop("SET @a = 1; USE test").await.unwrap();
        })
        .await;
        assert_eq!(text(&mut conn, "SELECT DATABASE()").await, None);
        assert_eq!(text(&mut conn, "SELECT @a").await, None);
    });
}

#[test]
fn a_transaction_is_rolled_back_and_the_connection_kept() {
    test(|| async {
        let server = Server::start();
        server
            .watcher()
            .await
            .run("CREATE TABLE test.kept (a INT) ENGINE=InnoDB")
            .await;
        for policy in [
            ResetPolicy::Always,
            ResetPolicy::IfDirty,
            ResetPolicy::RollbackOnly,
        ] {
            let options = server.tcp().reset_policy(policy);
            let begin_by_hand = next_user(options.clone(), async |conn| {
                conn.query_drop("BEGIN; INSERT INTO kept VALUES (1)")
                    .await
                    .unwrap();
            });
            assert!(is_empty(begin_by_hand.await).await);
            let begin = next_user(options.clone(), async |conn| {
                conn.begin().await.unwrap();
                conn.query_drop("INSERT INTO kept VALUES (1)")
                    .await
                    .unwrap();
                // A PREPARE is the last thing: what the driver takes for its flags is none.
                conn.prep("SELECT 1").await.unwrap();
            });
            assert!(is_empty(begin.await).await);
            let error = next_user(options.clone(), async |conn| {
                conn.begin().await.unwrap();
                conn.query_drop("INSERT INTO kept VALUES (1)")
                    .await
                    .unwrap();
                conn.query_drop("BLABLA").await.unwrap_err();
            });
            assert!(is_empty(error.await).await);
            let guard = next_user(options.clone(), async |conn| {
                let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
                tx.query_drop("INSERT INTO kept VALUES (1)").await.unwrap();
            });
            assert!(is_empty(guard.await).await);
            let unread = next_user(options, async |conn| {
                drop(
                    conn.query_iter("BEGIN; INSERT INTO kept VALUES (1); SELECT 1; SELECT 2")
                        .await,
                );
            });
            assert!(is_empty(unread.await).await);
        }
    });
}

async fn is_empty(mut conn: PooledConnection<MySqlManager>) -> bool {
    let conn = &mut *conn;
    assert_eq!(conn.transaction_status(), TransactionStatus::None);
    assert_eq!(number(conn, "SELECT @@in_transaction").await, 0);
    number(conn, "SELECT COUNT(*) FROM kept").await == 0
}

#[test]
fn without_a_reset_a_session_reaches_the_next_user_at_no_cost() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let options = server.tcp().reset_policy(ResetPolicy::Never);
        let pool = one(options);
        pool.acquire()
            .await
            .unwrap()
            .query_drop("SET @var = 5")
            .await
            .unwrap();
        let before = watcher.count("Questions").await;
        assert_eq!(
            number(&mut pool.acquire().await.unwrap(), "SELECT @var").await,
            5
        );
        assert_eq!(
            number(&mut pool.acquire().await.unwrap(), "SELECT @var").await,
            5
        );
        // Two queries and the question for the count itself.
        assert_eq!(watcher.count("Questions").await - before, 3);
    });
}

#[test]
fn a_connection_that_was_not_used_is_not_reset() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let pool = server.pool_of_one();
        drop(pool.acquire().await.unwrap());
        let before = watcher.count("Com_admin_commands").await;
        for _ in 0..5 {
            drop(pool.acquire().await.unwrap());
        }
        assert_eq!(watcher.count("Com_admin_commands").await, before);
    });
}

#[test]
fn a_reset_costs_one_command_and_no_more() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let pool = server.pool_of_one();
        let mut conn = pool.acquire().await.unwrap();
        conn.ping().await.unwrap();
        let (resets, changes) = costs(&mut watcher).await;
        for _ in 0..5 {
            conn.query_drop("SELECT 1 FROM test.users WHERE used")
                .await
                .unwrap_err();
            assert_eq!(number(&mut conn, "SELECT 1").await, 1);
            PooledConnection::release(conn).await.unwrap();
            conn = pool.acquire().await.unwrap();
        }
        assert_eq!(costs(&mut watcher).await, (resets + 5, changes));
        conn.query_drop("USE mysql").await.unwrap();
        PooledConnection::release(conn).await.unwrap();
        // The one that left, and the one that came back.
        assert_eq!(costs(&mut watcher).await, (resets + 6, changes + 2));
    });
}

async fn costs(watcher: &mut crate::server::Watcher) -> (u64, u64) {
    (
        watcher.count("Com_admin_commands").await,
        watcher.count("Com_change_db").await,
    )
}

#[test]
fn a_long_result_that_was_left_unread_costs_a_connection_and_no_download() {
    test(|| async {
        let server = Server::start();
        // Nothing else ends the download.
        let pool = create_pool(server.tcp())
            .maxsize(1)
            .recycle_timeout(None)
            .build()
            .await
            .unwrap();
        let mut conn = pool.acquire().await.unwrap();
        let id = conn.connection_id();
        let long = "SELECT REPEAT('x', 1000) FROM seq_1_to_100000000";
        drop(conn.query_iter(long).await.unwrap());
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT 3").await, 3);
        assert_ne!(conn.connection_id(), id);
    });
}
