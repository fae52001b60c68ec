//! Users and passwords that change while a pool is in use.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{join, join_all};
use pool_core::{CloseReason, Event, PooledConnection};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Credentials, Error, connect, create_pool};

#[path = "mysql_credentials/provider.rs"]
mod provider;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;

use server::{Server, Watcher, sleep, test, text};

const HOUR: Duration = Duration::from_secs(3600);

/// A source that says `old`, and `new` after the switch.
#[derive(Clone, Default)]
struct Vault {
    has_new: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Vault {
    /// Options that ask it; each answer is valid for so long.
    fn options(&self, server: &Server, validity: Duration) -> ConnectOptions {
        let vault = self.clone();
        let plain = ConnectOptions::new()
            .host(server.host())
            .port(server.port())
            .db("test");
        plain.credentials(move || {
            vault.asked.fetch_add(1, Ordering::Relaxed);
            let user = match vault.has_new.load(Ordering::Relaxed) {
                true => "new",
                false => "old",
            };
            async move {
                let password = format!("the {user} password");
                Ok::<_, io::Error>(Credentials::new(user, password).valid_for(validity))
            }
        })
    }

    fn switch(&self) {
        self.has_new.store(true, Ordering::Relaxed);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// A server with the accounts `old` and `new`, which may do nothing but use the database `test`.
async fn with_accounts() -> (Server, Watcher) {
    let server = Server::start();
    let mut root = server.watcher().await;
    for user in ["old", "new"] {
        root.run(&format!(
            "CREATE USER {user}@'%' IDENTIFIED BY 'the {user} password'"
        ))
        .await;
        root.run(&format!("GRANT ALL ON test.* TO {user}@'%'"))
            .await;
    }
    (server, root)
}

#[test]
fn a_rotation_under_load_fails_no_acquire() {
    test(|| async {
        let (server, mut root) = with_accounts().await;
        let vault = Vault::default();
        let pool = create_pool(vault.options(&server, HOUR))
            .maxsize(4)
            .build()
            .await
            .expect("the old account is good");
        let rotated = AtomicBool::new(false);
        let users = || async {
            let mut after = 0;
            for turn in 0_usize.. {
                let mut conn = pool.acquire().await.expect("no acquire fails");
                let user = text(&mut conn, "SELECT SUBSTRING_INDEX(USER(), '@', 1)").await;
                assert_eq!(user.as_deref(), conn.user());
                // Some connections are lost all the time, so that there is always a connect to come.
                if turn % 5 == 0 {
                    PooledConnection::discard(conn);
                }
                after +=
                    usize::from(rotated.load(Ordering::Relaxed) && user.as_deref() == Some("new"));
                if after == 20 {
                    return;
                }
            }
        };
        let rotation = async {
            sleep(Duration::from_millis(100)).await;
            vault.switch();
            root.run("DROP USER old@'%'").await;
            rotated.store(true, Ordering::Relaxed);
        };
        join(join_all((0..16).map(|_| users())), rotation).await;
        // The first, and the one after the first refusal; connects that were refused at the same time share that.
        assert_eq!(vault.asked(), 2);
    });
}

#[test]
fn credentials_that_the_server_refuses_are_asked_for_again_at_once() {
    test(|| async {
        let (server, mut root) = with_accounts().await;
        let vault = Vault::default();
        let options = vault.options(&server, HOUR);
        let conn = connect(options.clone())
            .await
            .expect("the old account is good");
        assert_eq!(conn.user(), Some("old"));
        root.run("ALTER USER old@'%' IDENTIFIED BY 'another'").await;
        vault.switch();
        let conn = connect(options.clone())
            .await
            .expect("the new account is good");
        assert_eq!((conn.user(), vault.asked()), (Some("new"), 2));
        root.run("ALTER USER new@'%' IDENTIFIED BY 'another'").await;
        let error = connect(options).await.expect_err("both are refused");
        assert_eq!(error.server_code(), Some(1045));
        let text = error.to_string();
        assert!(text.contains(" as new failed: 1045"), "{text}");
        assert!(!text.contains("the new password"), "{text}");
        assert_eq!(
            vault.asked(),
            3,
            "asked once more, and not tried again with the same"
        );
    });
}

#[test]
fn connections_go_when_their_credentials_have_expired_and_there_are_others() {
    test(|| async {
        let (server, _root) = with_accounts().await;
        let vault = Vault::default();
        let reasons = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = Arc::clone(&reasons);
        let pool = create_pool(vault.options(&server, Duration::ZERO))
            .maxsize(2)
            .observer(move |event: &Event<'_>| {
                if let Event::Closed { reason, .. } = event {
                    told.lock().unwrap().push((*reason).clone());
                }
            })
            .build()
            .await
            .expect("the old account is good");
        let old = pool.acquire().await.expect("it is idle");
        assert_eq!(old.user(), Some("old"));
        let id = PooledConnection::id(&old);
        PooledConnection::release(old)
            .await
            .expect("there are no others yet");
        let old = pool.acquire().await.expect("it is idle");
        assert_eq!(PooledConnection::id(&old), id);
        vault.switch();
        let new = pool.acquire().await.expect("there is a place");
        assert_eq!(new.user(), Some("new"));
        assert!(PooledConnection::release(old).await.is_err());
        assert_eq!(
            *reasons.lock().unwrap(),
            [CloseReason::Broken(
                "its credentials have expired, and there are new ones".into()
            )]
        );
    });
}

#[test]
fn a_provider_without_an_answer_fails_the_connect_and_says_so() {
    test(|| async {
        let server = Server::start();
        let options = ConnectOptions::new()
            .host(server.host())
            .port(server.port())
            .credentials(|| async { Err(io::Error::other("the vault is sealed")) });
        let error = connect(options.clone())
            .await
            .expect_err("there is no answer");
        assert!(matches!(error, Error::Credentials(_)) && error.is_retryable());
        assert_eq!(
            error.to_string(),
            "the credentials provider failed: the vault is sealed"
        );
        let pool = create_pool(options.clone())
            .acquire_timeout(Duration::from_secs(5))
            .build_lazy();
        let error = pool
            .expect("good options")
            .acquire()
            .await
            .expect_err("there is no answer");
        assert!(error.to_string().contains("the vault is sealed"), "{error}");
        let both = connect(options.user("app")).await.expect_err("two sources");
        assert_eq!(
            both.to_string(),
            "an option cannot be used: user: the provider given to `credentials` has it: give one of the two"
        );
    });
}

#[test]
fn a_session_of_the_old_user_is_still_killed_as_that_user() {
    test(|| async {
        let (server, mut root) = with_accounts().await;
        let vault = Vault::default();
        let pool = create_pool(vault.options(&server, HOUR))
            .build()
            .await
            .expect("it is good");
        let mut conn = pool.acquire().await.expect("it is idle");
        let id = conn.connection_id();
        vault.switch();
        // A user may kill its own sessions only.
        let waits = async { conn.query_drop("SELECT SLEEP(1000)").await };
        let terminates = async {
            root.it_runs(id, "SLEEP").await;
            pool.terminate();
        };
        let (ended, ()) = join(waits, terminates).await;
        assert!(ended.is_err());
        root.it_is_gone(id).await;
    });
}
