//! Each type of column has the same values with and without parameters, and reads into a `String` as the server prints it.

use pool_mysql::mysql_async::{Params, Row, Value, prelude::Queryable};
use pool_mysql::{Connection, Dict, Error, SsCursor};

use crate::server::{Server, test};

/// A column's type, a literal for it, and its value in both protocols; `None`: the literal's text as bytes.
type Case = (&'static str, &'static str, Option<Value>);

fn date(year: u16, month: u8, day: u8) -> Value {
    Value::Date(year, month, day, 0, 0, 0, 0)
}

/// For both servers.
pub(crate) fn cases() -> Vec<Case> {
    let int = |number| Some(Value::Int(number));
    vec![
        ("TINYINT", "-128", int(-128)),
        ("TINYINT UNSIGNED", "255", int(255)),
        ("BOOL", "TRUE", int(1)),
        ("SMALLINT", "-32768", int(-32768)),
        ("SMALLINT UNSIGNED", "65535", int(65535)),
        ("MEDIUMINT", "-8388608", int(-8_388_608)),
        ("MEDIUMINT UNSIGNED", "16777215", int(16_777_215)),
        ("INT", "-2147483648", int(-2_147_483_648)),
        ("INT UNSIGNED", "4294967295", int(4_294_967_295)),
        ("INT(8) ZEROFILL", "42", int(42)),
        ("BIGINT", "-9223372036854775808", int(i64::MIN)),
        ("BIGINT UNSIGNED", "9223372036854775807", int(i64::MAX)),
        (
            "BIGINT UNSIGNED",
            "18446744073709551615",
            Some(Value::UInt(u64::MAX)),
        ),
        ("YEAR", "0", int(0)),
        ("YEAR", "2155", int(2155)),
        ("FLOAT", "0.5", Some(Value::Float(0.5))),
        ("FLOAT", "-1.25e-20", Some(Value::Float(-1.25e-20))),
        ("FLOAT(7,3)", "1.5", Some(Value::Float(1.5))),
        (
            "DOUBLE",
            "-1.7976931348623157e308",
            Some(Value::Double(f64::MIN)),
        ),
        ("DOUBLE", "1e15", Some(Value::Double(1e15))),
        (
            "DOUBLE",
            "123456789.0123",
            Some(Value::Double(123_456_789.012_3)),
        ),
        ("DOUBLE(10,2)", "0.1", Some(Value::Double(0.1))),
        ("DECIMAL(20,5)", "'-123456789012345.67890'", None),
        ("DATE", "'2024-02-29'", Some(date(2024, 2, 29))),
        ("DATE", "'0000-00-00'", Some(date(0, 0, 0))),
        ("DATE", "'2024-00-00'", Some(date(2024, 0, 0))),
        (
            "DATETIME",
            "'9999-12-31 23:59:59'",
            Some(Value::Date(9999, 12, 31, 23, 59, 59, 0)),
        ),
        ("DATETIME", "'0000-00-00 00:00:00'", Some(date(0, 0, 0))),
        (
            "DATETIME(3)",
            "'2024-02-29 00:00:00.000'",
            Some(date(2024, 2, 29)),
        ),
        (
            "DATETIME(6)",
            "'2024-02-29 01:02:03.000045'",
            Some(Value::Date(2024, 2, 29, 1, 2, 3, 45)),
        ),
        (
            "TIMESTAMP(1)",
            "'2024-02-29 01:02:03.9'",
            Some(Value::Date(2024, 2, 29, 1, 2, 3, 900_000)),
        ),
        (
            "TIME",
            "'-838:59:59'",
            Some(Value::Time(true, 34, 22, 59, 59, 0)),
        ),
        (
            "TIME",
            "'00:00:00'",
            Some(Value::Time(false, 0, 0, 0, 0, 0)),
        ),
        (
            "TIME(2)",
            "'25:00:00.10'",
            Some(Value::Time(false, 1, 1, 0, 0, 100_000)),
        ),
        ("CHAR(5)", "'äö'", None),
        ("VARCHAR(50)", "'2024-02-29'", None),
        ("TEXT", "'12'", None),
        ("ENUM('a','b')", "'b'", None),
        ("SET('a','b')", "'a,b'", None),
        ("JSON", "'{\"a\": 1}'", None),
        ("BINARY(2)", "'12'", None),
        (
            "VARBINARY(9)",
            "'\\0x'",
            Some(Value::Bytes(b"\0x".to_vec())),
        ),
        ("BLOB", "'7'", None),
        ("BIT(10)", "b'1000000001'", Some(Value::Bytes(vec![2, 1]))),
    ]
}

/// One row with the value and a NULL, from the text protocol or the binary one.
async fn fetched<T>(conn: &mut Connection, table: &str, is_binary: bool) -> Result<T, Error>
where
    T: pool_mysql::mysql_async::prelude::FromRow,
{
    let mut cur = conn.cursor();
    match is_binary {
        false => {
            cur.execute(format!("SELECT v, n FROM {table}"), ()).await?;
        }
        true => {
            let sql = format!("SELECT v, n FROM {table} WHERE id > ?");
            cur.execute(sql, (0,)).await?;
        }
    }
    Ok(cur.fetchone().await?.expect("one row"))
}

/// For both servers: the driver's own text is the measure.
pub(crate) async fn every_type(conn: &mut Connection) {
    conn.query_drop("SET sql_mode = 'NO_ENGINE_SUBSTITUTION', NAMES utf8mb4")
        .await
        .unwrap();
    for (number, (column, literal, value)) in cases().into_iter().enumerate() {
        let table = format!("types_{number}");
        let create = format!("CREATE TABLE {table} (id INT, v {column} NULL, n {column} NULL)");
        conn.query_drop(create).await.unwrap();
        let insert = format!("INSERT INTO {table} VALUES (1, {literal}, NULL)");
        conn.query_drop(insert).await.unwrap();
        let raw: Option<Row> = conn
            .query_first(format!("SELECT v FROM {table}"))
            .await
            .unwrap();
        let Some(Value::Bytes(text)) = raw.unwrap().as_ref(0).cloned() else {
            panic!("{column}: the driver keeps text as it is");
        };
        let value = value.unwrap_or_else(|| Value::Bytes(text.clone()));
        for is_binary in [false, true] {
            let about = format!("{column} {literal}, binary: {is_binary}");
            let row: Row = fetched(conn, &table, is_binary).await.unwrap();
            assert_eq!(row.as_ref(0), Some(&value), "{about}");
            assert_eq!(row.as_ref(1), Some(&Value::NULL), "{about}");
            let values: (Value, Value) = fetched(conn, &table, is_binary).await.unwrap();
            assert_eq!(values, (value.clone(), Value::NULL), "{about}");
            let dict: Dict = fetched(conn, &table, is_binary).await.unwrap();
            assert_eq!(dict.value("v"), Some(&value), "{about}");
            let bytes: Vec<u8> = dict.get("v").unwrap();
            assert_eq!(bytes, text, "{about}");
            let read: (Vec<u8>, Option<Vec<u8>>) = fetched(conn, &table, is_binary).await.unwrap();
            assert_eq!(read, (text.clone(), None), "{about}");
            if let Ok(text) = String::from_utf8(text.clone()) {
                let read: (String, Option<String>) =
                    fetched(conn, &table, is_binary).await.unwrap();
                assert_eq!(read, (text.clone(), None), "{about}");
                let read: (Option<String>, Value) = fetched(conn, &table, is_binary).await.unwrap();
                assert_eq!(read, (Some(text.clone()), Value::NULL), "{about}");
                assert_eq!(dict.get::<String>("v").unwrap(), text, "{about}");
                assert_eq!(dict.get::<Option<String>>("n").unwrap(), None, "{about}");
            }
            // A NULL fits nothing but an `Option`, and the error says so.
            let error = fetched::<(Value, String)>(conn, &table, is_binary).await;
            let Err(Error::Conversion {
                misfit: Some(misfit),
                ..
            }) = error
            else {
                panic!("{about}: a NULL is no String");
            };
            assert_eq!((misfit.index(), misfit.name()), (1, "n"), "{about}");
            assert!(misfit.is_null(), "{about}");
        }
        conn.query_drop(format!("DROP TABLE {table}"))
            .await
            .unwrap();
    }
}

/// For both servers: numbers of every size are printed as the server prints them.
pub(crate) async fn printed_numbers(conn: &mut Connection) {
    conn.query_drop("CREATE TABLE numbers (id INT, f FLOAT, d DOUBLE, p FLOAT(20,4))")
        .await
        .unwrap();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let rows: Vec<(i32, f64, f64, f64)> = (0..2000)
        .map(|id| {
            let mantissa = (random() % 2_000_001) as f64 - 1_000_000.0;
            let exponent = i32::try_from(random() % 60).unwrap() - 30;
            let any = f64::from_bits(random());
            let any = if any.is_finite() { any } else { 0.0 };
            let small = mantissa / 7.0;
            (id, mantissa * 10_f64.powi(exponent), any, small)
        })
        .collect();
    let insert = "INSERT INTO numbers VALUES (?, ?, ?, ?)";
    conn.cursor().executemany(insert, rows).await.unwrap();
    let sql = "SELECT f, d, p FROM numbers ORDER BY id";
    let printed: Vec<(String, String, String)> = conn.query(sql).await.unwrap();
    let mut cur = conn.cursor();
    cur.execute(sql, Params::Positional(vec![])).await.unwrap();
    let ours: Vec<(String, String, String)> = cur.fetchall().await.unwrap();
    assert_eq!(ours.len(), 2000);
    for (ours, theirs) in ours.iter().zip(&printed) {
        assert_eq!(ours, theirs);
    }
}

#[test]
fn each_type_has_the_same_value_with_and_without_parameters() {
    test(|| async {
        let server = Server::start();
        every_type(&mut server.connect().await).await;
    });
}

#[test]
fn numbers_read_into_a_string_as_the_server_prints_them() {
    test(|| async {
        let server = Server::start();
        printed_numbers(&mut server.connect().await).await;
    });
}

#[test]
fn a_cursor_that_reads_row_by_row_has_the_same_values() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let sql = "SELECT 1 AS i, DATE '2024-02-29' AS d, NULL AS n UNION ALL SELECT 2, NULL, 3";
        for params in [Params::Empty, Params::Positional(vec![])] {
            let mut cur = conn.ss_dict_cursor();
            cur.execute(sql, params).await.unwrap();
            let row = cur.fetchone().await.unwrap().unwrap();
            assert_eq!(row.value("i"), Some(&Value::Int(1)));
            assert_eq!(row.value("d"), Some(&date(2024, 2, 29)));
            assert_eq!(row.get::<String>("d").unwrap(), "2024-02-29");
            // The next row has a NULL where the first had a date.
            let cur: &mut SsCursor<'_> = &mut cur;
            let next: (String, Option<String>, Option<i32>) =
                cur.fetchone().await.unwrap().unwrap();
            assert_eq!(next, ("2".to_owned(), None, Some(3)));
        }
    });
}

#[test]
fn the_driver_s_own_methods_stay_as_they_are() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let row: Option<Row> = conn.query_first("SELECT 1").await.unwrap();
        assert_eq!(row.unwrap().as_ref(0), Some(&Value::from("1")));
        let row: Option<Row> = conn.exec_first("SELECT 1", ()).await.unwrap();
        assert_eq!(row.unwrap().as_ref(0), Some(&Value::Int(1)));
    });
}

#[test]
fn a_row_that_does_not_fit_names_the_column_and_shows_no_value() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("SELECT 7 AS id, 4711 AS age, 'secret' AS name", ())
            .await
            .unwrap();
        let said = |error: Error| error.to_string();
        let error = cur.fetchone::<(u8, u8, String)>().await.unwrap_err();
        assert_eq!(
            said(error),
            "column 1 (age, LONG) holds an integer, which does not fit (u8, u8, alloc::string::String)"
        );
        let error = cur.fetchone::<(u8, u16, u8)>().await.unwrap_err();
        assert_eq!(
            said(error),
            "column 2 (name, VAR_STRING) holds text or bytes, which does not fit (u8, u16, u8)"
        );
        let error = cur.fetchone::<(u8, u16)>().await.unwrap_err();
        assert_eq!(
            said(error),
            "a row of 3 columns (id LONG, age LONG, name VAR_STRING) does not fit (u8, u16)"
        );
        // The row is still there.
        let row: (u8, u16, String) = cur.fetchone().await.unwrap().unwrap();
        assert_eq!(row, (7, 4711, "secret".to_owned()));

        let mut cur = conn.dict_cursor();
        cur.execute("SELECT 7 AS id, NULL AS age", ())
            .await
            .unwrap();
        let row = cur.fetchone().await.unwrap().unwrap();
        assert_eq!(
            said(row.get::<u8>("age").unwrap_err()),
            "column 1 (age, NULL) holds NULL, which does not fit u8"
        );
    });
}
