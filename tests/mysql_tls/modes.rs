//! Each `ssl-mode` against certificates that are right, for another name, by somebody else, or past their time.

use pool_core::{ErrorClass, Manager};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Error, MySqlManager, SslMode, connect, create_pool};
use private_server::PrivateServer;

use crate::authorities::{Authority, Lifetime, Server, cipher, test};

/// How a connect with these options ends: encrypted or not.
async fn is_encrypted(options: ConnectOptions) -> Result<bool, Error> {
    let mut conn = connect(options).await?;
    let cipher = cipher(&mut conn).await;
    conn.ensure_closed().await?;
    Ok(!cipher.is_empty())
}

/// Which modes get through to a server, each with the authority where it looks at certificates.
async fn modes(server: &Server, authority: &Authority) -> [bool; 4] {
    let mut got = Vec::new();
    for mode in [
        SslMode::Preferred,
        SslMode::Required,
        SslMode::VerifyCa,
        SslMode::VerifyIdentity,
    ] {
        let looks = matches!(mode, SslMode::VerifyCa | SslMode::VerifyIdentity);
        let options = match looks {
            true => server.with(mode).ssl_ca(authority.ca()),
            false => server.with(mode),
        };
        match is_encrypted(options).await {
            Ok(encrypted) => {
                assert!(encrypted, "{mode:?}");
                got.push(true);
            }
            Err(error) => {
                // Nothing that another try would change.
                let class = MySqlManager::new(server.tcp()).classify(&error);
                assert_eq!(class, ErrorClass::Config, "{mode:?}: {error:?}");
                got.push(false);
            }
        }
    }
    got.try_into().expect("four modes")
}

#[test]
fn a_good_certificate_is_taken_in_every_mode() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["localhost", "127.0.0.1"], Lifetime::Long);
        assert_eq!(modes(&server, &authority).await, [true; 4]);
        let by_name = server.tcp().host("localhost").ssl_ca(authority.ca());
        assert!(is_encrypted(by_name).await.unwrap());
    });
}

#[test]
fn another_name_is_refused_where_names_are_looked_at() {
    test(|| async {
        let authority = Authority::new();
        for names in [&["wrong.example"][..], &["*.wrong.example"], &["10.1.2.3"]] {
            let server = authority.server(names, Lifetime::Long);
            assert_eq!(
                modes(&server, &authority).await,
                [true, true, true, false],
                "{names:?}"
            );
        }
    });
}

#[test]
fn a_certificate_by_somebody_else_is_refused_where_certificates_are_looked_at() {
    test(|| async {
        let (authority, other) = (Authority::new(), Authority::new());
        let right = authority.server(&["127.0.0.1"], Lifetime::Long);
        assert_eq!(modes(&right, &other).await, [true, true, false, false]);
        let wrong = authority.server(&["wrong.example"], Lifetime::Long);
        assert_eq!(modes(&wrong, &other).await, [true, true, false, false]);
        // Without an authority of its own, those of the world count.
        for mode in [SslMode::VerifyCa, SslMode::VerifyIdentity] {
            is_encrypted(right.with(mode)).await.unwrap_err();
        }
    });
}

#[test]
fn a_certificate_past_its_time_is_refused_where_certificates_are_looked_at() {
    test(|| async {
        let authority = Authority::new();
        for name in ["127.0.0.1", "wrong.example"] {
            let server = authority.server(&[name], Lifetime::Over);
            assert_eq!(modes(&server, &authority).await, [true, true, false, false]);
        }
    });
}

#[test]
fn a_server_that_wants_tls_refuses_those_without_and_takes_the_socket() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["127.0.0.1"], Lifetime::Long);
        let error = is_encrypted(server.with(SslMode::Disabled))
            .await
            .unwrap_err();
        assert!(
            matches!(error.server_code(), Some(1045 | 3159)),
            "{error:?}"
        );
        let socket = server.tcp().unix_socket(server.0.socket());
        assert!(!is_encrypted(socket.clone()).await.unwrap());
        assert!(
            !is_encrypted(socket.ssl_mode(SslMode::Preferred))
                .await
                .unwrap()
        );
    });
}

#[test]
fn a_server_without_tls_is_taken_by_those_alone_who_can_do_without() {
    test(|| async {
        let authority = Authority::new();
        let server = Server(PrivateServer::start().expect("a server starts"));
        assert!(!is_encrypted(server.with(SslMode::Preferred)).await.unwrap());
        for options in [
            server.with(SslMode::Required),
            server.with(SslMode::VerifyCa).ssl_ca(authority.ca()),
            server.tcp().ssl_ca(authority.ca()),
        ] {
            let error = is_encrypted(options).await.unwrap_err();
            assert!(matches!(error, Error::Driver(_)), "{error:?}");
        }
    });
}

#[test]
fn a_pool_over_tls_resets_loads_and_survives_a_cancelled_query() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["other.example"], Lifetime::Long);
        server.run(&["CREATE TABLE test.t (a INT)"]).await;
        let options = server.with(SslMode::VerifyCa).ssl_ca(authority.ca());
        let pool = create_pool(options)
            .minsize(0)
            .maxsize(2)
            .build()
            .await
            .unwrap();
        for _ in 0..3 {
            let mut conn = pool.acquire().await.unwrap();
            let leak: Option<Option<u8>> = conn.query_first("SELECT @leak").await.unwrap();
            assert_eq!(leak, Some(None));
            conn.query_drop("SET @leak = 1").await.unwrap();
            let big: Option<String> = conn
                .query_first("SELECT REPEAT('x', 3000000)")
                .await
                .unwrap();
            assert_eq!(big.map(|text| text.len()), Some(3_000_000));
            let load = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t";
            assert_eq!(conn.load_local(load, "1\n2\n").await.unwrap(), 2);
            let mut cancelled = Box::pin(conn.query_first::<u8, _>("SELECT SLEEP(60)"));
            assert!(
                futures_lite::future::poll_once(&mut cancelled)
                    .await
                    .is_none()
            );
            drop(cancelled);
            conn.query_drop("DO 1").await.unwrap_err();
        }
        pool.close();
        pool.wait_closed().await.unwrap();
    });
}

#[test]
fn a_client_shows_its_own_certificate() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["127.0.0.1"], Lifetime::Long);
        server
            .run(&[
                "CREATE USER x@'%' IDENTIFIED BY 'p' REQUIRE X509",
                "GRANT ALL ON test.* TO x@'%'",
            ])
            .await;
        let without = server.tcp().ssl_ca(authority.ca()).user("x").password("p");
        let error = is_encrypted(without.clone()).await.unwrap_err();
        assert_eq!(error.server_code(), Some(1045));
        let with = authority.with_client_certificate(without);
        assert!(is_encrypted(with).await.unwrap());
        let other = Authority::new();
        let by_somebody_else = other
            .with_client_certificate(server.tcp().ssl_ca(authority.ca()).user("x").password("p"));
        is_encrypted(by_somebody_else).await.unwrap_err();
    });
}

#[test]
fn files_that_hold_nothing_of_use_are_found_before_anything_is_opened() {
    let authority = Authority::new();
    let empty = authority.path("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    let with = || ConnectOptions::new().ssl_mode(SslMode::VerifyIdentity);
    let missing = authority.path("missing.pem");
    for path in [&empty, &missing] {
        let error = with().ssl_ca(path).validate().unwrap_err();
        assert_eq!(error.field(), "ssl_ca");
        assert!(error.message().contains(".pem: it"), "{error}");
    }
    let error = authority
        .with_client_certificate(with())
        .ssl_cert(&missing)
        .validate()
        .unwrap_err();
    assert_eq!(error.field(), "ssl_cert");
    if cfg!(feature = "rustls") {
        let error = authority
            .with_client_certificate(with())
            .ssl_key(&empty)
            .validate()
            .unwrap_err();
        assert_eq!(error.field(), "ssl_key");
        let error = authority
            .with_client_certificate(with())
            .ssl_cert(&empty)
            .validate()
            .unwrap_err();
        assert_eq!(error.field(), "ssl_cert");
    }
}

/// The default is that of MySQL's own clients: TLS where the server has it, and none on a socket.
#[test]
fn without_a_mode_tls_is_used_where_the_server_has_it() {
    test(|| async {
        let authority = Authority::new();
        let server = authority.server(&["localhost"], Lifetime::Long);
        assert!(is_encrypted(server.tcp()).await.unwrap());
        assert!(is_encrypted(server.tcp().host("localhost")).await.unwrap());
        let socket = server.tcp().unix_socket(server.0.socket());
        assert!(!is_encrypted(socket).await.unwrap());
        let plain = Server(PrivateServer::start().expect("a server starts"));
        assert!(!is_encrypted(plain.tcp()).await.unwrap());
    });
}
