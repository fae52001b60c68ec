//! KILL goes through a side connection with the certificates that were read when the options were first used.

use std::future::Future;
use std::time::{Duration, Instant};

use pool_core::Runtime;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, MySqlRuntime, connect, create_pool};

use crate::authorities::{Authority, Lifetime, Server, test};

/// A user with a certificate of its own, on a server that takes nothing without TLS.
async fn user_with_certificate(authority: &Authority, server: &Server) -> ConnectOptions {
    server
        .run(&[
            "CREATE USER x@'%' IDENTIFIED BY 'p' REQUIRE X509",
            "GRANT ALL ON test.* TO x@'%'",
        ])
        .await;
    let options = server.tcp().ssl_ca(authority.ca()).user("x").password("p");
    authority.with_client_certificate(options)
}

/// Waits until so many sessions run a statement with `SLEEP` in it.
async fn sleepers(root: &mut Connection, wanted: u64) {
    let start = Instant::now();
    let runtime = MySqlRuntime::new();
    loop {
        let sql = "SELECT COUNT(*) FROM information_schema.processlist \
                   WHERE info LIKE 'SELECT SLEEP%'";
        let sleepers: Option<u64> = root.query_first(sql).await.unwrap();
        if sleepers == Some(wanted) {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{sleepers:?} sessions sleep, not {wanted}"
        );
        runtime
            .sleep_until(runtime.now() + Duration::from_millis(5))
            .await;
    }
}

/// Runs a statement of a thousand seconds until the server is at it, does `meanwhile`, and drops its future.
async fn cancel(conn: &mut Connection, root: &mut Connection, meanwhile: impl Future<Output = ()>) {
    let command = async {
        drop(conn.query_drop("SELECT SLEEP(1000)").await);
    };
    let dropped = async {
        sleepers(root, 1).await;
        meanwhile.await;
    };
    futures_lite::future::or(command, dropped).await;
}

#[test]
fn a_cancelled_command_is_killed_when_the_files_are_gone() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["127.0.0.1"], Lifetime::Long);
        let options = user_with_certificate(&authority, &server).await;
        let mut root = connect(server.tcp().unix_socket(server.0.socket()))
            .await
            .unwrap();
        let mut conn = connect(options.kill_on_cancel(true)).await.unwrap();
        authority.remove_files();
        cancel(&mut conn, &mut root, async {}).await;
        sleepers(&mut root, 0).await;
    });
}

#[test]
fn terminate_kills_when_the_files_are_gone() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["127.0.0.1"], Lifetime::Long);
        let options = user_with_certificate(&authority, &server).await;
        let mut root = connect(server.tcp().unix_socket(server.0.socket()))
            .await
            .unwrap();
        let pool = create_pool(options).build().await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        authority.remove_files();
        let terminate = async { pool.terminate() };
        cancel(&mut conn, &mut root, terminate).await;
        sleepers(&mut root, 0).await;
        pool.wait_closed().await.unwrap();
    });
}
