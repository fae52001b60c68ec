//! The table of `docs/mysql.md`: each cell of it is tried on a server.

use std::future::Future;
use std::pin::Pin;

use pool_core::PooledConnection;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, ResetPolicy, TransactionStatus, connect};

use crate::server::{Server, number, one, test};

type Step<T> = for<'a> fn(&'a mut Connection) -> Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that a user can leave behind.
struct Row {
    name: &'static str,
    leave: Step<()>,
    /// Whether it is there.
    look: Step<bool>,
}

/// A row whose two steps are statements; the second one answers 1 where it is there.
macro_rules! row {
    ($name:literal, $leave:literal, $look:literal) => {
        Row {
            name: $name,
            leave: |conn| Box::pin(async { conn.query_drop($leave).await.expect($name) }),
            look: |conn| Box::pin(async { number(conn, $look).await == 1 }),
        }
    };
}

/// What is needed before: it is made once, by somebody else.
const WORLD: &str = "
    CREATE TABLE test.kept (id INT AUTO_INCREMENT PRIMARY KEY, a INT) ENGINE=InnoDB;
    CREATE TABLE test.other (a INT);
    CREATE TABLE test.watched (a INT);
    CREATE SEQUENCE test.numbers;
    CREATE TABLE test.numbered (n BIGINT DEFAULT NEXTVAL(test.numbers), a INT);
    CREATE TRIGGER test.watch BEFORE INSERT ON test.watched FOR EACH ROW SET @left = 1;
    CREATE FUNCTION test.note() RETURNS INT BEGIN SET @left = 1; RETURN 1; END;
    CREATE VIEW test.noted AS SELECT test.note() AS n";

fn rows() -> Vec<Row> {
    vec![
        row!(
            "a transaction, by BEGIN",
            "BEGIN; INSERT INTO kept (a) VALUES (1)",
            "SELECT @@in_transaction"
        ),
        row!(
            "a transaction, by autocommit = 0",
            "SET autocommit = 0; INSERT INTO kept (a) VALUES (1)",
            "SELECT @@in_transaction"
        ),
        Row {
            name: "a `Transaction` that was dropped",
            leave: |conn| {
                Box::pin(async {
                    let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
                    tx.query_drop("INSERT INTO kept (a) VALUES (1)")
                        .await
                        .unwrap();
                })
            },
            look: |conn| Box::pin(async { conn.in_transaction() }),
        },
        row!(
            "an XA transaction",
            "XA START 'left'; INSERT INTO kept (a) VALUES (1)",
            "SELECT @@in_transaction"
        ),
        Row {
            name: "LOCK TABLES",
            leave: |conn| {
                Box::pin(async { conn.query_drop("LOCK TABLES kept READ").await.unwrap() })
            },
            look: |conn| Box::pin(async { conn.query_drop("SELECT a FROM other").await.is_err() }),
        },
        row!(
            "GET_LOCK",
            "SELECT GET_LOCK('left', 0)",
            "SELECT IS_USED_LOCK('left') <=> CONNECTION_ID()"
        ),
        row!(
            "user variables",
            "SET @left = 1",
            "SELECT @left IS NOT NULL"
        ),
        row!(
            "session variables",
            "SET foreign_key_checks = 0, sql_mode = 'ANSI'",
            "SELECT @@foreign_key_checks = 0 AND @@sql_mode LIKE '%ANSI%'"
        ),
        row!(
            "autocommit itself",
            "SET autocommit = 0",
            "SELECT @@autocommit = 0"
        ),
        row!(
            "isolation level",
            "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "SELECT @@tx_isolation = 'SERIALIZABLE'"
        ),
        row!(
            "character set",
            "SET NAMES latin1",
            "SELECT @@character_set_client = 'latin1' OR @@character_set_results = 'latin1'"
        ),
        row!(
            "default database",
            "USE mysql",
            "SELECT NOT DATABASE() <=> 'test'"
        ),
        Row {
            name: "temporary tables",
            leave: |conn| {
                let create = "CREATE TEMPORARY TABLE test.scratch (a INT)";
                Box::pin(async move { conn.query_drop(create).await.unwrap() })
            },
            look: |conn| {
                let query = "SELECT a FROM test.scratch";
                Box::pin(async move { conn.query_drop(query).await.is_ok() })
            },
        },
        Row {
            name: "a statement of PREPARE",
            leave: |conn| {
                Box::pin(async { conn.query_drop("PREPARE p FROM 'DO 1'").await.unwrap() })
            },
            look: |conn| Box::pin(async { conn.query_drop("EXECUTE p").await.is_ok() }),
        },
        Row {
            name: "a statement prepared for a cursor",
            leave: |conn| {
                Box::pin(async {
                    conn.cursor().execute("SELECT ?", (1,)).await.unwrap();
                })
            },
            // Nobody else has prepared one.
            look: |conn| {
                Box::pin(async {
                    let count = "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'";
                    let row: Option<(String, u64)> = conn.query_first(count).await.unwrap();
                    row.unwrap().1 == 1
                })
            },
        },
        Row {
            name: "a short result that was not read",
            leave: |conn| {
                Box::pin(async { drop(conn.query_iter("SELECT 1; SELECT 2").await.unwrap()) })
            },
            look: |conn| Box::pin(async { is_unread(conn) }),
        },
        Row {
            name: "a long result that was not read",
            leave: |conn| {
                let query = "SELECT REPEAT('x', 1000) FROM seq_1_to_100000000";
                Box::pin(async move { drop(conn.query_iter(query).await.unwrap()) })
            },
            look: |conn| Box::pin(async { is_unread(conn) }),
        },
        row!(
            "LAST_INSERT_ID()",
            "INSERT INTO kept (a) VALUES (1)",
            "SELECT LAST_INSERT_ID() > 0"
        ),
        Row {
            name: "SHOW WARNINGS",
            leave: |conn| Box::pin(async { conn.query_drop("SELECT 1 + 'secret'").await.unwrap() }),
            look: |conn| {
                Box::pin(async {
                    let rows = conn
                        .query::<pool_mysql::mysql_async::Row, _>("SHOW WARNINGS")
                        .await;
                    !rows.unwrap().is_empty()
                })
            },
        },
        row!(
            "FOUND_ROWS()",
            "SELECT 1 UNION SELECT 2 UNION SELECT 3",
            "SELECT FOUND_ROWS() = 3"
        ),
        row!(
            "ROW_COUNT()",
            "INSERT INTO other VALUES (1), (2)",
            "SELECT ROW_COUNT() = 2"
        ),
        row!(
            "a variable, by a stored function",
            "SELECT test.note()",
            "SELECT @left IS NOT NULL"
        ),
        row!(
            "a variable, by a trigger",
            "INSERT INTO watched VALUES (1)",
            "SELECT @left IS NOT NULL"
        ),
        row!(
            "a variable, by a view",
            "SELECT n FROM noted",
            "SELECT @left IS NOT NULL"
        ),
        row!(
            "LASTVAL(), by a column's default",
            "INSERT INTO numbered (a) VALUES (1)",
            "SELECT LASTVAL(numbers) IS NOT NULL"
        ),
        Row {
            name: "nothing, by a query that failed",
            leave: |conn| {
                Box::pin(async {
                    conn.query_drop("SELECT * FROM nowhere").await.unwrap_err();
                    assert_eq!(conn.transaction_status(), TransactionStatus::Unknown);
                })
            },
            look: |conn| {
                Box::pin(async { conn.transaction_status() == TransactionStatus::Unknown })
            },
        },
    ]
}

fn is_unread(conn: &mut Connection) -> bool {
    conn.transaction_status() == TransactionStatus::Unknown
}

/// What became of a thing, in the words of the table.
async fn fate(options: ConnectOptions, row: &Row) -> &'static str {
    let pool = one(options);
    let mut conn = pool.acquire().await.unwrap();
    let id = conn.connection_id();
    (row.leave)(&mut conn).await;
    // Ok and Err say the same as the number does.
    let kept = PooledConnection::release(conn).await.is_ok();
    let mut conn = pool.acquire().await.unwrap();
    assert_eq!(kept, conn.connection_id() == id, "{}", row.name);
    let is_there = (row.look)(&mut conn).await;
    assert_eq!(number(&mut conn, "SELECT 42").await, 42);
    drop(conn);
    pool.close();
    pool.wait_closed().await.unwrap();
    match (kept, is_there) {
        (true, true) => "stays",
        (true, false) => "gone",
        (false, false) => "closed",
        (false, true) => panic!("{}: it outlives its connection", row.name),
    }
}

/// The cells of the table, a line each: what was left behind, and what becomes of it under each policy.
fn table() -> Vec<Vec<String>> {
    let page = include_str!("../../docs/mysql.md");
    let lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| left behind"));
    let lines = lines.take_while(|line| line.starts_with('|'));
    let cells = |line: &str| -> Vec<String> {
        let inside = line.trim_matches('|');
        inside
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    lines.map(cells).collect()
}

fn policy(name: &str) -> ResetPolicy {
    match name {
        "Always" => ResetPolicy::Always,
        "IfDirty" => ResetPolicy::IfDirty,
        "RollbackOnly" => ResetPolicy::RollbackOnly,
        "Never" => ResetPolicy::Never,
        _ => panic!("no such policy: {name}"),
    }
}

#[test]
fn every_cell_of_the_table_is_true() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher.run(WORLD).await;
        let table = table();
        let (head, lines) = table.split_first().expect("the page has the table");
        let lines = &lines[1..];
        let rows = rows();
        let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
        let written: Vec<&str> = lines.iter().map(|line| line[0].as_str()).collect();
        assert_eq!(names, written);
        let mut wrong = Vec::new();
        for (row, line) in rows.iter().zip(lines) {
            // Without a return in between it is there.
            let mut conn = connect(server.tcp()).await.unwrap();
            (row.leave)(&mut conn).await;
            assert!((row.look)(&mut conn).await, "{}", row.name);
            drop(conn);
            watcher.nobody_else().await;
            for (name, said) in head.iter().zip(line).skip(1) {
                let fate = fate(server.tcp().reset_policy(policy(name)), row).await;
                if fate != said {
                    wrong.push(format!("{}, {name}: it says {said}, but {fate}", row.name));
                }
                watcher.nobody_else().await;
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        println!("{} cells", lines.len() * 4);
    });
}
