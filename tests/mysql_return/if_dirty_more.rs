//! `ResetPolicy::IfDirty`: finished transactions, and statements with parameters.

use pool_mysql::TransactionOptions;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{IsolationLevel, Params};

use crate::if_dirty::{Guard, if_dirty, resets, server};
use crate::server::{number, test};

#[test]
fn a_finished_transaction_of_plain_statements_costs_no_reset() {
    test(|| async {
        let (server, mut watcher) = server().await;
        for options in [server.tcp(), server.tcp().autocommit(false)] {
            let pool = if_dirty(options);
            for level in [None, Some(IsolationLevel::Serializable)] {
                let closure = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                    let mut options = TransactionOptions::new();
                    if let Some(level) = level {
                        options = options.isolation_level(level);
                    }
                    conn.transaction_with(options, |tx| {
                        Box::pin(async move {
                            tx.exec_drop("INSERT INTO u VALUES (?)", (1,)).await?;
                            tx.savepoint(|tx| {
                                Box::pin(async move { tx.query_drop("DELETE FROM u").await })
                            })
                            .await?;
                            tx.query_drop("UPDATE u SET a = 2").await
                        })
                    })
                    .await
                    .unwrap();
                });
                assert_eq!(closure.await, 0, "{level:?}");
                // The level was that of the one transaction.
                let level = "SELECT @@tx_isolation = 'REPEATABLE-READ'";
                assert_eq!(number(&mut pool.acquire().await.unwrap(), level).await, 1);
            }
            let methods = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                conn.begin().await.unwrap();
                conn.query_drop("INSERT INTO u VALUES (1)").await.unwrap();
                conn.commit().await.unwrap();
                conn.begin().await.unwrap();
                conn.query_drop("INSERT INTO u VALUES (1)").await.unwrap();
                conn.rollback().await.unwrap();
            });
            assert_eq!(methods.await, 0);
            let texts = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                conn.query_drop("start  transaction read only;")
                    .await
                    .unwrap();
                conn.query_drop("SELECT * FROM u").await.unwrap();
                conn.cursor().execute("COMMIT WORK", ()).await.unwrap();
            });
            assert_eq!(texts.await, 0);
            // What was committed is, and what was not is not.
            assert_eq!(watcher.rows("test.u").await, 1);
            watcher.run("DELETE FROM test.u").await;
        }
    });
}

#[test]
fn exec_with_a_text_or_a_statement_of_ones_own_is_read_too() {
    test(|| async {
        let (server, mut watcher) = server().await;
        let pool = if_dirty(server.tcp());
        let plain = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.exec_drop("INSERT INTO u VALUES (?)", (1,))
                .await
                .unwrap();
            let rows: Vec<i32> = conn
                .exec("SELECT a FROM u WHERE a = :a", Params::from(vec![("a", 1)]))
                .await
                .unwrap();
            assert_eq!(rows, [1]);
            let row: Option<i32> = conn
                .exec_first(String::from("SELECT ?"), (2,))
                .await
                .unwrap();
            assert_eq!(row, Some(2));
            let statement = conn.prep("SELECT ? + 1").await.unwrap();
            let sum: Option<i32> = conn.exec_first(&statement, (2,)).await.unwrap();
            assert_eq!(sum, Some(3));
        });
        assert_eq!(plain.await, 0);
        for sql in ["SET @left = ?", "SELECT GET_LOCK(?, 0)"] {
            let text = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                conn.exec_drop(sql, ("x",)).await.unwrap();
            });
            assert_eq!(text.await, 1, "{sql}");
            let prepared = resets(&mut watcher, &pool, async |conn: &mut Guard| {
                let statement = conn.prep(sql).await.unwrap();
                conn.exec_drop(statement, ("x",)).await.unwrap();
            });
            assert_eq!(prepared.await, 1, "{sql}");
        }
        let batch = resets(&mut watcher, &pool, async |conn: &mut Guard| {
            conn.exec_batch("INSERT INTO u VALUES (?)", [(1,), (2,)])
                .await
                .unwrap();
        });
        assert_eq!(batch.await, 1);
    });
}
