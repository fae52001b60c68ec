//! Work inside a transaction that is taken back alone.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error, Transaction, TransactionOptions};

use smol::lock::Mutex;

use crate::server::{Server, is_refused, test};
use crate::work::{rows, table};

async fn insert(tx: &mut Transaction<'_>, id: i32) -> Result<(), Error> {
    Ok(tx.exec_drop("INSERT INTO t (a) VALUES (?)", (id,)).await?)
}

async fn all(conn: &mut Connection) -> Vec<i32> {
    conn.query("SELECT a FROM t ORDER BY a").await.unwrap()
}

#[test]
fn what_fails_behind_a_savepoint_is_taken_back_alone() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.transaction(|tx| {
            Box::pin(async move {
                insert(tx, 1).await?;
                let kept = tx.savepoint(|tx| {
                    Box::pin(async move {
                        insert(tx, 2).await?;
                        Ok::<_, Error>("kept")
                    })
                });
                assert_eq!(kept.await?, "kept");
                let failed = tx.savepoint(|tx| {
                    Box::pin(async move {
                        insert(tx, 3).await?;
                        insert(tx, 1).await
                    })
                });
                let error = failed.await.unwrap_err();
                assert_eq!(error.server_code(), Some(1062));
                insert(tx, 4).await
            })
        })
        .await
        .unwrap();
        assert_eq!(all(&mut conn).await, [1, 2, 4]);
    });
}

#[test]
fn savepoints_nest() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.transaction(|tx| {
            Box::pin(async move {
                insert(tx, 1).await?;
                let outer = tx.savepoint(|tx| {
                    Box::pin(async move {
                        insert(tx, 2).await?;
                        let inner = tx.savepoint(|tx| {
                            Box::pin(async move {
                                insert(tx, 3).await?;
                                tx.savepoint(|tx| Box::pin(async move { insert(tx, 4).await }))
                                    .await
                            })
                        });
                        inner.await?;
                        let undone = tx.savepoint(|tx| {
                            Box::pin(async move {
                                insert(tx, 5).await?;
                                Err::<(), Error>(Error::NotExecuted)
                            })
                        });
                        assert!(matches!(undone.await, Err(Error::NotExecuted)));
                        insert(tx, 6).await
                    })
                });
                outer.await?;
                // Two that follow each other, the second of which fails with all that is in it.
                let undone = tx.savepoint(|tx| {
                    Box::pin(async move {
                        tx.savepoint(|tx| Box::pin(async move { insert(tx, 7).await }))
                            .await?;
                        Err::<(), Error>(Error::NotExecuted)
                    })
                });
                assert!(undone.await.is_err());
                Ok::<_, Error>(())
            })
        })
        .await
        .unwrap();
        assert_eq!(all(&mut conn).await, [1, 2, 3, 4, 6]);
    });
}

#[test]
fn a_guard_has_savepoints_too() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        insert(&mut tx, 1).await.unwrap();
        let undone = tx.savepoint(|tx| {
            Box::pin(async move {
                insert(tx, 2).await?;
                insert(tx, 1).await
            })
        });
        assert!(undone.await.is_err());
        tx.commit().await.unwrap();
        assert_eq!(all(&mut conn).await, [1]);
    });
}

#[test]
fn a_savepoint_that_is_left_unfinished_takes_the_whole_transaction_with_it() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        insert(&mut tx, 1).await.unwrap();
        // It is left between two commands.
        let (inserted, heard) = smol::channel::bounded(1);
        let left = tx.savepoint(|tx| {
            let inserted = &inserted;
            Box::pin(async move {
                insert(tx, 2).await?;
                inserted.send(()).await.unwrap();
                std::future::pending::<Result<(), Error>>().await
            })
        });
        let left = futures_lite::future::or(async { Some(left.await) }, async {
            heard.recv().await.unwrap();
            None
        });
        assert!(left.await.is_none());
        assert!(is_refused(
            &tx.query_drop("INSERT INTO t (a) VALUES (3)").await
        ));
        assert!(is_refused(&tx.commit().await));
        let mut conn = server.connect().await;
        assert_eq!(rows(&mut conn).await, 0);

        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        let panics = tx.savepoint(|tx| {
            Box::pin(async move {
                insert(tx, 2).await?;
                if tx.cursor().connection().affected_rows() == 1 {
                    panic!("as planned");
                }
                Ok::<_, Error>(())
            })
        });
        assert!(AssertUnwindSafe(panics).catch_unwind().await.is_err());
        assert!(is_refused(&tx.commit().await));
        assert_eq!(rows(&mut server.connect().await).await, 0);
    });
}

#[test]
fn a_conflict_behind_a_savepoint_repeats_the_whole_transaction() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.query_drop("INSERT INTO t (a) VALUES (1)")
            .await
            .unwrap();
        let mut holder = server.connect().await;
        holder.begin().await.unwrap();
        holder
            .query_drop("UPDATE t SET n = 1 WHERE a = 1")
            .await
            .unwrap();
        let holder = Mutex::new(holder);
        let mut attempts = 0;
        let again = TransactionOptions::new().retries(3);
        conn.transaction_with(again, |tx| {
            attempts += 1;
            let (attempt, holder) = (attempts, &holder);
            Box::pin(async move {
                insert(tx, 2).await?;
                if attempt == 2 {
                    holder.lock().await.rollback().await?;
                }
                tx.savepoint(|tx| {
                    Box::pin(async move {
                        // 1205 at once, on MariaDB.
                        tx.query_drop("SELECT * FROM t WHERE a = 1 FOR UPDATE NOWAIT")
                            .await
                    })
                })
                .await?;
                Ok::<_, Error>(())
            })
        })
        .await
        .unwrap();
        assert_eq!(attempts, 2);
        assert_eq!(all(&mut conn).await, [1, 2]);
    });
}
