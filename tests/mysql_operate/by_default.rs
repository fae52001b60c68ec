//! What a pool with the default `connect_retry` and breaker tells in an outage: to those who wait, to its observers and to
//! a health endpoint.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::pool_core;
use pool_mysql::{ConnectOptions, Error, Pool, PooledConnection, create_pool};
use support::Told;

use crate::outages::{LATER, failed_connects, full, is_met_by_a_crash, serves_again, work};
use crate::server::{Server, number, sleep, test};

const SECOND: Duration = Duration::from_secs(1);

/// A pool with the settings of a service, and what it tells.
fn told(options: ConnectOptions, maxsize: usize) -> (Pool, Told) {
    let builder = create_pool(options)
        .name("orders")
        .minsize(0)
        .maxsize(maxsize)
        .acquire_timeout(2 * SECOND)
        .slow_acquire_after(SECOND / 5)
        .leak_warning_after(SECOND / 2);
    let (builder, told) = Told::by(builder);
    (builder.build_lazy().expect("a good pool"), told)
}

/// What is left of a text after these words.
fn after<'a>(text: &'a str, words: &str) -> &'a str {
    let rest = text.strip_prefix(words);
    rest.unwrap_or_else(|| panic!("no {words:?} at the beginning of {text:?}"))
}

/// Cuts the time out of the beginning of a text, and says how many seconds it is.
fn time(text: &str) -> (f64, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let (digits, rest) = text.split_at(end.unwrap_or_else(|| panic!("no time in {text:?}")));
    let digits: f64 = digits.parse().expect("a number");
    let units = [("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9), ("s", 1.0)];
    let of_unit = |(unit, size)| rest.strip_prefix(unit).map(|rest| (digits * size, rest));
    let found = units.into_iter().find_map(of_unit);
    found.unwrap_or_else(|| panic!("no unit in {text:?}"))
}

/// The only sentence that begins with these words; what it says after them.
fn only<'a>(sentences: &'a [String], words: &str) -> &'a str {
    let found: Vec<&String> = sentences
        .iter()
        .filter(|sentence| sentence.starts_with(words))
        .collect();
    assert_eq!(found.len(), 1, "{words:?}: {sentences:#?}");
    after(found[0], words)
}

/// Waits until the pool has told a sentence that begins with these words; returns all that it has told.
async fn until_told(told: &Told, words: &str) -> Vec<String> {
    let start = Instant::now();
    let mut sentences = told.take();
    while !sentences.iter().any(|sentence| sentence.starts_with(words)) {
        assert!(start.elapsed() < LATER, "no {words:?}: {sentences:#?}");
        sleep(Duration::from_millis(5)).await;
        sentences.extend(told.take());
    }
    sentences
}

/// Asks the pool for its readiness until it names the next attempt. Each answer begins with these words, then says how
/// long ago the last connect failed, and of which class that was.
async fn next_attempt(pool: &Pool, words: &str, class: &str, within: RangeInclusive<f64>) {
    let start = Instant::now();
    loop {
        let text = pool.readiness().to_string();
        let (_, rest) = time(after(&text, words));
        let rest = after(rest, &format!(" ago ({class})"));
        if let Some(rest) = rest.strip_prefix("; the next attempt is in ") {
            let (seconds, rest) = time(rest);
            assert!(rest.starts_with("; size "), "{text}");
            return assert!(within.contains(&seconds), "{text}");
        }
        assert!(start.elapsed() < LATER, "{text}");
        // The pauses are short.
        sleep(Duration::from_millis(1)).await;
    }
}

const NOT_SERVING: &str = "not serving: no connection is open, and the last connect failed ";

#[test]
fn a_server_that_is_down_for_ten_seconds_is_named_to_each_of_those_who_wait() {
    test(|| async {
        const DOWN: Duration = Duration::from_secs(10);
        let server = Arc::new(Server::start());
        let is_back = Arc::new(AtomicBool::new(false));
        let (pool, told) = told(server.tcp(), 4);
        let refused = format!(
            "connecting to 127.0.0.1:{} as root failed: Connection refused (os error 111)",
            server.port()
        );
        let outage = async {
            while pool.stats().acquires() < 100 {
                sleep(Duration::from_millis(5)).await;
            }
            let sentences = told.take();
            let opened = |sentence: &String| sentence.starts_with("the breaker ");
            assert!(!sentences.iter().any(opened), "{sentences:#?}");
            server.kill();
            // The last connections are lost.
            while pool.readiness().is_serving() {
                sleep(Duration::from_millis(5)).await;
            }
            sleep(DOWN).await;
            next_attempt(&pool, NOT_SERVING, "transient", 0.0..=0.05).await;
            let (server, is_back) = (Arc::clone(&server), Arc::clone(&is_back));
            std::thread::spawn(move || {
                server.start_again().expect("it starts");
                is_back.store(true, Ordering::SeqCst);
            })
        };
        let load = join_all((0..8).map(|_| work(&pool, &is_back)));
        let (restarter, errors) = join(outage, load).await;
        restarter.join().expect("it is back");
        assert!(pool.readiness().is_serving(), "{}", pool.readiness());

        let mut timeouts = BTreeSet::new();
        for error in errors.iter().flatten() {
            let is_of_a_command = error.starts_with("the connection to the server failed: ");
            if is_of_a_command || is_met_by_a_crash(error, &server) {
                continue;
            }
            let (seconds, rest) = time(after(error, "pool \"orders\" timed out after "));
            let line = rest.lines().next().unwrap_or_default();
            let (counts, cause) = line
                .split_once("; the last connect failed ")
                .unwrap_or_else(|| panic!("no cause in {error}"));
            let known = [" while waiting for a connection; ", " while connecting; "];
            assert!(
                seconds >= 2.0 && known.iter().any(|phase| counts.starts_with(phase)),
                "{error}"
            );
            let (ago, cause) = time(cause);
            assert!(ago < 2.0, "{error}");
            assert_eq!(cause, format!(" ago (transient): {refused}"));
            timeouts.insert(error.clone());
        }
        // Each task has waited at least four times for as long as it may.
        assert!(timeouts.len() >= 8 * 4, "{errors:#?}");

        let sentences = until_told(&told, "the breaker has closed after ").await;
        let opened = only(
            &sentences,
            "the breaker has opened: the next connect is tried in ",
        );
        let (_, cause) = time(opened);
        assert!(
            is_met_by_a_crash(after(cause, " (transient): "), &server),
            "{opened}"
        );
        let (seconds, rest) = time(only(&sentences, "the breaker has closed after "));
        assert!(
            (DOWN.as_secs_f64()..LATER.as_secs_f64()).contains(&seconds) && rest.is_empty(),
            "{seconds}"
        );
        let failed = failed_connects(&sentences);
        assert!(failed.len() > 100, "it tries often: {}", failed.len());
        for failed in failed {
            let cause = failed.strip_prefix("(transient): ");
            assert!(
                cause.is_some_and(|cause| is_met_by_a_crash(cause, &server)),
                "{failed}"
            );
        }
        // Each time-out is told in the words of its error, with the place of its acquire.
        let all = sentences.iter().filter_map(|sentence| {
            let (who, error) = sentence.strip_prefix("acquire ")?.split_once(": ")?;
            let (_, place) = who.split_once(" at ")?;
            // That of `work`.
            assert!(place.contains("outages.rs:"), "{sentence}");
            Some(error.to_owned())
        });
        assert_eq!(all.collect::<BTreeSet<_>>(), timeouts);
    });
}

#[test]
fn while_the_server_stands_still_the_one_that_waits_is_told_who_holds_the_connection() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        let (pool, told) = told(server.tcp(), 1);
        let mut held = pool.acquire().label("report").await.unwrap();
        let holder = format!("{}:{} (report)", file!(), line!() - 1);
        let command = held.query_drop("DO SLEEP(0.5)");
        let waiter = async {
            watcher.somebody_runs("SLEEP(0.5)").await;
            server.pause();
            let acquire = pool.acquire().label("checkout");
            let place = format!("{}:{} (checkout)", file!(), line!() - 1);
            let error = acquire.timeout(SECOND).await.unwrap_err();
            let sentences = until_told(&told, "connection 1 has been held for ").await;
            server.resume();
            (error, place, sentences)
        };
        // Its command ends when the server goes on.
        let (done, (error, place, sentences)) = join(command, waiter).await;
        done.expect("the server goes on");
        let text = error.to_string();
        let counts = "size 1 (free 0, held 1, checking 0, recycling 0, closing 0, connecting 0)";
        let (seconds, rest) = time(after(&text, "pool \"orders\" timed out after "));
        let (first, second) = rest.split_once('\n').expect("two lines");
        assert_eq!(
            (seconds >= 1.0, first),
            (
                true,
                &*format!(" while waiting for a connection; {counts}, waiting 0, maxsize 1")
            )
        );
        let (seconds, by) = time(after(second, "held longest: connection 1 for "));
        assert_eq!((seconds >= 1.0, by), (true, &*format!(" by {holder}")));

        let slow = only(&sentences, &format!("acquire 2 at {place} has waited for "));
        let (seconds, rest) = time(slow);
        assert!((0.2..1.0).contains(&seconds), "{slow}");
        assert_eq!(
            rest,
            format!(" and is still waiting for a connection; {counts}, waiting 1, maxsize 1")
        );
        let (seconds, rest) = time(only(&sentences, "connection 1 has been held for "));
        assert!(seconds >= 0.5, "{sentences:#?}");
        assert_eq!(
            rest,
            format!(", since it was acquired at {holder}: is it leaked?")
        );
        PooledConnection::release(held).await.expect("it is clean");
        let came_back = format!("connection 1, acquired at {holder}, came back after ");
        let sentences = until_told(&told, &came_back).await;
        let (seconds, rest) = time(only(&sentences, &came_back));
        assert!(seconds >= 1.0 && rest.is_empty(), "{sentences:#?}");
        assert_eq!(pool.stats().suspected_leaks(), 1);
    });
}

#[test]
fn who_waits_while_the_server_is_full_is_told_so_and_the_next_return_closes_the_breaker() {
    test(|| async {
        // The smallest number that the server takes.
        let server = Server::with(&["--max-connections=10"]);
        let (pool, told) = told(server.tcp().user("app").password("app"), 20);
        let refused = format!(
            "connecting to 127.0.0.1:{} as app failed: 1040 (08004): Too many connections",
            server.port()
        );
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(pool.acquire().label("report").await.unwrap());
        }
        let line = line!() - 2;
        let waiter = pool.acquire().timeout(SECOND);
        let busy = "busy: an acquire has to wait, and the last connect failed ";
        let readiness = async {
            while pool.stats().breaker_opens() == 0 {
                sleep(Duration::from_millis(1)).await;
            }
            next_attempt(&pool, busy, "overloaded", 0.0..=0.05).await;
        };
        let (result, ()) = join(waiter, readiness).await;
        let error = result.expect_err("the server takes ten");
        let text = error.to_string();
        let (_, rest) = time(after(&text, "pool \"orders\" timed out after "));
        let (first, second) = rest.split_once('\n').expect("two lines");
        let (counts, cause) = first
            .split_once("; the last connect failed ")
            .unwrap_or_else(|| panic!("no cause in {text}"));
        assert!(
            counts.contains("held 10, ") && counts.ends_with(", maxsize 20"),
            "{text}"
        );
        let (_, cause) = time(cause);
        assert_eq!(full(cause), format!(" ago (overloaded): {refused}"));
        let (_, by) = time(after(second, "held longest: connection 1 for "));
        assert_eq!(by, format!(" by {}:{line} (report)", file!()));
        let sentences = told.take();
        let opened = only(
            &sentences,
            "the breaker has opened: the next connect is tried in ",
        );
        let (seconds, cause) = time(opened);
        assert!(seconds <= 0.05, "{opened}");
        assert_eq!(full(cause), format!(" (overloaded): {refused}"));

        // Now the server has room for one more.
        PooledConnection::discard(held.pop().expect("it has ten"));
        let mut conn = pool.acquire().await.expect("there is room");
        assert_eq!(number(&mut conn, "SELECT 42").await, 42);
        let sentences = until_told(&told, "the breaker has closed after ").await;
        let (seconds, rest) = time(only(&sentences, "the breaker has closed after "));
        assert!(seconds >= 0.5 && rest.is_empty(), "{sentences:#?}");
        assert_eq!(pool.stats().breaker_opens(), 1);
    });
}

#[test]
fn after_a_change_of_the_password_the_breaker_names_it_until_it_is_mended() {
    test(|| async {
        let server = Server::start();
        let mut watcher = server.watcher().await;
        watcher
            .run("CREATE USER till@'%' IDENTIFIED BY 'old'; GRANT ALL ON test.* TO till@'%'")
            .await;
        let (pool, told) = told(server.tcp().user("till").password("old"), 2);
        let conn = pool.acquire().await.unwrap();
        watcher.run("ALTER USER till@'%' IDENTIFIED BY 'new'").await;
        PooledConnection::discard(conn);
        let first = Error::from(pool.acquire().await.unwrap_err());
        let refused = first.to_string();
        assert!(
            refused.starts_with(&format!(
                "connecting to 127.0.0.1:{} as till failed: 1045 (28000): Access denied for user 'till'@",
                server.port()
            )) && refused.ends_with(" (using password: YES)"),
            "{refused}"
        );
        // Nobody else asks the server for a second.
        let error = pool.acquire().await.unwrap_err();
        assert!(matches!(error, pool_core::Error::BreakerOpen { .. }));
        let text = error.to_string();
        let (_, rest) = text
            .split_once(" does not connect for ")
            .unwrap_or_else(|| panic!("{text}"));
        let (seconds, rest) = time(rest);
        assert!(seconds <= 1.1, "{text}");
        assert_eq!(
            rest,
            format!(", because connecting failed (auth): {refused}")
        );
        next_attempt(&pool, NOT_SERVING, "auth", 0.0..=1.1).await;
        let sentences = told.take();
        let opened = only(
            &sentences,
            "the breaker has opened: the next connect is tried in ",
        );
        let (seconds, cause) = time(opened);
        assert!((1.0..=1.1).contains(&seconds), "{opened}");
        assert_eq!(cause, format!(" (auth): {refused}"));

        watcher.run("ALTER USER till@'%' IDENTIFIED BY 'old'").await;
        serves_again(&pool).await;
        let sentences = until_told(&told, "the breaker has closed after ").await;
        let (seconds, rest) = time(only(&sentences, "the breaker has closed after "));
        assert!(seconds >= 1.0 && rest.is_empty(), "{sentences:#?}");
        assert_eq!(pool.stats().connect_failures(), 1);
    });
}
