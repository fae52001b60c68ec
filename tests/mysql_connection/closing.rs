//! Connections that are closed: gracefully, now, or by being dropped anywhere.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, connect, create_pool};
use tokio::runtime::Builder;

use crate::server::{Server, is_closed, is_refused, number, test};

const HUGE: &str = "SELECT REPEAT('x', 1000000) FROM seq_1_to_800";

#[test]
fn a_polite_end_is_one_for_the_server_too() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let before = watcher.count("Aborted_clients").await;
        for options in server.both() {
            let mut ensured = connect(options.clone()).await.unwrap();
            ensured.ensure_closed().await.unwrap();
            let mut closed = connect(options.clone()).await.unwrap();
            closed.close();
            drop(connect(options.clone()).await.unwrap());
            let pool = create_pool(options).minsize(4).build().await.unwrap();
            number(&mut pool.acquire().await.unwrap(), "SELECT 1").await;
            pool.close();
            pool.wait_closed().await.unwrap();
        }
        watcher.nobody_else().await;
        assert_eq!(watcher.count("Aborted_clients").await, before);
    });
}

#[test]
fn after_the_end_every_command_is_refused() {
    test(|| async {
        let server = Server::start();
        let mut closed = server.connect().await;
        closed.close();
        closed.close();
        closed.ensure_closed().await.unwrap();
        let mut ensured = server.connect().await;
        ensured.ensure_closed().await.unwrap();
        ensured.ensure_closed().await.unwrap();
        ensured.close();
        for mut conn in [closed, ensured] {
            assert!(conn.is_closed());
            assert!(is_refused(&conn.ping().await));
            assert!(is_refused(&conn.query_drop("SELECT 1").await));
            assert!(is_refused(&conn.start_transaction(<_>::default()).await));
            assert!(is_closed(&conn.cursor().execute("SELECT 1", ()).await));
            assert!(!conn.get_autocommit() || conn.affected_rows() == 0);
        }
    });
}

#[test]
fn a_closed_connection_is_reachable_through_the_guard_and_replaced() {
    test(|| async {
        let server = Server::start();
        let pool = server.pool_of_one();
        let mut conn = pool.acquire().await.unwrap();
        let first = conn.connection_id();
        conn.close();
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        let second = conn.connection_id();
        assert_ne!(first, second);
        conn.ensure_closed().await.unwrap();
        drop(conn);
        assert_ne!(pool.acquire().await.unwrap().connection_id(), second);
    });
}

/// Opens a connection, does something to it and lets it go on a thread and in a context of the caller's choice; then the
/// server must be rid of it.
fn leaves_nothing(
    server: &Server,
    prepare: impl AsyncFn(&mut Connection),
    end: impl Fn(Connection),
) {
    for options in server.both() {
        let conn = futures::executor::block_on(async {
            let mut conn = connect(options).await.unwrap();
            prepare(&mut conn).await;
            conn
        });
        end(conn);
        futures::executor::block_on(async {
            server.watcher().await.nobody_else().await;
        });
    }
}

async fn idle(_: &mut Connection) {}

async fn unread(conn: &mut Connection) {
    drop(conn.query_iter(HUGE).await.unwrap());
}

async fn busy(conn: &mut Connection) {
    let query = Box::pin(conn.query_drop("DO SLEEP(2)"));
    assert!(crate::server::polled(1, query).await.is_none());
}

#[test]
fn a_drop_leaves_nothing_behind_wherever_it_happens() {
    let server = Server::start();
    let current = || Builder::new_current_thread().enable_all().build().unwrap();
    let threads = || {
        Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    };
    macro_rules! everywhere {
        ($prepare:expr) => {
            // Without a runtime.
            leaves_nothing(&server, $prepare, drop);
            // As the last thing in a runtime that nobody drives afterwards: a task spawned there would never run.
            let standing = current();
            leaves_nothing(&server, $prepare, |conn| standing.block_on(async { drop(conn) }));
            // In a runtime that goes on.
            let going = threads();
            leaves_nothing(&server, $prepare, |conn| {
                going.block_on(going.spawn(async { drop(conn) })).unwrap();
            });
            // Together with its runtime.
            leaves_nothing(&server, $prepare, |conn| {
                let runtime = threads();
                runtime.spawn(async move {
                    std::future::pending::<()>().await;
                    drop(conn);
                });
                drop(runtime);
            });
            // While the thread unwinds.
            leaves_nothing(&server, $prepare, |conn| {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let _conn = conn;
                    panic!("expected by this test");
                }));
                assert!(result.is_err());
            });
            // While the thread ends.
            leaves_nothing(&server, $prepare, |conn| {
                thread_local!(static LAST: RefCell<Option<Connection>> = const { RefCell::new(None) });
                std::thread::spawn(|| LAST.with_borrow_mut(|last| *last = Some(conn)))
                    .join()
                    .unwrap();
            });
        };
    }
    everywhere!(idle);
    everywhere!(unread);
    everywhere!(busy);
}

#[test]
fn a_drop_downloads_nothing() {
    let server = Server::start();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let sent = |server: &Server| {
        futures::executor::block_on(async { server.watcher().await.count("Bytes_sent").await })
    };
    let before = sent(&server);
    runtime.block_on(async {
        for way in 0..3 {
            let mut conn = server.connect().await;
            unread(&mut conn).await;
            match way {
                0 => drop(conn),
                1 => conn.close(),
                _ => {
                    let pool = server.pool_of_one();
                    let mut pooled = pool.acquire().await.unwrap();
                    unread(&mut pooled).await;
                    pool_core::PooledConnection::discard(pooled);
                    drop(conn);
                }
            }
        }
        server.watcher().await.nobody_else().await;
    });
    let sent = sent(&server) - before;
    // Each of the results has 800 MB; what a socket's buffers hold is sent in any case.
    assert!(sent < 400_000_000, "{sent} bytes");
}

#[test]
fn an_end_that_cannot_be_polite_takes_a_second_at_most() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        server.pause();
        unread_while_paused(&mut conn).await;
        let start = Instant::now();
        let _ = conn.ensure_closed().await;
        assert!(start.elapsed() < Duration::from_secs(20));
        assert!(conn.is_closed());
        server.resume();
        server.watcher().await.nobody_else().await;
    });
}

async fn unread_while_paused(conn: &mut Connection) {
    let ping = Box::pin(conn.ping());
    assert!(crate::server::polled(1, ping).await.is_none());
}
