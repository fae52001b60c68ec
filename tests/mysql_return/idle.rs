//! Idle connections leave before the server closes them.

use std::time::{Duration, Instant};

use pool_mysql::{Pool, create_pool};

use crate::server::{Server, number, sleep, test};

const SECOND: Duration = Duration::from_secs(1);

/// The server closes a session that had nothing to do for so long. The pool closes it one second earlier.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a test is arranged. If a thread does not run for the one second by which the pool is earlier, the server may
/// close a session first. Then the test has shown nothing and begins again. A pool that is late each time is at fault.
const ARRANGEMENTS: u32 = 3;

/// Waits until a pool has no more than so many connections.
async fn shrinks_to(pool: &Pool, size: usize) {
    while pool.size() > size {
        sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn an_idle_connection_leaves_in_good_order_before_the_server_closes_it() {
    test(|| async {
        let server = Server::with(&["--wait-timeout=10"]);
        let mut watcher = server.watcher().await;
        // The one that looks on must not be closed.
        watcher.run("SET wait_timeout = 1000").await;
        for _ in 0..ARRANGEMENTS {
            let aborted = watcher.count("Aborted_clients").await;
            let pool = create_pool(server.tcp())
                .minsize(0)
                .maxsize(3)
                .build_lazy()
                .unwrap();
            let opened = Instant::now();
            let mut held = Vec::new();
            for _ in 0..3 {
                held.push(pool.acquire().await.unwrap());
            }
            drop(held);
            // What is used in time stays.
            let first = pool.acquire().await.unwrap().connection_id();
            sleep(2 * SECOND).await;
            let used = Instant::now();
            let mut conn = pool.acquire().await.unwrap();
            assert_eq!(number(&mut conn, "SELECT 1").await, 1);
            drop(conn);
            shrinks_to(&pool, 1).await;
            let others_left = opened.elapsed();
            shrinks_to(&pool, 0).await;
            let last_left = used.elapsed();
            watcher.nobody_else().await;
            if others_left >= WAIT_TIMEOUT || last_left >= WAIT_TIMEOUT {
                continue;
            }
            // A session that the server had to close would count here.
            assert_eq!(watcher.count("Aborted_clients").await, aborted);
            let mut conn = pool.acquire().await.unwrap();
            assert_eq!(number(&mut conn, "SELECT 42").await, 42);
            assert!(conn.connection_id() > first);
            return;
        }
        panic!("the pool was later than the server {ARRANGEMENTS} times");
    });
}

#[test]
fn a_limit_of_the_session_itself_is_learnt() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        for _ in 0..ARRANGEMENTS {
            let aborted = watcher.count("Aborted_clients").await;
            let options = server.tcp().init_command("SET SESSION wait_timeout = 10");
            let pool = create_pool(options).minsize(0).build_lazy().unwrap();
            let opened = Instant::now();
            drop(pool.acquire().await.unwrap());
            shrinks_to(&pool, 0).await;
            let left = opened.elapsed();
            watcher.nobody_else().await;
            if left >= WAIT_TIMEOUT {
                continue;
            }
            assert_eq!(watcher.count("Aborted_clients").await, aborted);
            return;
        }
        panic!("the pool was later than the server {ARRANGEMENTS} times");
    });
}
