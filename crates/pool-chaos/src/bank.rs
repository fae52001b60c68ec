//! The server, its two tables, and the connections that do not go through the proxy.

use std::net::SocketAddr;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, Error, connect};
use private_server::{PrivateServer, ServerError};

/// How many accounts there are. Few, so that moves wait for each other's locks.
pub(crate) const ACCOUNTS: u64 = 32;
/// What each account has at the beginning.
pub(crate) const START_BALANCE: i64 = 1_000_000;
/// The user of the pool. All sessions of this user are the pool's, or side connections of it.
pub(crate) const POOL_USER: &str = "app";

/// Starts a server that loses nothing when it is killed.
pub(crate) fn start_server() -> Result<PrivateServer, ServerError> {
    PrivateServer::builder()
        .option("--innodb-flush-log-at-trx-commit=1")
        .option("--innodb-flush-method=fsync")
        .option("--innodb-doublewrite=1")
        .option("--innodb-lock-wait-timeout=1")
        .start()
}

/// Where the server listens.
pub(crate) fn address(server: &PrivateServer) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port()))
}

/// A connection of the user who may do everything, straight to the server.
pub(crate) async fn admin(port: u16) -> Result<Connection, Error> {
    let options = ConnectOptions::new()
        .host("127.0.0.1")
        .port(port)
        .user("root")
        .db("test");
    connect(options).await
}

/// Creates the tables. Nothing but the journals keeps an id from being used twice: the audit wants to see a row that is
/// there twice.
pub(crate) async fn open(admin: &mut Connection) -> Result<(), Error> {
    admin
        .query_drop(
            "CREATE TABLE moves (id BIGINT UNSIGNED NOT NULL, debtor INT NOT NULL, creditor INT NOT NULL, \
             amount BIGINT NOT NULL, INDEX (id)) ENGINE=InnoDB",
        )
        .await?;
    admin
        .query_drop(
            "CREATE TABLE accounts (id INT PRIMARY KEY, balance BIGINT NOT NULL, \
             last_move BIGINT UNSIGNED NOT NULL DEFAULT 0) ENGINE=InnoDB",
        )
        .await?;
    // Where a balance is wrong, this tells which move made it so.
    admin
        .query_drop(
            "CREATE TABLE history (move BIGINT UNSIGNED NOT NULL, account INT NOT NULL, amount BIGINT NOT NULL, \
             session BIGINT NOT NULL, at DATETIME(6) NOT NULL) ENGINE=InnoDB",
        )
        .await?;
    admin
        .query_drop(
            "CREATE TRIGGER note AFTER UPDATE ON accounts FOR EACH ROW INSERT INTO history VALUES \
             (NEW.last_move, NEW.id, NEW.balance - OLD.balance, CONNECTION_ID(), NOW(6))",
        )
        .await?;
    let accounts = (0..ACCOUNTS).map(|id| (id, START_BALANCE));
    admin
        .exec_batch("INSERT INTO accounts (id, balance) VALUES (?, ?)", accounts)
        .await?;
    let durable: Option<(u8, String)> = admin
        .query_first("SELECT @@innodb_flush_log_at_trx_commit, @@innodb_flush_method")
        .await?;
    assert!(
        durable.is_some_and(|(flush, method)| flush == 1 && method != "nosync"),
        "the server was started with these options"
    );
    Ok(())
}

/// The sessions of the pool's user: id, and the port of the proxy that the session is connected to.
pub(crate) async fn sessions(admin: &mut Connection) -> Result<Vec<(u64, u16)>, Error> {
    let rows: Vec<(u64, String)> = admin
        .exec(
            "SELECT ID, HOST FROM information_schema.PROCESSLIST WHERE USER = ?",
            (POOL_USER,),
        )
        .await?;
    let port_of = |host: &str| host.rsplit_once(':')?.1.parse().ok();
    let with_port = |(id, host): (u64, String)| (id, port_of(&host).unwrap_or(0));
    Ok(rows.into_iter().map(with_port).collect())
}
