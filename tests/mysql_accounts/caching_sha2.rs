//! `caching_sha2_password`, the default of Oracle's server: the first login of an account shows the password itself,
//! later ones a proof that they know it.

use pool_core::{ErrorClass, Manager};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, MySqlManager, SslMode, connect, create_pool};
use private_server::PrivateServer;

use crate::authorities::{Server, cipher, test};

const PASSWORD: &str = "p@ss'w\"o/r\\d ü";

/// Oracle's server, from the program that the environment names.
fn oracle(options: &[&str]) -> Server {
    let program = std::env::var_os("PRIVATE_MYSQL_PROGRAM")
        .expect("`cargo xtask test --mysql` sets PRIVATE_MYSQL_PROGRAM to Oracle's mysqld");
    let builder = PrivateServer::builder()
        .program(program)
        .option("--mysqlx=OFF")
        .option("--secure-file-priv=");
    let builder = options
        .iter()
        .fold(builder, |builder, option| builder.option(*option));
    Server(builder.start().expect("a server starts"))
}

async fn with_account(options: &[&str]) -> (Server, Connection) {
    let server = oracle(options);
    let root = server.tcp().unix_socket(server.0.socket());
    let mut root = connect(root).await.unwrap();
    assert!(!root.is_mariadb());
    root.query_drop(
        "CREATE USER c@'%' IDENTIFIED WITH caching_sha2_password BY 'p@ss''w\"o/r\\\\d ü'",
    )
    .await
    .unwrap();
    root.query_drop("GRANT ALL ON test.* TO c@'%'")
        .await
        .unwrap();
    (server, root)
}

fn as_c(options: ConnectOptions) -> ConnectOptions {
    options.user("c").password(PASSWORD)
}

/// Makes the server forget all proofs, so that the next login is a first one.
async fn forget(root: &mut Connection) {
    root.query_drop("FLUSH PRIVILEGES").await.unwrap();
}

#[test]
fn the_first_login_and_later_ones_work_over_tls_and_the_socket() {
    test(|| async {
        let (server, mut root) = with_account(&[]).await;
        for options in [
            server.with(SslMode::Required),
            server.with(SslMode::Preferred),
            server.tcp().unix_socket(server.0.socket()),
        ] {
            forget(&mut root).await;
            for _ in 0..2 {
                let mut conn = connect(as_c(options.clone())).await.unwrap();
                let user: Option<String> = conn.query_first("SELECT CURRENT_USER()").await.unwrap();
                assert_eq!(user.as_deref(), Some("c@%"));
                let over_tcp = conn.unix_socket().is_none();
                assert_eq!(!cipher(&mut conn).await.is_empty(), over_tcp);
            }
            let wrong = as_c(options).password("wrong");
            let error = connect(wrong).await.unwrap_err();
            assert_eq!(error.server_code(), Some(1045));
        }
    });
}

#[test]
fn over_plain_tcp_the_password_goes_encrypted_with_the_servers_key() {
    test(|| async {
        let (server, mut root) = with_account(&[]).await;
        forget(&mut root).await;
        for _ in 0..2 {
            let mut conn = connect(as_c(server.with(SslMode::Disabled))).await.unwrap();
            assert_eq!(cipher(&mut conn).await, "");
        }
        forget(&mut root).await;
        let error = connect(as_c(server.with(SslMode::Disabled)).password("wrong"))
            .await
            .unwrap_err();
        assert_eq!(error.server_code(), Some(1045));
    });
}

#[test]
fn an_empty_password_is_a_password() {
    test(|| async {
        let (server, mut root) = with_account(&[]).await;
        root.query_drop("CREATE USER e@'%'").await.unwrap();
        root.query_drop("GRANT ALL ON test.* TO e@'%'")
            .await
            .unwrap();
        for options in [
            server.with(SslMode::Disabled),
            server.with(SslMode::Required),
        ] {
            connect(options.user("e")).await.unwrap();
        }
    });
}

#[test]
fn a_server_that_wants_tls_says_so_in_its_own_number() {
    test(|| async {
        let (server, _root) = with_account(&["--require-secure-transport=ON"]).await;
        let error = connect(as_c(server.with(SslMode::Disabled)))
            .await
            .unwrap_err();
        assert_eq!(error.server_code(), Some(3159));
        let class = MySqlManager::new(server.tcp()).classify(&error);
        assert_eq!(class, ErrorClass::Config);
        connect(as_c(server.with(SslMode::Required))).await.unwrap();
    });
}

#[test]
fn a_plugin_that_the_driver_does_not_know_is_an_error_that_stays_one() {
    test(|| async {
        let (server, mut root) = with_account(&[]).await;
        let made = root
            .query_drop("CREATE USER s@'%' IDENTIFIED WITH sha256_password BY 'p'")
            .await;
        made.expect("the server still has this old plugin");
        let options = server
            .with(SslMode::Required)
            .user("s")
            .password("p")
            .db("test");
        let error = connect(options.clone()).await.unwrap_err();
        let class = MySqlManager::new(options).classify(&error);
        assert_eq!(class, ErrorClass::Config, "{error:?}");
    });
}

#[test]
fn a_pool_resets_its_sessions_on_this_server_too() {
    test(|| async {
        let (server, _root) = with_account(&[]).await;
        for db in [true, false] {
            let mut options = as_c(server.with(SslMode::Required));
            if !db {
                options = ConnectOptions::new()
                    .host(server.0.host())
                    .port(server.0.port())
                    .user("c")
                    .password(PASSWORD)
                    .ssl_mode(SslMode::Required);
            }
            let pool = create_pool(options).maxsize(1).build().await.unwrap();
            for _ in 0..3 {
                let mut conn = pool.acquire().await.unwrap();
                let leak: Option<(Option<u8>, Option<String>)> =
                    conn.query_first("SELECT @leak, DATABASE()").await.unwrap();
                assert_eq!(leak, Some((None, db.then(|| "test".to_owned()))));
                conn.query_drop("SET @leak = 1").await.unwrap();
                conn.select_db("information_schema").await.unwrap();
            }
            pool.close();
            pool.wait_closed().await.unwrap();
        }
    });
}
