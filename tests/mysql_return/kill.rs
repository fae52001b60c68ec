//! `kill_on_cancel`: the server ends what nobody waits for any more.

use std::time::Duration;

use pool_core::Manager;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, MySqlManager, Pool, connect, create_pool};

use crate::proxy::Proxy;
use crate::server::{Server, Watcher, code, is_refused, number, one, sleep, test};

/// A server with a row that somebody has locked: who wants it waits for a thousand seconds.
struct Locked {
    watcher: Watcher,
    _holder: Connection,
    server: Server,
}

const WANT: &str = "UPDATE wanted SET a = a + 1 WHERE id = 2";

async fn locked() -> Locked {
    let server = Server::with(&["--innodb-lock-wait-timeout=1000"]);
    let mut holder = server.connect().await;
    holder
        .query_drop(
            "CREATE TABLE wanted (id INT PRIMARY KEY, a INT) ENGINE=InnoDB;
             INSERT INTO wanted VALUES (1, 1), (2, 2);
             BEGIN; UPDATE wanted SET a = 5 WHERE id = 2",
        )
        .await
        .unwrap();
    Locked {
        watcher: server.watcher().await,
        _holder: holder,
        server,
    }
}

impl Locked {
    fn pool(&self) -> Pool {
        one(self.server.tcp().kill_on_cancel(true))
    }

    /// Runs a command until the server is at it, and gives it up.
    async fn give_up(&mut self, conn: &mut Connection, kind: &str) {
        let watcher = &mut self.watcher;
        let command = async {
            match kind {
                "text" => drop(conn.query_drop(WANT).await),
                "prepared" => drop(conn.exec_drop(WANT.replace('2', "?"), (2,)).await),
                "cursor" => drop(conn.cursor().execute(WANT, ()).await),
                _ => {
                    let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
                    drop(tx.query_drop(WANT).await);
                }
            }
        };
        let at_it = async {
            watcher.somebody_runs("UPDATE wanted").await;
        };
        futures_lite::future::or(command, at_it).await;
        assert!(is_refused(&conn.ping().await), "{kind}");
    }

    /// Waits until nobody waits for the row.
    async fn nobody_wants_it(&mut self) {
        loop {
            let sessions = self.watcher.sessions().await;
            let wants =
                |info: &Option<String>| info.as_ref().is_some_and(|info| info.contains("wanted"));
            if !sessions.iter().any(|(_, info)| wants(info)) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Has the server kill another connection of this manager, and waits for its end.
///
/// The kills of one manager, and those of one pool, reach the server in the order in which they were asked for. So the
/// server has executed every kill that was asked for before this one, and counts it.
async fn kill_a_sentinel(manager: &MySqlManager, watcher: &mut Watcher) {
    let mut sentinel = manager.connect().await.unwrap();
    let id = sentinel.connection_id();
    let nap = async { drop(sentinel.query_drop("DO SLEEP(1000)").await) };
    futures_lite::future::or(nap, watcher.it_runs(id, "SLEEP(1000)")).await;
    watcher.it_is_gone(id).await;
}

#[test]
fn the_server_ends_a_command_whose_future_was_dropped() {
    test(|| async {
        let mut locked = locked().await;
        for kind in ["text", "prepared", "cursor", "transaction"] {
            let pool = locked.pool();
            let mut conn = pool.acquire().await.unwrap();
            locked.give_up(&mut conn, kind).await;
            drop(conn);
            locked.nobody_wants_it().await;
            let mut conn = pool.acquire().await.unwrap();
            assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        }
    });
}

#[test]
fn without_the_option_it_goes_on() {
    test(|| async {
        let mut locked = locked().await;
        let pool = create_pool(locked.server.tcp())
            .minsize(0)
            .maxsize(2)
            .build_lazy()
            .unwrap();
        let mut conn = pool.acquire().await.unwrap();
        let sentinel = pool.acquire().await.unwrap();
        locked.give_up(&mut conn, "text").await;
        drop(conn);
        pool.close();
        while pool.size() > 1 {
            sleep(Duration::from_millis(5)).await;
        }
        // The sentinel is killed with or without the option. See `kill_a_sentinel`.
        pool.terminate();
        pool.wait_closed().await.unwrap();
        locked.watcher.it_is_gone(sentinel.connection_id()).await;
        assert_eq!(locked.watcher.count("Com_kill").await, 1);
        let id = locked.watcher.somebody_runs("UPDATE wanted").await;
        locked.watcher.run(&format!("KILL {id}")).await;
    });
}

#[test]
fn a_plain_connection_does_it_too_and_a_command_that_ended_kills_nobody() {
    test(|| async {
        let mut locked = locked().await;
        let options = locked.server.unix().kill_on_cancel(true);
        let mut conn = connect(options.clone()).await.unwrap();
        locked.give_up(&mut conn, "text").await;
        locked.nobody_wants_it().await;
        assert_eq!(locked.watcher.count("Com_kill").await, 1);
        let manager = MySqlManager::new(options);
        let mut conn = manager.connect().await.unwrap();
        drop(conn.query_drop("DO 1"));
        conn.query_drop("DO 1").await.unwrap();
        conn.query_drop("BLABLA").await.unwrap_err();
        drop(conn.query_iter("SELECT 1; SELECT 2").await.unwrap());
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        kill_a_sentinel(&manager, &mut locked.watcher).await;
        assert_eq!(locked.watcher.count("Com_kill").await, 2);
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
    });
}

#[test]
fn a_connection_that_lives_on_after_a_refusal_is_not_killed() {
    test(|| async {
        let server = Server::start();
        let manager = MySqlManager::new(server.tcp().kill_on_cancel(true));
        let mut conn = manager.connect().await.unwrap();
        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        drop(tx.query_iter("DO 1; BLABLA").await.unwrap());
        drop(tx);
        // The rollback that comes before the next command hears the error of the statement before.
        assert_eq!(code(conn.query_drop("DO 1").await), 1064);
        let mut watcher = server.watcher().await;
        kill_a_sentinel(&manager, &mut watcher).await;
        assert_eq!(watcher.count("Com_kill").await, 1);
        assert_eq!(number(&mut conn, "SELECT @@in_transaction").await, 0);
    });
}

#[test]
fn a_result_that_was_left_and_does_not_end_is_ended_at_the_server() {
    test(|| async {
        let mut locked = locked().await;
        let pool = locked.pool();
        let mut conn = pool.acquire().await.unwrap();
        // The first row comes, and the second one is locked.
        let rows = "SELECT id, REPEAT('x', 20000) FROM wanted ORDER BY id FOR UPDATE";
        drop(conn.query_iter(rows).await.unwrap());
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        locked.nobody_wants_it().await;
    });
}

#[test]
fn a_connection_that_was_opened_anew_at_another_server_is_ended_there() {
    test(|| async {
        let (old, new) = (Server::start(), Server::start());
        let proxy = Proxy::to(old.port());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let options = old.tcp().port(proxy.port());
        let pool = runtime.spawn(async {
            let pool = one(options);
            drop(pool.acquire().await.unwrap());
            pool
        });
        let pool = pool.await.unwrap();
        // The idle connection ends with the runtime of its socket, and is opened anew for its next user.
        drop(runtime);
        proxy.redirect(new.port());
        let mut watcher = new.watcher().await;
        let mut conn = pool.acquire().await.unwrap();
        let holder = async {
            let result = conn.query_drop("DO SLEEP(1000)").await;
            assert!(is_refused(&result), "{result:?}");
        };
        let terminator = async {
            watcher.somebody_runs("DO SLEEP(1000)").await;
            pool.terminate();
        };
        futures_lite::future::zip(holder, terminator).await;
        watcher.nobody_else().await;
    });
}
