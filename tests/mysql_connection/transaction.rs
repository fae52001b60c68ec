//! Transactions, and what a connection knows of them.

use pool_mysql::mysql_async::{DriverError, Error, IsolationLevel, TxOpts, prelude::Queryable};
use pool_mysql::{Connection, TransactionStatus};

use crate::server::{Server, code, number, test, text};

async fn table(server: &Server) -> Connection {
    let mut conn = server.connect().await;
    conn.query_drop("CREATE TABLE t (a INT PRIMARY KEY) ENGINE=InnoDB")
        .await
        .unwrap();
    conn
}

async fn rows(conn: &mut Connection) -> i64 {
    number(conn, "SELECT COUNT(*) FROM t").await
}

#[test]
fn begin_commit_and_rollback_do_what_they_say() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.begin().await.unwrap();
        conn.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
        conn.rollback().await.unwrap();
        assert_eq!(rows(&mut conn).await, 0);
        conn.begin().await.unwrap();
        conn.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
        conn.commit().await.unwrap();
        conn.rollback().await.unwrap();
        assert_eq!(rows(&mut conn).await, 1);
        conn.autocommit(false).await.unwrap();
        conn.query_drop("INSERT INTO t VALUES (2)").await.unwrap();
        conn.rollback().await.unwrap();
        assert_eq!(rows(&mut conn).await, 1);
    });
}

#[test]
fn a_transaction_guard_commits_or_rolls_back() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
        tx.exec_drop("INSERT INTO t VALUES (?)", (1,))
            .await
            .unwrap();
        tx.cursor()
            .execute("INSERT INTO t VALUES (?)", (2,))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(rows(&mut conn).await, 2);
        let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
        tx.query_drop("DELETE FROM t").await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(rows(&mut conn).await, 2);
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
    });
}

#[test]
fn a_dropped_transaction_is_rolled_back_before_the_next_command() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        for _ in 0..2 {
            let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
            tx.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
            drop(tx);
            assert!(conn.in_transaction());
            // Another transaction is a next command too.
            let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
            let seen: Option<i64> = tx.query_first("SELECT COUNT(*) FROM t").await.unwrap();
            assert_eq!(seen, Some(0));
            drop(tx);
            assert_eq!(rows(&mut conn).await, 0);
        }
    });
}

#[test]
fn a_commit_that_the_server_refuses_is_rolled_back() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let mut tx = conn.start_transaction(TxOpts::default()).await.unwrap();
        tx.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
        // An error that was left unread comes instead of the commit's answer.
        drop(tx.query_iter("DO 1; BLABLA").await.unwrap());
        assert_eq!(code(tx.commit().await), 1064);
        assert_eq!(rows(&mut conn).await, 0);
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
    });
}

#[test]
fn a_transaction_in_a_transaction_is_refused() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.begin().await.unwrap();
        conn.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
        let is_nested = |result: Result<_, Error>| {
            matches!(result, Err(Error::Driver(DriverError::NestedTransaction)))
        };
        assert!(is_nested(
            conn.start_transaction(TxOpts::default()).await.map(drop)
        ));
        // The driver has no flags after an error, and wrong ones after a PREPARE.
        conn.query_drop("BLABLA").await.unwrap_err();
        assert!(is_nested(
            conn.start_transaction(TxOpts::default()).await.map(drop)
        ));
        conn.prep("SELECT 1").await.unwrap();
        assert!(is_nested(
            conn.start_transaction(TxOpts::default()).await.map(drop)
        ));
        conn.rollback().await.unwrap();
        assert_eq!(rows(&mut conn).await, 0);
    });
}

#[test]
fn the_options_reach_the_server() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        let mut options = TxOpts::default();
        options.with_readonly(true).with_consistent_snapshot(true);
        let mut tx = conn.start_transaction(options).await.unwrap();
        assert_eq!(code(tx.query_drop("INSERT INTO t VALUES (1)").await), 1792);
        tx.rollback().await.unwrap();

        let mut other = server.connect().await;
        let mut options = TxOpts::default();
        options.with_isolation_level(IsolationLevel::ReadUncommitted);
        let mut writer = other.start_transaction(TxOpts::default()).await.unwrap();
        writer.query_drop("INSERT INTO t VALUES (1)").await.unwrap();
        let mut tx = conn.start_transaction(options).await.unwrap();
        let seen: Option<i64> = tx.query_first("SELECT COUNT(*) FROM t").await.unwrap();
        assert_eq!(seen, Some(1));
        tx.commit().await.unwrap();
        writer.rollback().await.unwrap();
        assert_eq!(
            text(&mut conn, "SELECT @@tx_isolation").await.as_deref(),
            Some("REPEATABLE-READ")
        );
    });
}

#[test]
fn the_status_is_known_or_said_to_be_unknown() {
    use TransactionStatus::{None, Open, Unknown};
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        assert_eq!(conn.transaction_status(), None);
        conn.query_drop("BEGIN").await.unwrap();
        assert_eq!(conn.transaction_status(), Open);
        assert_eq!(rows(&mut conn).await, 0);
        assert_eq!(conn.transaction_status(), Open);
        // What the driver reads in the answer to a PREPARE is not believed, and a PREPARE changes nothing.
        let statement = conn.prep("SELECT 1").await.unwrap();
        conn.prep("SELECT 2").await.unwrap();
        assert_eq!(conn.transaction_status(), Open);
        Queryable::close(&mut conn, statement).await.unwrap();
        assert_eq!(conn.transaction_status(), Open);
        conn.prep("BLABLA").await.unwrap_err();
        assert_eq!(conn.transaction_status(), Unknown);
        conn.prep("SELECT 3").await.unwrap();
        assert_eq!(conn.transaction_status(), Unknown);
        conn.ping().await.unwrap();
        assert_eq!(conn.transaction_status(), Open);
        conn.query_drop("BLABLA").await.unwrap_err();
        assert_eq!(conn.transaction_status(), Unknown);
        assert!(conn.in_transaction());
        conn.exec_drop("SELECT ?", (1,)).await.unwrap();
        assert_eq!(conn.transaction_status(), Open);
        drop(
            conn.query_iter("SELECT seq FROM seq_1_to_1000")
                .await
                .unwrap(),
        );
        assert_eq!(conn.transaction_status(), Unknown);
        conn.commit().await.unwrap();
        assert_eq!(conn.transaction_status(), None);
        conn.close();
        assert_eq!(conn.transaction_status(), Unknown);
    });
}

#[test]
fn what_the_driver_takes_from_a_prepare_is_not_shown() {
    test(|| async {
        let server = Server::start();
        let mut conn = table(&server).await;
        conn.query_drop("INSERT INTO t VALUES (1), (2)")
            .await
            .unwrap();
        assert_eq!(conn.affected_rows(), 2);
        conn.prep("SELECT 1, 2, 3").await.unwrap();
        assert_eq!(
            (conn.affected_rows(), conn.last_insert_id(), conn.warnings()),
            (0, None, 0)
        );
        assert!(conn.get_autocommit());
        conn.query_drop("SELECT 1 / 0").await.unwrap();
        assert_eq!(conn.warnings(), 1);
    });
}
