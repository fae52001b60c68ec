//! `executemany` that fails in the middle: which sets of parameters failed, and what was changed before.

use std::ops::Range;

use pool_mysql::mysql_async::{Value, prelude::Queryable};
use pool_mysql::{Connection, Error};

use crate::server::{Server, number, test, text};

async fn create(conn: &mut Connection) {
    conn.query_drop(
        "CREATE TABLE f (id INT PRIMARY KEY, n INT UNIQUE); \
         CREATE PROCEDURE add_row(IN id INT, IN n INT) INSERT INTO f VALUES (id, n)",
    )
    .await
    .unwrap();
}

async fn refill(conn: &mut Connection) {
    conn.query_drop("DELETE FROM f; INSERT INTO f VALUES (1, 10), (2, 20), (3, 30)")
        .await
        .unwrap();
}

async fn content(conn: &mut Connection) -> Option<String> {
    let sql = "SELECT GROUP_CONCAT(id, ':', IFNULL(n, '-') ORDER BY id) FROM f";
    text(conn, sql).await
}

/// Which sets failed, how many rows were changed before, and the server's error.
pub(crate) fn failure(error: &Error) -> (Range<usize>, u64, Option<u16>) {
    let code = error.server_code();
    match error {
        Error::ManyFailed { sets, affected, .. } => (sets.clone(), *affected, code),
        error => panic!("it does not say which set has failed: {error}"),
    }
}

/// Executes a statement that fails.
async fn fails(
    conn: &mut Connection,
    sql: &str,
    sets: &[(i64, i64)],
) -> (Range<usize>, u64, Option<u16>) {
    let mut cur = conn.cursor();
    let error = cur.executemany(sql, sets).await.expect_err(sql);
    assert!(matches!(
        cur.fetchone::<i32>().await,
        Err(Error::NotExecuted)
    ));
    failure(&error)
}

/// For both servers: what is executed once for each set.
pub(crate) async fn one_by_one(conn: &mut Connection) {
    create(conn).await;
    let rows = "1:10,2:20,3:30,4:40,5:50";
    for sql in ["CALL add_row(?, ?)", "INSERT INTO f SELECT ?, ? FROM DUAL"] {
        refill(conn).await;
        let sets = [(4, 40), (5, 50), (6, 10), (7, 70)];
        let (sets, affected, code) = fails(conn, sql, &sets).await;
        assert_eq!((sets, code), (2..3, Some(1062)), "{sql}");
        assert_eq!(affected, 2, "{sql}");
        assert_eq!(content(conn).await.as_deref(), Some(rows), "{sql}");
    }
    // The rows of a SELECT count, too.
    let select = "SELECT (SELECT id FROM f WHERE id <= ?) FROM f WHERE id > ?";
    assert_eq!(
        fails(conn, select, &[(1, 0), (1, 3), (2, 0)]).await,
        (2..3, 7, Some(1242))
    );
}

/// For both servers: an INSERT of many rows.
pub(crate) async fn rows_together(conn: &mut Connection) {
    refill(conn).await;
    let insert = "INSERT INTO f VALUES (?, ?)";
    let value = |n: i64| match n % 2 {
        0 => Value::Int(n),
        _ => Value::from(n.to_string()),
    };
    // Six sets are a statement of four rows and one of two.
    let sets = |ids: [i64; 6]| ids.map(|id| (value(id), value(id * 10)));
    let mut cur = conn.cursor();
    let error = cur.executemany(insert, sets([4, 5, 6, 7, 8, 1])).await;
    assert_eq!(failure(&error.unwrap_err()), (4..6, 4, Some(1062)));
    let rows = "1:10,2:20,3:30,4:40,5:50,6:60,7:70";
    assert_eq!(content(conn).await.as_deref(), Some(rows));
    let mut cur = conn.cursor();
    let error = cur.executemany(insert, sets([8, 9, 1, 10, 11, 12])).await;
    assert_eq!(failure(&error.unwrap_err()), (0..4, 0, Some(1062)));
    assert_eq!(content(conn).await.as_deref(), Some(rows));
}

#[test]
fn a_set_that_is_executed_by_itself_is_named() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        one_by_one(&mut conn).await;
        let mut cur = conn.ss_cursor();
        let insert = "INSERT INTO f SELECT ?, ? FROM DUAL";
        let error = cur.executemany(insert, [(8, 80), (1, 11)]).await;
        let error = error.unwrap_err();
        assert_eq!(failure(&error), (1..2, 1, Some(1062)));
        assert_eq!(
            error.to_string(),
            "parameter set 1 (counted from 0) failed; the commands before it changed 1 row: \
             1062 (23000): Duplicate entry '1' for key 'PRIMARY'"
        );
    });
}

#[test]
fn of_rows_in_one_insert_none_is_written() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        create(&mut conn).await;
        rows_together(&mut conn).await;
        // In bulk.
        refill(&mut conn).await;
        for insert in [
            "INSERT INTO f VALUES (?, ?)",
            "INSERT INTO f SET id = ?, n = ?",
            "REPLACE INTO f VALUES (?, IF(? > 0, 0, (SELECT 1 UNION SELECT 2)))",
        ] {
            let sets = [(4, 40), (5, 50), (1, -10), (6, 60)];
            let (sets, affected, code) = fails(&mut conn, insert, &sets).await;
            assert_eq!((sets, affected), (0..4, 0), "{insert}");
            assert!(matches!(code, Some(1062 | 1242)), "{insert}: {code:?}");
            let rows = "1:10,2:20,3:30";
            assert_eq!(content(&mut conn).await.as_deref(), Some(rows), "{insert}");
        }
    });
}

#[test]
fn sets_in_several_bulks_are_counted_on() {
    test(|| async {
        let server = Server::with(&["--max-allowed-packet=1M"]);
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE large (n INT PRIMARY KEY, a MEDIUMTEXT)")
            .await
            .unwrap();
        let text = "x".repeat(200_000);
        let sets = [0, 1, 2, 3, 4, 1, 6].map(|n| (n, text.clone()));
        let mut cur = conn.cursor();
        let insert = "INSERT INTO large VALUES (?, ?)";
        let error = cur.executemany(insert, sets).await.unwrap_err();
        assert_eq!(failure(&error), (4..6, 4, Some(1062)));
        assert_eq!(
            error.to_string(),
            "one of the parameter sets 4 to 5 (counted from 0) failed; the commands before them changed 4 rows: \
             1062 (23000): Duplicate entry '1' for key 'PRIMARY'"
        );
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM large").await, 4);
    });
}

#[test]
fn of_updates_and_deletes_in_one_bulk_those_before_the_failure_are_done() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        create(&mut conn).await;
        conn.query_drop(
            "CREATE TABLE child (f INT, FOREIGN KEY (f) REFERENCES f (id)); \
             INSERT INTO f VALUES (3, 30); INSERT INTO child VALUES (3)",
        )
        .await
        .unwrap();
        let refill = "DELETE FROM f WHERE id <> 3; INSERT INTO f VALUES (1, 10), (2, 20), (4, 40)";
        let update = "UPDATE f SET n = ? WHERE id = ?";
        let updates = [(11, 1), (22, 2), (11, 4), (33, 3)];
        let join = "UPDATE f JOIN (SELECT 1) AS one SET n = ? WHERE id = ?";
        let delete = "DELETE FROM f WHERE n = ? AND id = ?";
        let deletes = [(10, 1), (20, 2), (30, 3), (40, 4)];
        for (sql, sets, error, rows) in [
            (update, updates, 1062, "1:11,2:22,3:30,4:40"),
            (join, updates, 1062, "1:11,2:22,3:30,4:40"),
            (delete, deletes, 1451, "3:30,4:40"),
        ] {
            for autocommit in [true, false] {
                conn.query_drop(refill).await.unwrap();
                if !autocommit {
                    conn.query_drop("BEGIN").await.unwrap();
                }
                let expected = (0..4, 0, Some(error));
                assert_eq!(fails(&mut conn, sql, &sets).await, expected, "{sql}");
                assert_eq!(content(&mut conn).await.as_deref(), Some(rows), "{sql}");
                conn.query_drop("ROLLBACK").await.unwrap();
                let rows = match autocommit {
                    true => rows,
                    false => "1:10,2:20,3:30,4:40",
                };
                assert_eq!(content(&mut conn).await.as_deref(), Some(rows), "{sql}");
            }
        }
    });
}

#[test]
fn an_error_before_anything_is_executed_names_no_set() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        create(&mut conn).await;
        for sql in [
            "INSERT INTO f VALUES (?, ?",
            "CALL add_row(?, ?",
            "SELECT ? ?",
        ] {
            let sets = [(1, 1), (2, 2)];
            let error = conn.cursor().executemany(sql, sets).await.unwrap_err();
            assert!(matches!(error, Error::Driver(_)), "{sql}: {error:?}");
            assert_eq!(error.server_code(), Some(1064), "{sql}");
        }
        for sql in ["INSERT INTO f VALUES (?, ?)", "CALL add_row(?, ?)"] {
            let error = conn.cursor().executemany(sql, [(1,), (2,)]).await;
            assert!(matches!(error, Err(Error::ParameterCount { .. })), "{sql}");
            // The first set is executed, the second cannot be.
            let sets = [vec![1, 1], vec![2]];
            let error = conn.cursor().executemany(sql, sets).await.unwrap_err();
            assert_eq!(failure(&error), (1..2, 1, None), "{sql}");
            assert!(
                matches!(error, Error::ManyFailed { cause, .. } if matches!(*cause, Error::ParameterCount { .. }))
            );
            assert_eq!(content(&mut conn).await.as_deref(), Some("1:1"), "{sql}");
            conn.query_drop("DELETE FROM f").await.unwrap();
        }
    });
}
