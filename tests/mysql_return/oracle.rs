//! `ResetPolicy::IfDirty` on Oracle's server: `cargo xtask test --mysql`.

use pool_core::PooledConnection;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, ResetPolicy, TransactionStatus, connect};
use private_server::PrivateServer;

use crate::flags::no_insert_leaves_its_number;
use crate::if_dirty::functions;
use crate::server::{number, one, test};

/// Oracle's server, from the program that the environment names, and how to get to it.
async fn oracle() -> (PrivateServer, ConnectOptions, Connection) {
    let program = std::env::var_os("PRIVATE_MYSQL_PROGRAM")
        .expect("`cargo xtask test --mysql` sets PRIVATE_MYSQL_PROGRAM to Oracle's mysqld");
    let server = PrivateServer::builder()
        .program(program)
        .option("--mysqlx=OFF")
        .option("--secure-file-priv=")
        .start()
        .expect("a server starts");
    let options = ConnectOptions::new()
        .unix_socket(server.socket())
        .user(server.user())
        .db("test");
    let conn = connect(options.clone()).await.unwrap();
    assert!(!conn.is_mariadb());
    (server, options, conn)
}

#[test]
fn no_stored_function_takes_the_place_of_one_of_oracles() {
    test(|| async {
        let (_server, _, mut conn) = oracle().await;
        for name in functions() {
            conn.query_drop(format!(
                "CREATE FUNCTION `{name}`(a INT) RETURNS INT DETERMINISTIC \
                 BEGIN SET @called = 1; RETURN 1; END"
            ))
            .await
            .unwrap();
            // It would tell.
            conn.query_drop(format!("SELECT test.`{name}`(1)"))
                .await
                .unwrap();
            assert_eq!(number(&mut conn, "SELECT @called").await, 1, "{name}");
            conn.query_drop("SET @called = 0").await.unwrap();
            // A stored function takes exactly one.
            let _ = conn.query_drop(format!("SELECT {name}(1)")).await;
            assert_eq!(number(&mut conn, "SELECT @called").await, 0, "{name}");
        }
    });
}

#[test]
fn with_autocommit_off_no_table_stays_locked() {
    test(|| async {
        let (_server, options, mut other) = oracle().await;
        other
            .query_drop("CREATE TABLE plain (a INT) ENGINE=MyISAM; SET lock_wait_timeout = 1")
            .await
            .unwrap();
        let options = options.autocommit(false);
        for policy in [
            ResetPolicy::Always,
            ResetPolicy::IfDirty,
            ResetPolicy::RollbackOnly,
        ] {
            let pool = one(options.clone().reset_policy(policy));
            let mut conn = pool.acquire().await.unwrap();
            conn.query_drop("SELECT a FROM plain").await.unwrap();
            // The server says so, and keeps the table locked.
            assert_eq!(conn.transaction_status(), TransactionStatus::None);
            other
                .query_drop("ALTER TABLE plain COMMENT 'x'")
                .await
                .unwrap_err();
            PooledConnection::release(conn).await.unwrap();
            let altered = other.query_drop("ALTER TABLE plain COMMENT 'x'").await;
            assert!(altered.is_ok(), "{policy:?}: {altered:?}");
        }
    });
}

#[test]
fn no_insert_leaves_its_number_to_the_next_user() {
    test(|| async {
        let (_server, options, _conn) = oracle().await;
        no_insert_leaves_its_number(options).await;
    });
}
