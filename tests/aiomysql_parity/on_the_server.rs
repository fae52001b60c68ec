//! The parity tests on a real server, one private server a test.

use std::time::Duration;

use futures::executor::block_on;
use pool_core::{Builder, CheckPolicy};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, MySqlManager, connect, create_pool};
use private_server::PrivateServer;
use support::{Backend, within, yield_now};

use super::bodies::{self, for_every_body};

/// A real server: its pools are those of the user `app`, root looks on from outside.
struct MySqlBackend {
    server: PrivateServer,
}

impl MySqlBackend {
    fn start() -> Self {
        let backend = Self {
            server: PrivateServer::start().expect("a private server starts"),
        };
        block_on(async {
            let sql = "CREATE TABLE test.written (what VARCHAR(20)) ENGINE = InnoDB";
            backend.ask::<u8>(sql).await;
        });
        backend
    }

    fn app(&self) -> ConnectOptions {
        ConnectOptions::new()
            .host(self.server.host())
            .port(self.server.port())
            .user("app")
            .password("app")
            .db("test")
    }

    /// What root is told.
    async fn ask<T>(&self, sql: &str) -> Vec<T>
    where
        T: pool_mysql::mysql_async::prelude::FromRow + Send + 'static,
    {
        let options = ConnectOptions::from_url(&self.server.url()).expect("its own url");
        let mut root = connect(options).await.expect("root gets in");
        let rows = root.query(sql).await.expect("root may");
        root.ensure_closed().await.expect("a close");
        rows
    }

    async fn ids(&self) -> Vec<u64> {
        self.ask("SELECT id FROM information_schema.processlist WHERE user = 'app'")
            .await
    }
}

impl Backend for MySqlBackend {
    type Manager = MySqlManager;

    fn builder(&self) -> Builder<MySqlManager> {
        create_pool(self.app())
    }

    async fn query(conn: &mut pool_mysql::Connection) -> Option<i64> {
        conn.query_first("SELECT 1").await.ok().flatten()
    }

    async fn close(conn: &mut pool_mysql::Connection) {
        conn.close();
    }

    async fn begin(conn: &mut pool_mysql::Connection) {
        // As text, behind the driver's back: only the server's own flag tells of it.
        conn.query_drop("BEGIN")
            .await
            .expect("a transaction begins");
        let sql = "INSERT INTO written VALUES ('never committed')";
        conn.query_drop(sql).await.expect("it is written");
    }

    async fn shows_transaction(conn: &mut pool_mysql::Connection) -> bool {
        let sql = "SELECT @@in_transaction + (SELECT COUNT(*) FROM test.written)";
        conn.query_first(sql).await.expect("it answers") != Some(0)
    }

    async fn kill_all(&self) {
        for id in self.ids().await {
            self.ask::<u8>(&format!("KILL {id}")).await;
        }
    }

    async fn open(&self) -> usize {
        self.ids().await.len()
    }
}

fn on_the_server(name: &str, body: impl AsyncFn(&MySqlBackend) + Send + 'static) {
    within(Duration::from_secs(60), name, move || {
        let backend = MySqlBackend::start();
        block_on(body(&backend));
    });
}

macro_rules! parity {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            on_the_server(stringify!($name), async |backend| bodies::$name(backend).await);
        }
    )*};
}

for_every_body!(parity);

// The first test of tests/mysql_server.rs runs a program on every runtime over both transports.

// aiomysql's test_pool_maxsize_unlimited, with no more connections than a server takes by default.
#[test]
fn maxsize_zero_unbounded() {
    on_the_server("maxsize_zero_unbounded", async |backend| {
        bodies::maxsize_zero_unbounded(backend, 100).await;
    });
}

// aiomysql's test_echo; what the connection then does with it is tested where the log is.
#[test]
fn echo_reaches_each_connection() {
    on_the_server("echo_reaches_each_connection", async |backend| {
        for on in [false, true] {
            let pool = backend.builder().echo(on).build().await.unwrap();
            assert_eq!(pool.echo(), on);
            let conn = pool.acquire().await.unwrap();
            assert_eq!(conn.echo(), on);
            drop(conn);
            pool.close();
            pool.wait_closed().await.unwrap();
        }
    });
}

// aiomysql's test_terminate_with_acquired_connections
#[test]
fn terminate_kills_in_use() {
    on_the_server("terminate_kills_in_use", async |backend| {
        let pool = backend.builder().build().await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        pool.terminate();
        pool.wait_closed().await.unwrap();
        assert!(pool.is_closed());
        assert!(conn.is_closed());
        assert!(
            conn.query_drop("SELECT 1").await.is_err(),
            "its next use fails"
        );
        drop(conn);
        assert_eq!((pool.size(), pool.used()), (0, 0), "nothing wraps");
    });
}

// aiomysql's test_drop_connection_if_timedout; the test waits until the server has closed all three sessions.
#[test]
fn server_idle_timeout_invisible() {
    within(
        Duration::from_secs(60),
        "server_idle_timeout_invisible",
        || {
            let server = PrivateServer::builder().option("--wait-timeout=4").start();
            let backend = MySqlBackend {
                server: server.expect("a private server starts"),
            };
            block_on(async {
                let builder = backend.builder().minsize(3).maxsize(3);
                let pool = builder.upkeep(false).build().await.unwrap();
                let before = backend.ids().await;
                while !backend.ids().await.is_empty() {
                    std::thread::sleep(Duration::from_millis(50));
                }
                assert_eq!((before.len(), pool.freesize()), (3, 3));
                let mut guards = Vec::new();
                for _ in 0..3 {
                    let mut conn = pool.acquire().await.unwrap();
                    assert_eq!(MySqlBackend::query(&mut conn).await, Some(1));
                    guards.push(conn);
                }
                drop(guards);
                pool.close();
                pool.wait_closed().await.unwrap();
            });
        },
    );
}

// aiomysql's test_cancelled_connection, with the original's columns and values.
#[test]
fn cancelled_query_never_leaks() {
    on_the_server("cancelled_query_never_leaks", async |backend| {
        let pool = backend.builder().maxsize(1).build().await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        {
            let query = conn.query_first::<(u8, u8), _>("SELECT 1 AS id, SLEEP(2) AS xxx");
            let mut query = std::pin::pin!(query);
            let poll = futures_lite::future::poll_once(query.as_mut()).await;
            assert!(poll.is_none(), "it takes its time");
        }
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        let row: Option<pool_mysql::mysql_async::Row> = conn
            .query_first("SELECT 2 AS value, 0 AS xxx")
            .await
            .unwrap();
        let row = row.expect("one row");
        let names: Vec<_> = row.columns_ref().iter().map(|c| c.name_str()).collect();
        assert_eq!(names, ["value", "xxx"]);
        assert_eq!((row.get(0), row.get(1)), (Some(2_u8), Some(0_u8)));
        drop(conn);
        pool.close();
        pool.wait_closed().await.unwrap();
    });
}

// aiomysql's test_pool_with_connection_recycling, in real time; the expired connection stays until the next acquire.
#[test]
fn recycle_is_lazy_and_transparent() {
    on_the_server("recycle_is_lazy_and_transparent", async |backend| {
        let limit = Duration::from_millis(300);
        let builder = backend.builder().minsize(1).maxsize(1).upkeep(false);
        let builder = builder.check_policy(CheckPolicy::Never);
        let pool = builder.pool_recycle(limit).build().await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        let before = conn.connection_id();
        assert_eq!(MySqlBackend::query(&mut conn).await, Some(1));
        drop(conn);
        std::thread::sleep(limit * 2);
        assert_eq!((pool.size(), pool.freesize()), (1, 1), "it still waits");
        // A session that was replaced before the first acquire may be there for a moment.
        while backend.ids().await != [before] {
            yield_now().await;
        }
        let mut conn = pool.acquire().await.unwrap();
        assert_ne!(conn.connection_id(), before, "it is another one");
        assert_eq!(MySqlBackend::query(&mut conn).await, Some(1));
        assert_eq!((pool.size(), pool.freesize()), (1, 0));
        drop(conn);
        pool.close();
        pool.wait_closed().await.unwrap();
    });
}
