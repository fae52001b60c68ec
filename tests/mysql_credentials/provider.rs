//! A provider that fails, or does not answer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use pool_core::{ErrorClass, Event, Phase, PooledConnection};
use pool_mysql::{ConnectOptions, Credentials, Error, connect, create_pool};

use crate::server::{Server, for_a_while, sleep, test};
use crate::{HOUR, with_accounts};

/// Options with a provider whose first answer is the account `old`, valid for so long; and how often it was asked.
///
/// `later` says what follows: `None` is a call that never ends.
fn one_answer(
    server: &Server,
    validity: Duration,
    later: fn() -> Option<io::Error>,
) -> (ConnectOptions, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let plain = ConnectOptions::new()
        .host(server.host())
        .port(server.port())
        .db("test");
    let options = plain.credentials(move || {
        let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if is_first {
                return Ok(Credentials::new("old", "the old password").valid_for(validity));
            }
            match later() {
                Some(error) => Err(error),
                None => std::future::pending().await,
            }
        }
    });
    (options, asked)
}

fn is_sealed() -> Option<io::Error> {
    Some(io::Error::other("the vault is sealed"))
}

fn is_silent() -> Option<io::Error> {
    None
}

/// The shortest period of the pool's breaker after a refusal. No period is shorter.
const PERIOD: Duration = Duration::from_secs(1);
/// How many connects may run before the first of them is refused.
const PLACES: usize = 4;

#[test]
fn a_refused_password_is_tried_once_a_period_while_the_provider_fails() {
    test(|| async {
        let (server, mut root) = with_accounts().await;
        let (options, asked) = one_answer(&server, HOUR, is_sealed);
        let opened = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = Arc::clone(&opened);
        let pool = create_pool(options)
            .minsize(0)
            .maxsize(PLACES)
            .connect_retry(Duration::from_secs(10))
            .observer(move |event: &Event<'_>| {
                if let Event::BreakerOpened { class, .. } = event {
                    told.lock().unwrap().push(*class);
                }
            })
            .build_lazy()
            .expect("good options");
        let mut conn = pool.acquire().await.expect("the old account is good");
        let id = conn.connection_id();
        root.run("ALTER USER old@'%' IDENTIFIED BY 'another'").await;
        root.run(&format!("KILL {id}")).await;
        root.it_is_gone(id).await;
        assert!(conn.ping().await.is_err());
        PooledConnection::discard(conn);
        let before = root.count("Access_denied_errors").await;
        let start = Instant::now();
        let waits = || async {
            let mut errors = Vec::new();
            while start.elapsed() < 2 * PERIOD {
                errors.push(pool.acquire().await.expect_err("the password is wrong"));
                sleep(Duration::from_millis(5)).await;
            }
            errors
        };
        let errors = join_all((0..16).map(|_| waits())).await.concat();
        // A connect that is under way has ended when no place is taken.
        while pool.size() > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        let periods = start.elapsed().as_secs() / PERIOD.as_secs() + 1;
        let most = PLACES + usize::try_from(periods).expect("a small number");
        let logins = root.count("Access_denied_errors").await - before;
        assert!(
            (1..=most as u64).contains(&logins),
            "{logins} logins, and not at most {most}"
        );
        // The first answer, and at most one call for each refusal.
        let asked = asked.load(Ordering::Relaxed) as u64;
        assert!((2..=1 + logins).contains(&asked), "asked {asked} times");
        assert!(!errors.is_empty());
        for error in errors {
            let error = Error::from(error);
            assert_eq!(error.server_code(), Some(1045), "{error}");
            let text = format!("{error} {error:?}");
            assert!(text.contains("1045 (28000): Access denied"), "{text}");
            assert!(
                text.contains("; the credentials provider failed: the vault is sealed"),
                "{text}"
            );
            assert!(!text.contains("the old password"), "{text}");
        }
        let opened = opened.lock().unwrap();
        assert!(opened.contains(&ErrorClass::Auth));
        assert!(opened.iter().all(|class| *class == ErrorClass::Auth));
    });
}

/// How many calls that never end there can be in the time since `start`: each is given up after 10 s.
fn most_calls(start: Instant) -> usize {
    let periods = start.elapsed().as_secs() / 10;
    1 + usize::try_from(periods).expect("a small number")
}

#[test]
fn a_provider_that_hangs_fails_no_connect_before_the_old_credentials_expire() {
    test(|| async {
        let (server, _root) = with_accounts().await;
        let validity = Duration::from_secs(1);
        // A machine that is busy may miss the time between the second call and the end of the first answer.
        loop {
            let (options, asked) = one_answer(&server, validity, is_silent);
            let start = Instant::now();
            connect(options.clone()).await.expect("the first answer");
            // It is long, so that a slow machine does not pass it before there is something to wait for.
            let options = options.connect_timeout(Duration::from_secs(5));
            let mut meanwhile = 0;
            let late = loop {
                let is_asked_again = asked.load(Ordering::Relaxed) == 2;
                match connect(options.clone()).await {
                    Ok(_) => meanwhile += usize::from(is_asked_again),
                    Err(error) => break error,
                }
            };
            assert!(start.elapsed() >= validity, "{late}");
            assert!(matches!(late, Error::ConnectTimeout { .. }), "{late}");
            let calls = asked.load(Ordering::Relaxed) - 1;
            assert!((1..=most_calls(start)).contains(&calls), "{calls}");
            if meanwhile > 0 {
                break;
            }
        }
    });
}

#[test]
fn connects_wait_for_a_provider_that_hangs_within_their_own_limit() {
    test(|| async {
        let server = Server::start();
        let limit = Duration::from_millis(50);
        let start = Instant::now();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let options = ConnectOptions::new()
            .host(server.host())
            .port(server.port())
            .credentials(move || {
                count.fetch_add(1, Ordering::Relaxed);
                std::future::pending::<Result<Credentials, io::Error>>()
            })
            .connect_timeout(limit);
        // One that is dropped, some that are late, and those of a pool.
        assert!(
            for_a_while(limit / 10, connect(options.clone()))
                .await
                .is_none()
        );
        for _ in 0..3 {
            let late = connect(options.clone()).await.expect_err("no answer");
            assert!(matches!(late, Error::ConnectTimeout { .. }), "{late}");
        }
        let pool = create_pool(options)
            .minsize(0)
            .connect_retry(None)
            .build_lazy()
            .expect("good options");
        let late = pool.acquire().await.expect_err("no answer");
        let phase = match &late {
            pool_core::Error::Timeout { phase, .. } => Some(*phase),
            _ => None,
        };
        assert_eq!(phase, Some(Phase::Connect), "{late}");
        let calls = asked.load(Ordering::Relaxed);
        assert!((1..=most_calls(start)).contains(&calls), "{calls} calls");
    });
}
