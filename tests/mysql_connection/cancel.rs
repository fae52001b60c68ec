//! Commands whose future is dropped before the server has answered.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use futures::StreamExt;
use pool_mysql::mysql_async::{self, prelude::Queryable};
use pool_mysql::{Connection, connect};

use crate::server::{Server, Watcher, code, is_closed, is_refused, number, one, polled, test};

/// The trap: the answer to this one is on its way when its future is dropped.
async fn cancel_a_query(conn: &mut Connection, watcher: &mut Watcher) {
    let id = conn.connection_id();
    let query = conn.query_first::<String, _>("SELECT CONCAT('stale', SLEEP(1000))");
    let answer = futures_lite::future::or(async { Some(query.await) }, async {
        watcher.it_runs(id, "SLEEP(1000)").await;
        None
    });
    assert!(answer.await.is_none(), "it has ended by itself");
}

#[test]
fn after_a_cancelled_query_every_command_is_refused() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        for options in server.both() {
            let mut conn = connect(options).await.unwrap();
            let statement = conn.prep("SELECT ?").await.unwrap();
            cancel_a_query(&mut conn, &mut watcher).await;
            assert!(conn.is_closed());
            for _ in 0..2 {
                everything_is_refused(&mut conn, &statement).await;
            }
        }
    });
}

async fn everything_is_refused(conn: &mut Connection, statement: &mysql_async::Statement) {
    let none = || Vec::<(i32,)>::new();
    assert!(is_refused(&Queryable::ping(conn).await));
    assert!(is_refused(&conn.query_iter("DO 1").await));
    assert!(is_refused(&conn.prep("DO 1").await));
    assert!(is_refused(&Queryable::close(conn, statement.clone()).await));
    assert!(is_refused(&conn.exec_iter(statement, (1,)).await));
    assert!(is_refused(&conn.exec_batch("DO ?", [(1,)]).await));
    assert!(is_refused(&conn.query::<i32, _>("SELECT 1").await));
    assert!(is_refused(&conn.query_first::<i32, _>("SELECT 1").await));
    assert!(is_refused(&conn.query_map("SELECT 1", |n: i32| n).await));
    assert!(is_refused(
        &conn.query_fold("SELECT 1", 0, |a, b: i32| a + b).await
    ));
    assert!(is_refused(&conn.query_drop("DO 1").await));
    assert!(is_refused(&conn.query_stream::<i32, _>("SELECT 1").await));
    assert!(is_refused(&conn.exec::<i32, _, _>(statement, (1,)).await));
    assert!(is_refused(
        &conn.exec_first::<i32, _, _>(statement, (1,)).await
    ));
    assert!(is_refused(
        &conn.exec_map(statement, (1,), |n: i32| n).await
    ));
    assert!(is_refused(
        &conn.exec_fold(statement, (1,), 0, |a, b: i32| a + b).await
    ));
    assert!(is_refused(&conn.exec_drop(statement, (1,)).await));
    assert!(is_refused(
        &conn.exec_stream::<i32, _, _>(statement, (1,)).await
    ));
    assert!(is_refused(&conn.ping().await));
    assert!(is_refused(&conn.begin().await));
    assert!(is_refused(&conn.commit().await));
    assert!(is_refused(&conn.rollback().await));
    assert!(is_refused(&conn.autocommit(true).await));
    assert!(is_refused(&conn.select_db("mysql").await));
    assert!(is_refused(&conn.start_transaction(<_>::default()).await));
    let mut cur = conn.cursor();
    assert!(is_closed(&cur.execute("SELECT 1", ()).await));
    assert!(is_closed(&cur.execute("SELECT ?", (1,)).await));
    assert!(is_closed(&cur.executemany("DO ?", [(1,)]).await));
    assert_eq!(cur.executemany("DO ?", none()).await.ok(), Some(0));
}

#[test]
fn inside_a_transaction_too() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let mut conn = server.connect().await;
        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        let nap = tx.query_drop("DO SLEEP(1000)");
        let answer = futures_lite::future::or(async { Some(nap.await) }, async {
            watcher.somebody_runs("DO SLEEP(1000)").await;
            None
        });
        assert!(answer.await.is_none(), "it has ended by itself");
        assert!(is_refused(&tx.query_drop("DO 1").await));
        assert!(is_closed(&tx.cursor().execute("DO 1", ()).await));
        assert!(is_refused(&tx.commit().await));
        assert!(is_refused(&conn.ping().await));
    });
}

#[test]
fn a_cancelled_commit_closes_the_connection() {
    test(|| async {
        let server = Server::start();
        let mut guarded = server.connect().await;
        let mut plain = server.connect().await;
        let tx = guarded.start_transaction(<_>::default()).await.unwrap();
        // Nobody answers before it is dropped.
        server.pause();
        assert!(polled(1, Box::pin(tx.commit())).await.is_none());
        assert!(polled(1, Box::pin(plain.commit())).await.is_none());
        server.resume();
        assert!(is_refused(&guarded.ping().await));
        assert!(is_refused(&plain.ping().await));
    });
}

#[test]
fn a_future_that_was_never_polled_has_done_nothing() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        drop(conn.query_drop("DO SLEEP(1)"));
        drop(conn.begin());
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
    });
}

#[test]
fn a_future_that_is_forgotten_is_as_bad_as_one_that_is_dropped() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut query = conn.query_drop("SELECT CONCAT('stale', SLEEP(1000))");
        assert!(
            query
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        std::mem::forget(query);
        assert!(is_refused(
            &conn.query_first::<String, _>("SELECT 'fresh'").await
        ));
    });
}

type Step = for<'a> fn(&'a mut Connection) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// One of each kind of command; each answers whether it succeeded.
const STEPS: &[(&str, Step)] = &[
    ("ping", |conn| Box::pin(async { conn.ping().await.is_ok() })),
    ("text", |conn| {
        Box::pin(async { conn.query_drop("SELECT 'stale'").await.is_ok() })
    }),
    ("several statements", |conn| {
        Box::pin(async {
            conn.query_drop("SELECT 'stale'; DO 1; SELECT 'old'")
                .await
                .is_ok()
        })
    }),
    ("many rows", |conn| {
        Box::pin(async {
            let rows = conn.query::<u64, _>("SELECT seq FROM seq_1_to_5000").await;
            rows.is_ok_and(|rows| rows.len() == 5000)
        })
    }),
    ("prepare", |conn| {
        Box::pin(async { conn.prep("SELECT ? + 1").await.is_ok() })
    }),
    ("prepared", |conn| {
        Box::pin(async { conn.exec_drop("SELECT ?, 'stale'", (1,)).await.is_ok() })
    }),
    ("batch", |conn| {
        Box::pin(async {
            let rows = (0..100).map(|n| (n,));
            conn.exec_batch("INSERT INTO batch VALUES (?)", rows)
                .await
                .is_ok()
        })
    }),
    ("stream", |conn| {
        Box::pin(async {
            let stream = conn
                .query_stream::<u64, _>("SELECT seq FROM seq_1_to_2000")
                .await;
            match stream {
                Ok(stream) => stream.count().await == 2000,
                Err(_) => false,
            }
        })
    }),
    ("begin", |conn| {
        Box::pin(async { conn.begin().await.is_ok() })
    }),
    ("commit", |conn| {
        Box::pin(async { conn.commit().await.is_ok() })
    }),
    ("select_db", |conn| {
        Box::pin(async { conn.select_db("mysql").await.is_ok() })
    }),
    ("transaction", |conn| {
        Box::pin(async {
            match conn.start_transaction(<_>::default()).await {
                Ok(mut tx) => {
                    tx.query_drop("SELECT 'stale'").await.is_ok() && tx.commit().await.is_ok()
                }
                Err(_) => false,
            }
        })
    }),
    ("rollback of a dropped transaction", |conn| {
        Box::pin(async {
            match conn.start_transaction(<_>::default()).await {
                Ok(tx) => drop(tx),
                Err(_) => return false,
            }
            conn.query_drop("SELECT 'stale'").await.is_ok()
        })
    }),
    ("cursor", |conn| {
        Box::pin(async {
            let mut cur = conn.cursor();
            cur.execute("SELECT ?, 'stale'", (1,)).await.is_ok()
                && cur.execute("SELECT 'stale'; SELECT 2", ()).await.is_ok()
        })
    }),
    ("executemany", |conn| {
        Box::pin(async {
            let mut cur = conn.cursor();
            cur.executemany("INSERT INTO batch VALUES (?)", [(1,), (2,)])
                .await
                .is_ok()
        })
    }),
];

/// After each command was dropped at each of its polls: the same connection refuses or answers right, and the next user
/// of the pool gets the right answers.
#[test]
fn no_answer_is_ever_taken_for_another_one() {
    test(|| async {
        let server = Server::start();
        server
            .watcher()
            .await
            .run("CREATE TABLE test.batch (a INT)")
            .await;
        let mut cases = 0;
        for options in server.both() {
            let pool = one(options);
            for (name, step) in STEPS {
                for times in 1..200 {
                    let mut conn = pool.acquire().await.unwrap();
                    let done = polled(times, step(&mut conn)).await;
                    cases += 1;
                    match conn.query_first::<String, _>("SELECT 'same'").await {
                        Ok(answer) => assert_eq!(answer.as_deref(), Some("same"), "{name} {times}"),
                        refused => assert!(is_refused(&refused), "{name} {times}: {refused:?}"),
                    }
                    drop(conn);
                    let mut conn = pool.acquire().await.unwrap();
                    for nonce in ["one", "two", "three"] {
                        let answer = conn.exec_first::<String, _, _>("SELECT ?", (nonce,)).await;
                        assert_eq!(answer.unwrap().as_deref(), Some(nonce), "{name} {times}");
                    }
                    assert_eq!(
                        number(&mut conn, "SELECT @@in_transaction").await,
                        0,
                        "{name} {times}"
                    );
                    if let Some(succeeded) = done {
                        assert!(succeeded, "{name} {times}");
                        break;
                    }
                }
            }
        }
        println!("{cases} cancellations");
    });
}

#[test]
fn a_result_that_was_not_read_to_its_end_is_skipped() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let query = "SELECT seq FROM seq_1_to_50000";
        for read in [0, 1, 1000] {
            let stream = conn.query_stream::<u64, _>(query).await.unwrap();
            let rows = stream.take(read).count().await;
            assert_eq!(rows, read);
            assert_eq!(number(&mut conn, "SELECT 7").await, 7);

            let stream = conn.exec_stream::<u64, _, _>(query, ()).await.unwrap();
            let rows = stream.take(read).count().await;
            assert_eq!(rows, read);
            assert_eq!(number(&mut conn, "SELECT 8").await, 8);
        }
        drop(
            conn.query_iter("SELECT 1; SELECT 2; SELECT 3")
                .await
                .unwrap(),
        );
        assert_eq!(number(&mut conn, "SELECT 9").await, 9);
    });
}

#[test]
fn an_error_that_was_not_read_comes_once_and_then_all_is_well() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        drop(conn.query_iter("DO 1; BLABLA").await.unwrap());
        assert_eq!(code(conn.query_drop("DO 2").await), 1064);
        assert_eq!(number(&mut conn, "SELECT 9").await, 9);

        let pool = server.pool_of_one();
        let mut conn = pool.acquire().await.unwrap();
        let id = conn.connection_id();
        drop(conn.query_iter("DO 1; BLABLA").await.unwrap());
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT 9").await, 9);
        assert_eq!(conn.connection_id(), id, "it can be made clean");
    });
}

#[test]
fn a_panic_in_the_middle_of_a_result_closes_the_connection() {
    let server = Server::start();
    let mut conn = futures::executor::block_on(server.connect());
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        futures::executor::block_on(conn.query_map("SELECT 1 UNION SELECT 2", |_: i32| -> i32 {
            panic!("expected by this test")
        }))
    }));
    assert!(panic.is_err());
    let refused = futures::executor::block_on(conn.query_drop("SELECT 3"));
    assert!(is_refused(&refused));
}

#[test]
fn a_row_that_does_not_fit_is_an_error_and_the_connection_lives_on() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let sql = "SELECT 'x' UNION SELECT 'y'";
        assert!(conn.query::<i32, _>(sql).await.is_err());
        assert!(conn.query_first::<i32, _>(sql).await.is_err());
        assert!(conn.query_map(sql, |n: i32| n).await.is_err());
        assert!(conn.query_fold(sql, 0, |a, b: i32| a + b).await.is_err());
        assert!(conn.exec::<i32, _, _>(sql, ()).await.is_err());
        assert!(conn.exec_first::<i32, _, _>(sql, ()).await.is_err());
        assert!(conn.exec_map(sql, (), |n: i32| n).await.is_err());
        assert!(conn.exec_fold(sql, (), 0, |a, b: i32| a + b).await.is_err());
        assert_eq!(number(&mut conn, "SELECT 5").await, 5);
    });
}

#[test]
fn a_server_that_asks_for_a_file_loses_the_connection_and_nothing_else() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("CREATE TABLE f (a TEXT)").await.unwrap();
        let load = "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE f";
        assert!(conn.query_drop(load).await.is_err());
        assert!(conn.is_closed());
        assert!(is_refused(&conn.ping().await));
    });
}
