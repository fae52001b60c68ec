//! `command_timeout`: the server ends the command, and the connection is kept.

use std::time::Duration;

use pool_mysql::mysql_async::TxOpts;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, Error, MySqlErrorExt, connect};
use support::fake_server::scripts::never_answers;
use support::{Answer, FakeServer, Received};

use crate::server::{Server, for_a_while, number, one, test};

const SHORT: Duration = Duration::from_millis(250);

/// An endless statement with a result.
const ENDLESS: &str = "SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b";

async fn limited(server: &Server) -> Connection {
    let options = server.tcp().command_timeout(SHORT);
    connect(options).await.expect("the server takes it")
}

fn says_so(error: &Error) {
    assert!(error.is_command_timeout(), "{error}");
    assert!(
        !error.is_connection_lost() && !error.is_retryable(),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "the command took longer than 250ms (command_timeout) and was ended at the server"
    );
}

#[test]
fn every_way_to_execute_is_ended_and_the_session_lives() {
    test(|| async {
        let server = Server::start();
        let mut conn = limited(&server).await;
        let id = conn.connection_id();
        conn.query_drop("SET @kept = 7").await.unwrap();
        for way in 0..5 {
            let error: Error = match way {
                0 => conn.query_drop(ENDLESS).await.unwrap_err().into(),
                1 => conn.exec_drop(ENDLESS, ()).await.unwrap_err().into(),
                2 => conn.cursor().execute(ENDLESS, ()).await.unwrap_err(),
                3 => {
                    // The server says which columns there will be before it looks for the row.
                    let mut cur = conn.ss_cursor();
                    match cur.execute(ENDLESS, ()).await {
                        Ok(_) => cur.fetchone::<i64>().await.unwrap_err(),
                        Err(error) => error,
                    }
                }
                _ => {
                    let sets = [(1,), (2,)];
                    let sql = format!("SELECT ? + ({ENDLESS})");
                    match conn.cursor().executemany(sql, sets).await.unwrap_err() {
                        Error::ManyFailed { cause, .. } => *cause,
                        error => error,
                    }
                }
            };
            says_so(&error);
            assert_eq!(number(&mut conn, "SELECT @kept").await, 7);
            assert_eq!(conn.connection_id(), id);
        }
    });
}

#[test]
fn a_transaction_goes_on_without_the_statement() {
    test(|| async {
        let server = Server::start();
        let mut conn = limited(&server).await;
        conn.query_drop("CREATE TABLE t (a BIGINT) ENGINE = InnoDB")
            .await
            .unwrap();
        let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
        tx.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
        let endless = format!("INSERT INTO t {ENDLESS}");
        let error = tx.query_drop(endless).await.unwrap_err();
        assert!(error.is_command_timeout() && !error.is_outcome_unknown());
        tx.query_drop("INSERT INTO t VALUES (2)").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT SUM(a) FROM t").await, 3);
    });
}

/// The command ends at the moment at which the server is told to end it. The next one must not suffer for it.
#[test]
fn the_next_command_is_never_ended_in_its_place() {
    test(|| async {
        let server = Server::start();
        let limit = Duration::from_millis(20);
        let mut conn = connect(server.tcp().command_timeout(limit)).await.unwrap();
        let id = conn.connection_id();
        let (mut ended, mut in_time) = (0, 0);
        for round in 0..200 {
            // Around the limit, to both sides.
            let time = 18.0 + f64::from(round % 9) / 2.0;
            let sql = format!("SELECT SLEEP({})", time / 1000.0);
            match conn.query_drop(sql).await {
                Ok(()) => in_time += 1,
                Err(error) => {
                    assert!(error.is_command_timeout(), "{error}");
                    ended += 1;
                }
            }
            let sql = format!("SELECT {round}");
            assert_eq!(number(&mut conn, &sql).await, i64::from(round));
        }
        assert_eq!(conn.connection_id(), id, "{ended} ended, {in_time} in time");
    });
}

#[test]
fn the_next_user_of_a_pool_gets_a_clean_connection() {
    test(|| async {
        let server = Server::start();
        let pool = one(server.tcp().command_timeout(SHORT));
        let mut conn = pool.acquire().await.unwrap();
        let id = conn.connection_id();
        conn.query_drop("SET @a = 1").await.unwrap();
        let error = conn.query_drop(ENDLESS).await.unwrap_err();
        assert!(error.is_command_timeout());
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(conn.connection_id(), id);
        assert_eq!(number(&mut conn, "SELECT @a IS NULL").await, 1);
    });
}

#[test]
fn a_command_that_is_dropped_while_it_is_ended_closes_the_connection() {
    test(|| async {
        let server = Server::start();
        for after in [240, 250, 251, 252, 255] {
            let mut conn = limited(&server).await;
            let command = conn.query_drop(ENDLESS);
            let dropped = for_a_while(Duration::from_millis(after), command).await;
            match dropped {
                None => assert!(conn.is_closed()),
                Some(result) => assert!(result.unwrap_err().is_command_timeout()),
            }
        }
    });
}

/// A server that says nothing of itself cannot be told to end anything.
#[test]
fn without_an_answer_the_connection_is_closed() {
    test(|| async {
        let server = FakeServer::start("8.0.30", never_answers).expect("a server");
        let options = ConnectOptions::new()
            .host("127.0.0.1")
            .port(server.port())
            .user("app")
            .command_timeout(SHORT);
        let mut conn = connect(options.clone()).await.unwrap();
        let error = conn.query_drop("DO 'never'").await.unwrap_err();
        assert!(error.is_command_timeout() && error.is_connection_lost());
        assert!(conn.is_closed());
        assert_eq!(
            Error::from(error).to_string(),
            "the command took longer than 250ms (command_timeout) and the server did not say that it has ended it, \
             so the connection was closed"
        );

        // Nobody knows what has become of a COMMIT.
        let mut conn = connect(options).await.unwrap();
        let error = conn.query_drop("COMMIT /* never */").await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
    });
}

/// A server that says who it is, takes KILL QUERY or not, and does not end the command in any case.
async fn stubborn(kill: Answer) -> (FakeServer, Error) {
    let script = move |command: &Received| match &*command.text() {
        text if text.starts_with("SELECT CONCAT_WS") => {
            Answer::Row(vec!["1\n3306\n1048576\n28800\nhere\n8.0.30".to_owned()])
        }
        text if text.contains("Uptime") => {
            Answer::Row(["Uptime", "1000000"].map(str::to_owned).into())
        }
        text if text.starts_with("KILL QUERY") => kill.clone(),
        text if text.contains("never") => Answer::Nothing,
        _ => Answer::Ok,
    };
    let server = FakeServer::start("8.0.30", script).expect("a server");
    let options = ConnectOptions::new()
        .host("127.0.0.1")
        .port(server.port())
        .user("app")
        .command_timeout(SHORT);
    let mut conn = connect(options).await.unwrap();
    let error = conn.query_drop("DO 'never'").await.unwrap_err();
    assert!(conn.is_closed());
    (server, error.into())
}

/// MariaDB answers with OK to some of the UPDATEs that it has ended: `cargo xtask chaos --only "queries killed"` counts them.
#[test]
fn what_goes_well_after_the_server_was_told_to_end_it_is_only_believed_of_a_commit() {
    test(|| async {
        let script = move |command: &Received| match &*command.text() {
            text if text.starts_with("SELECT CONCAT_WS") => {
                Answer::Row(vec!["1\n3306\n1048576\n28800\nhere\n8.0.30".to_owned()])
            }
            text if text.contains("Uptime") => {
                Answer::Row(["Uptime", "1000000"].map(str::to_owned).into())
            }
            text => {
                if text.contains("slow") || text == "BEGIN" {
                    std::thread::sleep(2 * SHORT);
                }
                Answer::Ok
            }
        };
        let server = FakeServer::start("8.0.30", script).expect("a server");
        let options = ConnectOptions::new()
            .host("127.0.0.1")
            .port(server.port())
            .user("app")
            .command_timeout(SHORT);
        let mut conn = connect(options).await.unwrap();
        let sql = "UPDATE slow SET a = 1";
        let by_cursor = conn.cursor().execute(sql, ()).await.unwrap_err();
        assert!(by_cursor.is_command_timeout(), "{by_cursor}");
        let row_by_row = conn.ss_cursor().execute(sql, ()).await.unwrap_err();
        assert!(row_by_row.is_command_timeout(), "{row_by_row}");
        let not_read = conn.query_iter(sql).await.expect_err("no rows");
        assert!(not_read.is_command_timeout(), "{not_read}");
        let error = Error::from(conn.query_drop(sql).await.unwrap_err());
        assert!(error.is_command_timeout(), "{error}");
        assert_eq!(
            error.to_string(),
            "the command took longer than 250ms (command_timeout) and the server, which was told to end it, says that it has \
             gone well; MariaDB also says so of an UPDATE that it has ended, so nobody knows what it has changed: roll back, \
             or look"
        );
        assert!(!error.is_connection_lost() && !conn.is_closed());
        conn.begin().await.unwrap();
        conn.query_drop("COMMIT /* slow */").await.unwrap();
        conn.query_drop("SELECT 1").await.unwrap();
        // On a busy machine another command may take too long as well.
        assert!(server.queries("KILL QUERY 1") >= 6);
    });
}

#[test]
fn a_server_that_does_not_end_the_command_is_left() {
    test(|| async {
        for kill in [Answer::Ok, Answer::Error(1095, "not yours"), Answer::HangUp] {
            let (server, error) = stubborn(kill).await;
            assert!(
                error.is_command_timeout() && error.is_connection_lost(),
                "{error}"
            );
            let received = server.received();
            let kills = received
                .iter()
                .filter(|command| command.text() == "KILL QUERY 1");
            assert_eq!(kills.count(), 1, "{received:?}");
        }
    });
}
