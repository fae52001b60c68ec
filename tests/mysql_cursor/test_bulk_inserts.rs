//! aiomysql's `tests/test_bulk_inserts.py`: many sets of parameters are few commands.

use pool_mysql::Connection;
use pool_mysql::mysql_async::{Params, params, prelude::Queryable};

use crate::server::{Server, number, test};

type Record = (i32, String, i32, i32);

const DATA: [(i32, &str, i32, i32); 3] = [
    (0, "bob", 21, 123),
    (1, "jim", 56, 45),
    (2, "fred", 100, 180),
];

async fn prepared(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop(
        "CREATE TABLE bulkinsert (id INT(11), name CHAR(20), age INT, height INT, PRIMARY KEY (id))",
    )
    .await
    .unwrap();
    conn
}

async fn assert_records(conn: &mut Connection, expected: &[(i32, &str, i32, i32)]) {
    let mut cur = conn.cursor();
    cur.execute(
        "SELECT id, name, age, height FROM bulkinsert ORDER BY id",
        (),
    )
    .await
    .unwrap();
    let records: Vec<Record> = cur.fetchall().await.unwrap();
    let expected = expected
        .iter()
        .map(|(id, name, age, height)| (*id, (*name).to_owned(), *age, *height));
    assert_eq!(records, expected.collect::<Vec<Record>>());
}

/// How many prepared statements the session has executed.
async fn executed(conn: &mut Connection) -> u64 {
    let sql = "SHOW SESSION STATUS LIKE 'Com_stmt_execute'";
    let row: Option<(String, u64)> = conn.query_first(sql).await.unwrap();
    row.expect("there is such a counter").1
}

/// Executes the sets, in one command, and returns how many rows that was.
async fn in_one_command<P: Into<Params> + Send + Clone>(
    conn: &mut Connection,
    sql: &str,
    sets: &[P],
) -> u64 {
    let before = executed(conn).await;
    let mut cur = conn.cursor();
    let rows = cur.executemany(sql, sets.to_vec()).await.unwrap();
    assert_eq!(cur.rowcount(), rows);
    assert_eq!(executed(conn).await - before, 1, "{sql}");
    rows
}

#[test]
fn test_bulk_insert() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let insert = "INSERT INTO bulkinsert (id, name, age, height) VALUES (?,?,?,?)";
        assert_eq!(in_one_command(&mut conn, insert, &DATA).await, 3);
        assert_records(&mut conn, &DATA).await;
    });
}

#[test]
fn test_bulk_insert_multiline_statement() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let insert =
            "insert\n into bulkinsert (id, name,\n age, height)\n values (?,\n ? , ?,\n ? )\n ";
        assert_eq!(in_one_command(&mut conn, insert, &DATA).await, 3);
        assert_records(&mut conn, &DATA).await;
    });
}

#[test]
fn test_bulk_insert_single_record() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let insert = "insert into bulkinsert (id, name, age, height) values (?,?,?,?)";
        assert_eq!(in_one_command(&mut conn, insert, &DATA[..1]).await, 1);
        assert_records(&mut conn, &DATA[..1]).await;
    });
}

#[test]
fn test_insert_on_duplicate_key_update() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let insert = "insert into bulkinsert (id, name, age, height) values (?, ?, ?, ?) \
                      on duplicate key update age = values(age)";
        assert_eq!(in_one_command(&mut conn, insert, &DATA).await, 3);
        assert_records(&mut conn, &DATA).await;
        // A row that is changed counts twice, one that stays as it is not at all.
        let again = [(0, "-", 22, 0), (1, "-", 56, 0), (3, "sue", 7, 120)];
        assert_eq!(in_one_command(&mut conn, insert, &again).await, 3);
        let mut expected = DATA.to_vec();
        expected[0].2 = 22;
        expected.push(again[2]);
        assert_records(&mut conn, &expected).await;
    });
}

#[test]
fn test_bulk_insert_with_params_as_dict() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let sets = DATA.map(|(id, name, age, height)| {
            params! { "id" => id, "name" => name, "age" => age, "height" => height }
        });
        let insert =
            "INSERT INTO bulkinsert (id, name, age, height) VALUES (:id, :name, :age, :height)";
        assert_eq!(in_one_command(&mut conn, insert, &sets).await, 3);
        assert_records(&mut conn, &DATA).await;
    });
}

#[test]
fn test_bulk_insert_with_precedence_spaces() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let insert = "\n  INSERT INTO bulkinsert (id, name, age, height)\n  VALUES (?,?,?,?)\n";
        assert_eq!(in_one_command(&mut conn, insert, &DATA[..2]).await, 2);
        assert_records(&mut conn, &DATA[..2]).await;
    });
}

#[test]
fn test_bulk_replace() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let replace = "REPLACE INTO bulkinsert (id, name, age, height) VALUES (?,?,?,?)";
        let data = [(0, "bob", 21, 123), (0, "jim", 56, 45)];
        // One row that was new, and one that took the place of another.
        assert_eq!(in_one_command(&mut conn, replace, &data).await, 3);
        assert_records(&mut conn, &data[1..]).await;
        assert_eq!(
            number(&mut conn, "SELECT COUNT(*) FROM bulkinsert").await,
            1
        );
    });
}

#[test]
fn test_bulk_insert_with_semicolon_at_the_end() {
    test(|| async {
        let server = Server::start();
        let mut conn = prepared(&server).await;
        let insert = "INSERT INTO bulkinsert (id, name, age, height) VALUES (?,?,?,?);";
        assert_eq!(in_one_command(&mut conn, insert, &DATA[..2]).await, 2);
        assert_records(&mut conn, &DATA[..2]).await;
    });
}
