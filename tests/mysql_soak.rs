//! Many pools and many tasks on a real server: everybody is served, and in the end everything is as it was.

use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, Pool, connect, create_pool_from_url};
use private_server::PrivateServer;
use support::within;

const LONG: Duration = Duration::from_secs(300);

/// The tests of this file count what the whole process has open, so they run one after the other.
static ALONE: Mutex<()> = Mutex::new(());

fn url(server: &PrivateServer, settings: &str) -> String {
    let (host, port) = (server.host(), server.port());
    format!("mysql://app:app@{host}:{port}/test?{settings}")
}

fn new_pool(server: &PrivateServer, settings: &str) -> Pool {
    let builder = create_pool_from_url(&url(server, settings)).expect("a url");
    builder.build_lazy().expect("the settings are good")
}

async fn ten(conn: &mut Connection) -> Option<u8> {
    conn.query_first("SELECT 10").await.expect("it answers")
}

fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("tokio starts")
}

#[test]
fn sixteen_thousand_tasks_on_ten_connections_are_all_served() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    within(LONG, "16,384 tasks", || {
        let server = PrivateServer::start().expect("a server");
        tokio().block_on(async {
            let pool = new_pool(&server, "minsize=0&maxsize=10&acquire_timeout=300s");
            let tasks = (0..16_384).map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let mut conn = pool.acquire().await.expect("a connection");
                    ten(&mut conn).await
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                assert_eq!(task.await.expect("no panic"), Some(10));
            }
            let status = pool.status();
            assert_eq!(status.waiting(), 0, "{status}");
            assert!(status.size() <= 10, "{status}");
            pool.close();
            pool.wait_closed().await.expect("it was closed");
        });
    });
}

/// What this process has open, and how many sessions the server has beside the one that asks.
async fn open_things(root: &mut Connection) -> [usize; 3] {
    let entries = |folder| fs::read_dir(folder).expect("Linux").count();
    let sql = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'app'";
    let sessions: Option<usize> = root.query_first(sql).await.expect("root may ask");
    [
        entries("/proc/self/fd"),
        entries("/proc/self/task"),
        sessions.expect("one row"),
    ]
}

/// Waits until there is no more than that: a session ends a little later than its socket.
async fn at_most(root: &mut Connection, before: [usize; 3]) {
    let start = Instant::now();
    loop {
        let now = open_things(root).await;
        if now.iter().zip(before).all(|(now, before)| *now <= before) {
            return;
        }
        let text = format!("descriptors, threads, sessions: {now:?}, and {before:?} before");
        assert!(start.elapsed() < Duration::from_secs(60), "{text}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn build_use_close(server: &PrivateServer, number: usize) {
    let pool = new_pool(server, "minsize=1&maxsize=2");
    let mut conn = pool.acquire().await.expect("a connection");
    assert_eq!(ten(&mut conn).await, Some(10));
    // Some come back before the close, some while it waits, and some never come back.
    match number % 3 {
        0 => drop(conn),
        1 => {
            pool.close();
            drop(conn);
        }
        _ => pool.terminate(),
    }
    pool.close();
    pool.wait_closed().await.expect("it was closed");
}

#[test]
fn a_thousand_pools_leave_no_descriptor_no_thread_and_no_session() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    within(LONG, "1,000 pools", || {
        let server = PrivateServer::start().expect("a server");
        tokio().block_on(async {
            let options = ConnectOptions::from_url(&server.url()).expect("its own url");
            let mut root = connect(options).await.expect("root gets in");
            // What is started once and stays, such as the thread that kills sessions.
            for number in 0..6 {
                build_use_close(&server, number).await;
            }
            let [descriptors, threads, _] = open_things(&mut root).await;
            for number in 0..1_000 {
                build_use_close(&server, number).await;
            }
            at_most(&mut root, [descriptors, threads, 0]).await;
        });
    });
}
