//! Connections that are lost after a command was sent and before its answer came.

use std::future::Future;
use std::time::Duration;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Error, MySqlErrorExt, Pool, TransactionOptions};

use crate::proxy::Proxy;
use crate::server::{Server, Watcher, is_refused, number, one, sleep, test};

struct World {
    pool: Pool,
    proxy: Proxy,
    watcher: Watcher,
    _server: Server,
}

async fn world() -> World {
    let server = Server::start();
    let mut watcher = server.watcher().await;
    watcher
        .run("CREATE TABLE test.t (a INT) ENGINE=InnoDB")
        .await;
    let proxy = Proxy::to(server.port());
    World {
        pool: one(server.tcp().port(proxy.port())),
        proxy,
        watcher,
        _server: server,
    }
}

impl World {
    /// Runs a command whose answer never comes: the connection is cut when the server has done it.
    async fn cut<T>(&mut self, command: impl Future<Output = T>) -> T {
        self.proxy.mute();
        let cut = async {
            while self.watcher.rows("test.t").await == 0 {
                sleep(Duration::from_millis(2)).await;
            }
            self.proxy.cut();
        };
        futures_lite::future::zip(command, cut).await.0
    }
}

const INSERT: &str = "INSERT INTO t VALUES (1)";

#[test]
fn a_statement_without_an_answer_is_not_sent_again() {
    test(|| async {
        let mut world = world().await;
        let pool = world.pool.clone();
        for kind in ["text", "prepared", "cursor"] {
            world.watcher.run("DELETE FROM test.t").await;
            let before = world.watcher.count("Com_insert").await;
            let mut conn = pool.acquire().await.unwrap();
            conn.prep(INSERT).await.unwrap();
            let result = match kind {
                "text" => world
                    .cut(conn.query_drop(INSERT))
                    .await
                    .map_err(Error::from),
                "prepared" => world
                    .cut(conn.exec_drop(INSERT, ()))
                    .await
                    .map_err(Error::from),
                _ => world.cut(conn.cursor().execute(INSERT, ())).await.map(drop),
            };
            let error = result.unwrap_err();
            assert!(error.is_connection_lost(), "{kind}: {error:?}");
            assert!(
                !error.is_retryable() && !error.is_outcome_unknown(),
                "{kind}: {error:?}"
            );
            assert!(is_refused(&conn.ping().await), "{kind}");
            drop(conn);
            // Nothing comes later, either: the next user works on, and there is still the one row.
            let mut conn = pool.acquire().await.unwrap();
            assert_eq!(number(&mut conn, "SELECT 42").await, 42);
            assert_eq!(world.watcher.rows("test.t").await, 1, "{kind}");
            assert_eq!(
                world.watcher.count("Com_insert").await - before,
                1,
                "{kind}"
            );
        }
    });
}

#[test]
fn a_commit_without_an_answer_has_an_unknown_outcome() {
    test(|| async {
        let mut world = world().await;
        let pool = world.pool.clone();
        for kind in ["guard", "method", "text", "cursor"] {
            world.watcher.run("DELETE FROM test.t").await;
            let mut conn = pool.acquire().await.unwrap();
            let result = if kind == "guard" {
                let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
                tx.query_drop(INSERT).await.unwrap();
                world.cut(tx.commit()).await.map_err(Error::from)
            } else {
                conn.begin().await.unwrap();
                conn.query_drop(INSERT).await.unwrap();
                match kind {
                    "method" => world.cut(conn.commit()).await.map_err(Error::from),
                    "text" => world
                        .cut(conn.query_drop(" commit;"))
                        .await
                        .map_err(Error::from),
                    _ => world
                        .cut(conn.cursor().execute("COMMIT", ()))
                        .await
                        .map(drop),
                }
            };
            let error = result.unwrap_err();
            assert!(
                matches!(error, Error::OutcomeUnknown(_)),
                "{kind}: {error:?}"
            );
            assert!(error.is_connection_lost() && !error.is_retryable());
            drop(conn);
            // It was committed, and is not committed twice.
            assert_eq!(world.watcher.rows("test.t").await, 1, "{kind}");
        }
    });
}

#[test]
fn what_was_refused_is_not_unknown() {
    test(|| async {
        let mut world = world().await;
        let mut conn = world.pool.acquire().await.unwrap();
        conn.begin().await.unwrap();
        conn.query_drop(INSERT).await.unwrap();
        world.proxy.cut();
        let error = conn.query_drop(INSERT).await.unwrap_err();
        assert!(error.is_connection_lost() && !error.is_outcome_unknown());
        // Nothing was sent: it is certain that nothing was committed.
        let error = conn.commit().await.unwrap_err();
        assert!(error.is_connection_lost() && !error.is_outcome_unknown());
        assert_eq!(world.watcher.rows("test.t").await, 0);
    });
}

#[test]
fn a_transaction_whose_commit_has_no_answer_is_not_done_again() {
    test(|| async {
        let World {
            pool,
            proxy,
            mut watcher,
            _server,
        } = world().await;
        let mut conn = pool.acquire().await.unwrap();
        let mut attempts = 0;
        let again = TransactionOptions::new().retries(5);
        let work = conn.transaction_with(again, |tx| {
            attempts += 1;
            let proxy = &proxy;
            Box::pin(async move {
                tx.query_drop(INSERT).await?;
                // The answer to the COMMIT, which is next, never comes.
                proxy.mute();
                Ok::<_, Error>(())
            })
        });
        let cut = async {
            while watcher.rows("test.t").await == 0 {
                sleep(Duration::from_millis(2)).await;
            }
            proxy.cut();
        };
        let (result, ()) = futures_lite::future::zip(work, cut).await;
        assert!(
            matches!(result, Err(Error::OutcomeUnknown(_))),
            "{result:?}"
        );
        assert_eq!(attempts, 1);
        assert!(is_refused(&conn.ping().await));
        drop(conn);
        assert_eq!(watcher.rows("test.t").await, 1);
    });
}
