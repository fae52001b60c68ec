//! A connection that was closed under its user says why: by itself, in the errors of cursors and transactions, and in the
//! events of its pool.

use std::path::Path;
use std::time::{Duration, Instant};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Error as DriverFailure, Row, TxOpts};
use pool_mysql::{
    ClosedBecause, ConnectOptions, Connection, Error, MySqlErrorExt, Pool, ResetPolicy, connect,
    create_pool,
};
use support::Told;
use support::fake_server::scripts::{never_answers, plain};
use support::fake_server::{Answer, FakeServer, Received};

use crate::server::{Server, Watcher, is_refused, polled, sleep, test};

const LONG: &str = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_300000";

/// A pool of one connection that tells its events.
pub(crate) fn told(options: ConnectOptions) -> (Pool, Told) {
    let (builder, told) = Told::by(create_pool(options).minsize(0).maxsize(1));
    (builder.build_lazy().expect("a good pool"), told)
}

/// Waits until the pool has told that its first connection was closed; returns the sentence.
async fn close_of_the_first(told: &Told) -> String {
    let start = Instant::now();
    loop {
        if let Some(sentence) = told.take_with("connection 1 was closed").pop() {
            return sentence;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "never closed");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Reaches the server in one of the ways that have the driver's errors; `?` makes ours of them. `None` after the last way.
async fn driver_way(conn: &mut Connection, number: usize) -> Option<Result<(), Error>> {
    async fn go(conn: &mut Connection, number: usize) -> Result<bool, Error> {
        match number {
            0 => conn.query_drop("SELECT 1").await?,
            1 => drop(conn.query_iter("SELECT 1").await?),
            2 => drop(conn.query_stream::<Row, _>("SELECT 1").await?),
            3 => drop(conn.prep("SELECT 1").await?),
            4 => drop(conn.exec::<Row, _, _>("SELECT ?", (1,)).await?),
            5 => Queryable::exec_drop(conn, "DO ?", (1,)).await?,
            6 => conn.exec_batch("DO ?", [(1,)]).await?,
            7 => conn.ping().await?,
            8 => conn.begin().await?,
            9 => conn.commit().await?,
            10 => conn.rollback().await?,
            11 => conn.autocommit(true).await?,
            12 => conn.select_db("mysql").await?,
            13 => conn.kill(1).await?,
            14 => drop(conn.show_warnings().await?),
            15 => drop(conn.load_local("LOAD DATA", "1").await?),
            16 => drop(conn.start_transaction(TxOpts::default()).await?),
            _ => return Ok(false),
        }
        Ok(true)
    }
    match go(conn, number).await {
        Ok(false) => None,
        result => Some(result.map(drop)),
    }
}

/// What a person reads at each place where such a connection can be met.
pub(crate) async fn all_places_say(conn: &mut Connection, because: ClosedBecause) {
    assert_eq!(conn.closed_because(), Some(because));
    assert!(conn.is_closed());
    let text = format!("the connection is closed: {because}");
    let mut errors = Vec::new();
    let mut cur = conn.cursor();
    errors.push(cur.execute("SELECT 1", ()).await.unwrap_err());
    errors.push(cur.execute("SELECT ?", (1,)).await.unwrap_err());
    errors.push(
        cur.executemany("INSERT INTO t VALUES (?)", [(1,)])
            .await
            .unwrap_err(),
    );
    errors.push(cur.callproc("p", (1,)).await.unwrap_err());
    errors.push(conn.ss_cursor().execute("SELECT 1", ()).await.unwrap_err());
    errors.push(
        conn.dict_cursor()
            .execute("SELECT 1", ())
            .await
            .unwrap_err(),
    );
    let mut ways = 0;
    while let Some(result) = driver_way(conn, ways).await {
        errors.push(result.unwrap_err());
        ways += 1;
    }
    assert_eq!(ways, 17);
    for error in errors {
        assert!(
            matches!(error, Error::Closed(told) if told == because),
            "{error:?}"
        );
        assert!(error.is_closed() && error.is_connection_lost() && !error.is_retryable());
        assert_eq!(error.closed_because(), Some(because));
        assert_eq!(error.to_string(), text);
    }
    // Nothing may be sent, so it is an error of the crate: `transaction` is no method of the driver's.
    let begun = conn
        .transaction(|_| Box::pin(async { Ok::<(), Error>(()) }))
        .await;
    let error = begun.unwrap_err();
    assert_eq!(error.to_string(), text);
    assert!(error.is_closed() && error.is_connection_lost());
    assert_eq!(error.closed_because(), Some(because));
    // The methods of the driver's `Queryable` keep the driver's variant, except after a long result.
    let driver = conn.query_drop("SELECT 1").await;
    match because {
        ClosedBecause::LeftUnread => assert!(matches!(driver, Err(DriverFailure::Other(_)))),
        _ => assert!(is_refused(&driver), "{driver:?}"),
    }
    assert!(driver.unwrap_err().is_connection_lost());
}

/// Does something to the connection that closes it.
async fn end(conn: &mut Connection, because: ClosedBecause, watcher: &mut Watcher) {
    match because {
        ClosedBecause::Cancelled => {
            let answer = polled(1, Box::pin(conn.query_drop("DO SLEEP(10)"))).await;
            assert!(answer.is_none(), "it takes ten seconds");
        }
        ClosedBecause::LeftUnread => {
            let mut cur = conn.ss_cursor();
            cur.execute(LONG, ()).await.unwrap();
            assert!(cur.fetchone::<Row>().await.unwrap().is_some());
            conn.ping().await.unwrap_err();
        }
        ClosedBecause::ServerClosed => {
            let id = conn.connection_id();
            watcher.run(&format!("KILL {id}")).await;
            watcher.it_is_gone(id).await;
            let error = conn.query_drop("DO 1").await.unwrap_err();
            assert!(error.is_connection_lost(), "{error}");
        }
        ClosedBecause::ClosedByHolder => conn.close(),
        other => panic!("no way to bring about {other}"),
    }
}

#[test]
fn each_reason_is_told_by_the_connection_its_cursors_and_its_pool() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        for options in server.both() {
            for (because, words) in [
                (ClosedBecause::Cancelled, "a command was cancelled"),
                (ClosedBecause::LeftUnread, "a long result was left unread"),
                (ClosedBecause::ServerClosed, "the server closed it"),
                (ClosedBecause::ClosedByHolder, "its holder has closed it"),
            ] {
                let (pool, told) = told(options.clone());
                let mut conn = pool.acquire().await.unwrap();
                assert_eq!(conn.closed_because(), None);
                end(&mut conn, because, &mut watcher).await;
                all_places_say(&mut conn, because).await;
                drop(conn);
                assert_eq!(
                    close_of_the_first(&told).await,
                    format!("connection 1 was closed: it cannot be used again: {words}")
                );
            }
        }
    });
}

/// All reasons, with their names in the documentation.
const REASONS: [(&str, ClosedBecause); 11] = [
    ("ClosedByHolder", ClosedBecause::ClosedByHolder),
    ("Terminated", ClosedBecause::Terminated),
    ("Cancelled", ClosedBecause::Cancelled),
    ("CommandTimeout", ClosedBecause::CommandTimeout),
    ("LeftUnread", ClosedBecause::LeftUnread),
    ("ServerClosed", ClosedBecause::ServerClosed),
    ("ConnectionLost", ClosedBecause::ConnectionLost),
    ("DriverGaveUp", ClosedBecause::DriverGaveUp),
    ("LocalFileFailed", ClosedBecause::LocalFileFailed),
    ("NotRolledBack", ClosedBecause::NotRolledBack),
    ("RuntimeEnded", ClosedBecause::RuntimeEnded),
];

#[test]
fn the_documentation_has_each_reason_in_its_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let page = root.expect("the checkout").join("docs/mysql.md");
    let page = std::fs::read_to_string(page).expect("the page");
    for (name, because) in REASONS {
        assert_eq!(format!("{because:?}"), name);
        let row = format!("| `{name}` | {} |", because.what());
        assert!(page.contains(&row), "{row}");
        let text = because.to_string();
        assert_eq!(text, format!("{}; {}", because.what(), because.advice()));
        assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
    }
    assert!(page.contains(&format!(
        "the connection is closed: {}",
        ClosedBecause::Cancelled
    )));
}

#[test]
fn the_first_reason_stays_when_the_connection_is_closed_afterwards() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let mut conn = server.connect().await;
        end(&mut conn, ClosedBecause::Cancelled, &mut watcher).await;
        conn.close();
        assert_eq!(conn.closed_because(), Some(ClosedBecause::Cancelled));
        conn.ensure_closed().await.unwrap();
        assert_eq!(conn.closed_because(), Some(ClosedBecause::Cancelled));
        let mut conn = server.connect().await;
        conn.ensure_closed().await.unwrap();
        all_places_say(&mut conn, ClosedBecause::ClosedByHolder).await;
    });
}

#[test]
fn a_terminated_pool_is_the_reason_of_the_command_under_way_and_of_all_later_ones() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let (pool, told) = told(server.tcp());
        let mut conn = pool.acquire().await.unwrap();
        let ends = async {
            watcher.somebody_runs("SLEEP(1000)").await;
            pool.terminate();
        };
        let mut cur = conn.cursor();
        let (answer, ()) = futures::future::join(cur.execute("DO SLEEP(1000)", ()), ends).await;
        let error = answer.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the connection is closed: the pool was terminated; the command under way may have been carried out: look before \
             you repeat it"
        );
        all_places_say(&mut conn, ClosedBecause::Terminated).await;
        drop(conn);
        assert_eq!(
            close_of_the_first(&told).await,
            "connection 1 was closed: the pool was terminated"
        );
    });
}

#[test]
fn a_command_without_an_answer_in_its_time_is_the_reason_afterwards() {
    test(|| async {
        let server = FakeServer::start("8.0.30", never_answers).expect("a server");
        let options = ConnectOptions::new()
            .host("127.0.0.1")
            .port(server.port())
            .user("app")
            .command_timeout(Duration::from_millis(100));
        let (pool, told) = told(options);
        let mut conn = pool.acquire().await.unwrap();
        let error = conn.cursor().execute("DO 'never'", ()).await.unwrap_err();
        // The command itself has the error that it had before.
        assert!(error.is_command_timeout() && !error.is_closed(), "{error}");
        all_places_say(&mut conn, ClosedBecause::CommandTimeout).await;
        drop(conn);
        assert_eq!(
            close_of_the_first(&told).await,
            "connection 1 was closed: it cannot be used again: a command took longer than command_timeout"
        );
    });
}

#[test]
fn a_transaction_that_is_left_open_is_the_reason_where_nothing_is_cleaned() {
    test(|| async {
        let server = Server::start();
        let (pool, told) = told(server.tcp().reset_policy(ResetPolicy::Never));
        let mut conn = pool.acquire().await.unwrap();
        conn.begin().await.unwrap();
        assert_eq!(conn.closed_because(), None, "it can be used");
        drop(conn);
        assert_eq!(
            close_of_the_first(&told).await,
            "connection 1 was closed: it cannot be used again: a transaction was left open, and ResetPolicy::Never does not end it"
        );
    });
}

#[test]
fn rows_that_stop_in_the_middle_and_a_savepoint_that_is_given_up_have_their_reasons() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let mut conn = server.connect().await;
        let id = conn.connection_id();
        let mut cur = conn.ss_cursor();
        cur.execute(LONG, ()).await.unwrap();
        assert!(cur.fetchone::<Row>().await.unwrap().is_some());
        watcher.run(&format!("KILL {id}")).await;
        watcher.it_is_gone(id).await;
        let error = loop {
            if let Err(error) = cur.fetchone::<Row>().await {
                break error;
            }
        };
        assert!(error.is_connection_lost() && !error.is_closed(), "{error}");
        drop(cur);
        all_places_say(&mut conn, ClosedBecause::ServerClosed).await;

        let mut conn = connect(server.tcp()).await.unwrap();
        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        let work = tx.savepoint(|tx| {
            Box::pin(async move {
                tx.query_drop("DO 1").await?;
                std::future::pending::<()>().await;
                Ok::<(), DriverFailure>(())
            })
        });
        let given_up = crate::server::for_a_while(Duration::from_millis(100), work).await;
        assert!(given_up.is_none());
        drop(tx);
        all_places_say(&mut conn, ClosedBecause::Cancelled).await;
    });
}

#[test]
fn a_command_that_the_driver_gave_up_and_a_runtime_that_has_ended_are_reasons() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let error = conn.exec_drop("DO ?", (1, 2)).await.unwrap_err();
        let text = "the statement has 1 parameter, but 2 were given";
        assert_eq!(Error::from(error).to_string(), text);
        all_places_say(&mut conn, ClosedBecause::DriverGaveUp).await;

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("tokio starts");
        let mut conn = runtime.block_on(async {
            let mut conn = server.connect().await;
            conn.query_drop("SET @a = 1").await.unwrap();
            conn
        });
        assert_eq!(conn.closed_because(), None);
        drop(runtime);
        all_places_say(&mut conn, ClosedBecause::RuntimeEnded).await;
    });
}

#[test]
fn a_savepoint_that_the_server_does_not_roll_back_to_is_a_reason() {
    test(|| async {
        let script = |command: &Received| match command.text() {
            text if text.starts_with("ROLLBACK TO") => Answer::Error(1305, "no such savepoint"),
            text if text.starts_with("START") || text.starts_with("SAVEPOINT") => {
                Answer::InTransaction
            }
            _ => plain(command),
        };
        let server = FakeServer::start("8.0.30", script).expect("a server");
        let options = ConnectOptions::new().host("127.0.0.1").user("app");
        let mut conn = connect(options.port(server.port())).await.unwrap();
        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        let work = tx.savepoint(|_| {
            Box::pin(async { Err::<(), DriverFailure>(DriverFailure::Other("no".into())) })
        });
        assert_eq!(work.await.unwrap_err().to_string(), "Other error: no");
        drop(tx);
        all_places_say(&mut conn, ClosedBecause::NotRolledBack).await;
    });
}
