//! The server's packet limit is asked for once, and what was heard never outlives the truth.

use pool_mysql::connect;

use crate::server::{Server, number, test, text};

const MIB: usize = 1024 * 1024;

#[test]
fn a_server_that_is_known_is_asked_once_when_a_session_begins() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let before = watcher.count("Com_select").await;
        let mut conn = connect(server.unix()).await.unwrap();
        assert_eq!(watcher.count("Com_select").await - before, 1);
        let info = text(&mut conn, "SELECT VERSION()").await;
        assert_eq!(Some(conn.server_info()), info.as_deref());
        let id = number(&mut conn, "SELECT CONNECTION_ID()").await;
        assert_eq!(i64::try_from(conn.connection_id()), Ok(id));
    });
}

#[test]
fn a_limit_that_was_changed_holds_for_the_next_session() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher.run("CREATE TABLE test.batch (x LONGTEXT)").await;

        watcher
            .run("SET GLOBAL max_allowed_packet = 33554432")
            .await;
        let mut conn = connect(server.unix()).await.unwrap();
        let long = format!("SELECT LENGTH('{}')", "x".repeat(20 * MIB));
        assert_eq!(number(&mut conn, &long).await, 20 * 1024 * 1024);

        // The driver cuts a batch into packets that the server takes.
        watcher.run("SET GLOBAL max_allowed_packet = 1048576").await;
        let mut conn = connect(server.unix()).await.unwrap();
        let rows = vec![("x".repeat(MIB / 16),); 64];
        conn.exec_batch("INSERT INTO batch VALUES (?)", rows)
            .await
            .unwrap();
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM batch").await, 64);

        // The sessions that were opened with the old limit are closed.
        assert_eq!(watcher.count("Aborted_clients").await, 0);
    });
}
