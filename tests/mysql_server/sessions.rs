//! The number of sessions at the server, while tasks give up.

use super::*;

/// Asks twenty times; one task in three gives up, in turns while it waits for a connection and while it waits for the
/// answer.
async fn asks_and_gives_up(pool: Pool, number: u64, cancelled: Arc<Mutex<HashSet<u64>>>) {
    for round in 0..20 {
        let (for_all, for_answer) = match (number % 3, round % 2) {
            (0, 0) => (
                Duration::from_micros((number * 20 + round * 701) % 20_000),
                LONG,
            ),
            (0, _) => (LONG, Duration::from_micros((number + round) * 20 % 2_000)),
            _ => (LONG, LONG),
        };
        let work = async {
            let mut conn = pool.acquire().await.expect("a connection");
            // Declared after the connection, so dropped before it.
            let mut asking = Asking {
                id: conn.connection_id(),
                answered: false,
                cancelled: &cancelled,
            };
            let query = conn.query_drop("SELECT SLEEP(0.002)");
            if let Ok(answer) = tokio::time::timeout(for_answer, query).await {
                asking.answered = true;
                answer.expect("an answer");
            }
        };
        let _ = tokio::time::timeout(for_all, work).await;
    }
}

/// The server, too, never has more sessions of a pool than `maxsize`, whatever is cancelled; and at rest it has as
/// many as the pool counts.
#[test]
fn sessions_on_the_server_never_exceed_maxsize_while_tasks_cancel() {
    within(LONG, "mass cancellation", || {
        let server = PrivateServer::start().expect("a server");
        let url = format!(
            "mysql://app:app@{}:{}/test?minsize=0&maxsize=5",
            server.host(),
            server.port()
        );
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("tokio starts");
        runtime.block_on(async {
            let builder = create_pool_from_url(&url).expect("a url");
            let pool = builder.build().await.expect("a pool");
            let cancelled = Arc::default();
            let mut lookout = Lookout {
                root: connect(options(&server)).await.expect("root gets in"),
                cancelled: Arc::clone(&cancelled),
            };
            let tasks: Vec<_> = (0..100)
                .map(|number| {
                    let work = asks_and_gives_up(pool.clone(), number, Arc::clone(&cancelled));
                    tokio::spawn(work)
                })
                .collect();
            let (mut looks, mut most) = (0, 0);
            while !tasks.iter().all(|task| task.is_finished()) {
                most = most.max(lookout.at_most(5).await);
                assert!(pool.size() <= 5, "{}", pool.status());
                looks += 1;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            for task in tasks {
                task.await.expect("no panic");
            }
            let given_up = cancelled.lock().expect("no panic").len();
            println!("{looks} looks, at most {most} sessions, {given_up} cancelled queries");
            assert!(looks > 1 && most > 0, "it was looked at during the run");
            assert!(given_up > 0, "some were cancelled");
            let start = Instant::now();
            while lookout.sessions().await.len() != pool.size() {
                assert!(start.elapsed() < LONG / 4, "{}", pool.status());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let guards = futures::future::join_all((0..5).map(|_| pool.acquire())).await;
            assert!(guards.iter().all(Result::is_ok), "every place is usable");
            assert_eq!(pool.size(), 5);
            lookout.at_most(5).await;
            drop(guards);
            close(pool).await;
        });
    });
}
