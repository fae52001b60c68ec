//! aiomysql's `tests/test_async_iter.py`: rows as a stream.

use futures::{StreamExt, TryStreamExt};
use pool_mysql::Connection;
use pool_mysql::Error;
use pool_mysql::mysql_async::Row;
use pool_mysql::mysql_async::prelude::Queryable;

use crate::server::{Server, number, polled, test};

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

fn expected() -> [(i32, String); 3] {
    [(1, "a"), (2, "b"), (3, "c")].map(|(id, name)| (id, name.to_owned()))
}

#[test]
fn test_async_cursor() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        let mut seen = Vec::new();
        let mut rows = cur.rows::<(i32, String)>();
        while let Some(row) = rows.try_next().await.unwrap() {
            seen.push(row);
        }
        drop(rows);
        assert_eq!(seen, expected());
        assert_eq!(cur.rownumber(), 3);
    });
}

#[test]
fn test_async_cursor_server_side() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        let seen: Vec<(i32, String)> = cur.rows().try_collect().await.unwrap();
        assert_eq!(seen, expected());
        let mut cur = conn.ss_dict_cursor();
        cur.execute("SELECT * FROM tbl WHERE id > ?", (1,))
            .await
            .unwrap();
        let names: Vec<String> = cur
            .rows()
            .map(|row| row?.get("name"))
            .try_collect()
            .await
            .unwrap();
        assert_eq!(names, ["b", "c"]);
    });
}

#[test]
fn a_stream_ends_at_an_error_and_leaves_the_row() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let sql = "SELECT id FROM tbl UNION ALL SELECT NULL UNION ALL SELECT 5";
        let mut cur = conn.cursor();
        cur.execute(sql, ()).await.unwrap();
        let results: Vec<_> = cur.rows::<i32>().collect().await;
        assert_eq!(results.len(), 4);
        assert!(matches!(results[3], Err(Error::Conversion { .. })));
        let rest: Vec<Option<i32>> = cur.fetchall().await.unwrap();
        assert_eq!(rest, [None, Some(5)]);
        let mut cur = conn.ss_cursor();
        cur.execute(sql, ()).await.unwrap();
        let results: Vec<_> = cur.rows::<i32>().collect().await;
        assert_eq!(results.len(), 4);
        assert!(matches!(results[3], Err(Error::Conversion { .. })));
        let rest: Vec<Option<i32>> = cur.fetchall().await.unwrap();
        assert_eq!(rest, [None, Some(5)]);
        let mut rows = cur.rows::<Row>();
        assert!(rows.next().await.is_none());
        assert!(rows.next().await.is_none());
    });
}

#[test]
fn a_stream_may_be_left_between_two_rows_but_not_while_it_waits() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT * FROM tbl", ()).await.unwrap();
        let first: (i32, String) = cur.rows().next().await.unwrap().unwrap();
        assert_eq!(first.0, 1);
        // A second stream goes on where the first was left.
        let second: (i32, String) = cur.rows().next().await.unwrap().unwrap();
        assert_eq!(second.0, 2);
        assert_eq!(number(&mut conn, "SELECT 7").await, 7);
        let mut cur = conn.ss_cursor();
        let slow = "SELECT IF(seq = 2, SLEEP(60), seq), REPEAT('x', 40000) FROM seq_1_to_3";
        cur.execute(slow, ()).await.unwrap();
        let mut rows = cur.rows::<Row>();
        assert!(rows.next().await.unwrap().is_ok());
        // A future of `next` may go while it waits: the stream has the row's future.
        assert!(polled(1, Box::pin(rows.next())).await.is_none());
        assert!(polled(1, Box::pin(rows.next())).await.is_none());
        drop(rows);
        assert!(conn.is_closed());
    });
}
