//! Options that reach the server, and connects that fail.

use std::error::Error as _;
use std::net::TcpListener;
use std::time::Duration;

use pool_core::{Builder, ErrorClass, Manager, Phase};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{
    ConnectOptions, Error, MySqlManager, MySqlRuntime, Pool, TransactionStatus, connect,
    create_pool, create_pool_from_url,
};
use support::watchdog::MINUTE;

use crate::server::{Server, for_a_while, number, test, text};

#[test]
fn a_new_session_is_the_one_that_was_asked_for() {
    test(|| async {
        let server = Server::with(&["--performance-schema=1"]);
        server
            .watcher()
            .await
            .run("CREATE DATABASE `odd``name; x`")
            .await;
        let options = server
            .tcp()
            .db("odd`name; x")
            .charset("latin1")
            .sql_mode("ANSI_QUOTES,NO_ZERO_DATE")
            .init_command("SET @one = 1; SET @two = 2;")
            .program_name("the tests")
            .autocommit(false);
        let mut conn = connect(options).await.unwrap();
        assert!(!conn.get_autocommit());
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
        let db = text(&mut conn, "SELECT DATABASE()").await;
        assert_eq!(db.as_deref(), Some("odd`name; x"));
        let charset = text(&mut conn, "SELECT @@character_set_results").await;
        assert_eq!(charset.as_deref(), Some("latin1"));
        let mode = text(&mut conn, "SELECT @@sql_mode").await.unwrap();
        assert!(
            mode.contains("ANSI_QUOTES") && mode.contains("NO_ZERO_DATE"),
            "{mode}"
        );
        assert_eq!(number(&mut conn, "SELECT @one + @two").await, 3);
        assert_eq!(number(&mut conn, "SELECT @@autocommit").await, 0);
        let attributes: Vec<(String, String)> = conn
            .query(
                "SELECT ATTR_NAME, ATTR_VALUE FROM performance_schema.session_connect_attrs \
                 WHERE PROCESSLIST_ID = CONNECTION_ID() ORDER BY 1",
            )
            .await
            .unwrap();
        let pid = std::process::id().to_string();
        for (name, value) in [
            ("_client_name", "pool-mysql"),
            ("_pid", &pid),
            ("program_name", "the tests"),
        ] {
            let attribute = (name.to_owned(), value.to_owned());
            assert!(attributes.contains(&attribute), "{name}: {attributes:?}");
        }
    });
}

#[test]
fn autocommit_is_left_to_the_server_unless_it_is_set() {
    test(|| async {
        let server = Server::with(&["--autocommit=0"]);
        let left = connect(server.tcp()).await.unwrap();
        assert!(!left.get_autocommit());
        let mut set = connect(server.tcp().autocommit(true)).await.unwrap();
        assert!(set.get_autocommit());
        set.autocommit(false).await.unwrap();
        assert!(!set.get_autocommit());
        assert_eq!(number(&mut set, "SELECT @@autocommit").await, 0);
    });
}

#[test]
fn a_transaction_of_the_init_command_is_committed() {
    test(|| async {
        let server = Server::start();
        server
            .watcher()
            .await
            .run("CREATE TABLE test.log (a INT) ENGINE=InnoDB")
            .await;
        let options = server
            .tcp()
            .autocommit(false)
            .init_command("INSERT INTO log VALUES (1)");
        let mut conn = connect(options).await.unwrap();
        assert_eq!(conn.transaction_status(), TransactionStatus::None);
        conn.rollback().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM log").await, 1);
    });
}

#[test]
fn a_connection_knows_itself_and_its_server() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp()).await.unwrap();
        let id = number(&mut conn, "SELECT CONNECTION_ID()").await;
        assert_eq!(i64::try_from(conn.connection_id()), Ok(id));
        let info = text(&mut conn, "SELECT VERSION()").await.unwrap();
        assert_eq!(conn.server_info(), info);
        assert_eq!(conn.is_mariadb(), info.contains("MariaDB"));
        let (major, minor, patch) = conn.server_version();
        assert!(
            info.starts_with(&format!("{major}.{minor}.{patch}")),
            "{info}"
        );
        assert_eq!(conn.host(), server.host());
        assert_eq!(conn.port(), server.port());
        assert_eq!(conn.user(), Some("root"));
        assert_eq!(conn.db(), Some("test"));
        assert_eq!(conn.unix_socket(), None);
        let conn = connect(server.unix()).await.unwrap();
        assert_eq!(conn.unix_socket(), Some(server.socket()));
    });
}

#[test]
fn tcp_stays_tcp() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp()).await.unwrap();
        let sql = "SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()";
        let host = text(&mut conn, sql).await.unwrap();
        assert!(host.starts_with("127.0.0.1:"), "{host}");
    });
}

#[test]
fn no_password_is_shown() {
    test(|| async {
        let server = Server::start();
        let options = server.tcp().user("app").password("app-s3cret");
        let error = connect(options.clone()).await.unwrap_err();
        let mut shown = format!(
            "{error} {error:?} {options:?} {:?}",
            MySqlManager::new(options.clone())
        );
        let mut source = error.source();
        while let Some(error) = source {
            shown += &format!(" {error} {error:?}");
            source = error.source();
        }
        let error = create_pool(options.clone()).build().await.unwrap_err();
        shown += &format!(" {error} {error:?} {:?}", error.source());

        server
            .watcher()
            .await
            .run("CREATE USER x@'%' IDENTIFIED BY 'app-s3cret'; GRANT ALL ON *.* TO x@'%'")
            .await;
        let options = options.user("x");
        let mut conn = connect(options.clone()).await.unwrap();
        shown += &format!(" {conn:?}");
        shown += &format!(" {:?}", conn.cursor());
        shown += &format!(
            " {:?}",
            conn.start_transaction(<_>::default()).await.unwrap()
        );
        let pool = create_pool(options).build().await.unwrap();
        let guard = pool.acquire().await.unwrap();
        shown += &format!(" {pool:?} {guard:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("127.0.0.1"));
    });
}

#[test]
fn a_refusal_says_why_and_is_classified() {
    test(|| async {
        let server = Server::with(&["--max-connections=10"]);
        let cases: [(ConnectOptions, u16, ErrorClass); 3] = [
            (
                server.tcp().user("app").password("wrong"),
                1045,
                ErrorClass::Auth,
            ),
            (server.tcp().db("nowhere"), 1049, ErrorClass::Config),
            (
                server.tcp().init_command("BLABLA"),
                1064,
                ErrorClass::Config,
            ),
        ];
        for (options, code, class) in cases {
            let manager = MySqlManager::new(options.clone());
            let error = connect(options).await.unwrap_err();
            assert_eq!(error.server_code(), Some(code));
            assert_eq!(manager.classify(&error), class, "{error}");
        }
        let mut filling = Vec::new();
        let error = loop {
            match connect(server.tcp().user("app").password("app")).await {
                Ok(conn) => filling.push(conn),
                Err(error) => break error,
            }
        };
        assert_eq!(error.server_code(), Some(1040));
        let manager = MySqlManager::new(server.tcp());
        assert_eq!(manager.classify(&error), ErrorClass::Overloaded);
        drop(filling);
        server.watcher().await.nobody_else().await;
    });
}

#[test]
fn nobody_there_is_an_error() {
    test(|| async {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let options = ConnectOptions::new().host("127.0.0.1").port(port);
        let error = connect(options).await.unwrap_err();
        assert!(matches!(error, Error::Driver(_)), "{error:?}");
        let options = ConnectOptions::new().unix_socket("/nowhere/at.all");
        let error = connect(options).await.unwrap_err();
        assert!(matches!(error, Error::Driver(_)), "{error:?}");
    });
}

#[test]
fn a_server_that_never_greets_runs_into_the_connect_timeout() {
    test(|| async {
        let mute = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = mute.local_addr().unwrap().port();
        let options = ConnectOptions::new().host("127.0.0.1").port(port);
        let short = Duration::from_millis(100);
        let error = connect(options.clone().connect_timeout(short))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::ConnectTimeout { after, .. } if after == short),
            "{error:?}"
        );

        let pool = empty(create_pool(options.connect_timeout(short))).await;
        assert_eq!(struck(&pool).await, short);
        assert_eq!(pool.size(), 0);
    });
}

/// A pool that connects when it is asked.
async fn empty(builder: Builder<MySqlManager>) -> Pool {
    builder.minsize(0).build().await.unwrap()
}

/// After how long the pool's own limit has ended a connect.
async fn struck(pool: &Pool) -> Duration {
    match pool.acquire().await {
        Err(pool_core::Error::Timeout {
            phase: Phase::Connect,
            after,
            ..
        }) => after,
        other => panic!("not the pool's limit of a connect: {other:?}"),
    }
}

#[test]
fn a_pools_own_connect_timeout_wins_over_that_of_the_options() {
    test(|| async {
        let mute = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = mute.local_addr().unwrap().port();
        let options = ConnectOptions::new().host("127.0.0.1").port(port);
        let (short, longer) = (Duration::from_millis(50), Duration::from_millis(250));
        for (of_options, of_pool) in [(short, longer), (MINUTE, short)] {
            let builder = create_pool(options.clone().connect_timeout(of_options));
            let pool = empty(builder.connect_timeout(of_pool)).await;
            assert_eq!(struck(&pool).await, of_pool);
        }

        let builder = create_pool(options.clone().connect_timeout(short));
        let pool = empty(builder.connect_timeout(None)).await;
        let waited = for_a_while(longer, pool.acquire()).await;
        assert!(waited.is_none(), "no limit is none: {waited:?}");
        pool.terminate();

        // Nobody has taken this one's limit over.
        let manager = MySqlManager::new(options.connect_timeout(short));
        let pool = empty(Pool::builder(manager).runtime(MySqlRuntime::new())).await;
        match pool.acquire().await {
            Err(pool_core::Error::Connect(error)) => assert!(
                matches!(&*error, Error::ConnectTimeout { after, .. } if *after == short),
                "{error:?}"
            ),
            other => panic!("not the manager's limit: {other:?}"),
        }
    });
}

#[test]
fn a_connect_that_is_given_up_leaves_nothing_behind() {
    test(|| async {
        let server = Server::start();
        for times in 1..10 {
            let connecting = Box::pin(connect(server.tcp()));
            drop(crate::server::polled(times, connecting).await);
        }
        server.watcher().await.nobody_else().await;
    });
}

#[test]
fn options_that_cannot_be_used_are_found_before_anything_is_opened() {
    test(|| async {
        let error = connect(ConnectOptions::new().port(0)).await.unwrap_err();
        assert!(matches!(&error, Error::Config(error) if error.field() == "port"));
        let error = create_pool(ConnectOptions::new().host(""))
            .build()
            .await
            .unwrap_err();
        assert!(matches!(&error, pool_core::Error::Config(error) if error.field() == "host"));
        let error = create_pool_from_url("mysql://localhost/?minsize=-1").expect_err("an error");
        assert_eq!(error.field(), "minsize");
    });
}

#[test]
fn a_url_with_the_path_of_a_socket_reaches_the_server() {
    test(|| async {
        let server = Server::start();
        let path = server.socket().to_str().expect("a path in UTF-8");
        let user = server.user();
        for url in [
            format!("mysql://{user}@{}/mysql", path.replace('/', "%2F")),
            format!("mysql://{user}@localhost/mysql?socket={path}"),
        ] {
            let mut conn = connect(ConnectOptions::from_url(&url).unwrap())
                .await
                .unwrap();
            // The server tells a unix socket by the host `localhost`, and TCP by an address.
            let account = text(&mut conn, "SELECT USER()").await;
            assert_eq!(account, Some(format!("{user}@localhost")), "{url}");
        }
    });
}

#[test]
fn a_pool_from_a_url_has_what_the_url_says() {
    test(|| async {
        let server = Server::start();
        let url = format!(
            "{}?minsize=2&maxsize=3&pool_recycle=3600&autocommit=false",
            server.url()
        );
        let pool: Pool = create_pool_from_url(&url).unwrap().build().await.unwrap();
        assert_eq!((pool.minsize(), pool.maxsize(), pool.size()), (2, 3, 2));
        let mut conn = pool.acquire().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT @@autocommit").await, 0);
        assert_eq!(
            text(&mut conn, "SELECT DATABASE()").await.as_deref(),
            Some("mysql")
        );
    });
}
