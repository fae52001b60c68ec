//! The same code under every executor, and with runtimes that end or stand still.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, IoRuntime, Pool, ResetPolicy, connect, create_pool};
use support::Flavour;
use support::watchdog::{MINUTE, within};
use tokio::runtime::{Builder, Runtime};

use crate::server::{Server, is_refused, number, test};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

async fn select_10(conn: &mut Connection) {
    let mut cur = conn.cursor();
    cur.execute("SELECT 10", ()).await.unwrap();
    let (r,): (i32,) = cur.fetchone().await.unwrap().expect("one row");
    assert_eq!(r, 10);
}

#[test]
fn select_10_works_under_every_executor_over_tcp_and_over_a_unix_socket() {
    let server = Server::start();
    let ways = server.both();
    support::on_every_runtime(move |_| {
        let ways = ways.clone();
        async move {
            for options in ways {
                let mut conn = connect(options.clone()).await.unwrap();
                select_10(&mut conn).await;
                conn.ensure_closed().await.unwrap();

                let pool = create_pool(options).maxsize(2).build().await.unwrap();
                select_10(&mut pool.acquire().await.unwrap()).await;
                pool.close();
                pool.wait_closed().await.unwrap();
            }
        }
    });
}

#[test]
fn everything_a_session_needs_works_under_every_executor() {
    let server = Server::start();
    let ways = server.both();
    support::on_every_runtime(move |_| {
        let ways = ways.clone();
        async move {
            for options in ways {
                many_things(connect(options).await.unwrap()).await;
            }
        }
    });
}

async fn many_things(mut conn: Connection) {
    conn.query_drop("CREATE TEMPORARY TABLE t (a INT)")
        .await
        .unwrap();
    let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
    tx.exec_drop("INSERT INTO t VALUES (?)", (1,))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
    tx.query_drop("INSERT INTO t VALUES (2)").await.unwrap();
    drop(tx);
    assert_eq!(number(&mut conn, "SELECT SUM(a) FROM t").await, 1);
    let rows: Vec<u32> = conn.query("SELECT seq FROM seq_1_to_20000").await.unwrap();
    assert_eq!(rows.len(), 20_000);
    let mut cur = conn.cursor();
    let params = (1..=100).map(|n| (n,));
    cur.executemany("INSERT INTO t VALUES (?)", params)
        .await
        .unwrap();
    assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM t").await, 101);
    conn.ping().await.unwrap();
    conn.ensure_closed().await.unwrap();
}

#[test]
fn a_connection_made_under_one_executor_works_under_every_other_one() {
    let server = Server::start();
    for made_under in Flavour::ALL {
        for used_under in Flavour::ALL {
            let options = server.tcp().io_runtime(IoRuntime::Background);
            let mut conn = made_under.run(connect(options)).unwrap();
            used_under.run(async move { select_10(&mut conn).await });
        }
    }
}

#[test]
fn a_connection_outlives_the_current_thread_runtime_it_was_made_under() {
    let server = Server::start();
    let mut conn = current_thread().block_on(server.connect());
    futures::executor::block_on(select_10(&mut conn));
}

#[test]
fn a_runtime_that_nobody_drives_stops_nothing() {
    let server = Server::start();
    let runtime = current_thread();
    let mut conn = runtime.block_on(server.connect());
    // The runtime is there, but it stands still.
    within(MINUTE, "a query", move || {
        futures::executor::block_on(select_10(&mut conn));
    });
    drop(runtime);
}

fn made_under_a_runtime_that_ends(options: ConnectOptions, used: bool) -> Connection {
    let runtime = multi_thread();
    let task = runtime.spawn(async move {
        let mut conn = connect(options).await.unwrap();
        if used {
            conn.query_drop("SET @a = 1").await.unwrap();
        }
        conn
    });
    runtime.block_on(task).unwrap()
}

#[test]
fn a_session_whose_multi_thread_runtime_has_ended_gives_an_error_and_no_hang() {
    let server = Server::start();
    let mut conn = made_under_a_runtime_that_ends(server.tcp(), true);
    within(MINUTE, "a query", move || {
        futures::executor::block_on(async move {
            assert!(conn.is_closed());
            assert!(is_refused(&conn.query_drop("SELECT @a").await));
            assert!(is_refused(&conn.query_drop("SELECT @a").await));
        });
    });
}

#[test]
fn a_connection_that_nobody_has_used_is_opened_anew_when_its_runtime_has_ended() {
    let server = Server::start();
    let mut conn = made_under_a_runtime_that_ends(server.tcp(), false);
    assert!(!conn.is_closed());
    futures::executor::block_on(async {
        let before = conn.connection_id();
        select_10(&mut conn).await;
        assert_ne!(conn.connection_id(), before);
        let id = number(&mut conn, "SELECT CONNECTION_ID()").await;
        assert_eq!(i64::try_from(conn.connection_id()), Ok(id));
    });
    let mut conn = made_under_a_runtime_that_ends(server.tcp(), false);
    server.stop();
    futures::executor::block_on(async {
        assert!(conn.ping().await.is_err());
    });
}

#[test]
fn in_the_background_a_session_outlives_every_runtime() {
    let server = Server::start();
    let options = server.tcp().io_runtime(IoRuntime::Background);
    let mut conn = made_under_a_runtime_that_ends(options, true);
    futures::executor::block_on(async {
        assert_eq!(number(&mut conn, "SELECT @a").await, 1);
    });
}

#[test]
fn a_pool_outlives_every_runtime_it_was_used_under() {
    let server = Server::start();
    for policy in [ResetPolicy::Always, ResetPolicy::Never] {
        let options = server.tcp().reset_policy(policy);
        let made_under = multi_thread();
        let pool: Pool = made_under
            .block_on(made_under.spawn(create_pool(options).minsize(2).build()))
            .unwrap()
            .unwrap();
        use_pool(&made_under, &pool);
        drop(made_under);
        for runtime in [current_thread(), multi_thread(), multi_thread()] {
            use_pool(&runtime, &pool);
            drop(runtime);
        }
        futures::executor::block_on(async {
            select_10(&mut pool.acquire().await.unwrap()).await;
            pool.close();
            pool.wait_closed().await.unwrap();
            server.watcher().await.nobody_else().await;
        });
    }
}

fn use_pool(runtime: &Runtime, pool: &Pool) {
    let pool = pool.clone();
    let task = runtime.spawn(async move {
        for _ in 0..4 {
            let (mut a, mut b) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
            select_10(&mut a).await;
            select_10(&mut b).await;
        }
    });
    runtime.block_on(task).unwrap();
}

#[test]
fn a_runtime_without_an_io_driver_is_not_used() {
    let server = Server::start();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let options: ConnectOptions = server.tcp();
    let task = runtime.spawn(async move {
        let mut conn = connect(options).await.unwrap();
        select_10(&mut conn).await;
    });
    runtime.block_on(task).unwrap();
}

#[test]
fn fifty_tasks_share_four_connections() {
    let server = Server::start();
    let options = server.unix();
    support::on_every_runtime(move |_| {
        let options = options.clone();
        async move {
            let pool = create_pool(options).maxsize(4).build().await.unwrap();
            let tasks = (0..50).map(|n: i64| {
                let pool = pool.clone();
                async move {
                    let mut conn = pool.acquire().await.unwrap();
                    assert_eq!(number(&mut conn, &format!("SELECT {n}")).await, n);
                }
            });
            futures::future::join_all(tasks).await;
            pool.close();
            pool.wait_closed().await.unwrap();
        }
    });
}

#[test]
fn many_futures_on_one_thread_wait_side_by_side() {
    test(|| async {
        let server = Server::start();
        let pool = create_pool(server.tcp()).maxsize(8).build().await.unwrap();
        let mut watcher = server.watcher().await;
        watcher.run("DO GET_LOCK('gate', 0)").await;
        let at_the_gate = (0..8).map(|_| {
            let pool = pool.clone();
            async move {
                let mut conn = pool.acquire().await.unwrap();
                assert_eq!(number(&mut conn, "SELECT GET_LOCK('gate', 3600)").await, 1);
                conn.query_drop("DO RELEASE_LOCK('gate')").await.unwrap();
            }
        });
        let open_it = async {
            // It stays closed until all eight wait at once: one after the other, the first would wait for ever.
            watcher.so_many_run(8, "GET_LOCK('gate', 3600)").await;
            watcher.run("DO RELEASE_LOCK('gate')").await;
        };
        futures::future::join(futures::future::join_all(at_the_gate), open_it).await;
    });
}
