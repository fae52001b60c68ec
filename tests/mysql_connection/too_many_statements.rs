//! A server that has no room for another prepared statement: the connection closes those that it keeps, and tries again.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, MySqlErrorExt};

use crate::server::{Server, code, number, test};

/// A server with room for four statements in all sessions together.
fn small() -> Server {
    Server::with(&["--max-prepared-stmt-count=4"])
}

async fn statements(conn: &mut Connection) -> i64 {
    let sql = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
        WHERE VARIABLE_NAME = 'PREPARED_STMT_COUNT'";
    number(conn, sql).await
}

async fn cursor(conn: &mut Connection, n: i32) -> i32 {
    let mut cur = conn.cursor();
    cur.execute(format!("SELECT ? + {n}"), (1,)).await.unwrap();
    cur.fetchone().await.unwrap().unwrap()
}

#[test]
fn each_way_to_execute_makes_room_and_tries_again() {
    test(|| async {
        let server = small();
        let mut conn = server.connect().await;
        for n in 0..12 {
            assert_eq!(cursor(&mut conn, n).await, n + 1);
            let sql = format!("SELECT ? - {n}");
            let row: Option<i32> = conn.exec_first(&*sql, (n,)).await.unwrap();
            assert_eq!(row, Some(0));
            let sql = format!("DO ? * {n}");
            conn.exec_drop(sql, (n,)).await.unwrap();
            let mut tx = conn.start_transaction(Default::default()).await.unwrap();
            let sql = format!("SELECT {n} FROM DUAL WHERE ?");
            let rows: Vec<i32> = tx.exec(sql, (true,)).await.unwrap();
            assert_eq!(rows, [n]);
            tx.commit().await.unwrap();
            let many = conn
                .cursor()
                .executemany(format!("DO ?, {n}"), [(1,), (2,)])
                .await;
            assert_eq!(many.unwrap(), 0);
            assert!(statements(&mut conn).await <= 4);
        }
    });
}

#[test]
fn a_statement_that_its_user_has_prepared_is_not_closed() {
    test(|| async {
        let server = small();
        let mut conn = server.connect().await;
        let early = conn.prep("SELECT ? + 100").await.unwrap();
        for n in 0..8 {
            assert_eq!(cursor(&mut conn, n).await, n + 1);
        }
        // This one was kept for a text before its user prepared it.
        let late = conn.prep("SELECT ? + 7").await.unwrap();
        for n in 8..16 {
            assert_eq!(cursor(&mut conn, n).await, n + 1);
        }
        let row: Option<i32> = conn.exec_first(&early, (1,)).await.unwrap();
        assert_eq!(row, Some(101));
        let row: Option<i32> = conn.exec_first(&late, (1,)).await.unwrap();
        assert_eq!(row, Some(8));
        // A statement that is closed by its user makes room, too.
        Queryable::close(&mut conn, early).await.unwrap();
        Queryable::close(&mut conn, late).await.unwrap();
        assert_eq!(cursor(&mut conn, 20).await, 21);
    });
}

#[test]
fn what_others_hold_cannot_be_closed_and_the_error_says_so() {
    test(|| async {
        let server = small();
        let mut holder = server.connect().await;
        let mut conn = server.connect().await;
        let mut held = Vec::new();
        for n in 0..4 {
            held.push(holder.prep(format!("SELECT {n}, ?")).await.unwrap());
        }
        let result = conn.exec_drop("SELECT ?", (1,)).await;
        assert!(!result.as_ref().unwrap_err().is_connection_lost());
        assert_eq!(code(result), 1461);
        let error = conn.cursor().execute("SELECT ?", (1,)).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1461));
        Queryable::close(&mut holder, held.remove(0)).await.unwrap();
        number(&mut holder, "SELECT 1").await;
        assert_eq!(cursor(&mut conn, 1).await, 2);
        // Its own only statement makes room for the next.
        assert_eq!(cursor(&mut conn, 2).await, 3);
    });
}

#[test]
fn after_a_reset_nothing_is_closed_twice() {
    test(|| async {
        let server = small();
        let pool = server.pool_of_one();
        for n in 0..10 {
            let mut conn = pool.acquire().await.unwrap();
            for statement in 0..3 {
                assert_eq!(cursor(&mut conn, statement + n).await, statement + n + 1);
            }
            assert!(statements(&mut conn).await <= 3);
        }
    });
}
