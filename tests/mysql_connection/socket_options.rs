//! The options of the socket, and the prepared statements that a connection keeps.

use std::time::Duration;

use pool_mysql::{ConnectOptions, connect};

use crate::server::{Server, sleep, test};

/// The timer that Linux runs for the client's end of the only connection to this port, and its seconds; 2 is keep-alive.
#[cfg(target_os = "linux")]
fn timer_of_client(port: u16) -> (u32, u64) {
    // Linux counts these times in hundredths of a second, whatever its clock rate is.
    const TICKS: u64 = 100;
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has the table");
    let remote = format!("0100007F:{port:04X}");
    let mut rows = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows
        .find(|row| row.get(2).is_some_and(|cell| *cell == remote) && row[3] == "01")
        .expect("the connection is in the table");
    let (kind, left) = row[5].split_once(':').expect("a timer has two parts");
    let left = u64::from_str_radix(left, 16).expect("a number");
    (kind.parse().expect("a number"), left.div_ceil(TICKS))
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_asks_whether_an_idle_server_is_still_there() {
    type Change = fn(ConnectOptions) -> ConnectOptions;
    let cases: [(Change, Option<u64>); 3] = [
        (|options| options, Some(60)),
        (
            |options| options.tcp_keepalive(Duration::from_secs(7)),
            Some(7),
        ),
        (|options| options.tcp_keepalive(None), None),
    ];
    test(move || async move {
        let server = Server::start();
        for (change, wanted) in cases {
            let mut conn = connect(change(server.tcp())).await.unwrap();
            conn.ping().await.unwrap();
            // While an answer is acknowledged, another timer runs.
            let idle = loop {
                let (kind, left) = timer_of_client(server.port());
                match kind {
                    0 => break None,
                    2 => break Some(left),
                    _ => sleep(Duration::from_millis(1)).await,
                }
            };
            assert_eq!(idle.is_some(), wanted.is_some(), "{wanted:?}");
            assert!(idle <= wanted, "{idle:?} s left of {wanted:?}");
            conn.ensure_closed().await.unwrap();
            server.watcher().await.nobody_else().await;
        }
    });
}

#[test]
fn a_connection_keeps_as_many_prepared_statements_as_it_may_and_closes_the_others() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        for (options, kept) in [
            (server.tcp().statement_cache_size(0), 1),
            (server.tcp().statement_cache_size(2), 2),
            (server.tcp(), 3),
        ] {
            let before = watcher.count("Prepared_stmt_count").await;
            let mut conn = connect(options).await.unwrap();
            for query in ["SELECT ?", "SELECT ? + 1", "SELECT ? + 2"] {
                conn.exec_drop(query, (1,)).await.unwrap();
            }
            // The server answers in order: what was closed before is closed now.
            conn.ping().await.unwrap();
            assert_eq!(watcher.count("Prepared_stmt_count").await - before, kept);
            conn.ensure_closed().await.unwrap();
            watcher.nobody_else().await;
        }
    });
}
