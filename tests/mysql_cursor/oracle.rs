//! The same on Oracle's server, which takes no bulk: `cargo xtask test --mysql`.

use std::time::Duration;

use pool_mysql::mysql_async::{Row, Value, params, prelude::Queryable};
use pool_mysql::{ConnectOptions, Connection, MySqlErrorExt, connect};
use private_server::PrivateServer;

use crate::later_errors::{every_cursor, next_execute, procedures};
use crate::many_failed::{failure, one_by_one, rows_together};
use crate::many_kinds::every_kind;
use crate::server::{number, test};
use crate::types::{every_type, printed_numbers};

/// Oracle's server, from the program that the environment names, and a connection to it.
async fn oracle() -> (PrivateServer, Connection) {
    let program = std::env::var_os("PRIVATE_MYSQL_PROGRAM")
        .expect("`cargo xtask test --mysql` sets PRIVATE_MYSQL_PROGRAM to Oracle's mysqld");
    let server = PrivateServer::builder()
        .program(program)
        .option("--mysqlx=OFF")
        .option("--secure-file-priv=")
        .start()
        .expect("a server starts");
    let options = ConnectOptions::new()
        .unix_socket(server.socket())
        .user(server.user())
        .db("test");
    let mut conn = connect(options).await.unwrap();
    assert!(!conn.is_mariadb());
    conn.query_drop(
        "CREATE TABLE many (id INT AUTO_INCREMENT PRIMARY KEY, n INT UNIQUE, a VARCHAR(30)); \
         CREATE PROCEDURE twice(IN a INT, OUT b INT) BEGIN SET b = 2 * a; SELECT a; END",
    )
    .await
    .unwrap();
    (server, conn)
}

async fn executed(conn: &mut Connection) -> i64 {
    let sql = "SHOW SESSION STATUS LIKE 'Com_stmt_execute'";
    let row: Option<(String, i64)> = conn.query_first(sql).await.unwrap();
    row.expect("there is such a counter").1
}

#[test]
fn many_sets_are_statements_of_many_rows() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        let before = executed(&mut conn).await;
        let mut cur = conn.cursor();
        let rows = (0..3000).map(|n| (n, format!("text {n}")));
        let insert = "INSERT INTO many (n, a) VALUES (?, ?);";
        assert_eq!(cur.executemany(insert, rows).await.unwrap(), 3000);
        assert_eq!((cur.rowcount(), cur.lastrowid()), (3000, Some(1)));
        let named = (0..4).map(|n| params! { "n" => n, "a" => "x" });
        let update =
            "INSERT INTO many (n, a) VALUES (:n, :a) ON DUPLICATE KEY UPDATE a = VALUES(a)";
        assert_eq!(cur.executemany(update, named).await.unwrap(), 8);
        let named = (0..2).map(|n| params! { "n" => n });
        let update = "UPDATE many SET a = CONCAT(:n, 'y') WHERE n = :n";
        assert_eq!(cur.executemany(update, named).await.unwrap(), 2);
        let replace = "REPLACE INTO many (n, a) VALUES (?, ?)";
        let rows = [(1, Value::NULL), (-1, Value::from("new"))];
        assert_eq!(cur.executemany(replace, rows).await.unwrap(), 3);
        // 8 for the rows, then 1, 2 and 1.
        assert_eq!(executed(&mut conn).await - before, 12);
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM many").await, 3001);
        let as_meant = "SELECT COUNT(*) FROM many WHERE a = CONCAT('text ', n)";
        assert_eq!(number(&mut conn, as_meant).await, 2996);
    });
}

#[test]
fn a_row_alias_goes_together_like_the_older_form() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        let before = executed(&mut conn).await;
        for (update, changed) in [
            ("ON DUPLICATE KEY UPDATE a = VALUES(a)", 4),
            ("AS new ON DUPLICATE KEY UPDATE a = CONCAT(new.a, 'x')", 8),
            ("AS new(m, b) ON DUPLICATE KEY UPDATE a = CONCAT(b, m)", 8),
        ] {
            let rows = (0..4).map(|n| (n, "text"));
            let insert = format!("INSERT INTO many (n, a) VALUES (?, ?) {update}");
            let mut cur = conn.cursor();
            assert_eq!(cur.executemany(insert, rows).await.unwrap(), changed);
        }
        assert_eq!(executed(&mut conn).await - before, 3);
        let as_meant = "SELECT COUNT(*) FROM many WHERE a = CONCAT('text', n)";
        assert_eq!(number(&mut conn, as_meant).await, 4);
    });
}

#[test]
fn many_sets_do_what_one_set_after_the_other_does() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        every_kind(&mut conn).await;
    });
}

#[test]
fn a_failure_names_the_set_or_the_sets_of_one_command() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        one_by_one(&mut conn).await;
        rows_together(&mut conn).await;
        conn.query_drop("UPDATE f SET n = id").await.unwrap();
        let mut cur = conn.cursor();
        let update = "UPDATE f SET n = ? WHERE id = ?";
        let error = cur.executemany(update, [(11, 1), (2, 2), (3, 1)]).await;
        assert_eq!(failure(&error.unwrap_err()), (2..3, 1, Some(1062)));
    });
}

#[test]
fn rows_come_one_by_one_and_procedures_leave_variables() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        let rows = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?) \
                    SELECT n, REPEAT('x', 100) FROM s";
        let mut cur = conn.ss_cursor();
        cur.execute(rows, (900,)).await.unwrap();
        for expected in 1..=900 {
            let (n, text): (i32, String) = cur.fetchone().await.unwrap().expect("a row");
            assert_eq!((n, text.len()), (expected, 100));
        }
        assert_eq!(cur.fetchone::<Row>().await.unwrap(), None);
        cur.execute(rows, (900,)).await.unwrap();
        assert!(cur.fetchone::<Row>().await.unwrap().is_some());
        // What is left is not in the way.
        cur.callproc("twice", (21, Value::NULL)).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(21));
        assert!(cur.nextset().await.unwrap(), "the call itself");
        assert!(!cur.nextset().await.unwrap());
        cur.execute("SELECT @_twice_1", ()).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(42));
        cur.execute("SELECT 1; BLABLA", ()).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(1));
        let error = cur.fetchone::<i32>().await.unwrap_err();
        assert_eq!(error.server_code(), Some(1064));
        assert_eq!(number(&mut conn, "SELECT 5").await, 5);
    });
}

#[test]
fn the_error_of_a_later_statement_comes_after_the_results_before_it() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        every_cursor(&mut conn).await;
        next_execute(&mut conn).await;
        procedures(&mut conn).await;
    });
}

#[test]
fn each_type_has_the_same_value_with_and_without_parameters() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        every_type(&mut conn).await;
        printed_numbers(&mut conn).await;
    });
}

/// A server that is told to end a command that has ended may end the next one.
#[test]
fn a_command_that_takes_too_long_is_ended_and_the_next_one_is_not() {
    test(|| async {
        let (server, _conn) = oracle().await;
        let options = ConnectOptions::new()
            .unix_socket(server.socket())
            .user(server.user())
            .db("test")
            .command_timeout(Duration::from_millis(20));
        let mut conn = connect(options).await.unwrap();
        let id = conn.connection_id();
        let endless = "SELECT COUNT(*) FROM information_schema.COLUMNS a, \
            information_schema.COLUMNS b, information_schema.COLUMNS c";
        let error = conn.query_drop(endless).await.unwrap_err();
        assert!(error.is_command_timeout(), "{error}");
        for round in 0..100 {
            let time = 18.0 + f64::from(round % 9) / 2.0;
            // This server answers an interrupted SLEEP with a row.
            if let Err(error) = conn
                .query_drop(format!("SELECT SLEEP({})", time / 1000.0))
                .await
            {
                assert!(error.is_command_timeout(), "{error}");
            }
            assert_eq!(
                number(&mut conn, &format!("SELECT {round}")).await,
                i64::from(round)
            );
        }
        assert_eq!(conn.connection_id(), id);
    });
}

#[test]
fn where_there_is_no_room_for_a_statement_those_that_are_kept_are_closed() {
    test(|| async {
        let (_server, mut conn) = oracle().await;
        conn.query_drop("SET GLOBAL max_prepared_stmt_count = 4")
            .await
            .unwrap();
        for n in 0..12 {
            let mut cur = conn.cursor();
            cur.execute(format!("SELECT ? + {n}"), (1,)).await.unwrap();
            assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(n + 1));
            let row: Option<i32> = conn
                .exec_first(format!("SELECT ? - {n}"), (n,))
                .await
                .unwrap();
            assert_eq!(row, Some(0));
        }
    });
}
