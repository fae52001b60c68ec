//! A pool on a real server that closes, kills, restarts and counts.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use pool_core::CheckPolicy;
use pool_mysql::mysql_async::prelude::{FromRow, Queryable};
use pool_mysql::{ConnectOptions, Connection, Pool, connect, create_pool, create_pool_from_url};
use private_server::PrivateServer;
use support::{Flavour, on_every_runtime, within, yield_now};

#[path = "mysql_server/sessions.rs"]
mod sessions;

const LONG: Duration = Duration::from_secs(60);

fn options(server: &PrivateServer) -> ConnectOptions {
    ConnectOptions::from_url(&server.url()).expect("its own url")
}

/// What somebody outside the pool is told.
async fn ask<T: FromRow + Send + 'static>(server: &PrivateServer, sql: &str) -> Vec<T> {
    let mut root = connect(options(server)).await.expect("root gets in");
    let rows = root.query(sql).await.expect("root may");
    root.ensure_closed().await.expect("a close");
    rows
}

async fn status(server: &PrivateServer, name: &str) -> u64 {
    let rows: Vec<(String, u64)> = ask(server, &format!("SHOW GLOBAL STATUS LIKE '{name}'")).await;
    rows.first().expect("a known name").1
}

async fn close(pool: Pool) {
    pool.close();
    pool.wait_closed().await.expect("it was closed");
}

async fn ten(conn: &mut Connection) -> Option<u8> {
    conn.query_first("SELECT 10").await.expect("it answers")
}

/// The same body on five executors, over both transports.
#[test]
fn the_same_program_runs_on_every_runtime_over_tcp_and_a_unix_socket() {
    on_every_runtime(|flavour: Flavour| async move {
        let server = PrivateServer::start().expect("a server");
        let tcp = ConnectOptions::new()
            .host(server.host())
            .port(server.port());
        let socket = ConnectOptions::new().unix_socket(server.socket());
        for options in [tcp, socket] {
            let options = options.user("app").password("app").db("test");
            let pool = create_pool(options)
                .minsize(2)
                .maxsize(3)
                .build()
                .await
                .expect("a pool");
            let mut conn = pool.acquire().await.expect("a connection");
            conn.query_drop("CREATE TABLE IF NOT EXISTS t (a INT)")
                .await
                .expect("a table");
            conn.begin().await.expect("a transaction");
            conn.exec_drop("INSERT INTO t VALUES (?)", (1,))
                .await
                .expect("a row");
            conn.rollback().await.expect("a rollback");
            let mut cur = conn.cursor();
            cur.execute("SELECT COUNT(*) FROM t", ())
                .await
                .expect("an answer");
            let (rows,): (u8,) = cur.fetchone().await.expect("a number").expect("one row");
            assert_eq!(rows, 0, "{flavour:?}");
            drop(conn);
            // More than there are connections, so that some wait.
            let many = (0..12).map(|number: u32| {
                let pool = pool.clone();
                async move {
                    let mut conn = pool.acquire().await.expect("a connection");
                    let answer: Option<u32> = conn
                        .exec_first("SELECT ? + 1", (number,))
                        .await
                        .expect("an answer");
                    assert_eq!(answer, Some(number + 1), "{flavour:?}");
                }
            });
            futures::future::join_all(many).await;
            close(pool).await;
        }
    });
}

#[test]
fn killed_idle_connections_are_replaced_without_an_error() {
    within(LONG, "killed idle connections", || {
        let server = PrivateServer::start().expect("a server");
        block_on(async {
            let builder = create_pool(options(&server)).minsize(8).maxsize(8);
            let pool = builder
                .check_policy(CheckPolicy::Always)
                .build()
                .await
                .expect("a pool");
            let all = futures::future::join_all((0..8).map(|_| pool.acquire())).await;
            let victims: Vec<u64> = all
                .iter()
                .map(|conn| conn.as_ref().expect("a connection").connection_id())
                .collect();
            drop(all);
            while pool.freesize() < 8 {
                yield_now().await;
            }
            for victim in &victims {
                ask::<u8>(&server, &format!("KILL {victim}")).await;
            }
            let mut guards = Vec::new();
            for _ in 0..8 {
                let mut conn = pool.acquire().await.expect("a living connection");
                assert_eq!(ten(&mut conn).await, Some(10));
                assert!(!victims.contains(&conn.connection_id()));
                guards.push(conn);
            }
            drop(guards);
            close(pool).await;
        });
    });
}

#[test]
fn a_restart_of_the_server_is_survived() {
    within(LONG, "a restart", || {
        let server = PrivateServer::start().expect("a server");
        block_on(async {
            let builder = create_pool(options(&server)).minsize(3).maxsize(3);
            let pool = builder
                .check_policy(CheckPolicy::Always)
                .build()
                .await
                .expect("a pool");
            let mut held = pool.acquire().await.expect("a connection");
            server.kill();
            assert!(
                held.query_drop("SELECT 1").await.is_err(),
                "its server is gone"
            );
            drop(held);
            assert!(pool.acquire().await.is_err(), "nothing can be connected");
            server.restart().expect("the same server on the same port");
            let mut guards = Vec::new();
            for _ in 0..3 {
                let mut conn = pool.acquire().await.expect("the server is back");
                assert_eq!(ten(&mut conn).await, Some(10));
                guards.push(conn);
            }
            drop(guards);
            assert_eq!(pool.size(), 3);
            close(pool).await;
        });
    });
}

#[test]
fn a_graceful_close_aborts_no_client() {
    within(LONG, "a graceful close", || {
        let server = PrivateServer::start().expect("a server");
        block_on(async {
            let before = status(&server, "Aborted_clients").await;
            for upkeep in [true, false] {
                let builder = create_pool(options(&server)).minsize(4).upkeep(upkeep);
                let pool = builder.build().await.expect("a pool");
                let mut held = pool.acquire().await.expect("a connection");
                assert_eq!(ten(&mut held).await, Some(10));
                let mut released = pool.acquire().await.expect("a connection");
                released
                    .query_drop("SET @dirty = 1")
                    .await
                    .expect("a variable");
                drop(released);
                pool.close();
                drop(held);
                pool.wait_closed().await.expect("it was closed");
            }
            assert_eq!(status(&server, "Aborted_clients").await, before);
        });
    });
}

#[test]
fn terminate_ends_a_running_query_of_another_task() {
    within(LONG, "terminate", || {
        let server = PrivateServer::start().expect("a server");
        let pool = block_on(create_pool(options(&server)).build()).expect("a pool");
        let holder = std::thread::spawn({
            let pool = pool.clone();
            move || {
                block_on(async {
                    let mut conn = pool.acquire().await.expect("a connection");
                    (conn.query_drop("SELECT SLEEP(30)").await, Instant::now())
                })
            }
        });
        block_on(async {
            let sql =
                "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'";
            while ask::<u64>(&server, sql).await.is_empty() {
                yield_now().await;
            }
            let start = Instant::now();
            pool.terminate();
            pool.wait_closed().await.expect("it was terminated");
            let (result, told) = holder.join().expect("no panic");
            assert!(result.is_err(), "it was cut off");
            let waited = told - start;
            // Thirty seconds of sleep would still be running: the query was ended, and on the server too.
            assert!(waited < Duration::from_secs(20), "{waited:?}");
            while !ask::<u64>(&server, sql).await.is_empty() {
                assert!(
                    start.elapsed() < Duration::from_secs(20),
                    "the query runs on"
                );
                yield_now().await;
            }
        });
    });
}

#[test]
fn a_pool_fills_up_to_the_very_limit_of_the_server() {
    within(LONG, "max_connections", || {
        let server = PrivateServer::builder()
            .option("--max-connections=10")
            .start();
        let server = server.expect("a server");
        block_on(async {
            let options = options(&server).user("app").password("app").db("test");
            let pool = create_pool(options)
                .minsize(0)
                .maxsize(10)
                .build()
                .await
                .expect("a pool");
            let guards = futures::future::join_all((0..10).map(|_| pool.acquire())).await;
            let ids: HashSet<u64> = guards
                .iter()
                .map(|conn| conn.as_ref().expect("a connection").connection_id())
                .collect();
            assert_eq!(ids.len(), 10, "no connection is opened twice on the way");
            drop(guards);
            close(pool).await;
        });
    });
}

#[test]
fn a_wrong_password_is_the_error_at_once_and_appears_nowhere() {
    within(LONG, "a wrong password", || {
        let server = PrivateServer::start().expect("a server");
        block_on(async {
            let options = options(&server).user("app").password("hunter2");
            let builder = create_pool(options);
            assert!(!format!("{builder:?}").contains("hunter2"));
            let error = builder.build().await.expect_err("it is refused");
            let mut text = format!("{error} {error:?}");
            let mut source = std::error::Error::source(&error);
            let mut codes = String::new();
            while let Some(cause) = source {
                codes += &cause.to_string();
                text += &format!("{cause} {cause:?}");
                source = cause.source();
            }
            assert!(codes.contains("1045"), "{codes}");
            assert!(!text.contains("hunter2"), "{text}");
        });
    });
}

/// What root sees of the sessions of `app` while others come and go.
struct Lookout {
    root: Connection,
    /// The sessions whose query was cancelled: they end, and until then run beside those of the pool.
    cancelled: Arc<Mutex<HashSet<u64>>>,
}

impl Lookout {
    /// The sessions that are there and not known to end.
    async fn sessions(&mut self) -> HashSet<u64> {
        let sql = "SELECT id FROM information_schema.processlist WHERE user = 'app'";
        let ids: Vec<u64> = self.root.query(sql).await.expect("root may");
        // Read after the sessions: whoever cancels says so before.
        let cancelled = self.cancelled.lock().expect("no panic");
        ids.into_iter()
            .filter(|id| !cancelled.contains(id))
            .collect()
    }

    /// No more than `most` sessions stay: what else is there is on its way out, such as one whose connect was given up.
    async fn at_most(&mut self, most: usize) -> usize {
        let start = Instant::now();
        let mut staying = self.sessions().await;
        let seen = staying.len();
        while staying.len() > most {
            assert!(start.elapsed() < LONG / 4, "they stay: {staying:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
            let there = self.sessions().await;
            staying.retain(|id| there.contains(id));
        }
        seen
    }
}

/// A session with a query under way; when it is dropped before the answer, the session counts as cancelled.
struct Asking<'a> {
    id: u64,
    answered: bool,
    cancelled: &'a Mutex<HashSet<u64>>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.cancelled.lock().expect("no panic").insert(self.id);
        }
    }
}
