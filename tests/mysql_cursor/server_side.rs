//! The cursor that has one row at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use pool_mysql::mysql_async::prelude::{FromRow, Queryable};
use pool_mysql::mysql_async::{FromRowError, Params, Row, TxOpts, params};
use pool_mysql::{Error, connect};

use crate::proxy::Proxy;
use crate::server::{Server, number, test};

/// How many rows there are at this moment.
static ROWS: AtomicUsize = AtomicUsize::new(0);

/// A row that counts itself.
struct Counted(u64);

impl FromRow for Counted {
    fn from_row_opt(row: Row) -> Result<Self, FromRowError> {
        let (number, _): (u64, String) = FromRow::from_row_opt(row)?;
        assert_eq!(
            ROWS.fetch_add(1, Ordering::SeqCst),
            0,
            "another row is there"
        );
        Ok(Self(number))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ROWS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// As much as two sockets may hold, and the proxy between them.
const SOCKETS: u64 = 40 * 1024 * 1024;

#[test]
fn two_hundred_thousand_rows_need_the_memory_of_one() {
    test(|| async {
        let server = Server::start();
        let proxy = Proxy::to(server.port());
        let mut conn = connect(server.tcp().port(proxy.port())).await.unwrap();
        let (rows, bytes) = (200_000, 1_000);
        let sql = format!("SELECT seq, REPEAT('x', {bytes}) FROM seq_1_to_{rows}");
        for prepared in [false, true] {
            let before = proxy.passed();
            let mut cur = conn.ss_cursor();
            match prepared {
                false => cur.execute(&sql, ()).await.unwrap(),
                true => cur.execute(&sql, Params::Positional(vec![])).await.unwrap(),
            };
            let (mut fetched, mut most) = (0, 0);
            while let Some(row) = cur.fetchone::<Counted>().await.unwrap() {
                fetched += 1;
                assert_eq!(row.0, fetched);
                // What was taken from the server and not yet given to us.
                let ahead = (proxy.passed() - before).saturating_sub(fetched * bytes);
                most = most.max(ahead);
                assert!(
                    ahead < SOCKETS,
                    "{ahead} bytes lie somewhere at row {fetched}"
                );
            }
            println!("at most {most} bytes lay somewhere");
            assert_eq!((fetched, cur.rowcount()), (rows, rows));
            assert_eq!(number(&mut conn, "SELECT 3").await, 3);
        }
        // The measure can tell: the other cursor has it all at once.
        let before = proxy.passed();
        let mut cur = conn.cursor();
        cur.execute(&sql, ()).await.unwrap();
        assert!(proxy.passed() - before > rows * bytes);
        assert!(rows * bytes > 4 * SOCKETS);
        assert_eq!(cur.rownumber(), 0);
    });
}

#[test]
fn statements_without_rows_are_counted() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.ss_cursor();
        let table = "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT)";
        assert_eq!(cur.execute(table, ()).await.unwrap(), 0);
        let insert = "INSERT INTO t (n) VALUES (5), (6)";
        assert_eq!(cur.execute(insert, ()).await.unwrap(), 2);
        assert_eq!((cur.rowcount(), cur.lastrowid()), (2, Some(1)));
        assert!(cur.description().is_none());
        assert_eq!(cur.fetchone::<Row>().await.unwrap(), None);
        let update = "UPDATE t SET n = n + :n";
        let named = params! { "n" => 1 };
        assert_eq!(cur.execute(update, named).await.unwrap(), 2);
        assert_eq!(cur.execute("SELECT id, n FROM t", ()).await.unwrap(), 0);
        let columns = cur.description().expect("columns before any row");
        assert_eq!((columns.len(), columns[1].name()), (2, "n"));
        assert_eq!(cur.fetchone::<(i32, i32)>().await.unwrap(), Some((1, 6)));
        assert_eq!(cur.lastrowid(), None);
    });
}

#[test]
fn several_results_come_one_after_the_other() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop(
            "CREATE TABLE t (n INT); \
             CREATE PROCEDURE three(x INT) BEGIN SELECT x; SELECT seq FROM seq_1_to_3; SELECT x + 1; END",
        )
        .await
        .unwrap();
        let mut cur = conn.ss_cursor();
        let sql = "INSERT INTO t VALUES (1), (2); SELECT n FROM t; DELETE FROM t; SELECT 'z'";
        assert_eq!(cur.execute(sql, ()).await.unwrap(), 2);
        assert!(cur.nextset().await.unwrap());
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(1));
        assert!(cur.nextset().await.unwrap(), "a row is skipped");
        assert_eq!(cur.rowcount(), 2);
        assert!(cur.nextset().await.unwrap());
        assert_eq!(cur.fetchall::<String>().await.unwrap(), ["z"]);
        assert!(!cur.nextset().await.unwrap());
        // Text and binary form, all read, some read, and none read.
        for text in [true, false] {
            for skip in 0..4 {
                match text {
                    true => cur.callproc("three", (5,)).await.unwrap(),
                    false => cur.execute("CALL three(?)", (5,)).await.unwrap(),
                };
                let mut seen = Vec::new();
                for set in 0.. {
                    if set >= skip {
                        seen.extend(cur.fetchall::<i32>().await.unwrap());
                    }
                    if !cur.nextset().await.unwrap() {
                        break;
                    }
                }
                assert_eq!(seen, [5, 1, 2, 3, 6][[0, 1, 4, 5][skip]..]);
            }
        }
        assert_eq!(number(&mut conn, "SELECT 4").await, 4);
    });
}

#[test]
fn an_error_comes_where_the_rows_before_it_end() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.ss_cursor();
        assert!(matches!(
            cur.fetchone::<Row>().await,
            Err(Error::NotExecuted)
        ));
        let error = cur.execute("BLABLA", ()).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1064));
        assert!(matches!(
            cur.fetchone::<Row>().await,
            Err(Error::NotExecuted)
        ));
        cur.execute("SELECT 1; BLABLA", ()).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(1));
        let error = cur.fetchone::<i32>().await.unwrap_err();
        assert_eq!(error.server_code(), Some(1064));
        // It is told once.
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), None);
        assert!(!cur.nextset().await.unwrap());
        // Nobody asks for it: it is gone with its result.
        cur.execute("SELECT 1; BLABLA", ()).await.unwrap();
        assert_eq!(cur.execute("DO 1", ()).await.unwrap(), 0);
        let among = "SELECT IF(seq < 30, seq, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_40";
        cur.execute(among, ()).await.unwrap();
        let error = cur.fetchall::<Row>().await.unwrap_err();
        assert_eq!(error.server_code(), Some(1242));
        let error = cur.execute("SELECT ?", (1, 2)).await.unwrap_err();
        assert!(matches!(error, Error::ParameterCount { .. }));
        assert_eq!(number(&mut conn, "SELECT 6").await, 6);
    });
}

#[test]
fn what_a_procedure_leaves_in_its_parameters_is_in_variables() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop(
            "CREATE PROCEDURE twice(IN a INT, OUT b INT, INOUT c VARCHAR(20)) \
             BEGIN SET b = 2 * a; SET c = CONCAT(c, '!'); SELECT a; END; \
             CREATE PROCEDURE nothing() DO 1",
        )
        .await
        .unwrap();
        let out = "SELECT @_twice_0, @_twice_1, @_twice_2";
        let expected = Some((21, 42, "ü'\\!".to_owned()));
        let mut cur = conn.cursor();
        let args = || (21, None::<i32>, "ü'\\");
        cur.callproc("twice", args()).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(21));
        assert!(cur.nextset().await.unwrap(), "the call itself");
        assert!(!cur.nextset().await.unwrap());
        cur.execute(out, ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), expected);
        assert_eq!(cur.callproc("nothing", ()).await.unwrap(), 0);
        cur.callproc("test.twice", args()).await.unwrap();
        cur.execute("SELECT @_test.twice_1", ()).await.unwrap();
        assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(42));
        let error = cur.callproc("twice", params! { "a" => 1 }).await;
        assert!(matches!(error, Err(Error::NamedParameters)));
        let error = cur.callproc("no_such", ()).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1305));
        let mut cur = conn.ss_cursor();
        cur.callproc("twice", args()).await.unwrap();
        // What is left unread is not in the way.
        cur.execute(out, ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), expected);
    });
}

#[test]
fn all_cursors_work_inside_a_transaction() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE t (n INT) ENGINE=InnoDB")
            .await
            .unwrap();
        let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
        let sql = "INSERT INTO t VALUES (?)";
        tx.cursor().execute(sql, (1,)).await.unwrap();
        tx.ss_cursor().execute(sql, (2,)).await.unwrap();
        tx.dict_cursor().execute(sql, (3,)).await.unwrap();
        let mut cur = tx.ss_dict_cursor();
        cur.execute("SELECT n FROM t", ()).await.unwrap();
        let row = cur.fetchone().await.unwrap().expect("the first");
        assert_eq!(row.get::<i32>("n").unwrap(), 1);
        // Two rows are left, and the transaction goes on.
        tx.rollback().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM t").await, 0);
    });
}
