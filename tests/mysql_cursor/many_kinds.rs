//! Every kind of statement with many sets of parameters: it does what the statement does once for each set, whether or not
//! the server takes a bulk of it.

use pool_mysql::mysql_async::{Params, Value, params, prelude::Queryable};
use pool_mysql::{Connection, Cursor, Error};

use crate::server::{Server, code, number, test, text};

/// Statements that MariaDB takes in bulk, each with the sets of parameters to execute it with.
const TAKEN: &[(&str, &[&[i64]])] = &[
    (
        "INSERT INTO t VALUES (?, ?)",
        &[&[4, 40], &[5, 50], &[6, 60]],
    ),
    ("INSERT INTO t VALUES (?, 0), (?, 1)", &[&[4, 5], &[6, 7]]),
    ("INSERT IGNORE INTO t VALUES (?, ?)", &[&[1, 9], &[4, 40]]),
    ("INSERT INTO t SET id = ?, n = ?", &[&[4, 40], &[5, 50]]),
    (
        "INSERT INTO t VALUES (?, ?) ON DUPLICATE KEY UPDATE n = VALUES(n)",
        &[&[1, 11], &[2, 20], &[4, 40]],
    ),
    (
        "INSERT INTO t VALUES (?, ?) ON DUPLICATE KEY UPDATE n = ?",
        &[&[1, 0, 11], &[4, 40, 0], &[4, 0, 44]],
    ),
    (
        "INSERT INTO t SET id = ?, n = ? ON DUPLICATE KEY UPDATE n = n + 1",
        &[&[1, 0], &[4, 40], &[4, 0]],
    ),
    ("REPLACE INTO t VALUES (?, ?)", &[&[1, 11], &[4, 40]]),
    ("REPLACE INTO t SET id = ?, n = ?", &[&[1, 11], &[4, 40]]),
    (
        "UPDATE t SET n = ? WHERE id = ?",
        &[&[11, 1], &[20, 2], &[33, 3], &[44, 4]],
    ),
    (
        "UPDATE t, u SET t.n = ?, u.n = 5 WHERE t.id = u.id AND t.id = ?",
        &[&[11, 1], &[33, 3], &[44, 4]],
    ),
    (
        "UPDATE t JOIN u ON t.id = u.id SET t.n = u.n + ? WHERE t.id < ?",
        &[&[100, 2], &[200, 9]],
    ),
    ("DELETE FROM t WHERE id = ?", &[&[1], &[9], &[3]]),
];

/// Statements that change rows, and that MariaDB does not take in bulk.
const REFUSED: &[(&str, &[&[i64]])] = &[
    (
        "INSERT INTO t(id) SELECT ? FROM DUAL WHERE ? > 0",
        &[&[4, 1], &[5, 0], &[6, 1]],
    ),
    (
        "INSERT INTO t SELECT id + ?, n FROM u WHERE id < ?",
        &[&[10, 3], &[20, 1], &[30, 9]],
    ),
    (
        "INSERT INTO t SELECT id, n FROM u WHERE id = ? ON DUPLICATE KEY UPDATE n = ?",
        &[&[1, 11], &[4, 0], &[2, 22]],
    ),
    (
        "REPLACE INTO t SELECT id, ? FROM u WHERE id < ?",
        &[&[11, 2], &[12, 3]],
    ),
    (
        "DELETE t, u FROM t JOIN u ON t.id = u.id WHERE u.n = ?",
        &[&[1], &[9], &[3]],
    ),
    (
        "DELETE FROM t USING t, u WHERE t.id = u.id AND u.n < ?",
        &[&[2], &[3]],
    ),
];

/// Statements that are executed once for each set everywhere.
const OTHERS: &[(&str, &[&[i64]])] = &[
    ("CALL add_row(?, ?)", &[&[4, 40], &[5, 50]]),
    ("SELECT n FROM t WHERE id < ?", &[&[2], &[1], &[4]]),
    ("DO ?", &[&[1], &[2]]),
];

fn sets(values: &[&[i64]]) -> Vec<Vec<Value>> {
    let set = |set: &&[i64]| set.iter().map(|value| Value::Int(*value)).collect();
    values.iter().map(set).collect()
}

/// Sets whose columns have another type in every second set.
fn mixed(values: &[&[i64]]) -> Vec<Vec<Value>> {
    let mut sets = sets(values);
    for value in sets.iter_mut().skip(1).step_by(2).flatten() {
        if let Value::Int(number) = *value {
            *value = Value::from(number.to_string());
        }
    }
    sets
}

async fn create(conn: &mut Connection, engine: &str) {
    conn.query_drop(format!(
        "CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE={engine}; \
         CREATE TABLE u (id INT PRIMARY KEY, n INT) ENGINE={engine}; \
         CREATE PROCEDURE add_row(IN id INT, IN n INT) INSERT INTO t VALUES (id, n)"
    ))
    .await
    .unwrap();
}

async fn fill(conn: &mut Connection) {
    conn.query_drop(
        "DELETE FROM t; INSERT INTO t VALUES (1, 10), (2, 20), (3, 30); \
         DELETE FROM u; INSERT INTO u VALUES (1, 1), (2, 2), (3, 3)",
    )
    .await
    .unwrap();
}

async fn content(conn: &mut Connection) -> Option<String> {
    let rows = |table: &str| {
        format!("(SELECT GROUP_CONCAT(id, ':', IFNULL(n, '-') ORDER BY id) FROM {table})")
    };
    let sql = format!("SELECT CONCAT_WS(' / ', {}, {})", rows("t"), rows("u"));
    text(conn, &sql).await
}

/// Executes each statement once for each set, then with all sets: the number of changed rows and the tables are the same.
async fn compare(conn: &mut Connection, statements: &[(&str, &[&[i64]])]) {
    for (sql, values) in statements {
        for sets in [sets(values), mixed(values)] {
            fill(conn).await;
            let mut rows = 0;
            for set in sets.clone() {
                rows += conn.cursor().execute(*sql, set).await.expect(sql);
            }
            let expected = (rows, content(conn).await);
            fill(conn).await;
            let mut cur = conn.cursor();
            let rows = cur.executemany(*sql, sets).await.expect(sql);
            assert_eq!(cur.rowcount(), rows, "{sql}");
            assert_eq!((rows, content(conn).await), expected, "{sql}");
        }
    }
}

/// The number that `lastrowid` returns is the first one, also where the sets are executed one by one.
async fn first_number(conn: &mut Connection) {
    conn.query_drop("CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, n INT)")
        .await
        .unwrap();
    for insert in [
        "INSERT INTO numbered (n) VALUES (?)",
        "INSERT INTO numbered SET n = ?",
        "INSERT INTO numbered (n) SELECT ? FROM DUAL",
    ] {
        for on_server in [false, true] {
            conn.query_drop("DELETE FROM numbered").await.unwrap();
            let sets = [(1,), (2,), (3,)];
            let id = if on_server {
                let mut cur = conn.ss_cursor();
                assert_eq!(cur.executemany(insert, sets).await.unwrap(), 3);
                cur.lastrowid()
            } else {
                let mut cur = conn.cursor();
                assert_eq!(cur.executemany(insert, sets).await.unwrap(), 3);
                cur.lastrowid()
            };
            let first = number(conn, "SELECT id FROM numbered WHERE n = 1").await;
            assert_eq!(id, u64::try_from(first).ok(), "{insert}");
        }
    }
}

/// For both servers.
pub(crate) async fn every_kind(conn: &mut Connection) {
    first_number(conn).await;
    create(conn, "InnoDB").await;
    compare(conn, TAKEN).await;
    compare(conn, REFUSED).await;
    compare(conn, OTHERS).await;
}

/// How many commands that execute something the session has sent, this one included.
async fn questions(conn: &mut Connection) -> u64 {
    let sql = "SHOW SESSION STATUS LIKE 'Questions'";
    let row: Option<(String, u64)> = conn.query_first(sql).await.unwrap();
    row.expect("there is such a counter").1
}

async fn many<P: Into<Params> + Send>(
    cur: &mut Cursor<'_>,
    sql: &str,
    sets: Vec<P>,
) -> Result<u64, Error> {
    cur.executemany(sql, sets).await
}

#[test]
fn many_sets_do_what_one_set_after_the_other_does() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        every_kind(&mut conn).await;
    });
}

#[test]
fn a_bulk_that_the_server_refuses_has_changed_nothing() {
    test(|| async {
        let server = Server::start();
        for engine in ["InnoDB", "Aria"] {
            let mut conn = server.connect().await;
            conn.query_drop("CREATE OR REPLACE DATABASE kinds; USE kinds")
                .await
                .unwrap();
            create(&mut conn, engine).await;
            fill(&mut conn).await;
            let before = content(&mut conn).await;
            for (sql, values) in REFUSED {
                let refused = conn.exec_batch(*sql, sets(values)).await;
                assert_eq!(code(refused), 1295, "{sql}");
                assert_eq!(content(&mut conn).await, before, "{sql}");
            }
            for (sql, values) in TAKEN {
                fill(&mut conn).await;
                conn.exec_batch(*sql, sets(values)).await.expect(sql);
            }
        }
    });
}

#[test]
fn an_insert_select_goes_row_by_row() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE a (a INT)").await.unwrap();
        let mut cur = conn.cursor();
        let insert = "INSERT INTO a(a) SELECT ? FROM DUAL WHERE ? > 0";
        let sets = vec![(1, 1), (2, 2), (3, 3)];
        assert_eq!(many(&mut cur, insert, sets).await.unwrap(), 3);
        assert_eq!(cur.rowcount(), 3);
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), None);
        let insert = "INSERT INTO a(a) SELECT :a FROM DUAL WHERE :a > 3";
        let sets = (3..6).map(|a| params! { a }).collect();
        assert_eq!(many(&mut cur, insert, sets).await.unwrap(), 2);
        let mut cur = conn.ss_cursor();
        let insert = "INSERT INTO a(a) SELECT ?";
        assert_eq!(cur.executemany(insert, [(6,), (7,)]).await.unwrap(), 2);
        let sum = "SELECT SUM(a) * 100 + COUNT(*) FROM a";
        assert_eq!(number(&mut conn, sum).await, 2807);
    });
}

#[test]
fn a_bulk_is_offered_once() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE a (a INT)").await.unwrap();
        // Each set would be a bulk of its own, because its type is another one than that of the set before.
        let sets: Vec<(Value,)> = (0..6)
            .map(|n| match n % 2 {
                0 => (Value::Int(n),),
                _ => (Value::from(n.to_string()),),
            })
            .collect();
        let before = questions(&mut conn).await;
        let insert = "INSERT INTO a(a) SELECT ? FROM DUAL";
        let mut cur = conn.cursor();
        assert_eq!(many(&mut cur, insert, sets).await.unwrap(), 6);
        // The bulk, six statements and the second question for the counter.
        assert_eq!(questions(&mut conn).await - before, 8);
    });
}

#[test]
fn what_a_bulk_refuses_belongs_to_the_transaction() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE a (a INT)").await.unwrap();
        let insert = "INSERT INTO a(a) SELECT ? FROM DUAL";
        for (commit, rows) in [(false, 0), (true, 3)] {
            let mut tx = conn.start_transaction(Default::default()).await.unwrap();
            let mut cur = tx.cursor();
            let sets = vec![(1,), (2,), (3,)];
            assert_eq!(many(&mut cur, insert, sets).await.unwrap(), 3);
            match commit {
                true => tx.commit().await.unwrap(),
                false => tx.rollback().await.unwrap(),
            }
            assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM a").await, rows);
        }
    });
}

#[test]
fn a_trigger_that_fails_with_the_number_of_a_refusal_is_not_taken_for_one() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        create(&mut conn, "InnoDB").await;
        fill(&mut conn).await;
        conn.query_drop(
            "CREATE TRIGGER refuses BEFORE UPDATE ON t FOR EACH ROW IF NEW.id = 3 THEN \
             SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1295; END IF",
        )
        .await
        .unwrap();
        let update = "UPDATE t SET n = n + 1 WHERE id = ?";
        let mut cur = conn.cursor();
        let error = many(&mut cur, update, vec![(1,), (2,), (3,)]).await;
        assert_eq!(error.unwrap_err().server_code(), Some(1295));
        assert_eq!(
            content(&mut conn).await.as_deref(),
            Some("1:11,2:21,3:30 / 1:1,2:2,3:3")
        );
    });
}
