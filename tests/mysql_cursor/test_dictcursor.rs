//! aiomysql's `tests/test_dictcursor.py`.

use std::collections::BTreeMap;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{FromRowError, Row, Value, prelude::FromRow};
use pool_mysql::{Connection, Dict};

use crate::server::{Server, test};

async fn prepared(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop("CREATE TABLE dictcursor (name CHAR(20), age INT, DOB DATETIME)")
        .await
        .unwrap();
    let people = [
        ("bob", 21, "1990-02-06 23:04:56"),
        ("jim", 56, "1955-05-09 13:12:45"),
        ("fred", 100, "1911-09-12 01:01:01"),
    ];
    let mut cur = conn.dict_cursor();
    let insert = "INSERT INTO dictcursor VALUES (?, ?, ?)";
    assert_eq!(cur.executemany(insert, people).await.unwrap(), 3);
    conn
}

/// What a row says of somebody.
fn person(row: &Dict) -> (String, i32, String) {
    let names: Vec<_> = row.iter().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["name", "age", "DOB"]);
    let get = |name: &str| row.get(name).unwrap();
    (get("name"), row.get("age").unwrap(), get("DOB"))
}

fn people(rows: &[Dict]) -> Vec<(String, i32, String)> {
    rows.iter().map(person).collect()
}

fn expected(age_of_bob: i32) -> [(String, i32, String); 3] {
    [
        ("bob", age_of_bob, "1990-02-06 23:04:56"),
        ("jim", 56, "1955-05-09 13:12:45"),
        ("fred", 100, "1911-09-12 01:01:01"),
    ]
    .map(|(name, age, born)| (name.to_owned(), age, born.to_owned()))
}

#[test]
fn test_dictcursor() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.dict_cursor();
        cur.execute("UPDATE dictcursor SET age = 20 WHERE name = 'bob'", ())
            .await
            .unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), None);
        let all = expected(20);
        let bob = "SELECT * FROM dictcursor WHERE name = 'bob'";
        cur.execute(bob, ()).await.unwrap();
        let row = cur.fetchone().await.unwrap().expect("bob");
        assert_eq!(person(&row), all[0]);
        cur.execute(bob, ()).await.unwrap();
        assert_eq!(people(&cur.fetchall().await.unwrap()), all[..1]);
        cur.execute("SELECT * FROM dictcursor", ()).await.unwrap();
        assert_eq!(people(&cur.fetchall().await.unwrap()), all);
        cur.execute("SELECT * FROM dictcursor", ()).await.unwrap();
        assert_eq!(people(&cur.fetchmany(2).await.unwrap()), all[..2]);
    });
}

/// A map of one's own: whatever a `Row` can become.
#[derive(Debug, PartialEq)]
struct MyDict(BTreeMap<String, Value>);

impl FromRow for MyDict {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        Ok(Self(Dict::from_row_opt(row)?.into_iter().collect()))
    }
}

#[test]
fn test_custom_dict() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        let names = |rows: &[MyDict]| -> Vec<Value> {
            rows.iter().map(|row| row.0["name"].clone()).collect()
        };
        cur.execute("SELECT * FROM dictcursor WHERE name = 'bob'", ())
            .await
            .unwrap();
        let bob: MyDict = cur.fetchone().await.unwrap().expect("bob");
        assert_eq!(bob.0["age"], Value::Int(21));
        cur.execute("SELECT * FROM dictcursor", ()).await.unwrap();
        let two: Vec<MyDict> = cur.fetchmany(2).await.unwrap();
        assert_eq!(names(&two), ["bob", "jim"].map(Value::from));
        let rest: Vec<MyDict> = cur.fetchall().await.unwrap();
        assert_eq!(names(&rest), [Value::from("fred")]);
    });
}

#[test]
fn test_ssdictcursor() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.ss_dict_cursor();
        cur.execute("SELECT * FROM dictcursor WHERE name = 'bob'", ())
            .await
            .unwrap();
        assert_eq!(people(&cur.fetchall().await.unwrap()), expected(21)[..1]);
        // The other ways to fetch.
        cur.execute("SELECT name FROM dictcursor WHERE age > ?", (0,))
            .await
            .unwrap();
        let first = cur.fetchone().await.unwrap().expect("bob");
        assert_eq!(first.get::<String>("name").unwrap(), "bob");
        let rest = cur.fetchmany(5).await.unwrap();
        let names = rest.iter().map(|row| row.get::<String>("name").unwrap());
        assert_eq!(names.collect::<Vec<_>>(), ["jim", "fred"]);
        assert_eq!(cur.rowcount(), 3);
    });
}

#[test]
fn columns_of_one_name_get_their_tables() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.dict_cursor();
        let join = "SELECT a.name, b.name, a.age AS age FROM dictcursor a, dictcursor b \
                    WHERE a.name = 'bob' AND b.name = 'jim'";
        cur.execute(join, ()).await.unwrap();
        let row = cur.fetchone().await.unwrap().expect("a pair");
        let names: Vec<_> = row.iter().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(names, ["name", "b.name", "age"]);
        assert_eq!(row.get::<String>("name").unwrap(), "bob");
        assert_eq!(row.get::<String>("b.name").unwrap(), "jim");
        assert_eq!(row.value("a.name"), None);
        assert_eq!(format!("{row:?}").matches("name").count(), 2);
    });
}
