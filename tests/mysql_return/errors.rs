//! The table of error numbers in `docs/mysql.md`, and what the driver's own errors mean.

use std::collections::BTreeMap;

use pool_core::Manager;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{Error as DriverFailure, Params, ServerError};
use pool_mysql::{ConnectOptions, Error, MySqlErrorExt, MySqlManager};

use crate::server::{Server, test};

/// From a number to what the page says: class, retryable, lost.
fn written() -> BTreeMap<u16, [String; 3]> {
    let page = include_str!("../../docs/mysql.md");
    let lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| number"));
    let lines = lines.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let number = cells[0].parse().expect("a number");
        (number, [cells[2], cells[3], cells[4]].map(str::to_owned))
    };
    lines.map(cells).collect()
}

fn server_error(code: u16) -> DriverFailure {
    DriverFailure::Server(ServerError {
        code,
        message: "what the server says".into(),
        state: "HY000".into(),
    })
}

#[test]
fn every_number_means_what_the_page_says() {
    let manager = MySqlManager::new(ConnectOptions::new());
    let written = written();
    assert!(written.len() > 40, "{}", written.len());
    let other = ["Transient", "no", "no"].map(str::to_owned);
    let word = |is: bool| if is { "yes" } else { "no" }.to_owned();
    for code in 1..=u16::MAX {
        let driver = server_error(code);
        let error = Error::from(server_error(code));
        assert_eq!(driver.is_retryable(), error.is_retryable(), "{code}");
        assert_eq!(
            driver.is_connection_lost(),
            error.is_connection_lost(),
            "{code}"
        );
        let is = [
            format!("{:?}", manager.classify(&error)),
            word(error.is_retryable()),
            word(error.is_connection_lost()),
        ];
        assert_eq!(&is, written.get(&code).unwrap_or(&other), "{code}");
    }
}

#[test]
fn an_error_of_the_drivers_says_whether_the_connection_is_gone() {
    test(|| async {
        let server = Server::with(&["--local-infile=1"]);
        let load = "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t";
        let mut watcher = server.watcher().await;
        watcher.run("CREATE TABLE test.t (a TEXT)").await;
        let b = || Params::from(vec![("b", 1)]);
        let mut gone = Vec::new();
        for number in 0.. {
            let mut conn = server.connect().await;
            let answer = match number {
                0 => conn.query_drop(load).await,
                1 => conn.load_local("DO 1", "1").await.map(drop),
                2 => conn.exec_drop("DO ?", ()).await,
                3 => conn.exec_drop("DO :a", b()).await,
                4 => conn.exec_drop("DO :a + ?", b()).await,
                5 => conn.exec_batch("INSERT INTO t VALUES (:a)", [b()]).await,
                6 => conn.query_first::<u8, _>("SELECT 'x'").await.map(drop),
                7 => conn.query_drop("BLABLA").await,
                _ => break,
            };
            let error = answer.unwrap_err();
            assert_eq!(error.is_connection_lost(), conn.is_closed(), "{error:?}");
            assert!(!error.is_retryable(), "{error:?}");
            gone.push(conn.is_closed());
        }
        assert_eq!(gone, [true, false, true, true, false, true, false, false]);
    });
}
