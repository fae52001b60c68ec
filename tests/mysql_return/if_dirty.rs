//! `ResetPolicy::IfDirty`: who pays for a reset, and that nobody else does.

use pool_core::PooledConnection;
use pool_mysql::mysql_async::Params;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, MySqlManager, Pool, ResetPolicy};

use crate::server::{Server, Watcher, number, one, test};

pub(crate) type Guard = PooledConnection<MySqlManager>;

pub(crate) async fn server() -> (Server, Watcher) {
    let server = Server::start();
    let mut watcher = server.watcher().await;
    watcher
        .run(
            "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT UNIQUE) ENGINE=InnoDB;
             CREATE TABLE test.u (a INT) ENGINE=InnoDB;
             CREATE PROCEDURE test.p() SET @left = 1",
        )
        .await;
    (server, watcher)
}

pub(crate) fn if_dirty(options: ConnectOptions) -> Pool {
    one(options.reset_policy(ResetPolicy::IfDirty))
}

/// How many resets the use of a connection costs.
pub(crate) async fn resets(
    watcher: &mut Watcher,
    pool: &Pool,
    user: impl AsyncFnOnce(&mut Guard),
) -> u64 {
    let mut conn = pool.acquire().await.unwrap();
    let id = conn.connection_id();
    let before = watcher.count("Com_admin_commands").await;
    user(&mut conn).await;
    PooledConnection::release(conn).await.unwrap();
    let count = watcher.count("Com_admin_commands").await - before;
    let conn = pool.acquire().await.unwrap();
    assert_eq!(conn.connection_id(), id, "it was replaced");
    count
}

#[test]
fn plain_statements_cost_no_reset() {
    test(|| async {
        let (server, mut watcher) = server().await;
        for options in server.both() {
            // With settings, whose own answer must not count.
            let pool = if_dirty(options.charset("utf8mb4").autocommit(true));
            for sql in [
                "SELECT 1",
                "SELECT COUNT(*), 'it''s' FROM t WHERE a IN (1, 2)",
                "INSERT INTO u VALUES (1), (2)",
                "UPDATE u SET a = a + 1 WHERE a > 1",
                "REPLACE INTO u VALUES (3)",
                "DELETE FROM u",
                "SELECT seq FROM seq_1_to_1000",
            ] {
                let text = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                    conn.query_drop(sql).await.unwrap();
                    conn.query_drop(sql).await.unwrap();
                });
                assert_eq!(text.await, 0, "{sql}");
                let cursor = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                    conn.cursor().execute(sql, ()).await.unwrap();
                });
                assert_eq!(cursor.await, 0, "{sql}");
            }
            let prepared = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                let mut cur = conn.cursor();
                for number in 0..3 {
                    cur.execute("SELECT ? + 1", (number,)).await.unwrap();
                    let (sum,): (i32,) = cur.fetchone().await.unwrap().unwrap();
                    assert_eq!(sum, number + 1);
                    let insert = "INSERT INTO u VALUES (:number)";
                    let number = Params::from(vec![("number", number)]);
                    cur.execute(insert, number).await.unwrap();
                }
            });
            assert_eq!(prepared.await, 0);
            let only_prepared = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                conn.prep("SELECT ?, ?").await.unwrap();
            });
            assert_eq!(only_prepared.await, 0);
            let stream = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                let mut rows = conn
                    .query_iter("SELECT seq FROM seq_1_to_10")
                    .await
                    .unwrap();
                while rows.next().await.unwrap().is_some() {}
            });
            assert_eq!(stream.await, 0);
        }
    });
}

#[test]
fn everything_else_costs_one() {
    test(|| async {
        let (server, mut watcher) = server().await;
        let pool = if_dirty(server.tcp());
        for sql in [
            "SET @left = 1",
            "SELECT @left := 1",
            "SELECT 1; SELECT 2",
            "SELECT /* x */ 1",
            "SELECT GET_LOCK('left', 0)",
            "CALL p()",
            "DO 1",
            "BEGIN",
            "BEGIN; COMMIT",
            "XA RECOVER",
            "CREATE TEMPORARY TABLE s (a INT)",
            "LOCK TABLES t READ",
            "SET autocommit = 0",
            "INSERT INTO t (a) VALUES (NULL)",
            "SELECT 1 + 'x'",
            "WITH w AS (SELECT 1) SELECT * FROM w",
        ] {
            let count = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                conn.query_drop(sql).await.unwrap();
                // What comes later does not hide it.
                conn.query_drop("SELECT 1").await.unwrap();
                conn.ping().await.unwrap();
            });
            // The ping is one, too.
            assert_eq!(count.await, 2, "{sql}");
        }
        let error = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.query_drop("SELECT * FROM nowhere").await.unwrap_err();
            conn.query_drop("SELECT 1").await.unwrap();
        });
        assert_eq!(error.await, 1);
        let failed_prepare = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.prep("SELECT * FROM nowhere").await.unwrap_err();
            conn.query_drop("SELECT 1").await.unwrap();
        });
        assert_eq!(failed_prepare.await, 1);
        let hidden = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            Queryable::exec_drop(&mut **conn, "SELECT ?", (1,))
                .await
                .unwrap();
        });
        assert_eq!(hidden.await, 1);
        let batch = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            let mut cur = conn.cursor();
            cur.executemany("INSERT INTO u VALUES (?)", [(1,), (2,)])
                .await
                .unwrap();
        });
        assert_eq!(batch.await, 1);
        for rest in [
            "",
            "SET @left = 1",
            "INSERT INTO t (a) VALUES (NULL)",
            "SELECT 1 + 'x'",
        ] {
            let transaction = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
                tx.query_drop("INSERT INTO u VALUES (1)").await.unwrap();
                if rest.is_empty() {
                    // Dropped: what it has done is taken back by the reset.
                    return;
                }
                tx.query_drop(rest).await.unwrap();
                tx.commit().await.unwrap();
            });
            assert_eq!(transaction.await, 1, "{rest:?}");
        }
        let open = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.begin().await.unwrap();
            conn.query_drop("INSERT INTO u VALUES (1)").await.unwrap();
        });
        assert_eq!(open.await, 1);
        let chained = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.begin().await.unwrap();
            conn.query_drop("COMMIT AND CHAIN").await.unwrap();
            conn.commit().await.unwrap();
        });
        assert_eq!(chained.await, 1);
        let failed = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
            tx.query_drop("SELECT * FROM nowhere").await.unwrap_err();
            tx.rollback().await.unwrap();
        });
        assert_eq!(failed.await, 1);
        let unread = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            drop(conn.query_iter("SELECT 1 UNION SELECT 2").await.unwrap());
        });
        assert_eq!(unread.await, 1);
        let unread_before = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            // Its warning comes after what is read of it.
            let rows = "SELECT 1 + IF(seq = 10, 'x', 1) FROM seq_1_to_10";
            drop(conn.query_iter(rows).await.unwrap());
            conn.query_drop("SELECT 1").await.unwrap();
        });
        assert_eq!(unread_before.await, 1);
        let elsewhere = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.select_db("mysql").await.unwrap();
        });
        assert_eq!(elsewhere.await, 1);
        assert_eq!(
            number(
                &mut pool.acquire().await.unwrap(),
                "SELECT DATABASE() = 'test'"
            )
            .await,
            1
        );
    });
}

#[test]
fn with_autocommit_off_what_is_not_ended_costs_one() {
    test(|| async {
        let (server, mut watcher) = server().await;
        let pool = if_dirty(server.tcp().autocommit(false));
        let table = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.query_drop("SELECT * FROM t").await.unwrap();
        });
        assert_eq!(table.await, 1);
        // A server need not call it a transaction and may still keep a table locked for it.
        let unended = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.query_drop("SELECT 1").await.unwrap();
        });
        assert_eq!(unended.await, 1);
        for end in ["COMMIT", "rollback work;"] {
            let ended = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                conn.query_drop("SELECT * FROM t").await.unwrap();
                conn.query_drop(end).await.unwrap();
                conn.prep("SELECT * FROM t").await.unwrap();
            });
            assert_eq!(ended.await, 0, "{end}");
        }
        let pool = one(server
            .tcp()
            .autocommit(false)
            .reset_policy(ResetPolicy::RollbackOnly));
        for (rollbacks, last) in [(0, "COMMIT"), (1, "SELECT 1")] {
            let before = watcher.count("Com_rollback").await;
            let mut conn = pool.acquire().await.unwrap();
            conn.query_drop("SELECT 1").await.unwrap();
            conn.query_drop(last).await.unwrap();
            PooledConnection::release(conn).await.unwrap();
            let count = watcher.count("Com_rollback").await - before;
            assert_eq!(count, rollbacks, "{last}");
        }
    });
}

#[test]
fn a_statement_is_prepared_once_where_no_reset_drops_it() {
    test(|| async {
        let (server, mut watcher) = server().await;
        for (policy, expected) in [
            (ResetPolicy::Always, 5),
            (ResetPolicy::IfDirty, 1),
            (ResetPolicy::RollbackOnly, 1),
            (ResetPolicy::Never, 1),
        ] {
            let pool = one(server.tcp().reset_policy(policy));
            let before = watcher.count("Com_stmt_prepare").await;
            for number in 0..5 {
                let mut conn = pool.acquire().await.unwrap();
                let mut cur = conn.cursor();
                cur.execute("SELECT ? + 1", (number,)).await.unwrap();
                let (sum,): (i32,) = cur.fetchone().await.unwrap().unwrap();
                assert_eq!(sum, number + 1);
                PooledConnection::release(conn).await.unwrap();
            }
            let count = watcher.count("Com_stmt_prepare").await - before;
            assert_eq!(count, expected, "{policy:?}");
        }
    });
}

/// The functions that are taken for the server's own, as the source has them.
pub(crate) fn functions() -> Vec<&'static str> {
    let source = include_str!("../../crates/pool-mysql/src/statement/neutral/words.rs");
    let list = source
        .split("FUNCTIONS: &[&str] = &[")
        .nth(1)
        .expect("the list");
    let names = list.split("];").next().expect("its end").split('"');
    names.skip(1).step_by(2).collect()
}

#[test]
fn no_stored_function_takes_the_place_of_one_of_the_servers() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let functions = functions();
        assert!(functions.len() > 100, "{functions:?}");
        for name in functions {
            conn.query_drop(format!(
                "CREATE FUNCTION `{name}`(a INT) RETURNS INT BEGIN SET @called = 1; RETURN 1; END"
            ))
            .await
            .unwrap();
            // It would tell.
            conn.query_drop(format!("SELECT test.`{name}`(1)"))
                .await
                .unwrap();
            assert_eq!(number(&mut conn, "SELECT @called").await, 1, "{name}");
            conn.query_drop("SET @called = 0").await.unwrap();
            for arguments in [
                "",
                "1",
                "1, 1",
                "'1', 1, 1",
                "*",
                "1 AS CHAR",
                "DAY FROM NOW()",
            ] {
                // Not all of them make sense to it.
                let _ = conn.query_drop(format!("SELECT {name}({arguments})")).await;
            }
            assert_eq!(number(&mut conn, "SELECT @called").await, 0, "{name}");
        }
    });
}
