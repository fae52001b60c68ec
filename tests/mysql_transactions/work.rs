//! What `transaction` commits and what it rolls back.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use pool_core::BoxFuture;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{self, DriverError, IsolationLevel, TxOpts};
use pool_mysql::{Connection, Error, MySqlErrorExt, TransactionOptions, TransactionStatus};

use smol::lock::Mutex;

use crate::server::{Server, code, number, test, text};

pub(crate) async fn table(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop("CREATE TABLE t (a INT PRIMARY KEY, n INT DEFAULT 0) ENGINE=InnoDB")
        .await
        .unwrap();
    conn
}

pub(crate) async fn rows(conn: &mut Connection) -> i64 {
    number(conn, "SELECT COUNT(*) FROM t").await
}

/// An error of a service of one's own.
#[derive(Debug)]
enum Refusal {
    TooMuch(i64),
    Database(Error),
}

impl From<mysql_async::Error> for Refusal {
    fn from(error: mysql_async::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

#[test]
fn work_that_succeeds_is_committed_and_its_value_returned() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let other = Mutex::new(server.connect().await);
        let ids = vec![1, 2, 3];
        let changed = conn
            .transaction(|tx| {
                let (ids, other) = (&ids, &other);
                Box::pin(async move {
                    let mut changed = 0;
                    for id in ids {
                        tx.exec_drop("INSERT INTO t (a) VALUES (?)", (id,)).await?;
                        changed += 1;
                    }
                    assert_eq!(rows(&mut *other.lock().await).await, 0);
                    Ok::<_, Error>(changed)
                })
            })
            .await
            .unwrap();
        assert_eq!(changed, 3);
        assert_eq!(rows(&mut *other.lock().await).await, 3);
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
    });
}

#[test]
fn work_that_fails_is_rolled_back_and_its_error_returned() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let result = conn
            .transaction(|tx| {
                Box::pin(async move {
                    let mut cur = tx.cursor();
                    cur.execute("INSERT INTO t VALUES (1, 50)", ()).await?;
                    cur.execute("SELECT n FROM t WHERE a = ?", (1,)).await?;
                    match cur.fetchone().await? {
                        Some((n @ 10..,)) => Err(Refusal::TooMuch(n)),
                        _ => Ok(()),
                    }
                })
            })
            .await;
        assert!(matches!(result, Err(Refusal::TooMuch(50))), "{result:?}");
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
        assert_eq!(rows(&mut conn).await, 0);
        let result = conn
            .transaction(|tx| {
                Box::pin(async move { Ok::<_, Refusal>(tx.query_drop("BLABLA").await?) })
            })
            .await;
        assert!(
            matches!(&result, Err(Refusal::Database(error)) if error.server_code() == Some(1064)),
            "{result:?}"
        );
    });
}

#[test]
fn work_that_panics_is_rolled_back() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let work = conn.transaction(|tx| {
            Box::pin(async move {
                tx.query_drop("INSERT INTO t (a) VALUES (1)").await?;
                if tx.cursor().connection().affected_rows() == 1 {
                    panic!("as planned");
                }
                Ok::<_, Error>(())
            })
        });
        assert!(AssertUnwindSafe(work).catch_unwind().await.is_err());
        assert!(conn.in_transaction());
        assert_eq!(rows(&mut conn).await, 0);
    });
}

#[test]
fn work_whose_future_is_dropped_is_rolled_back() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        // Between two commands: the connection is kept.
        let (inserted, heard) = smol::channel::bounded(1);
        let work = conn.transaction(|tx| {
            let inserted = &inserted;
            Box::pin(async move {
                tx.query_drop("INSERT INTO t (a) VALUES (1)").await?;
                inserted.send(()).await.unwrap();
                std::future::pending::<Result<(), Error>>().await
            })
        });
        let result = futures_lite::future::or(async { Some(work.await) }, async {
            heard.recv().await.unwrap();
            None
        });
        assert!(result.await.is_none());
        assert!(!conn.is_closed() && conn.in_transaction());
        assert_eq!(rows(&mut conn).await, 0);
        // During one: the connection is closed.
        let mut conn = server.connect().await;
        let nap = conn.transaction(|tx| tx.query_drop("DO SLEEP(30)"));
        let result = futures_lite::future::or(async { Some(nap.await) }, async {
            server.watcher().await.somebody_runs("DO SLEEP(30)").await;
            None
        });
        assert!(result.await.is_none());
        assert!(conn.is_closed());
    });
}

#[test]
fn the_options_hold_for_the_one_transaction() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let mut writer = server.connect().await;
        writer.begin().await.unwrap();
        writer
            .query_drop("INSERT INTO t (a) VALUES (1)")
            .await
            .unwrap();
        let dirty = TransactionOptions::new().isolation_level(IsolationLevel::ReadUncommitted);
        let count = async |conn: &mut Connection, options: TransactionOptions| {
            conn.transaction_with(options, |tx| {
                Box::pin(async move { tx.query_first::<i64, _>("SELECT COUNT(*) FROM t").await })
            })
            .await
            .unwrap()
        };
        assert_eq!(count(&mut conn, dirty).await, Some(1));
        assert_eq!(count(&mut conn, TransactionOptions::new()).await, Some(0));
        writer.rollback().await.unwrap();
        let level = text(&mut conn, "SELECT @@tx_isolation").await;
        assert_eq!(level.as_deref(), Some("REPEATABLE-READ"));

        let insert = "INSERT INTO t (a) VALUES (2)";
        let readonly = TransactionOptions::new()
            .readonly(true)
            .consistent_snapshot(true);
        let result = conn.transaction_with(readonly, |tx| tx.query_drop(insert));
        assert_eq!(code(result.await), 1792);
        // The driver's own options will do, too.
        let mut driver = TxOpts::default();
        driver.with_readonly(true);
        let result = conn.transaction_with(driver, |tx| tx.query_drop(insert));
        assert_eq!(code(result.await), 1792);
    });
}

#[test]
fn inside_another_transaction_nothing_is_begun() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.begin().await.unwrap();
        let result = conn.transaction(|_| -> BoxFuture<'_, Result<(), mysql_async::Error>> {
            panic!("it is not run")
        });
        assert!(matches!(
            result.await,
            Err(mysql_async::Error::Driver(DriverError::NestedTransaction))
        ));
    });
}

#[test]
fn a_commit_that_the_server_refuses_is_an_error_and_not_repeated() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let mut attempts = 0;
        let again = TransactionOptions::new().retries(3);
        let result = conn
            .transaction_with(again, |tx| {
                attempts += 1;
                Box::pin(async move {
                    tx.query_drop("INSERT INTO t (a) VALUES (1)").await?;
                    // An error that was left unread comes instead of the commit's answer.
                    let conflict = "DO 1; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213";
                    drop(tx.query_iter(conflict).await?);
                    Ok::<_, mysql_async::Error>(())
                })
            })
            .await;
        assert!(result.as_ref().is_err_and(MySqlErrorExt::is_retryable));
        assert_eq!(code(result), 1213);
        assert_eq!(attempts, 1);
        assert_eq!(rows(&mut conn).await, 0);
    });
}

#[test]
fn its_future_goes_to_any_executor() {
    test(|| async {
        let server = Server::start();
        table(&server).await;
        let pool = server.pool_of_one();
        let work = |pool: pool_mysql::Pool, id: i32| async move {
            let mut conn = pool.acquire().await.map_err(|error| error.to_string())?;
            let words = vec!["some", "text"];
            let again = TransactionOptions::new().retries(2);
            conn.transaction_with(again, |tx| {
                let words = &words;
                Box::pin(async move {
                    tx.exec_drop("INSERT INTO t VALUES (?, ?)", (id, words.len()))
                        .await?;
                    tx.savepoint(|tx| {
                        Box::pin(async move {
                            let mut cur = tx.cursor();
                            cur.execute("UPDATE t SET n = n + 1 WHERE a = ?", (id,))
                                .await
                        })
                    })
                    .await
                })
            })
            .await
            .map_err(|error: Error| error.to_string())
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let (one, two) = (pool.clone(), pool.clone());
        let changed = runtime.spawn(async move { work(one, 1).await });
        assert_eq!(changed.await.unwrap(), Ok(1));
        assert_eq!(smol::spawn(async move { work(two, 2).await }).await, Ok(1));
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT SUM(n) FROM t").await, 6);
        drop(conn);
        runtime.shutdown_background();
    });
}
