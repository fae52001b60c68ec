//! The server, its two tables, and the connections that do not go through the proxy.

use std::net::SocketAddr;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, Error, connect};
use private_server::{PrivateServer, ServerError};

/// How many accounts there are. Few, so that moves wait for each other's locks.
pub(crate) const ACCOUNTS: u64 = 32;
/// What each account has at the beginning.
pub(crate) const START_BALANCE: i64 = 1_000_000;
/// The users that the pool logs in as, in turn. All sessions of theirs are the pool's, or side connections of it.
pub(crate) const POOL_USERS: [&str; 2] = ["app", "app_too"];

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
             session BIGINT NOT NULL, at DATETIME(6) NOT NULL, last_in_session BIGINT UNSIGNED) ENGINE=InnoDB",
        )
        .await?;
    // The variable lasts until the session is reset. pool-mysql cannot see that the trigger sets it, so this tells
    // independently of pool-mysql whether a session was reset between two moves.
    admin
        .query_drop(
            "CREATE TRIGGER note AFTER UPDATE ON accounts FOR EACH ROW BEGIN \
             INSERT INTO history VALUES (NEW.last_move, NEW.id, NEW.balance - OLD.balance, CONNECTION_ID(), NOW(6), \
             @last_in_session); \
             SET @last_in_session = NEW.last_move; \
             END",
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

/// A session of one of the pool's users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: u64,
    /// The port of the proxy that the session is connected to.
    pub(crate) port: u16,
    /// Whether it has a database. The connections of the pool have one; the side connection that sends KILL has none.
    pub(crate) has_database: bool,
}

/// The sessions of the pool's users.
pub(crate) async fn sessions(admin: &mut Connection) -> Result<Vec<Session>, Error> {
    let rows: Vec<(u64, String, bool)> = admin
        .exec(
            "SELECT ID, HOST, DB IS NOT NULL FROM information_schema.PROCESSLIST WHERE USER IN (?, ?)",
            (POOL_USERS[0], POOL_USERS[1]),
        )
        .await?;
    let port_of = |host: &str| host.rsplit_once(':')?.1.parse().ok();
    let session = |(id, host, has_database): (u64, String, bool)| Session {
        id,
        port: port_of(&host).unwrap_or(0),
        has_database,
    };
    Ok(rows.into_iter().map(session).collect())
}
