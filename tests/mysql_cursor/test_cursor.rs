//! aiomysql's `tests/test_cursor.py`.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error, ScrollMode};

use crate::server::{Server, for_a_while, is_closed, test};

/// Three rows, as all of these tests have them.
async fn prepared(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop(
        "CREATE TABLE tbl (id MEDIUMINT NOT NULL AUTO_INCREMENT, name VARCHAR(255) NOT NULL, \
         PRIMARY KEY (id)); INSERT INTO tbl VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    )
    .await
    .unwrap();
    conn
}

fn row(id: i32, name: &str) -> (i32, String) {
    (id, name.to_owned())
}

#[test]
fn test_description() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        assert!(cur.description().is_none());
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        let columns = cur.description().expect("a SELECT has columns");
        assert_eq!(columns.len(), 2);
        // The seven places.
        let id = &columns[0];
        assert_eq!((id.name(), id.type_name().as_str()), ("id", "INT24"));
        assert_eq!((id.display_size(), id.scale()), (None, 0));
        assert_eq!((id.internal_size(), id.precision()), (9, 9));
        assert!(!id.null_ok());
        assert_eq!(columns[1].name(), "name");
        assert_eq!(columns[1].internal_size(), 4 * 255);
        cur.execute("DROP TABLE IF EXISTS foobar", ())
            .await
            .unwrap();
        assert!(cur.description().is_none());
    });
}

#[test]
fn test_cursor_properties() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let (id, echo) = (conn.connection_id(), conn.echo());
        let cur = conn.cursor();
        assert_eq!(cur.connection().connection_id(), id);
        assert_eq!(cur.connection().echo(), echo);
    });
}

#[test]
fn test_scroll_relative() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        cur.scroll(1, ScrollMode::Relative).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some(row(2, "b")));
        // Back again, which a tuple that was moved out would not allow.
        cur.scroll(-2, ScrollMode::default()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some(row(1, "a")));
    });
}

#[test]
fn test_scroll_absolute() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        cur.scroll(2, ScrollMode::Absolute).await.unwrap();
        assert_eq!(cur.rownumber(), 2);
        assert_eq!(cur.fetchone().await.unwrap(), Some(row(3, "c")));
    });
}

#[test]
fn test_scroll_errors() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        let error = cur.scroll(2, ScrollMode::Absolute).await.unwrap_err();
        assert!(matches!(error, Error::NotExecuted));
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        cur.close();
        let error = cur.scroll(0, ScrollMode::Absolute).await.unwrap_err();
        assert!(matches!(error, Error::CursorClosed));
    });
}

#[test]
fn test_scroll_index_error() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        cur.scroll(1, ScrollMode::Relative).await.unwrap();
        for (value, mode, target) in [
            (1000, ScrollMode::Relative, 1001),
            (2, ScrollMode::Relative, 3),
            (-2, ScrollMode::Relative, -1),
            (3, ScrollMode::Absolute, 3),
            (-1, ScrollMode::Absolute, -1),
            (i64::MAX, ScrollMode::Relative, i64::MAX),
        ] {
            let error = cur.scroll(value, mode).await.unwrap_err();
            let Error::ScrollOutOfRange { position, rows, .. } = error else {
                panic!("{error}");
            };
            assert_eq!((position, rows), (target, 3));
            // It stays where it was.
            assert_eq!(cur.rownumber(), 1);
        }
        let error = cur.scroll(5, ScrollMode::Absolute).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no row 5 to scroll to: the result has 3, numbered from 0"
        );
    });
}

#[test]
fn test_close() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        assert!(!cur.is_closed());
        cur.close().await;
        assert!(cur.is_closed());
        let error = cur.execute("SELECT 1", ()).await.unwrap_err();
        assert!(matches!(error, Error::CursorClosed));
        cur.close().await;
    });
}

#[test]
fn test_arraysize() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        assert_eq!(cur.arraysize(), 1);
        cur.set_arraysize(2);
        assert_eq!(cur.arraysize(), 2);
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        let rows: Vec<(i32, String)> = cur.fetchmany(cur.arraysize()).await.unwrap();
        assert_eq!(rows, [row(1, "a"), row(2, "b")]);
    });
}

#[test]
fn test_rows() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        assert_eq!((cur.rowcount(), cur.rownumber()), (3, 0));
        cur.fetchone::<(i32, String)>().await.unwrap();
        assert_eq!((cur.rownumber(), cur.lastrowid()), (1, None));
        cur.execute("INSERT INTO tbl VALUES (?, ?)", (4, "d"))
            .await
            .unwrap();
        assert_ne!(cur.lastrowid(), Some(0));
        cur.execute("INSERT INTO tbl (name) VALUES (?)", ("e",))
            .await
            .unwrap();
        assert_eq!(cur.lastrowid(), Some(5));
    });
}

#[test]
fn test_callproc() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE PROCEDURE myinc(p1 INT) BEGIN SELECT p1 + 1; END")
            .await
            .unwrap();
        let mut cur = conn.cursor();
        cur.callproc("myinc", (1,)).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((2,)));
        cur.close().await;
        let error = cur.callproc("myinc", (1,)).await.unwrap_err();
        assert!(matches!(error, Error::CursorClosed));
    });
}

#[test]
fn test_fetchone_no_result() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("CREATE TABLE test_nr (b VARCHAR(32))", ())
            .await
            .unwrap();
        cur.execute("INSERT INTO test_nr (b) VALUES (?)", ("pymysql",))
            .await
            .unwrap();
        assert_eq!(cur.fetchone::<(String,)>().await.unwrap(), None);
    });
}

#[test]
fn test_fetchmany_no_result() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("DROP TABLE IF EXISTS foobar", ())
            .await
            .unwrap();
        assert!(cur.fetchmany::<(i32,)>(1).await.unwrap().is_empty());
    });
}

#[test]
fn test_fetchall_no_result() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("DROP TABLE IF EXISTS foobar", ())
            .await
            .unwrap();
        assert!(cur.fetchall::<(i32,)>().await.unwrap().is_empty());
    });
}

#[test]
fn test_fetchall_with_scroll() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        cur.scroll(1, ScrollMode::Relative).await.unwrap();
        let rest: Vec<(i32, String)> = cur.fetchall().await.unwrap();
        assert_eq!(rest, [row(2, "b"), row(3, "c")]);
        cur.scroll(0, ScrollMode::Absolute).await.unwrap();
        let all: Vec<(i32, String)> = cur.fetchall().await.unwrap();
        assert_eq!(all.len(), 3);
    });
}

#[test]
fn test_aggregates() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("CREATE TABLE test_aggregates (i INTEGER)", ())
            .await
            .unwrap();
        for number in 0..10 {
            cur.execute("INSERT INTO test_aggregates (i) VALUES (?)", (number,))
                .await
                .unwrap();
        }
        cur.execute("SELECT SUM(i) FROM test_aggregates", ())
            .await
            .unwrap();
        assert_eq!(cur.fetchone::<(i64,)>().await.unwrap(), Some((45,)));
    });
}

#[test]
fn test_executemany() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        assert!(cur.description().is_none());
        let select = "SELECT * FROM tbl WHERE id = ?";
        let rows = cur.executemany(select, [(1,), (2,), (3,)]).await.unwrap();
        assert_eq!(rows, 3);
        // The last statement's rows.
        let last: Vec<(i32, String)> = cur.fetchall().await.unwrap();
        assert_eq!(last, [row(3, "c")]);
        let none: [(i32,); 0] = [];
        assert_eq!(cur.executemany("SELECT ?", none).await.unwrap(), 0);
    });
}

#[test]
fn test_morgify() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        let sql = "INSERT INTO tbl VALUES(?, ?)";
        let texts = [(4, "a"), (5, "b"), (6, "it's \\ ü?")].map(|pair| cur.mogrify(sql, pair));
        let texts = texts.map(Result::unwrap);
        assert_eq!(texts[0], "INSERT INTO tbl VALUES(4, 'a')");
        assert_eq!(texts[1], "INSERT INTO tbl VALUES(5, 'b')");
        // The server reads it as it was meant, whatever its mode and its character set.
        for settings in [
            "SET sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'",
            "SET NAMES gbk, sql_mode = ''",
        ] {
            cur.execute("DELETE FROM tbl WHERE id > 3", ())
                .await
                .unwrap();
            cur.execute(settings, ()).await.unwrap();
            for text in &texts {
                cur.execute(text, ()).await.unwrap();
            }
            cur.execute("SET NAMES utf8mb4", ()).await.unwrap();
            cur.execute("SELECT name FROM tbl WHERE id = 6", ())
                .await
                .unwrap();
            let name: Option<String> = cur.fetchone().await.unwrap();
            assert_eq!(name.as_deref(), Some("it's \\ ü?"), "{settings}");
        }
    });
}

#[test]
fn test_execute_cancel() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        let query = cur.execute("SELECT 1 AS id, SLEEP(60) AS xxx", ());
        let patience = std::time::Duration::from_millis(50);
        assert!(for_a_while(patience, query).await.is_none());
        let refused = conn.cursor().execute("SELECT 2 AS value", ()).await;
        assert!(is_closed(&refused));
        watcher
            .run("SELECT 1 /* the server is well, and only this connection is gone */")
            .await;
    });
}
