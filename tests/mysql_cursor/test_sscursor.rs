//! aiomysql's `tests/test_sscursor.py`.

use std::time::Duration;

use pool_mysql::mysql_async::Row;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error, ScrollMode};

use crate::server::{Server, for_a_while, is_closed, number, test};

type Zone = (String, String, String);

const NAMES: [&str; 10] = [
    "America/Jamaica",
    "America/Los_Angeles",
    "America/Lima",
    "America/New_York",
    "America/Menominee",
    "America/Havana",
    "America/El_Salvador",
    "America/Costa_Rica",
    "America/Denver",
    "America/Detroit",
];

fn data() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> + Clone {
    NAMES.into_iter().map(|name| ("America", "", name))
}

fn zone(number: usize) -> Zone {
    (
        "America".to_owned(),
        String::new(),
        NAMES[number].to_owned(),
    )
}

async fn empty(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop(
        "CREATE TABLE tz_data (region VARCHAR(64), zone VARCHAR(64), name VARCHAR(64))",
    )
    .await
    .unwrap();
    conn
}

const INSERT: &str = "INSERT INTO tz_data VALUES (?, ?, ?)";

async fn prepared(server: &Server) -> Connection {
    let mut conn = empty(server).await;
    conn.cursor().executemany(INSERT, data()).await.unwrap();
    conn
}

#[test]
fn test_ssursor() {
    test(|| async {
        let server = Server::start();
        let mut conn = empty(&server).await;
        let mut cur = conn.ss_cursor();
        for row in data() {
            assert_eq!(cur.execute(INSERT, row).await.unwrap(), 1);
            assert_eq!(cur.connection().affected_rows(), 1);
        }
        let update = "UPDATE tz_data SET zone = ?";
        assert_eq!(cur.execute(update, ("Foo",)).await.unwrap(), 10);
        assert_eq!(cur.rowcount(), 10);
        cur.close().await.unwrap();
        cur.close().await.unwrap();
        let refused = cur.execute("SELECT 1", ()).await.unwrap_err();
        assert!(matches!(refused, Error::CursorClosed));
        let refused = cur.fetchone::<Row>().await.unwrap_err();
        assert!(matches!(refused, Error::CursorClosed));
        let refused = cur.nextset().await.unwrap_err();
        assert!(matches!(refused, Error::CursorClosed));
    });
}

#[test]
fn test_sscursor_fetchall() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT * FROM tz_data", ()).await.unwrap();
        let rows: Vec<Zone> = cur.fetchall().await.unwrap();
        assert_eq!(rows, (0..10).map(zone).collect::<Vec<_>>());
        assert_eq!((cur.rowcount(), cur.rownumber()), (10, 10));
        assert!(cur.fetchall::<Zone>().await.unwrap().is_empty());
        assert_eq!(cur.fetchone::<Zone>().await.unwrap(), None);
    });
}

#[test]
fn test_sscursor_fetchmany() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT * FROM tz_data", ()).await.unwrap();
        let rows: Vec<Zone> = cur.fetchmany(2).await.unwrap();
        assert_eq!(rows, [zone(0), zone(1)]);
        assert_eq!((cur.rowcount(), cur.rownumber()), (2, 2));
        cur.close().await.unwrap();
        let mut cur = conn.ss_cursor();
        assert_eq!(cur.arraysize(), 1);
        cur.execute("SELECT * FROM tz_data", ()).await.unwrap();
        let rows: Vec<Zone> = cur.fetchmany(cur.arraysize()).await.unwrap();
        assert_eq!(rows, [zone(0)]);
        cur.set_arraysize(50);
        let rows: Vec<Zone> = cur.fetchmany(cur.arraysize()).await.unwrap();
        assert_eq!(rows.len(), 9);
    });
}

#[test]
fn test_sscursor_executemany() {
    test(|| async {
        let server = Server::start();
        let mut conn = empty(&server).await;
        let mut cur = conn.ss_cursor();
        assert_eq!(cur.executemany(INSERT, data()).await.unwrap(), 10);
        assert_eq!(cur.rowcount(), 10);
        assert_eq!(cur.fetchone::<Row>().await.unwrap(), None);
        assert!(!cur.nextset().await.unwrap());
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM tz_data").await, 10);
    });
}

#[test]
fn test_sscursor_scroll_relative() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT * FROM tz_data", ()).await.unwrap();
        cur.scroll(1, ScrollMode::Relative).await.unwrap();
        assert_eq!(cur.rownumber(), 1);
        assert_eq!(cur.fetchone().await.unwrap(), Some(zone(1)));
        cur.scroll(0, ScrollMode::Relative).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some(zone(2)));
    });
}

#[test]
fn test_sscursor_scroll_absolute() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT * FROM tz_data", ()).await.unwrap();
        cur.scroll(2, ScrollMode::Absolute).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some(zone(2)));
    });
}

#[test]
fn test_sscursor_scroll_errors() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        let error = cur.scroll(1, ScrollMode::Relative).await.unwrap_err();
        assert!(matches!(error, Error::NotExecuted));
        cur.execute("SELECT * FROM tz_data", ()).await.unwrap();
        let error = cur.scroll(-2, ScrollMode::Relative).await.unwrap_err();
        assert!(matches!(error, Error::ScrollBackwards { .. }));
        cur.scroll(2, ScrollMode::Absolute).await.unwrap();
        let error = cur.scroll(1, ScrollMode::Absolute).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "this cursor cannot scroll back: it is at row 2, and row 1 is gone"
        );
        // It has not moved.
        assert_eq!(cur.fetchone().await.unwrap(), Some(zone(2)));
        let error = cur.scroll(10, ScrollMode::Absolute).await.unwrap_err();
        assert!(matches!(
            error,
            Error::ScrollOutOfRange {
                position: 10,
                rows: 10,
                ..
            }
        ));
        assert_eq!(cur.fetchone::<Zone>().await.unwrap(), None);
    });
}

#[test]
fn test_sscursor_cancel() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.ss_cursor();
        // aiomysql has 100,000 rows and hopes to be in the middle of one.
        let slow = "SELECT IF(seq = 5, SLEEP(60), seq), REPEAT('x', 10000) FROM seq_1_to_9";
        cur.execute(slow, ()).await.unwrap();
        let first: Option<(i32, String)> = cur.fetchone().await.unwrap();
        assert_eq!(
            first.map(|(seq, text)| (seq, text.len())),
            Some((1, 10_000))
        );
        let read = async { while cur.fetchone::<Row>().await.unwrap().is_some() {} };
        assert!(for_a_while(Duration::from_millis(50), read).await.is_none());
        drop(cur);
        let refused = conn.ss_cursor().execute("SELECT 1", ()).await;
        assert!(is_closed(&refused), "{refused:?}");
    });
}

#[test]
fn test_sscursor_discarded_result() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_cursor();
        cur.execute("SELECT 1", ()).await.unwrap();
        // aiomysql expects 1 here, and fails.
        cur.execute("SELECT 2", ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((2,)));
    });
}
