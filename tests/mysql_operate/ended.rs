//! A session that ends while a command runs, and commands inside a transaction: the connection is closed at once, and each way to
//! the server says why.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Row, TxOpts};
use pool_mysql::{ClosedBecause, ConnectOptions, Error, MySqlErrorExt, connect};
use support::fake_server::scripts::plain;
use support::fake_server::{Answer, FakeServer, Received};

use crate::closed::{all_places_say, told};
use crate::server::{Server, is_refused, polled, test};

#[test]
fn inside_a_transaction_the_reason_is_told_too() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        for because in [
            ClosedBecause::Cancelled,
            ClosedBecause::Terminated,
            ClosedBecause::ServerClosed,
        ] {
            let pool = server.pool_of_one();
            let mut conn = pool.acquire().await.unwrap();
            let id = conn.connection_id();
            let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
            match because {
                ClosedBecause::Cancelled => {
                    let answer = polled(1, Box::pin(tx.query_drop("DO SLEEP(10)"))).await;
                    assert!(answer.is_none(), "it takes ten seconds");
                }
                ClosedBecause::Terminated => pool.terminate(),
                _ => {
                    watcher.run(&format!("KILL {id}")).await;
                    watcher.it_is_gone(id).await;
                    tx.query_drop("DO 1").await.unwrap_err();
                }
            }
            let text = format!("the connection is closed: {because}");
            let refused = tx.query_drop("DO 1").await;
            assert!(is_refused(&refused), "{refused:?}");
            assert_eq!(Error::from(refused.unwrap_err()).to_string(), text);
            let refused = tx.exec_first::<Row, _, _>("SELECT ?", (1,)).await;
            assert_eq!(Error::from(refused.unwrap_err()).to_string(), text);
            let refused = tx.savepoint(|tx| tx.query_drop("DO 1")).await;
            assert_eq!(Error::from(refused.unwrap_err()).to_string(), text);
            let refused = tx.commit().await;
            assert!(is_refused(&refused), "{refused:?}");
            assert_eq!(Error::from(refused.unwrap_err()).to_string(), text);
        }
    });
}

#[test]
fn the_command_that_a_terminate_ends_says_so_in_each_way() {
    test(|| async {
        let server = Server::start();
        for with_statement in [false, true] {
            let mut watcher = server.watcher().await;
            let pool = server.pool_of_one();
            let mut conn = pool.acquire().await.unwrap();
            let ends = async {
                watcher.somebody_runs("SLEEP").await;
                pool.terminate();
            };
            let command = async {
                match with_statement {
                    true => conn.exec_drop("DO SLEEP(?)", (1000,)).await?,
                    false => conn.query_drop("DO SLEEP(1000)").await?,
                }
                Ok::<(), Error>(())
            };
            let (answer, ()) = futures::future::join(command, ends).await;
            let because = ClosedBecause::Terminated;
            let text = format!("the connection is closed: {because}");
            assert_eq!(answer.unwrap_err().to_string(), text);
            watcher.nobody_else().await;
        }
    });
}

/// Waits for the error of a command while `end` ends its session.
async fn ended_by<T>(
    command: impl Future<Output = Result<T, Error>>,
    end: impl Future<Output = ()>,
) -> Error {
    let (answer, ()) = futures::future::join(command, end).await;
    answer.err().expect("it does not end well")
}

#[test]
fn a_session_that_the_server_ends_in_a_command_is_closed_at_once() {
    test(|| async {
        let server = Server::start();
        for (way, options) in [0, 1, 2, 3].into_iter().zip(server.both().iter().cycle()) {
            let mut watcher = server.watcher().await;
            let mut conn = connect(options.clone()).await.unwrap();
            let id = conn.connection_id();
            let kill = async {
                watcher.somebody_runs("SLEEP(1000)").await;
                watcher.run(&format!("KILL CONNECTION {id}")).await;
            };
            let error = match way {
                0 => ended_by(async { Ok(conn.query_drop("DO SLEEP(1000)").await?) }, kill).await,
                1 => {
                    ended_by(
                        async { conn.cursor().execute("DO SLEEP(1000)", ()).await },
                        kill,
                    )
                    .await
                }
                2 => {
                    let work = conn.transaction(|tx| {
                        Box::pin(async move { Ok(tx.query_drop("DO SLEEP(1000)").await?) })
                    });
                    ended_by(work, kill).await
                }
                // MariaDB 10.11 answers this one with error 1927.
                _ => conn.kill(id).await.map_err(Error::from).unwrap_err(),
            };
            println!("{way}: {error}");
            assert!(error.is_connection_lost() && !error.is_closed(), "{error}");
            // No command came after it.
            assert!(conn.is_closed(), "{error}");
            all_places_say(&mut conn, ClosedBecause::ServerClosed).await;
        }
    });
}

#[test]
fn a_server_that_is_shut_down_in_a_command_is_the_reason_at_once() {
    test(|| async {
        let server = std::sync::Arc::new(Server::start());
        let mut watcher = server.watcher().await;
        let mut conn = server.connect().await;
        let stopped = std::sync::Arc::clone(&server);
        let stop = async {
            watcher.somebody_runs("SLEEP(1000)").await;
            drop(std::thread::spawn(move || stopped.stop()));
        };
        let sleep = async { Ok(conn.query_drop("DO SLEEP(1000)").await?) };
        let error = ended_by(sleep, stop).await;
        println!("{error}");
        assert!(error.is_connection_lost() && !error.is_closed(), "{error}");
        all_places_say(&mut conn, ClosedBecause::ServerClosed).await;
    });
}

#[test]
fn each_error_that_ends_a_session_closes_the_connection_and_others_do_not() {
    test(|| async {
        let script = |command: &Received| {
            let text = command.text();
            match text.strip_prefix("DO ").and_then(|code| code.parse().ok()) {
                Some(code) => Answer::Error(code, "the server has its reasons"),
                None => plain(command),
            }
        };
        let server = FakeServer::start("8.0.30", script).expect("a server");
        let options = ConnectOptions::new().host("127.0.0.1").user("app");
        let (pool, told) = told(options.port(server.port()));
        for code in [
            1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055, 3032, 3169, 4031,
        ] {
            let mut conn = pool.acquire().await.unwrap();
            let error = conn.query_drop(format!("DO {code}")).await.unwrap_err();
            assert_eq!(error.server_code(), Some(code));
            assert_eq!(
                conn.closed_because(),
                Some(ClosedBecause::ServerClosed),
                "{code}"
            );
            assert!(is_refused(&conn.ping().await), "{code}");
            drop(conn);
        }
        let mut conn = pool.acquire().await.unwrap();
        conn.query_drop("DO 1064").await.unwrap_err();
        assert_eq!(conn.closed_because(), None);
        conn.ping().await.unwrap();
        let words = "it cannot be used again: the server closed it";
        assert_eq!(told.take_with(words).len(), 14);
    });
}
