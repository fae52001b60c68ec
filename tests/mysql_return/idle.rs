//! Idle connections leave before the server closes them.

use std::time::Duration;

use pool_mysql::create_pool;

use crate::server::{Server, number, sleep, test};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_idle_connection_leaves_in_good_order_before_the_server_closes_it() {
    test(|| async {
        let server = Server::with(&["--wait-timeout=8"]);
        let mut watcher = server.watcher().await;
        // The one that looks on must not be closed.
        watcher.run("SET wait_timeout = 1000").await;
        let aborted = watcher.count("Aborted_clients").await;
        let pool = create_pool(server.tcp())
            .minsize(0)
            .maxsize(3)
            .build_lazy()
            .unwrap();
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(pool.acquire().await.unwrap());
        }
        drop(held);
        // What is used in time stays.
        let first = pool.acquire().await.unwrap().connection_id();
        sleep(2 * SECOND).await;
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT 1").await, 1);
        drop(conn);
        while pool.size() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
        watcher.nobody_else().await;
        // A session that the server had to close would count here.
        assert_eq!(watcher.count("Aborted_clients").await, aborted);
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        assert!(conn.connection_id() > first);
    });
}

#[test]
fn a_limit_of_the_session_itself_is_learnt() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let aborted = watcher.count("Aborted_clients").await;
        let options = server.tcp().init_command("SET SESSION wait_timeout = 6");
        let pool = create_pool(options).minsize(0).build_lazy().unwrap();
        drop(pool.acquire().await.unwrap());
        while pool.size() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
        watcher.nobody_else().await;
        assert_eq!(watcher.count("Aborted_clients").await, aborted);
    });
}
