//! Transactions that lose to another one: what is done again, and what never is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{self, Error as DriverFailure};
use pool_mysql::{Connection, Error, MySqlErrorExt, Transaction, TransactionOptions};
use smol::lock::{Barrier, Mutex};

use crate::server::{Server, code, number, test};
use crate::work::{rows, table};

fn again() -> TransactionOptions {
    let ms = Duration::from_millis;
    TransactionOptions::new().retries(5).backoff(ms(1), ms(20))
}

/// Fails with 1205 at once, on MariaDB, while somebody holds the row.
const CONFLICT: &str = "SELECT * FROM t WHERE a = 1 FOR UPDATE NOWAIT";

/// A connection that holds a row, and one that wants it.
async fn held(server: &Server) -> (Mutex<Connection>, Connection) {
    let mut conn = table(server).await;
    conn.query_drop("INSERT INTO t (a) VALUES (1), (2)")
        .await
        .unwrap();
    let mut holder = server.connect().await;
    holder.begin().await.unwrap();
    holder
        .query_drop("UPDATE t SET n = 1 WHERE a = 1")
        .await
        .unwrap();
    (Mutex::new(holder), conn)
}

/// Two transactions take the rows 1 and 2, each in another order; in their first attempts they meet half way.
async fn deadlock(
    server: &Server,
    options: TransactionOptions,
) -> ([Result<(), DriverFailure>; 2], u32) {
    table(server)
        .await
        .query_drop("INSERT INTO t (a) VALUES (1), (2)")
        .await
        .unwrap();
    let half_way = Barrier::new(2);
    let attempts = AtomicU32::new(0);
    let one = async |first: i32, second: i32| {
        let mut conn = server.connect().await;
        let mut is_first = true;
        conn.transaction_with(options.clone(), |tx| {
            attempts.fetch_add(1, Ordering::SeqCst);
            let meets = std::mem::take(&mut is_first).then_some(&half_way);
            Box::pin(async move {
                let add = "UPDATE t SET n = n + 1 WHERE a = ?";
                tx.exec_drop(add, (first,)).await?;
                if let Some(half_way) = meets {
                    half_way.wait().await;
                }
                tx.exec_drop(add, (second,)).await
            })
        })
        .await
    };
    let (a, b) = futures_lite::future::zip(one(1, 2), one(2, 1)).await;
    ([a, b], attempts.into_inner())
}

#[test]
fn two_that_deadlock_both_come_through_when_they_are_done_again() {
    test(|| async {
        let server = Server::start();
        let (results, attempts) = deadlock(&server, again()).await;
        for result in results {
            result.unwrap();
        }
        assert!(attempts >= 3, "{attempts} attempts");
        // Each has done its work exactly once.
        let mut conn = server.connect().await;
        assert_eq!(number(&mut conn, "SELECT SUM(n) FROM t").await, 4);
    });
}

#[test]
fn one_of_two_that_deadlock_fails_where_nobody_asked_for_more() {
    test(|| async {
        let server = Server::start();
        let (results, attempts) = deadlock(&server, TransactionOptions::new()).await;
        let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((good.len(), bad.len(), attempts), (1, 1, 2));
        for result in bad {
            assert!(result.as_ref().is_err_and(MySqlErrorExt::is_retryable));
            assert_eq!(code(result), 1213);
        }
        let mut conn = server.connect().await;
        assert_eq!(number(&mut conn, "SELECT SUM(n) FROM t").await, 2);
    });
}

#[test]
fn a_lock_that_was_waited_for_too_long_is_tried_again_with_all_before_it() {
    test(|| async {
        let server = Server::start();
        let (holder, mut conn) = held(&server).await;
        let mut attempts = 0;
        conn.transaction_with(again(), |tx| {
            attempts += 1;
            let (attempt, holder) = (attempts, &holder);
            Box::pin(async move {
                // The server takes back the statement alone; a repetition takes back this one, too.
                tx.query_drop("INSERT INTO t (a) VALUES (3)").await?;
                if attempt == 3 {
                    holder.lock().await.rollback().await?;
                }
                tx.query_drop(CONFLICT).await?;
                Ok::<_, Error>(())
            })
        })
        .await
        .unwrap();
        assert_eq!(attempts, 3);
        assert_eq!(rows(&mut conn).await, 3);
    });
}

#[test]
fn there_are_as_many_repetitions_as_were_asked_for() {
    test(|| async {
        let server = Server::start();
        let (_holder, mut conn) = held(&server).await;
        for retries in [0, 1, 3] {
            let mut attempts = 0;
            let options = again().retries(retries);
            let result = conn
                .transaction_with(options, |tx| {
                    attempts += 1;
                    tx.query_drop(CONFLICT)
                })
                .await;
            assert_eq!(code(result), 1205);
            assert_eq!(attempts, retries + 1);
            assert!(!conn.in_transaction());
        }
    });
}

#[test]
fn an_error_of_ones_own_that_came_of_a_conflict_is_repeated_and_one_that_did_not_is_not() {
    test(|| async {
        let server = Server::start();
        let (holder, mut conn) = held(&server).await;
        let mut attempts = 0;
        let result: Result<(), Box<dyn std::error::Error + Send + Sync>> = conn
            .transaction_with(again(), |tx| {
                attempts += 1;
                let (attempt, holder) = (attempts, &holder);
                Box::pin(async move {
                    if attempt == 2 {
                        holder.lock().await.rollback().await?;
                    }
                    match tx.query_drop(CONFLICT).await {
                        Ok(()) => Err("found out otherwise".into()),
                        Err(_) => Err("busy".into()),
                    }
                })
            })
            .await;
        assert_eq!(result.unwrap_err().to_string(), "found out otherwise");
        assert_eq!(attempts, 2);
    });
}

#[test]
fn nothing_is_repeated_once_something_may_be_committed() {
    type Step = for<'a> fn(
        &'a mut Transaction<'_>,
    ) -> futures::future::BoxFuture<'a, Result<(), DriverFailure>>;
    let commits: [(&str, Step); 6] = [
        ("COMMIT", |tx| Box::pin(tx.query_drop("COMMIT"))),
        ("and another transaction", |tx| {
            Box::pin(tx.query_drop("COMMIT; BEGIN"))
        }),
        ("a prepared COMMIT", |tx| {
            Box::pin(async {
                let commit = tx.prep("COMMIT AND CHAIN").await?;
                tx.exec_drop(&commit, ()).await
            })
        }),
        ("a table", |tx| {
            Box::pin(tx.query_drop("CREATE TABLE u (a INT); BEGIN"))
        }),
        ("a procedure", |tx| Box::pin(tx.exec_drop("CALL p()", ()))),
        ("what cannot be read", |tx| {
            Box::pin(Queryable::exec_drop(tx, "COMMIT AND CHAIN", ()))
        }),
    ];
    test(move || async move {
        let server = Server::start();
        let (_holder, mut conn) = held(&server).await;
        conn.query_drop("CREATE PROCEDURE p() BEGIN COMMIT; START TRANSACTION; END")
            .await
            .unwrap();
        for (name, commit) in commits {
            let mut attempts = 0;
            let result = conn
                .transaction_with(again(), |tx| {
                    attempts += 1;
                    Box::pin(async move {
                        tx.query_drop("UPDATE t SET n = n + 1 WHERE a = 2").await?;
                        commit(tx).await?;
                        tx.query_drop(CONFLICT).await
                    })
                })
                .await;
            assert_eq!(code(result), 1205, "{name}");
            assert_eq!(attempts, 1, "{name}");
        }
        // Each was committed, and done once.
        let count = number(&mut conn, "SELECT n FROM t WHERE a = 2").await;
        assert_eq!(usize::try_from(count), Ok(commits.len()));
    });
}

#[test]
fn a_deadlock_that_is_passed_over_is_an_error_all_the_same() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.query_drop("INSERT INTO t (a) SELECT seq FROM seq_1_to_500")
            .await
            .unwrap();
        for goes_on in [false, true] {
            let mut attempts = 0;
            // It has done more, so the server chooses the other one.
            let mut heavy = server.connect().await;
            heavy.begin().await.unwrap();
            let much = "UPDATE t SET n = n + 1 WHERE a > 1";
            heavy.query_drop(much).await.unwrap();
            let heavy = Mutex::new(heavy);
            let result = conn
                .transaction_with(again(), |tx| {
                    attempts += 1;
                    let (attempt, heavy) = (attempts, &heavy);
                    Box::pin(async move {
                        tx.query_drop("UPDATE t SET n = -1 WHERE a = 1").await?;
                        if attempt == 1 {
                            let mut heavy = heavy.lock().await;
                            let back = heavy.query_drop("UPDATE t SET n = 0 WHERE a = 1");
                            let lost = tx.query_drop("UPDATE t SET n = -1 WHERE a = 2");
                            let (lost, back) = futures_lite::future::zip(lost, back).await;
                            back?;
                            assert_eq!(code(lost), 1213);
                            heavy.rollback().await?;
                        }
                        if goes_on {
                            // The server has no transaction any more: this is committed by itself.
                            tx.query_drop("INSERT INTO t (a) VALUES (1000)").await?;
                        }
                        Ok::<_, mysql_async::Error>(())
                    })
                })
                .await;
            if goes_on {
                assert_eq!(code(result), 1213);
                assert_eq!(attempts, 1, "what is committed is not done again");
                assert_eq!(rows(&mut conn).await, 501);
            } else {
                result.unwrap();
                assert_eq!(attempts, 2);
                assert_eq!(number(&mut conn, "SELECT n FROM t WHERE a = 1").await, -1);
            }
        }
    });
}
