//! What a row can become: a tuple, a struct, a map; what does not fit is an error.

use std::collections::HashMap;

use pool_mysql::mysql_async::prelude::{FromRow, Queryable};
use pool_mysql::mysql_async::{self, Row, Value};
use pool_mysql::{Connection, Dict, Error};

use crate::server::{Server, test};

#[derive(Debug, PartialEq, FromRow)]
#[mysql(crate_name = "mysql_async")]
struct Person {
    name: String,
    #[mysql(rename = "years")]
    age: Option<u8>,
}

async fn prepared(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop(
        "CREATE TABLE people (name VARCHAR(20), years INT, note VARCHAR(20)); \
         INSERT INTO people VALUES ('Ada', 36, 'x'), ('Bob', NULL, NULL), (NULL, 300, 'y')",
    )
    .await
    .unwrap();
    conn
}

fn is_conversion<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Conversion { .. }))
}

#[test]
fn a_row_becomes_a_struct_by_the_names_of_its_columns() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let ada = Person {
            name: "Ada".to_owned(),
            age: Some(36),
        };
        let bob = Person {
            name: "Bob".to_owned(),
            age: None,
        };
        for sql in [
            "SELECT * FROM people LIMIT 2",
            "SELECT years, name FROM people LIMIT 2",
        ] {
            let mut cur = conn.cursor();
            cur.execute(sql, ()).await.unwrap();
            let people: Vec<Person> = cur.fetchall().await.unwrap();
            assert_eq!(
                people,
                [&ada, &bob].map(|person| Person {
                    name: person.name.clone(),
                    age: person.age,
                })
            );
            let mut cur = conn.ss_cursor();
            cur.execute(sql, ()).await.unwrap();
            assert_eq!(cur.fetchone().await.unwrap().as_ref(), Some(&ada));
            assert_eq!(cur.fetchone().await.unwrap().as_ref(), Some(&bob));
        }
    });
}

#[test]
fn a_row_that_fits_no_struct_is_an_error_and_stays() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        // NULL for a text, a number that is too large, and a column that is not there.
        for sql in [
            "SELECT NULL AS name, 5 AS years",
            "SELECT 'Eve' AS name, 300 AS years",
            "SELECT 'Eve' AS name",
        ] {
            let mut cur = conn.cursor();
            cur.execute(sql, ()).await.unwrap();
            assert!(is_conversion(&cur.fetchone::<Person>().await), "{sql}");
            assert!(is_conversion(&cur.fetchall::<Person>().await), "{sql}");
            assert_eq!(cur.rownumber(), 0);
            assert!(cur.fetchone::<Row>().await.unwrap().is_some());
            let mut cur = conn.ss_cursor();
            cur.execute(sql, ()).await.unwrap();
            assert!(is_conversion(&cur.fetchone::<Person>().await), "{sql}");
            assert!(is_conversion(&cur.fetchmany::<Person>(3).await), "{sql}");
            assert_eq!(cur.rownumber(), 0);
            let row: Row = cur.fetchone().await.unwrap().expect("it stays");
            assert!((0..row.len()).all(|index| row.as_ref(index).is_some()));
        }
    });
}

#[test]
fn a_row_becomes_a_map() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let mut cur = conn.cursor();
        cur.execute("SELECT * FROM people WHERE years < ?", (100,))
            .await
            .unwrap();
        let row: Dict = cur.fetchone().await.unwrap().expect("Ada");
        assert_eq!((row.len(), row.is_empty()), (3, false));
        assert_eq!(row.get::<Option<u8>>("years").unwrap(), Some(36));
        assert_eq!(row.value("note"), Some(&Value::from("x")));
        let map: HashMap<String, Value> = row.clone().into_iter().collect();
        assert_eq!(map.len(), 3);
        assert_eq!(map["years"], Value::Int(36));
        let error = row.get::<u8>("age").unwrap_err();
        assert_eq!(error.to_string(), "there is no column age");
        let error = row.get::<u8>("name").unwrap_err();
        assert_eq!(
            error.to_string(),
            "column 0 (name, VAR_STRING) holds text or bytes, which does not fit u8"
        );
        assert_eq!(row.into_row().len(), 3);
        cur.execute("SELECT * FROM people WHERE years IS NULL", ())
            .await
            .unwrap();
        let row: Dict = cur.fetchone().await.unwrap().expect("Bob");
        assert!(is_conversion(&row.get::<u8>("years")));
        assert_eq!(row.get::<Option<u8>>("years").unwrap(), None);
    });
}

#[test]
fn a_row_that_fits_no_tuple_is_an_error_on_every_cursor() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let sql = "SELECT name, years FROM people ORDER BY years DESC LIMIT 1";
        let mut cur = conn.cursor();
        cur.execute(sql, ()).await.unwrap();
        assert!(is_conversion(&cur.fetchone::<(String, i32)>().await));
        assert!(is_conversion(&cur.fetchone::<(Option<String>, u8)>().await));
        assert!(is_conversion(&cur.fetchone::<(Option<String>,)>().await));
        assert!(is_conversion(&cur.fetchall::<i32>().await));
        let row = cur.fetchone().await.unwrap();
        assert_eq!(row, Some((None::<String>, 300)));
        let mut cur = conn.ss_cursor();
        cur.execute(sql, ()).await.unwrap();
        assert!(is_conversion(&cur.fetchone::<(String, i32)>().await));
        assert!(is_conversion(&cur.fetchone::<(Option<String>, u8)>().await));
        assert!(is_conversion(&cur.fetchone::<(Option<String>,)>().await));
        assert!(is_conversion(&cur.fetchall::<i32>().await));
        let row = cur.fetchone().await.unwrap();
        assert_eq!(row, Some((None::<String>, 300)));
    });
}
