//! MariaDB's ed25519.

use pool_mysql::{SslMode, connect};
use private_server::PrivateServer;

use crate::authorities::{Server, test};

#[test]
fn an_account_logs_in_by_signature() {
    test(|| async {
        let folder = std::env::var("MARIADB_PLUGIN_FOLDER").expect(
            "`cargo xtask test --mysql` sets MARIADB_PLUGIN_FOLDER to where auth_ed25519.so is",
        );
        let builder = PrivateServer::builder()
            .option(format!("--plugin-dir={folder}"))
            .option("--plugin-load-add=auth_ed25519");
        let server = Server(builder.start().expect("a server starts"));
        server
            .run(&[
                "CREATE USER e@'%' IDENTIFIED VIA ed25519 USING PASSWORD('p@ss ü')",
                "GRANT ALL ON test.* TO e@'%'",
            ])
            .await;
        let tcp = server.tcp().user("e").password("p@ss ü");
        let socket = tcp.clone().unix_socket(server.0.socket());
        for options in [tcp, socket] {
            connect(options.clone()).await.unwrap();
            connect(options.clone().ssl_mode(SslMode::Preferred))
                .await
                .unwrap();
            let error = connect(options.password("wrong")).await.unwrap_err();
            assert_eq!(error.server_code(), Some(1045));
        }
    });
}
