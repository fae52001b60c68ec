//! `test_basic.py`: values on their way to the server and back.

use std::time::Duration;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Value, params};
use pool_mysql::{Connection, TransactionStatus, connect};

use crate::server::{Server, number, test};

const DATATYPES: &str = "CREATE TABLE test_datatypes (b bit, i int, l bigint, f real, s varchar(32), \
    u varchar(32), bb blob, d date, dt datetime, ts timestamp NULL, td time, t time, st datetime)";

const COLUMNS: &str = "b,i,l,f,s,u,bb,d,dt,td,t,st";

async fn with_table(server: &Server, create: &str) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop(create).await.unwrap();
    conn
}

/// The values of all columns, written and read as one row.
async fn there_and_back(conn: &mut Connection, values: Vec<Value>) -> Vec<Value> {
    let marks = vec!["?"; values.len()].join(",");
    let insert = format!("INSERT INTO test_datatypes ({COLUMNS}) VALUES ({marks})");
    let mut cur = conn.cursor();
    cur.execute(insert, values).await.unwrap();
    let select = format!("SELECT {COLUMNS} FROM test_datatypes WHERE 1 = ?");
    // Parameters: so the values come in their own types.
    cur.execute(select, (1,)).await.unwrap();
    let row: pool_mysql::mysql_async::Row = cur.fetchone().await.unwrap().unwrap();
    row.unwrap()
}

#[test]
fn test_datatypes() {
    test(|| async {
        let server = Server::start();
        let mut conn = with_table(&server, DATATYPES).await;
        let values = vec![
            Value::from(vec![1_u8]),
            Value::from(-3),
            Value::from(123_456_789_012_i64),
            Value::from(5.7),
            Value::from("hello'\" world"),
            Value::from("Espa\u{f1}ol"),
            Value::from(&b"binary\x00data"[..]),
            Value::Date(1988, 2, 2, 0, 0, 0, 0),
            Value::Date(2014, 5, 15, 7, 45, 57, 0),
            Value::Time(false, 5, 0, 0, 6, 0),
            Value::Time(false, 0, 16, 32, 0, 0),
            Value::Date(2014, 5, 15, 7, 45, 57, 0),
        ];
        assert_eq!(there_and_back(&mut conn, values.clone()).await, values);
    });
}

#[test]
fn test_datatypes_nulls() {
    test(|| async {
        let server = Server::start();
        let mut conn = with_table(&server, DATATYPES).await;
        let values = vec![Value::NULL; 12];
        assert_eq!(there_and_back(&mut conn, values.clone()).await, values);
    });
}

#[test]
fn test_dict_escaping() {
    test(|| async {
        let server = Server::start();
        let create = "CREATE TABLE test_dict (a INTEGER, b INTEGER, c INTEGER)";
        let mut conn = with_table(&server, create).await;
        let mut cur = conn.cursor();
        let insert = "INSERT INTO test_dict (a,b,c) VALUES (:a, :b, :c)";
        cur.execute(insert, params! { "a" => 1, "b" => 2, "c" => 3 })
            .await
            .unwrap();
        cur.execute("SELECT a,b,c FROM test_dict", ())
            .await
            .unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((1, 2, 3)));
    });
}

#[test]
fn test_string() {
    test(|| async {
        let server = Server::start();
        let mut conn = with_table(&server, "CREATE TABLE test_string (a text)").await;
        let value = "I am a test string";
        let mut cur = conn.cursor();
        cur.execute("INSERT INTO test_string (a) VALUES (?)", (value,))
            .await
            .unwrap();
        cur.execute("SELECT a FROM test_string", ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((value.to_owned(),)));
    });
}

#[test]
fn test_integer() {
    test(|| async {
        let server = Server::start();
        let mut conn = with_table(&server, "CREATE TABLE test_integer (a INTEGER)").await;
        let mut cur = conn.cursor();
        cur.execute("INSERT INTO test_integer (a) VALUES (?)", (12345,))
            .await
            .unwrap();
        cur.execute("SELECT a FROM test_integer", ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((12345,)));
    });
}

#[test]
fn test_binary_data() {
    test(|| async {
        let server = Server::start();
        let mut conn = with_table(&server, "CREATE TABLE test_blob (b blob)").await;
        let data: Vec<u8> = (0..=255).collect::<Vec<u8>>().repeat(4);
        let mut cur = conn.cursor();
        cur.execute("INSERT INTO test_blob (b) VALUES (?)", (&data,))
            .await
            .unwrap();
        cur.execute("SELECT b FROM test_blob", ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((data,)));
    });
}

#[test]
fn test_untyped_convertion_to_null_and_empty_string() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        let empty = Some(String::new());
        cur.execute("select null,''", ()).await.unwrap();
        let row: (Option<String>, Option<String>) = cur.fetchone().await.unwrap().unwrap();
        assert_eq!(row, (None, empty.clone()));
        cur.execute("select '',null", ()).await.unwrap();
        let row: (Option<String>, Option<String>) = cur.fetchone().await.unwrap().unwrap();
        assert_eq!(row, (empty, None));
    });
}

#[test]
fn test_timedelta_conversion() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        let times = "select time('12:30'), time('23:12:59'), time('23:12:59.05100')";
        cur.execute(times, ()).await.unwrap();
        let (a, b, c): (Duration, Duration, Duration) = cur.fetchone().await.unwrap().unwrap();
        assert_eq!(a, Duration::from_secs(45000));
        assert_eq!(b, Duration::from_secs(83579));
        assert_eq!(c, Duration::from_micros(83_579_051_000));
        // A Duration is never negative; the driver's value can be, and a row that does not fit is an error.
        let times = "select time('-12:30'), time('-23:12:59.05100'), time('-00:30') where 1 = ?";
        cur.execute(times, (1,)).await.unwrap();
        assert!(
            cur.fetchone::<(Duration, Duration, Duration)>()
                .await
                .is_err()
        );
        let row: (Value, Value, Value) = cur.fetchone().await.unwrap().unwrap();
        let expected = (
            Value::Time(true, 0, 12, 30, 0, 0),
            Value::Time(true, 0, 23, 12, 59, 51000),
            Value::Time(true, 0, 0, 30, 0, 0),
        );
        assert_eq!(row, expected);
    });
}

#[test]
fn test_datetime_conversion() {
    test(|| async {
        let server = Server::start();
        let create = "CREATE TABLE test_datetime (id INT, ts DATETIME(6))";
        let mut conn = with_table(&server, create).await;
        let mut cur = conn.cursor();
        let insert = "INSERT INTO test_datetime VALUES (1,'2013-11-12 09:09:09.12345')";
        cur.execute(insert, ()).await.unwrap();
        cur.execute("SELECT ts FROM test_datetime WHERE id = ?", (1,))
            .await
            .unwrap();
        let (ts,): (Value,) = cur.fetchone().await.unwrap().unwrap();
        assert_eq!(ts, Value::Date(2013, 11, 12, 9, 9, 9, 123_450));
    });
}

#[test]
fn test_get_transaction_status() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
        conn.begin().await.unwrap();
        assert_eq!(conn.transaction_status(), TransactionStatus::Open);
        assert_eq!(number(&mut conn, "SELECT 1;").await, 1);
        conn.commit().await.unwrap();
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
    });
}

#[test]
fn test_rollback() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp().autocommit(false)).await.unwrap();
        let create =
            "CREATE TABLE tz_data (region VARCHAR(64), zone VARCHAR(64), name VARCHAR(64))";
        conn.query_drop(create).await.unwrap();
        conn.commit().await.unwrap();
        let insert = "INSERT INTO tz_data VALUES (?, ?, ?)";
        conn.exec_drop(insert, ("America", "", "America/New_York"))
            .await
            .unwrap();
        let count = "SELECT COUNT(*) FROM tz_data";
        assert_eq!(number(&mut conn, count).await, 1);
        conn.rollback().await.unwrap();
        assert_eq!(number(&mut conn, count).await, 0);
    });
}

#[test]
fn test_json() {
    test(|| async {
        let server = Server::start();
        let create = "CREATE TABLE test_json (id INT NOT NULL PRIMARY KEY, json JSON NOT NULL)";
        let mut conn = with_table(&server, create).await;
        let json = "{\"hello\": \"\u{3053}\u{3093}\u{306b}\u{3061}\u{306f}\"}";
        let insert = "INSERT INTO test_json (id, `json`) values (42, ?)";
        conn.exec_drop(insert, (json,)).await.unwrap();
        let select = "SELECT `json` from `test_json` WHERE `id`=42";
        let back: Option<String> = conn.query_first(select).await.unwrap();
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parsed(&back.unwrap()), parsed(json));
    });
}
