//! Governed connects on a real server: one that is full, one that refuses the password, and one that is restarted.

#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core::{Builder, Error};
use pool_mysql::{ConnectOptions, MySqlManager, Pool, create_pool};

use crate::server::{Server, number, sleep, test};

const SECOND: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(30);

fn builder(options: ConnectOptions, maxsize: usize) -> Builder<MySqlManager> {
    create_pool(options)
        .minsize(0)
        .maxsize(maxsize)
        .acquire_timeout(LATER)
}

/// `MAX_USER_CONNECTIONS 2` and five callers: three wait until a connection comes back.
#[test]
fn five_callers_succeed_although_the_server_lets_the_user_connect_twice_only() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run(
                "CREATE USER few@'%' IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 2; \
                 GRANT ALL ON test.* TO few@'%'",
            )
            .await;
        for retry in [None, Some(3 * SECOND)] {
            let options = server.tcp().user("few").password("few");
            let builder = builder(options, 5).connect_retry(retry);
            let pool = builder.build_lazy().expect("a good pool");
            let calls = (0..5).map(|_| async {
                let mut conn = pool.acquire().await?;
                sleep(SECOND / 5).await;
                let answer: Option<u8> = conn.query_first("SELECT 42").await.expect("it serves");
                assert_eq!(answer, Some(42));
                Ok::<_, Error<_>>(())
            });
            for result in join_all(calls).await {
                result.expect("a connection comes back in time");
            }
            let stats = pool.stats();
            assert!(
                stats.connect_failures() > 0 && stats.breaker_opens() > 0,
                "it was full"
            );
            pool.close();
            pool.wait_closed().await.expect("it was closed");
            watcher.nobody_else().await;
        }
    });
}

/// A wrong password, and 12 callers who ask again and again for four seconds.
#[test]
fn a_wrong_password_is_tried_a_handful_of_times_and_the_right_one_is_found_within_a_period() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run("CREATE USER turn@'%' IDENTIFIED BY 'new'; GRANT ALL ON test.* TO turn@'%'")
            .await;
        let options = server.tcp().user("turn").password("old");
        let pool = builder(options, 4).build_lazy().expect("a good pool");
        let before = watcher.count("Aborted_connects").await;
        let start = Instant::now();
        let refused = AtomicUsize::new(0);
        let ask = || async {
            while start.elapsed() < 4 * SECOND {
                match pool.acquire().await {
                    Ok(_) => panic!("the password is wrong"),
                    Err(Error::Connect(_) | Error::BreakerOpen { .. }) => {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => panic!("{error}"),
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        join_all((0..12).map(|_| ask())).await;
        assert!(
            refused.load(Ordering::Relaxed) > 100,
            "nobody waits for the next attempt"
        );
        let attempts = watcher.count("Aborted_connects").await - before;
        // At most four at the very first, one for each place; then after 1 s and 2 s later.
        assert!((2..=6).contains(&attempts), "{attempts} attempts");
        assert!(pool.stats().connect_failures() <= 6);

        watcher.run("ALTER USER turn@'%' IDENTIFIED BY 'old'").await;
        let start = Instant::now();
        while let Err(error) = pool.acquire().await {
            assert!(start.elapsed() < LATER, "{error}");
            sleep(Duration::from_millis(10)).await;
        }
        assert!(
            pool.stats().connect_failures() <= 6,
            "the next attempt finds it"
        );
    });
}

/// Works until it has been served fifty times since the server is back. Returns how often something failed.
async fn work(pool: &Pool, is_back: &AtomicBool) -> usize {
    let start = Instant::now();
    let (mut served, mut errors) = (0, 0);
    while served < 50 {
        assert!(start.elapsed() < LATER, "{}", pool.status());
        let after = is_back.load(Ordering::SeqCst);
        let done = match pool.acquire().await {
            Ok(mut conn) => conn.query_drop("DO SLEEP(0.001)").await.is_ok(),
            Err(_) => false,
        };
        match done {
            true => served += usize::from(after),
            false => errors += 1,
        }
    }
    errors
}

#[test]
fn a_server_that_is_killed_and_restarted_costs_each_task_one_error_at_most() {
    test(|| async {
        const TASKS: usize = 16;
        const PLACES: usize = 8;
        let server = Arc::new(Server::start());
        let is_back = Arc::new(AtomicBool::new(false));
        let builder = builder(server.tcp(), PLACES).connect_retry(3 * SECOND);
        let pool = builder.build_lazy().expect("a good pool");
        let restarter = std::thread::spawn({
            let (server, is_back) = (Arc::clone(&server), Arc::clone(&is_back));
            move || {
                std::thread::sleep(SECOND / 5);
                server.kill();
                std::thread::sleep(SECOND / 2);
                server.start_again().expect("it starts");
                is_back.store(true, Ordering::SeqCst);
            }
        });
        let errors = join_all((0..TASKS).map(|_| work(&pool, &is_back))).await;
        restarter.join().expect("it is back");
        let all: usize = errors.iter().sum();
        assert!(all <= TASKS, "{errors:?}");
        let mut watcher = server.watcher().await;
        let most = watcher.count("Max_used_connections").await;
        // The one that looks on, and the one with which the server was seen to be back.
        assert!(most <= PLACES as u64 + 2, "{most} sessions");
        let mut conn = pool.acquire().await.expect("it serves");
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
    });
}
