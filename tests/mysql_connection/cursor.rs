//! The cursor.

use pool_mysql::mysql_async::{Params, Row, Value, params, prelude::Queryable};
use pool_mysql::{Connection, Error};

use crate::server::{Server, number, test};

async fn people(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop(
        "CREATE TABLE people (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20), age DECIMAL(5,2))",
    )
    .await
    .unwrap();
    conn
}

#[test]
fn rows_come_one_by_one_some_at_a_time_or_all() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        let rows = cur
            .execute("SELECT seq FROM seq_1_to_10", ())
            .await
            .unwrap();
        assert_eq!((rows, cur.rowcount(), cur.rownumber()), (10, 10, 0));
        assert_eq!(cur.fetchone::<(u8,)>().await.unwrap(), Some((1,)));
        assert_eq!(cur.fetchmany::<u8>(3).await.unwrap(), [2, 3, 4]);
        assert!(cur.fetchmany::<u8>(0).await.unwrap().is_empty());
        assert_eq!(cur.rownumber(), 4);
        assert_eq!(cur.fetchall::<(u64,)>().await.unwrap().len(), 6);
        assert_eq!(cur.rownumber(), 10);
        assert_eq!(cur.fetchone::<(u8,)>().await.unwrap(), None);
        assert!(cur.fetchall::<u8>().await.unwrap().is_empty());
        assert_eq!(cur.rownumber(), 10);
    });
}

#[test]
fn parameters_are_positional_named_or_none() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("SELECT ?, ?", (1, "two")).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((1, "two".to_owned())));
        cur.execute("SELECT :b, :a", params! { "a" => 1, "b" => "x" })
            .await
            .unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some(("x".to_owned(), 1)));
        cur.execute(String::from("SELECT ?"), vec![Value::NULL])
            .await
            .unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((None::<i32>,)));
        // What a server cannot prepare.
        cur.execute("PREPARE p FROM 'SELECT 3'", ()).await.unwrap();
        cur.execute("EXECUTE p", Params::Empty).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((3,)));
    });
}

#[test]
fn changes_are_counted() {
    test(|| async {
        let server = Server::start();
        let mut conn = people(&server).await;
        let mut cur = conn.cursor();
        let changed = cur
            .execute("INSERT INTO people (name) VALUES ('Ada'), ('Grace')", ())
            .await
            .unwrap();
        assert_eq!((changed, cur.rowcount(), cur.lastrowid()), (2, 2, Some(1)));
        assert!(cur.description().is_none());
        assert_eq!(cur.fetchone::<Row>().await.unwrap(), None);
        assert!(cur.fetchall::<Row>().await.unwrap().is_empty());
        cur.execute("INSERT INTO people (name) VALUES (?)", ("Edsger",))
            .await
            .unwrap();
        assert_eq!((cur.rowcount(), cur.lastrowid()), (1, Some(3)));
        cur.execute("UPDATE people SET age = ? WHERE id > ?", (40, 1))
            .await
            .unwrap();
        assert_eq!((cur.rowcount(), cur.lastrowid()), (2, None));
        cur.execute("SELECT * FROM people", ()).await.unwrap();
        assert_eq!((cur.rowcount(), cur.lastrowid()), (3, None));
    });
}

#[test]
fn columns_are_described() {
    test(|| async {
        let server = Server::start();
        let mut conn = people(&server).await;
        let mut cur = conn.cursor();
        assert!(cur.description().is_none());
        for params in [Params::Empty, Params::Positional(vec![])] {
            cur.execute("SELECT id, name AS who, age FROM people", params)
                .await
                .unwrap();
            let columns = cur
                .description()
                .expect("columns, although there is no row");
            let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
            assert_eq!(names, ["id", "who", "age"]);
            let types: Vec<String> = columns.iter().map(|column| column.type_name()).collect();
            assert_eq!(types, ["LONG", "VAR_STRING", "NEWDECIMAL"]);
            assert_eq!(columns[2].scale(), 2);
            assert_eq!(
                columns.iter().map(|c| c.null_ok()).collect::<Vec<_>>(),
                [false, true, true]
            );
            assert_eq!(columns[1].table(), "people");
        }
    });
}

#[test]
fn a_row_that_does_not_fit_stays_and_says_what_it_is() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("SELECT 'private' AS name, NULL AS age", ())
            .await
            .unwrap();
        let error = cur.fetchone::<(i32, i32)>().await.unwrap_err();
        assert!(matches!(error, Error::Conversion { .. }));
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("name VAR_STRING") && shown.contains("(i32, i32)"),
            "{shown}"
        );
        assert!(!shown.contains("private"), "{shown}");
        assert!(cur.fetchone::<(String,)>().await.is_err());
        assert!(cur.fetchone::<(String, i32)>().await.is_err());
        assert_eq!(cur.rownumber(), 0);
        let row = cur.fetchone::<(String, Option<i32>)>().await.unwrap();
        assert_eq!(row, Some(("private".to_owned(), None)));
    });
}

#[test]
fn many_sets_of_parameters_are_executed_at_once() {
    test(|| async {
        let server = Server::start();
        let mut conn = people(&server).await;
        let mut cur = conn.cursor();
        let insert = "INSERT INTO people (name, age) VALUES (?, ?)";
        let rows = (0..1000).map(|n| (format!("n{n}"), n % 100));
        assert_eq!(cur.executemany(insert, rows).await.unwrap(), 1000);
        assert_eq!((cur.rowcount(), cur.lastrowid()), (1000, Some(1)));
        assert_eq!(
            cur.executemany(insert, Vec::<(String, i32)>::new())
                .await
                .unwrap(),
            0
        );
        let named = [
            params! { "a" => 1, "n" => "n1" },
            params! { "a" => 2, "n" => "n2" },
        ];
        let update = "UPDATE people SET age = age + :a WHERE name = :n";
        assert_eq!(cur.executemany(update, named).await.unwrap(), 2);
        assert_eq!(cur.executemany("SELECT ?", [(1,), (2,)]).await.unwrap(), 2);
        assert_eq!(cur.fetchall::<i32>().await.unwrap(), [2]);
        assert_eq!(
            cur.executemany("DELETE FROM people WHERE id = ?", [(1,), (1,), (2,)])
                .await
                .unwrap(),
            2
        );
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM people").await, 998);
    });
}

#[test]
fn many_sets_may_mix_types_and_sizes() {
    test(|| async {
        let server = Server::with(&["--max-allowed-packet=1M"]);
        let mut conn = server.connect().await;
        conn.query_drop(
            "CREATE TABLE mixed (n INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(30), b MEDIUMTEXT)",
        )
        .await
        .unwrap();
        let mut cur = conn.cursor();
        let long = "x".repeat(600_000);
        let rows = vec![
            (Value::NULL, Value::NULL),
            (Value::Int(-1), Value::NULL),
            (Value::UInt(u64::MAX), Value::from("a")),
            (Value::Int(7), Value::from(long.as_str())),
            (Value::from("text"), Value::from(long.as_str())),
            (Value::Double(0.5), Value::from("")),
        ];
        let insert = "INSERT INTO mixed (a, b) VALUES (?, ?)";
        assert_eq!(cur.executemany(insert, rows).await.unwrap(), 6);
        cur.execute("SELECT a, LENGTH(b) FROM mixed ORDER BY n", ())
            .await
            .unwrap();
        let rows: Vec<(Option<String>, Option<u32>)> = cur.fetchall().await.unwrap();
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            (None, None),
            (text("-1"), None),
            (text("18446744073709551615"), Some(1)),
            (text("7"), Some(600_000)),
            (text("text"), Some(600_000)),
            (text("0.5"), Some(0)),
        ];
        assert_eq!(rows, expected);
    });
}

#[test]
fn a_wrong_number_of_parameters_is_found_before_anything_is_executed() {
    test(|| async {
        let server = Server::start();
        let mut conn = people(&server).await;
        let mut cur = conn.cursor();
        let error = cur.execute("SELECT ?", (1, 2)).await.unwrap_err();
        assert!(matches!(
            error,
            Error::ParameterCount {
                expected: 1,
                given: 2,
                ..
            }
        ));
        let insert = "INSERT INTO people (name) VALUES (?)";
        let error = cur
            .executemany(insert, [("a", 1), ("b", 2)])
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            Error::ParameterCount {
                expected: 1,
                given: 2,
                ..
            }
        ));
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM people").await, 0);
    });
}

#[test]
fn several_statements_have_several_results() {
    test(|| async {
        let server = Server::start();
        let mut conn = people(&server).await;
        let mut cur = conn.cursor();
        let sql = "SELECT 1; INSERT INTO people (name) VALUES ('a'), ('b'); SELECT 'x', 'y' UNION SELECT 'z', 'w'";
        assert_eq!(cur.execute(sql, ()).await.unwrap(), 1);
        assert_eq!(cur.fetchall::<i32>().await.unwrap(), [1]);
        assert!(cur.nextset().await.unwrap());
        assert_eq!((cur.rowcount(), cur.lastrowid()), (2, Some(1)));
        assert!(cur.nextset().await.unwrap());
        assert_eq!((cur.rowcount(), cur.rownumber()), (2, 0));
        assert_eq!(cur.fetchall::<(String, String)>().await.unwrap().len(), 2);
        assert!(!cur.nextset().await.unwrap());
        assert_eq!(number(&mut conn, "SELECT 4").await, 4);
    });
}

#[test]
fn an_error_in_the_first_statement_leaves_no_result() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        for sql in ["BLABLA", "BLABLA; SELECT 1", "SELECT f(); DO 1"] {
            let error = cur.execute(sql, ()).await.unwrap_err();
            assert!(error.server_code().is_some(), "{sql}");
            assert!(
                matches!(cur.fetchone::<Row>().await, Err(Error::NotExecuted)),
                "{sql}"
            );
        }
        cur.execute("SELECT 5", ()).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(5));
    });
}

#[test]
fn an_error_among_the_rows_is_an_error() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let sql = "SELECT IF(seq < 3000, seq, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_4000";
        let error = conn.cursor().execute(sql, ()).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1242));
        assert_eq!(number(&mut conn, "SELECT 6").await, 6);
    });
}

#[test]
fn a_procedure_has_its_results() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE PROCEDURE two(x INT) BEGIN SELECT x; SELECT x + 1; END")
            .await
            .unwrap();
        let mut cur = conn.cursor();
        for params in [Params::Positional(vec![]), Params::Empty] {
            cur.execute("CALL two(5)", params).await.unwrap();
            assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(5));
            assert!(cur.nextset().await.unwrap());
            assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(6));
        }
        cur.execute("CALL two(?)", (8,)).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(8));
    });
}

#[test]
fn a_closed_cursor_refuses_everything() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        assert!(matches!(
            cur.fetchone::<Row>().await,
            Err(Error::NotExecuted)
        ));
        cur.execute("SELECT 1", ()).await.unwrap();
        cur.close();
        cur.close().await;
        assert!(matches!(
            cur.execute("SELECT 1", ()).await,
            Err(Error::CursorClosed)
        ));
        assert!(matches!(
            cur.executemany("SELECT ?", [(1,)]).await,
            Err(Error::CursorClosed)
        ));
        assert!(matches!(
            cur.fetchone::<Row>().await,
            Err(Error::CursorClosed)
        ));
        assert!(matches!(
            cur.fetchmany::<Row>(1).await,
            Err(Error::CursorClosed)
        ));
        assert!(matches!(
            cur.fetchall::<Row>().await,
            Err(Error::CursorClosed)
        ));
        assert!(matches!(cur.nextset().await, Err(Error::CursorClosed)));
        assert!(cur.description().is_none());
        assert_eq!(number(&mut conn, "SELECT 1").await, 1);
    });
}
