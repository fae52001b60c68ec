//! A text with several statements of which a later one fails: the results before it stay, as in aiomysql.

use futures::TryStreamExt;
use pool_mysql::mysql_async::{Row, prelude::Queryable};
use pool_mysql::{Connection, Error};
use support::warnings;

use crate::many_failed::failure;
use crate::server::{Server, number, test};

const FAILS: &str = "SELECT 1; SELECT nope; SELECT 2";

/// Unknown column.
const NOPE: Option<u16> = Some(1054);

fn code<T>(result: Result<T, Error>) -> Option<u16> {
    result.err().expect("the server's error").server_code()
}

/// For both servers, on a connection that lives on.
pub(crate) async fn every_cursor(conn: &mut Connection) {
    let id = conn.connection_id();
    let mut cur = conn.cursor();
    assert_eq!(cur.execute(FAILS, ()).await.unwrap(), 1);
    assert_eq!(code(cur.nextset().await), NOPE);
    // It is said once, and the result before it is still there.
    assert!(!cur.nextset().await.unwrap());
    assert_eq!(cur.fetchall::<i32>().await.unwrap(), [1]);

    assert_eq!(
        cur.execute("SELECT 1; DO 0; SELECT nope", ())
            .await
            .unwrap(),
        1
    );
    assert!(cur.nextset().await.unwrap());
    assert_eq!(code(cur.nextset().await), NOPE);

    let mut cur = conn.dict_cursor();
    cur.execute(FAILS, ()).await.unwrap();
    assert_eq!(cur.fetchall().await.unwrap().len(), 1);
    assert_eq!(code(cur.nextset().await), NOPE);

    let mut cur = conn.ss_cursor();
    cur.execute(FAILS, ()).await.unwrap();
    assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(1));
    assert_eq!(code(cur.nextset().await), NOPE);
    assert!(!cur.nextset().await.unwrap());

    let mut cur = conn.cursor();
    cur.execute(FAILS, ()).await.unwrap();
    let rows: Vec<i32> = cur.rows::<i32>().try_collect().await.unwrap();
    assert_eq!(rows, [1]);
    assert_eq!(code(cur.nextset().await), NOPE);

    // The first statement has no result that could be lost.
    let mut cur = conn.cursor();
    assert_eq!(code(cur.execute("SELECT nope; SELECT 1", ()).await), NOPE);
    assert_eq!(number(conn, "SELECT 42").await, 42);
    assert_eq!(conn.connection_id(), id);
}

/// For both servers: an error that nobody has asked for comes with the next statement, which is not sent.
pub(crate) async fn next_execute(conn: &mut Connection) {
    conn.query_drop("SET @sent = 0").await.unwrap();
    let mut cur = conn.cursor();
    cur.execute(FAILS, ()).await.unwrap();
    assert_eq!(code(cur.execute("SET @sent = 1", ()).await), NOPE);
    assert_eq!(cur.execute("SELECT @sent", ()).await.unwrap(), 1);
    assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(0));
    cur.execute(FAILS, ()).await.unwrap();
    assert_eq!(code(cur.executemany("SET @sent = ?", [(1,)]).await), NOPE);
    cur.execute(FAILS, ()).await.unwrap();
    assert_eq!(code(cur.callproc("nobody", ()).await), NOPE);
}

/// For both servers: a procedure that fails after a SELECT, and many sets for such a statement.
pub(crate) async fn procedures(conn: &mut Connection) {
    conn.query_drop(
        "CREATE PROCEDURE fails_at(IN n INT, IN bad INT) BEGIN \
           SELECT n; \
           IF n = bad THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1644; END IF; \
         END",
    )
    .await
    .unwrap();
    let mut cur = conn.cursor();
    assert_eq!(cur.callproc("fails_at", (7, 7)).await.unwrap(), 1);
    assert_eq!(cur.fetchone::<i32>().await.unwrap(), Some(7));
    assert_eq!(code(cur.nextset().await), Some(1644));

    let sets = [(1, 2), (2, 2), (3, 2)];
    let call = "CALL fails_at(?, ?)";
    let many = conn.cursor().executemany(call, sets).await;
    assert_eq!(failure(&many.unwrap_err()), (1..2, 1, Some(1644)));
    let many = conn.ss_cursor().executemany(call, sets).await;
    let (sets, _, code) = failure(&many.unwrap_err());
    assert_eq!((sets, code), (1..2, Some(1644)));
}

#[test]
fn the_results_before_it_stay_and_nextset_returns_it() {
    test(|| async {
        let server = Server::start();
        every_cursor(&mut server.connect().await).await;
    });
}

#[test]
fn the_next_statement_of_the_cursor_returns_it_and_is_not_sent() {
    test(|| async {
        let server = Server::start();
        next_execute(&mut server.connect().await).await;
    });
}

#[test]
fn a_procedure_that_fails_after_a_select_fails_with_its_set() {
    test(|| async {
        let server = Server::start();
        procedures(&mut server.connect().await).await;
    });
}

/// The server has rolled the transaction back, so it must not seem to be committed.
#[test]
fn a_transaction_that_is_lost_by_it_cannot_be_committed() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let lost = "SELECT 1; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213";
        for is_streamed in [false, true] {
            let result = conn.transaction(|tx| {
                Box::pin(async move {
                    match is_streamed {
                        false => {
                            tx.cursor().execute(lost, ()).await?;
                        }
                        true => {
                            let mut cur = tx.ss_cursor();
                            cur.execute(lost, ()).await?;
                            assert_eq!(code(cur.nextset().await), Some(1213));
                        }
                    }
                    Ok::<_, Error>(())
                })
            });
            let error = result.await.expect_err("it was rolled back");
            assert_eq!(error.server_code(), Some(1213));
        }
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
    });
}

#[test]
fn the_next_user_of_a_pool_sees_nothing_of_it() {
    test(|| async {
        let server = Server::start();
        let pool = server.pool_of_one();
        let mut conn = pool.acquire().await.unwrap();
        let id = conn.connection_id();
        let mut cur = conn.cursor();
        cur.execute("SET @a = 1; SELECT nope", ()).await.unwrap();
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(conn.connection_id(), id);
        let row: Option<Row> = conn.query_first("SELECT @a IS NULL").await.unwrap();
        assert_eq!(row.and_then(|row| row.get::<i32, _>(0)), Some(1));
    });
}

#[test]
fn an_error_that_nobody_asks_for_is_logged_once() {
    let name = "an_error_that_nobody_asks_for_is_logged_once";
    let warned = warnings(name, async || {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.cursor().execute(FAILS, ()).await.unwrap();
        let mut cur = conn.cursor();
        cur.execute(FAILS, ()).await.unwrap();
        cur.close().await;
        let mut cur = conn.cursor();
        cur.execute(FAILS, ()).await.unwrap();
        assert_eq!(code(cur.nextset().await), NOPE);
    });
    assert_eq!(warned.len(), 2, "{warned:#?}");
    assert!(warned.iter().all(|line| line.contains("code=1054")));
    assert!(!warned.iter().any(|line| line.contains("nope")));
}
