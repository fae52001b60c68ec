//! What the server's last words say of a session, and what the driver reads into them.

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, ResetPolicy, TransactionStatus, connect};

use crate::server::{Server, number, one, test};

/// Whether the next user is inside the transaction that the one before has left open.
async fn is_handed_on(options: ConnectOptions, leave: impl AsyncFnOnce(&mut Connection)) -> bool {
    let pool = one(options);
    let mut conn = pool.acquire().await.unwrap();
    leave(&mut conn).await;
    assert_ne!(conn.transaction_status(), TransactionStatus::None);
    drop(conn);
    let mut conn = pool.acquire().await.unwrap();
    number(&mut conn, "SELECT @@in_transaction").await == 1
}

/// Every policy, on sessions that commit by themselves and on others.
fn all(server: &Server) -> impl Iterator<Item = ConnectOptions> {
    let policies = [
        ResetPolicy::Always,
        ResetPolicy::IfDirty,
        ResetPolicy::RollbackOnly,
        ResetPolicy::Never,
    ];
    let tcp = server.tcp();
    policies.into_iter().flat_map(move |policy| {
        let options = tcp.clone().reset_policy(policy);
        [true, false].map(|on| options.clone().autocommit(on))
    })
}

#[test]
fn a_batch_of_nothing_does_not_hide_an_open_transaction() {
    test(|| async {
        let server = Server::start();
        for options in all(&server) {
            let leave = is_handed_on(options, async |conn: &mut Connection| {
                conn.begin().await.unwrap();
                // It is prepared, and then there is nothing to send.
                conn.exec_batch("DO ?", Vec::<(i32,)>::new()).await.unwrap();
                assert_eq!(conn.transaction_status(), TransactionStatus::Open);
                assert_eq!((conn.affected_rows(), conn.warnings()), (0, 0));
            });
            assert!(!leave.await);
            let hidden = is_handed_on(server.tcp(), async |conn: &mut Connection| {
                conn.begin().await.unwrap();
                let none = Vec::<(i32,)>::new();
                Queryable::exec_batch(conn, "DO ?", none).await.unwrap();
                assert_eq!(conn.transaction_status(), TransactionStatus::Open);
            });
            assert!(!hidden.await);
        }
    });
}

#[test]
fn a_transaction_begun_in_a_result_that_nobody_read_is_not_hidden_by_a_prepare() {
    test(|| async {
        let server = Server::start();
        for options in all(&server) {
            for unread in ["DO 1; BEGIN", "SELECT 1; SELECT 2; BEGIN"] {
                let prepared = is_handed_on(options.clone(), async |conn: &mut Connection| {
                    drop(conn.query_iter(unread).await.unwrap());
                    conn.prep("SELECT 1").await.unwrap();
                });
                assert!(!prepared.await, "{unread}");
                let twice = is_handed_on(options.clone(), async |conn: &mut Connection| {
                    let statement = conn.prep("SELECT 1").await.unwrap();
                    drop(conn.query_iter(unread).await.unwrap());
                    // The driver remembers the one and sends nothing, and the server does not answer the other.
                    conn.prep("SELECT 1").await.unwrap();
                    Queryable::close(conn, statement).await.unwrap();
                });
                assert!(!twice.await, "{unread}");
            }
        }
    });
}

#[test]
fn after_a_dropped_transaction_and_a_prepare_the_next_one_begins() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp()).await.unwrap();
        drop(conn.start_transaction(<_>::default()).await.unwrap());
        conn.prep("SELECT 1").await.unwrap();
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
        let tx = conn.start_transaction(<_>::default()).await.unwrap();
        tx.rollback().await.unwrap();
    });
}

/// INSERTs and REPLACEs in many forms: the next user must not see what `LAST_INSERT_ID()` says after them.
const INSERTS: &[&str] = &[
    "INSERT INTO ids (a) VALUES (1)",
    "INSERT INTO ids (a) VALUES (2), (3)",
    "INSERT INTO ids (id, a) VALUES (NULL, 4), (50, 5)",
    "INSERT INTO ids (id, a) VALUES (60, 6)",
    "INSERT INTO ids (id, a) VALUES (70, 7), (NULL, 8)",
    "INSERT INTO ids SET a = 9",
    "INSERT INTO ids (a) SELECT a + 100 FROM ids",
    "INSERT INTO ids (a) SELECT a FROM ids WHERE a < 0",
    "INSERT IGNORE INTO ids (a) VALUES (1)",
    "INSERT IGNORE INTO ids (a) VALUES (1), (10)",
    "INSERT INTO ids (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 11",
    "INSERT INTO ids (a) VALUES (2) ON DUPLICATE KEY UPDATE a = a",
    "INSERT INTO ids (a) VALUES (2), (12) ON DUPLICATE KEY UPDATE b = 1",
    "INSERT INTO ids (a) VALUES (13), (2) ON DUPLICATE KEY UPDATE b = 2",
    "REPLACE INTO ids (a) VALUES (2)",
    "REPLACE INTO ids (a) VALUES (14)",
    "REPLACE INTO ids (id, a) VALUES (60, 15)",
    "INSERT INTO seen (a) VALUES (16)",
    "INSERT INTO plain_ids (a) VALUES (17), (18)",
];

pub(crate) async fn no_insert_leaves_its_number(options: ConnectOptions) {
    let mut conn = connect(options.clone()).await.unwrap();
    conn.query_drop(
        "CREATE TABLE ids (id INT AUTO_INCREMENT PRIMARY KEY, a INT UNIQUE, b INT DEFAULT 0);
         CREATE TABLE plain_ids (id INT AUTO_INCREMENT PRIMARY KEY, a INT) ENGINE=MyISAM;
         CREATE VIEW seen AS SELECT id, a FROM ids",
    )
    .await
    .unwrap();
    let pool = one(options.reset_policy(ResetPolicy::IfDirty));
    for prepared in [false, true] {
        for sql in INSERTS {
            let mut conn = pool.acquire().await.unwrap();
            let done = match prepared {
                false => conn.query_drop(*sql).await,
                true => conn.exec_drop(*sql, ()).await,
            };
            // The second time most of them are refused.
            assert!(done.is_ok() || prepared, "{sql}: {done:?}");
            drop(conn);
            let mut conn = pool.acquire().await.unwrap();
            assert_eq!(
                number(&mut conn, "SELECT LAST_INSERT_ID()").await,
                0,
                "{sql}"
            );
        }
    }
}

#[test]
fn no_insert_leaves_its_number_to_the_next_user() {
    test(|| async {
        let server = Server::start();
        no_insert_leaves_its_number(server.tcp()).await;
    });
}

#[test]
fn the_warning_of_a_rollback_does_not_reach_the_next_user() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run("CREATE TABLE test.aria (a INT) ENGINE=Aria")
            .await;
        let pool = one(server.tcp().reset_policy(ResetPolicy::IfDirty));
        let mut conn = pool.acquire().await.unwrap();
        let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
        tx.query_drop("INSERT INTO aria VALUES (1)").await.unwrap();
        drop(tx);
        // The rollback comes first; what was written into such a table stays, and the server warns of that.
        conn.query_drop("SELECT 1").await.unwrap();
        drop(conn);
        let mut conn = pool.acquire().await.unwrap();
        assert!(conn.show_warnings().await.unwrap().is_empty());
    });
}
