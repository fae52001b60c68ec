//! A host name with several addresses.

use std::net::ToSocketAddrs;
use std::time::Duration;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, connect};

use crate::server::{Server, for_a_while, number, one, test};

/// Which addresses `localhost` has is the machine's business: one or two.
#[test]
fn every_address_of_a_name_is_tried_and_named() {
    test(|| async {
        let server = Server::start();
        let by_name = server.tcp().host("localhost");
        let mut conn = connect(by_name.clone()).await.unwrap();
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        // A side connection finds its way, too.
        let pool = one(by_name.kill_on_cancel(true));
        let mut conn = pool.acquire().await.unwrap();
        let id = conn.connection_id();
        for_a_while(Duration::from_millis(50), conn.query_drop("DO SLEEP(1000)")).await;
        drop(conn);
        server.watcher().await.it_is_gone(id).await;

        // Nothing listens on this port.
        let port = 1;
        let options = ConnectOptions::new()
            .host("localhost")
            .port(port)
            .user("app");
        let error = connect(options).await.unwrap_err();
        let said = error.to_string();
        assert!(error.is_retryable(), "{said}");
        let addresses: Vec<_> = ("localhost", port).to_socket_addrs().unwrap().collect();
        let start = format!("connecting to localhost:{port} as app failed: ");
        assert!(said.starts_with(&start), "{said}");
        let refusals = said.matches("refused").count();
        let named = addresses
            .iter()
            .filter(|address| said.contains(&address.to_string()));
        match addresses.len() {
            1 => assert_eq!(refusals, 1, "{said}"),
            several => assert_eq!((named.count(), refusals), (several, several), "{said}"),
        }
    });
}
