//! One error type for a handler, and the exact text of what fails on a real server.

use std::error::Error as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pool_core::Manager;
use pool_mysql::mysql_async::{self, params, prelude::Queryable};
use pool_mysql::{
    ConnectOptions, Error, MySqlManager, Pool, PooledConnection, connect, create_pool,
};

use crate::server::{Server, one, test};

/// Acquires, sends a command of the driver, executes with a cursor, and works in a transaction; `?` everywhere.
async fn handler(pool: &Pool, id: &str) -> Result<i64, Error> {
    let mut conn = pool.acquire().await?;
    conn.query_drop("CREATE TABLE IF NOT EXISTS t (a VARCHAR(20) PRIMARY KEY) ENGINE=InnoDB")
        .await?;
    let mut cur = conn.cursor();
    cur.execute("INSERT INTO t VALUES (?)", (id,)).await?;
    let rows = conn
        .transaction(|tx| {
            Box::pin(async move {
                tx.query_drop("INSERT INTO t VALUES ('in a transaction')")
                    .await?;
                let rows = tx.query_first("SELECT COUNT(*) FROM t").await?;
                tx.query_drop("DELETE FROM t WHERE a = 'in a transaction'")
                    .await?;
                Ok::<Option<i64>, Error>(rows)
            })
        })
        .await?;
    let tx = conn.start_transaction(Default::default()).await?;
    tx.rollback().await?;
    PooledConnection::release(conn).await?;
    Ok(rows.unwrap_or_default())
}

/// The text of a failed acquire, after `?` has made our error from that of the pool.
async fn failed_acquire(options: ConnectOptions) -> Error {
    async fn acquire(pool: &Pool) -> Result<(), Error> {
        drop(pool.acquire().await?);
        Ok(())
    }
    // A pool of its own for each: after some failures a pool does not connect for a while.
    let of_the_pool = one(options.clone()).acquire().await;
    let of_the_pool = of_the_pool.expect_err("no connect succeeds");
    let error = acquire(&one(options))
        .await
        .expect_err("no connect succeeds");
    assert_eq!(error.to_string(), of_the_pool.to_string());
    error
}

#[test]
fn a_handler_needs_one_error_type() {
    test(|| async {
        let server = Server::start();
        let pool = create_pool(server.tcp()).maxsize(1).build().await.unwrap();
        assert_eq!(handler(&pool, "a").await.unwrap(), 2);

        let error = handler(&pool, "a").await.unwrap_err();
        assert!(matches!(error, Error::Driver(_)), "{error:?}");
        let duplicate = "1062 (23000): Duplicate entry 'a' for key 'PRIMARY'";
        assert_eq!(error.to_string(), duplicate);
        let source = error.source().expect("the driver's error");
        assert!(source.is::<mysql_async::Error>());

        pool.close();
        let error = handler(&pool, "b").await.unwrap_err();
        assert!(matches!(error, Error::Pool(_)), "{error:?}");
        assert_eq!(error.to_string(), "the pool is closed");
        pool.wait_closed().await.unwrap();
    });
}

#[test]
fn a_syntax_error_reads_the_same_from_a_cursor_and_from_the_driver() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let by_cursor = conn.cursor().execute("BLABLA", ()).await.unwrap_err();
        let by_driver = Error::from(conn.query_drop("BLABLA").await.unwrap_err());
        let text = by_cursor.to_string();
        let begin = "1064 (42000): You have an error in your SQL syntax; check the manual that corresponds to your ";
        let end = " server version for the right syntax to use near 'BLABLA' at line 1";
        assert!(text.starts_with(begin) && text.ends_with(end), "{text}");
        assert_eq!(by_driver.to_string(), text);
    });
}

#[test]
fn a_failed_connect_says_its_cause_in_the_same_line() {
    test(|| async {
        let server = Server::start();
        server
            .watcher()
            .await
            .run("CREATE USER teller@'%' IDENTIFIED BY 'right'")
            .await;
        let wrong = server.tcp().user("teller").password("wrong");
        let denied = format!(
            "connecting to 127.0.0.1:{} as teller failed: \
             1045 (28000): Access denied for user 'teller'@'127.0.0.1' (using password: YES)",
            server.port()
        );
        let error = connect(wrong.clone()).await.unwrap_err();
        assert_eq!(error.to_string(), denied);
        let error = MySqlManager::new(wrong.clone())
            .connect()
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), denied);
        let error = failed_acquire(wrong.clone()).await;
        assert_eq!(error.to_string(), denied);
        assert_eq!(error.server_code(), Some(1045));
        let source = error.source().expect("the manager's error");
        assert_eq!(source.to_string(), denied);
        let driver = source.source().and_then(|e| e.downcast_ref());
        assert!(
            matches!(driver, Some(mysql_async::Error::Server(error)) if error.code == 1045),
            "{error:?}"
        );

        let socket = server.socket().display();
        let error = connect(wrong.unix_socket(server.socket()))
            .await
            .unwrap_err();
        let begin = format!("connecting to {socket} as teller failed: 1045 (28000): Access denied");
        assert!(error.to_string().starts_with(&begin), "{error}");
    });
}

#[test]
fn a_refused_option_of_the_session_is_a_failed_connect() {
    test(|| async {
        let server = Server::start();
        let options = server.tcp().init_command("SELEC 1");
        let to = format!("127.0.0.1:{} as {}", server.port(), server.user());
        for error in [
            connect(options.clone()).await.unwrap_err(),
            failed_acquire(options).await,
        ] {
            let begin = format!("connecting to {to} failed: 1064 (42000): You have an error");
            assert!(error.to_string().starts_with(&begin), "{error}");
        }
    });
}

#[test]
fn a_missing_parameter_is_named_as_text() {
    test(|| async {
        let server = Server::start();
        let text = "there is no value for the parameter size";
        let sql = "SELECT :a, :size";
        let given = params! { "a" => 1 };
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        let by_cursor = cur.execute(sql, given.clone()).await.unwrap_err();
        assert_eq!(by_cursor.to_string(), text);
        let mut conn = server.connect().await;
        let by_driver = Error::from(conn.exec_drop(sql, given).await.unwrap_err());
        assert_eq!(by_driver.to_string(), text);

        let mut conn = server.connect().await;
        let by_cursor = conn.cursor().execute("SELECT ?", (1, 2)).await.unwrap_err();
        let by_driver = Error::from(conn.exec_drop("SELECT ?", (1, 2)).await.unwrap_err());
        let text = "the statement has 1 parameter, but 2 were given";
        assert_eq!(by_cursor.to_string(), text);
        assert_eq!(by_driver.to_string(), text);
    });
}

#[test]
fn a_server_that_cannot_be_reached_is_said_in_the_words_of_the_system() {
    test(|| async {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
        let new = || ConnectOptions::new().user("app").password("s3cret");
        let options = new().host("127.0.0.1").port(port);
        let error = connect(options.clone()).await.unwrap_err();
        let expected = format!("connecting to 127.0.0.1:{port} as app failed: {refused}");
        assert_eq!(error.to_string(), expected);
        let error = failed_acquire(options).await;
        assert_eq!(error.to_string(), expected);
        assert!(error.is_retryable());

        let error = failed_acquire(new().unix_socket("/no/such.sock")).await;
        let missing = UnixStream::connect("/no/such.sock").unwrap_err();
        let expected = format!("connecting to /no/such.sock as app failed: {missing}");
        assert_eq!(error.to_string(), expected);

        let error = failed_acquire(new().host("no-such-host.invalid")).await;
        let text = error.to_string();
        let lookup = "failed to lookup address information: ";
        let expected = format!("connecting to no-such-host.invalid:3306 as app failed: {lookup}");
        assert!(
            text.starts_with(&expected) && text.len() > expected.len(),
            "{text}"
        );
    });
}

#[test]
fn a_time_out_of_the_pool_is_retryable_and_is_no_error_of_the_server() {
    test(|| async {
        let server = Server::start();
        let pool = one(server.tcp());
        let held = pool.acquire().await.unwrap();
        let line = line!() - 1;
        let wait = pool.acquire().timeout(Duration::from_millis(1));
        let error = Error::from(wait.await.unwrap_err());
        let text = error.to_string();
        assert!(
            text.starts_with("pool \"pool\" timed out after ")
                && text.contains(" while waiting for a connection; size 1 (free 0, held 1,")
                && text.contains("\nheld longest: connection 1 for at least ")
                && text.ends_with(&format!("{}:{line}", file!())),
            "{text}"
        );
        assert!(error.is_retryable() && error.server_code().is_none());
        drop(held);
    });
}
