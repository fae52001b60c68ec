//! What a cursor leaves unread: a short rest is read and dropped, a long one costs the connection.

use pool_core::PooledConnection;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Params, Row, TxOpts};
use pool_mysql::{ConnectOptions, Error, MySqlErrorExt, ResetPolicy};

use crate::server::{Server, is_closed, is_refused, number, one, polled, test};

const WHY: &str = "a long result was left unread; fetch its rows to the end, \
     await the close of the ss_cursor, or ask for fewer rows with LIMIT";
const SHORT: &str = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_300";
const LONG: &str = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_300000";

#[test]
fn a_short_rest_is_read_and_dropped_whatever_comes_next() {
    test(|| async {
        let server = Server::start();
        for options in server.both() {
            let mut conn = pool_mysql::connect(options).await.unwrap();
            let id = conn.connection_id();
            for with_parameters in [false, true] {
                for next in 0..6 {
                    let mut cur = conn.ss_cursor();
                    match with_parameters {
                        false => cur.execute(SHORT, ()).await.unwrap(),
                        true => cur
                            .execute(SHORT, Params::Positional(vec![]))
                            .await
                            .unwrap(),
                    };
                    assert!(cur.fetchone::<Row>().await.unwrap().is_some());
                    match next {
                        0 => cur.close().await.unwrap(),
                        1 => assert_eq!(cur.execute("DO 1", ()).await.unwrap(), 0),
                        2 => conn.ping().await.unwrap(),
                        3 => drop(conn.prep("SELECT ?, 1").await.unwrap()),
                        4 => {
                            let tx = conn.start_transaction(TxOpts::default()).await.unwrap();
                            tx.commit().await.unwrap();
                        }
                        _ => assert_eq!(conn.cursor().execute("SELECT 5", ()).await.unwrap(), 1),
                    }
                    assert_eq!(number(&mut conn, "SELECT 42").await, 42);
                    assert_eq!(conn.connection_id(), id);
                }
            }
        }
    });
}

#[test]
fn a_long_rest_costs_the_connection_and_says_so() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        for next in 0..3 {
            let mut conn = server.connect().await;
            let mut cur = conn.ss_cursor();
            cur.execute(LONG, ()).await.unwrap();
            assert!(cur.fetchone::<Row>().await.unwrap().is_some());
            let said = match next {
                0 => {
                    let error = cur.execute("SELECT 1", ()).await.unwrap_err();
                    assert!(matches!(error, Error::NotClean(_)));
                    error.to_string()
                }
                1 => conn
                    .ping()
                    .await
                    .map_err(Error::from)
                    .unwrap_err()
                    .to_string(),
                _ => {
                    let error = conn.cursor().execute("SELECT 1", ()).await;
                    error.unwrap_err().to_string()
                }
            };
            assert!(said.contains(WHY), "{said}");
            // Every later command says it, too.
            let error = conn.query_drop("SELECT 1").await.unwrap_err();
            assert!(error.is_connection_lost() && !error.is_retryable());
            let error = Error::from(error);
            assert!(error.is_closed() && error.is_connection_lost());
            assert_eq!(
                error.to_string(),
                format!("the connection is closed: {WHY}")
            );
            assert!(conn.is_closed());
            watcher.nobody_else().await;
        }
    });
}

#[test]
fn an_awaited_close_reads_a_long_rest_and_keeps_the_connection() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let id = conn.connection_id();
        let mut cur = conn.ss_cursor();
        cur.execute(&format!("{LONG}; SELECT nope"), ())
            .await
            .unwrap();
        assert!(cur.fetchone::<Row>().await.unwrap().is_some());
        // The error of a later statement is found on the way.
        let error = cur.close().await.unwrap_err();
        assert_eq!(error.server_code(), Some(1054));
        assert!(cur.close().await.is_ok());
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        assert_eq!(conn.connection_id(), id);
    });
}

#[test]
fn the_next_user_of_a_pool_gets_neither_the_rest_nor_the_wait() {
    test(|| async {
        let server = Server::start();
        for policy in [
            ResetPolicy::Always,
            ResetPolicy::IfDirty,
            ResetPolicy::RollbackOnly,
            ResetPolicy::Never,
        ] {
            let pool = one(server.tcp().reset_policy(policy));
            for (sql, kept) in [(SHORT, true), (LONG, false)] {
                let mut conn = pool.acquire().await.unwrap();
                let id = conn.connection_id();
                let mut cur = conn.ss_cursor();
                cur.execute(sql, ()).await.unwrap();
                assert!(cur.fetchone::<Row>().await.unwrap().is_some());
                let released = PooledConnection::release(conn).await;
                assert_eq!(released.is_ok(), kept, "{policy:?}: {sql}");
                let mut conn = pool.acquire().await.unwrap();
                assert_eq!(number(&mut conn, "SELECT 42").await, 42);
                assert_eq!(conn.connection_id() == id, kept, "{policy:?}: {sql}");
            }
        }
    });
}

#[test]
fn rows_that_are_read_to_their_end_cost_no_reset() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let options: ConnectOptions = server.tcp().reset_policy(ResetPolicy::IfDirty);
        let pool = one(options);
        drop(pool.acquire().await.unwrap());
        let before = watcher.count("Com_admin_commands").await;
        for _ in 0..3 {
            let mut conn = pool.acquire().await.unwrap();
            let mut cur = conn.ss_cursor();
            cur.execute("SELECT seq FROM seq_1_to_100", ())
                .await
                .unwrap();
            assert_eq!(cur.fetchall::<u32>().await.unwrap().len(), 100);
            cur.execute("SELECT seq + ? FROM seq_1_to_100", (1,))
                .await
                .unwrap();
            assert_eq!(cur.fetchall::<u32>().await.unwrap().len(), 100);
            PooledConnection::release(conn).await.unwrap();
        }
        let resets = watcher.count("Com_admin_commands").await - before;
        assert_eq!(resets, 0);
        // A variable still costs one.
        let mut conn = pool.acquire().await.unwrap();
        conn.ss_cursor().execute("SET @a = 1", ()).await.unwrap();
        PooledConnection::release(conn).await.unwrap();
        assert_eq!(watcher.count("Com_admin_commands").await - before, 1);
    });
}

#[test]
fn a_rest_that_somebody_gave_up_reading_closes_the_connection() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.ss_cursor();
        let slow = "SELECT IF(seq = 2, SLEEP(60), seq), REPEAT('x', 40000) FROM seq_1_to_3";
        cur.execute(slow, ()).await.unwrap();
        assert!(cur.fetchone::<Row>().await.unwrap().is_some());
        assert!(polled(1, Box::pin(cur.close())).await.is_none());
        drop(cur);
        assert!(conn.is_closed());
        assert!(is_refused(&conn.ping().await));
    });
}

#[test]
fn terminate_ends_a_fetch_that_waits() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let pool = one(server.tcp());
        let mut conn = pool.acquire().await.unwrap();
        let mut cur = conn.ss_cursor();
        let slow = "SELECT IF(seq = 2, SLEEP(60), seq), REPEAT('x', 40000) FROM seq_1_to_3";
        cur.execute(slow, ()).await.unwrap();
        assert!(cur.fetchone::<Row>().await.unwrap().is_some());
        let end = async {
            watcher.somebody_runs("SLEEP(60)").await;
            pool.terminate();
        };
        let (fetched, ()) = futures::future::join(cur.fetchone::<Row>(), end).await;
        assert!(is_closed(&fetched));
        drop(conn);
        pool.wait_closed().await.unwrap();
        watcher.nobody_else().await;
    });
}
