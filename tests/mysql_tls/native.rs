//! Accounts with `mysql_native_password`.

use pool_mysql::{SslMode, connect};

use crate::authorities::{Authority, Lifetime, test};

#[test]
fn native_passwords_go_over_tls_and_the_socket() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["127.0.0.1"], Lifetime::Long);
        let password = "p@ss'w\"o/r\\d ü";
        server
            .run(&[
                "CREATE USER n@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('p@ss''w\\\"o/r\\\\d ü')",
                "GRANT ALL ON test.* TO n@'%'",
            ])
            .await;
        let options = server.with(SslMode::Required).user("n").password(password);
        connect(options.clone()).await.unwrap();
        let socket = server.tcp().unix_socket(server.0.socket());
        connect(socket.user("n").password(password)).await.unwrap();
        let error = connect(options.password("wrong")).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1045));
    });
}
