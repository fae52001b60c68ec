//! Many sets of parameters where the server takes no bulk of them: an INSERT of many rows.

use pool_mysql::mysql_async::{Value, params, prelude::Queryable};
use pool_mysql::{Connection, Error};

use crate::server::{Server, number, test};

async fn prepared(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop(
        "CREATE TABLE mixed (id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE, a VARCHAR(30))",
    )
    .await
    .unwrap();
    conn
}

/// Rows whose second column has another type in each: no bulk has those.
fn mixed(rows: i32) -> Vec<(i32, Value)> {
    let value = |n: i32| match n % 3 {
        0 => Value::NULL,
        1 => Value::Int(n.into()),
        _ => Value::from(format!("text {n}")),
    };
    (0..rows).map(|n| (n, value(n))).collect()
}

async fn executed(conn: &mut Connection) -> i64 {
    let sql = "SHOW SESSION STATUS LIKE 'Com_stmt_execute'";
    let row: Option<(String, i64)> = conn.query_first(sql).await.unwrap();
    row.expect("there is such a counter").1
}

#[test]
fn rows_of_mixed_types_go_together_in_statements_of_many_rows() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let before = executed(&mut conn).await;
        let mut cur = conn.cursor();
        let insert = "INSERT INTO mixed (n, a) VALUES (?, ?)";
        assert_eq!(cur.executemany(insert, mixed(3000)).await.unwrap(), 3000);
        assert_eq!((cur.rowcount(), cur.lastrowid()), (3000, Some(1)));
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), None);
        // 1024 + 1024 + 512 + 256 + 128 + 32 + 16 + 8
        assert_eq!(executed(&mut conn).await - before, 8);
        let wrong = "SELECT COUNT(*) FROM mixed WHERE NOT a <=> \
                     CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN n ELSE CONCAT('text ', n) END";
        assert_eq!(number(&mut conn, wrong).await, 0);
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM mixed").await, 3000);
    });
}

#[test]
fn changed_rows_are_counted_as_the_server_counts_them() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        let insert = "INSERT INTO mixed (n, a) VALUES (?, ?)";
        assert_eq!(cur.executemany(insert, mixed(7)).await.unwrap(), 7);
        // Seven are there and stay as they are, three are new; then seven are changed, and count twice.
        let update = "INSERT INTO mixed (n, a) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = VALUES(a)";
        assert_eq!(cur.executemany(update, mixed(10)).await.unwrap(), 3);
        let reverse = "INSERT INTO mixed (n, a) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = 'x'";
        assert_eq!(cur.executemany(reverse, mixed(11)).await.unwrap(), 21);
        let ignore = "INSERT IGNORE INTO mixed (n, a) VALUES (?, ?)";
        assert_eq!(cur.executemany(ignore, mixed(13)).await.unwrap(), 2);
        let replace = "REPLACE INTO mixed (n, a) VALUES (?, ?)";
        assert_eq!(cur.executemany(replace, mixed(14)).await.unwrap(), 27);
    });
}

#[test]
fn an_error_comes_from_the_first_set_that_fails() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        let insert = "INSERT INTO mixed (n, a) VALUES (?, ?)";
        let twice = [mixed(5), mixed(1)].concat();
        let error = cur.executemany(insert, twice).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1062));
        assert!(matches!(
            cur.fetchone::<i32>().await,
            Err(Error::NotExecuted)
        ));
        let three = [(Value::Int(1), Value::NULL, Value::from("x"))];
        let error = cur.executemany(insert, three).await.unwrap_err();
        assert!(matches!(error, Error::ParameterCount { .. }));
        assert_eq!(number(&mut conn, "SELECT 8").await, 8);
    });
}

#[test]
fn large_rows_are_sent_apart() {
    test(|| async {
        let server = Server::with(&["--max-allowed-packet=1M"]);
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE large (n INT, a MEDIUMTEXT)")
            .await
            .unwrap();
        let rows: Vec<(Value, String)> = (0..20)
            .map(|n| {
                let number = match n % 2 {
                    0 => Value::Int(n),
                    _ => Value::from(n.to_string()),
                };
                (number, "x".repeat(200_000))
            })
            .collect();
        let mut cur = conn.cursor();
        let insert = "INSERT INTO large VALUES (?, ?)";
        assert_eq!(cur.executemany(insert, rows).await.unwrap(), 20);
        let sum = "SELECT SUM(n) + SUM(LENGTH(a)) FROM large";
        assert_eq!(number(&mut conn, sum).await, 190 + 20 * 200_000);
    });
}

#[test]
fn names_work_where_there_is_no_way_at_once() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        let insert = "INSERT INTO mixed (n, a) VALUES (:n, :a)";
        let sets = mixed(9).into_iter().map(|(n, a)| params! { n, a });
        assert_eq!(cur.executemany(insert, sets).await.unwrap(), 9);
        let sets = (0..9).map(|n| params! { n });
        let update = "UPDATE mixed SET a = CONCAT(:n, 'x') WHERE n = :n";
        assert_eq!(cur.executemany(update, sets).await.unwrap(), 9);
        // A backslash: its statement is left alone.
        let sets = (0..3).map(|n| params! { n });
        let update = r"UPDATE mixed SET a = CONCAT('\\', :n) WHERE n = :n";
        assert_eq!(cur.executemany(update, sets).await.unwrap(), 3);
        let sets = (0..2).map(|n| params! { n });
        let select = "SELECT a FROM mixed WHERE n = :n";
        assert_eq!(cur.executemany(select, sets).await.unwrap(), 2);
        assert_eq!(cur.fetchall::<String>().await.unwrap(), [r"\1"]);
        let sets = [params! { "m" => 1 }];
        assert!(cur.executemany(insert, sets).await.is_err());
    });
}
