//! Connections that are ended from outside while somebody holds them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use pool_core::{AbortHandle, Manager, PooledConnection};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error, MySqlManager, MySqlRuntime, Pool, create_pool};

use crate::server::{Server, is_closed, is_refused, number, sleep, test};

const NAP: &str = "DO SLEEP(30)";

type Guard = PooledConnection<MySqlManager>;

/// Terminates a pool while `hold` has a connection of it; returns how long it took `hold` to notice.
async fn terminated(
    server: &Server,
    running: &'static str,
    hold: impl AsyncFn(&mut Guard) -> bool,
) -> Duration {
    let pool = server.pool_of_one();
    let mut conn = pool.acquire().await.unwrap();
    let holder = async {
        assert!(hold(&mut conn).await, "the holder gets an error");
        assert!(is_refused(&conn.ping().await));
        assert!(conn.is_closed());
        Instant::now()
    };
    let terminator = async {
        let mut watcher = server.watcher().await;
        watcher.somebody_runs(running).await;
        let start = Instant::now();
        pool.terminate();
        start
    };
    let (noticed, start) = futures_lite::future::zip(holder, terminator).await;
    pool.wait_closed().await.unwrap();
    noticed - start
}

#[test]
fn the_holder_of_a_long_query_gets_an_error_at_once_and_the_server_ends_it() {
    test(|| async {
        let server = Server::start();
        // Each of them naps for thirty seconds.
        let limit = Duration::from_secs(20);
        let text = terminated(&server, NAP, async |conn: &mut Guard| {
            is_refused(&conn.query_drop(NAP).await)
        });
        assert!(text.await < limit);
        let prepared = terminated(&server, "DO SLEEP", async |conn: &mut Guard| {
            is_refused(&conn.exec_drop("DO SLEEP(?)", (30,)).await)
        });
        assert!(prepared.await < limit);
        let cursor = terminated(&server, NAP, async |conn: &mut Guard| {
            is_closed(&conn.cursor().execute(NAP, ()).await)
        });
        assert!(cursor.await < limit);
        let transaction = terminated(&server, NAP, async |conn: &mut Guard| {
            let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
            is_refused(&tx.query_drop(NAP).await) && is_refused(&tx.commit().await)
        });
        assert!(transaction.await < limit);
        // Not one of them goes on for its thirty seconds.
        server.watcher().await.nobody_else().await;
    });
}

#[test]
fn the_holder_of_a_stream_gets_an_error_when_the_server_has_ended_it() {
    test(|| async {
        let server = Server::start();
        let pool = server.pool_of_one();
        let mut conn = pool.acquire().await.unwrap();
        let rows = "SELECT REPEAT('x', 20000), SLEEP(0.1) FROM seq_1_to_300";
        let mut stream = conn.query_stream::<(String, i32), _>(rows).await.unwrap();
        let (mut good, mut bad) = (0, 0);
        while let Some(row) = stream.next().await {
            match row {
                Ok(_) => good += 1,
                Err(_) => bad += 1,
            }
            pool.terminate();
        }
        assert!(good < 300 && bad == 1, "{good} rows, {bad} errors");
        drop(stream);
        assert!(is_refused(&conn.ping().await));
        server.watcher().await.nobody_else().await;
    });
}

#[test]
fn a_holder_who_does_nothing_is_refused_next_and_the_server_ends_the_session() {
    test(|| async {
        let server = Server::start();
        let pool = create_pool(server.tcp()).minsize(5).build().await.unwrap();
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(pool.acquire().await.unwrap());
        }
        pool.terminate();
        pool.wait_closed().await.unwrap();
        server.watcher().await.nobody_else().await;
        for mut conn in held {
            assert!(conn.is_closed());
            assert!(is_refused(&conn.query_drop("SELECT 1").await));
        }
    });
}

#[test]
fn only_the_pools_own_connections_are_ended() {
    test(|| async {
        let server = Server::start();
        let mut other = server.connect().await;
        let pool: Pool = server.pool_of_one();
        let _held = pool.acquire().await.unwrap();
        pool.terminate();
        let mut watcher = server.watcher().await;
        let start = Instant::now();
        while watcher.sessions().await.len() > 1 {
            assert!(start.elapsed() < Duration::from_secs(30));
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(number(&mut other, "SELECT 1").await, 1);
    });
}

#[test]
fn a_full_server_is_told_as_soon_as_there_is_room() {
    test(|| async {
        let server = Server::with(&["--max-connections=10"]);
        // Not root: the server keeps one place for it.
        let options = server.tcp().user("app").password("app");
        // A server that has started has no session, so all ten places are free.
        let pool = create_pool(options).minsize(10).build().await.unwrap();
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(pool.acquire().await.unwrap());
        }
        let naps = held.iter_mut().map(|conn| conn.query_drop(NAP));
        let naps = futures::future::join_all(naps);
        let terminate = async {
            server.watcher().await.somebody_runs(NAP).await;
            pool.terminate();
        };
        let (naps, ()) = futures_lite::future::zip(naps, terminate).await;
        assert!(naps.iter().all(is_refused));
        drop(naps);
        drop(held);
        pool.wait_closed().await.unwrap();
    });
}

/// A manager for several pools.
#[derive(Clone)]
struct SharedManager(Arc<MySqlManager>);

impl SharedManager {
    fn pool(&self) -> pool_core::Pool<Self> {
        pool_core::Pool::builder(self.clone())
            .runtime(MySqlRuntime::new())
            .minsize(0)
            .build_lazy()
            .unwrap()
    }
}

impl Manager for SharedManager {
    type Connection = Connection;
    type Error = Error;

    async fn connect(&self) -> Result<Connection, Error> {
        self.0.connect().await
    }

    async fn check(&self, conn: &mut Connection) -> Result<(), Error> {
        self.0.check(conn).await
    }

    async fn recycle(&self, conn: &mut Connection) -> Result<(), Error> {
        self.0.recycle(conn).await
    }

    fn abort_handle(&self, conn: &Connection) -> Option<AbortHandle> {
        self.0.abort_handle(conn)
    }
}

#[test]
fn a_server_that_was_started_again_is_not_told_old_numbers() {
    test(|| async {
        let server = Server::start();
        let manager = SharedManager(Arc::new(MySqlManager::new(server.tcp())));
        let pool = manager.pool();
        let old = pool.acquire().await.unwrap();
        // Old enough for a difference in whole seconds.
        sleep(Duration::from_millis(2500)).await;
        server.restart().unwrap();
        let mut others = Vec::new();
        while others.last().map_or(0, Connection::connection_id) < old.connection_id() {
            others.push(server.connect().await);
        }
        let sentinels = manager.pool();
        let sentinel = sentinels.acquire().await.unwrap();
        pool.terminate();
        pool.wait_closed().await.unwrap();
        // The kills of both pools go to the server in order, so nothing is left to do for the first one after this.
        sentinels.terminate();
        let mut watcher = server.watcher().await;
        watcher.it_is_gone(sentinel.connection_id()).await;
        assert_eq!(watcher.count("Com_kill").await, 1);
        for conn in &mut others {
            assert_eq!(number(conn, "SELECT 1").await, 1);
        }
    });
}

#[test]
fn every_connection_has_an_abort_handle() {
    test(|| async {
        let server = Server::start();
        let manager = MySqlManager::new(server.tcp());
        let conn = manager.connect().await.unwrap();
        assert!(manager.abort_handle(&conn).is_some());
    });
}
