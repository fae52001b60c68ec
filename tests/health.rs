//! `ping` asks the server; `readiness` tells what the pool knows, and takes nothing from anybody.

use std::time::Duration;

use pool_core::{CheckPolicy, Error, ErrorClass, Phase, PooledConnection, Readiness};
use support::invariants::{acquire_now, all_is_well, counts_true};
use support::{FakePool, Gate, Probe, Stage, Step, Told, Verb};

const SECOND: Duration = Duration::from_secs(1);

/// The words of `readiness`, without the counts.
fn words(pool: &FakePool) -> String {
    let words = pool.readiness().to_string();
    words
        .split("; size")
        .next()
        .expect("a first part")
        .to_owned()
}

#[test]
fn a_ping_checks_a_connection_and_gives_it_back() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder
            .check_policy(CheckPolicy::Never)
            .build_lazy()
            .unwrap();
        stage.run(pool.ping()).unwrap();
        stage.run(pool.ping()).unwrap();
        assert_eq!((control.connects(), control.checks()), (1, 2));
        let conn = acquire_now(stage, &pool);
        assert_eq!(PooledConnection::uses(&conn), 3, "each ping is a use");
        drop(conn);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_ping_that_fails_says_why_and_its_connection_is_closed() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let (builder, told) = Told::by(builder.check_policy(CheckPolicy::Never));
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Check, Step::Err);
        let error = stage.run(pool.ping()).expect_err("the check fails");
        assert!(matches!(error, Error::Check(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            "checking failed, and the connection was discarded: scripted failure of Check, call 1"
        );
        stage.settle();
        assert_eq!(
            told.take_with("was closed"),
            ["connection 1 was closed: its check failed"]
        );
        assert_eq!(pool.size(), 0);
        stage.run(pool.ping()).expect("the next one is new");
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_ping_of_a_server_that_does_not_answer_ends_with_check_timeout() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.check_timeout(5 * SECOND).build_lazy().unwrap();
        control.next(Verb::Check, Step::Pend);
        let mut ping = Probe::pending(pool.ping());
        assert_eq!(pool.status().checking(), 1);
        assert!(pool.borrowed().is_empty(), "nobody uses it");
        stage.advance(5 * SECOND);
        assert!(ping.poll_until_stalled(stage));
        let error = ping.take().expect_err("nobody answers");
        let Error::Timeout { phase, after, .. } = error else {
            panic!("it must be a time-out: {error:?}");
        };
        assert_eq!((phase, after), (Phase::Check, 5 * SECOND));
        drop(ping);
        stage.settle();
        counts_true(&pool, &control, 0);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_ping_whose_check_panics_says_so() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        for step in [Step::Panic, Step::PanicInCall] {
            control.next(Verb::Check, step);
            let error = stage.run(pool.ping()).expect_err("the check panics");
            let Error::Panicked { phase, .. } = error else {
                panic!("it must say that it panicked: {error:?}");
            };
            assert_eq!(phase, Phase::Check);
        }
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_ping_that_is_dropped_in_its_check_or_in_the_queue_costs_no_place() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Check, Step::Pend);
        let mut in_check = Probe::pending(pool.ping());
        let mut in_queue = Probe::pending(pool.ping());
        let mut user = Probe::pending(pool.acquire());
        in_queue.cancel();
        assert!(!user.poll_until_stalled(stage));
        in_check.cancel();
        assert!(user.poll_until_stalled(stage), "the user is next");
        drop(user.take());
        drop((in_check, in_queue, user));
        stage.settle();
        assert_eq!(control.made(), 2, "nobody knows what the first was in");
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_ping_tells_the_observers_of_its_check_and_its_time_is_kept() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Never);
        let (builder, told) = Told::by(builder.check_timeout(5 * SECOND));
        let pool = builder.build_lazy().unwrap();
        stage.run(pool.ping()).unwrap();
        let passed = told.take_with("check");
        assert_eq!(passed, ["connection 1 passed its check in 0ns"]);
        let cases = [
            (Step::Err, "scripted failure of Check"),
            (Step::Panic, "the manager panicked while checking"),
            (Step::Pend, "timed out after 5s while checking"),
        ];
        for (number, (step, cause)) in (1..).zip(cases) {
            control.next(Verb::Check, step);
            let mut ping = Probe::polled(pool.ping());
            stage.advance(5 * SECOND);
            assert!(ping.poll_until_stalled(stage));
            ping.take().expect_err("the check fails");
            drop(ping);
            stage.settle();
            let sentences = told.take_with("check");
            let failed = format!("the check of connection {number} failed after ");
            let closed = format!("connection {number} was closed: its check failed");
            assert_eq!(sentences.len(), 2, "{sentences:#?}");
            let is_told = sentences[0].starts_with(&failed) && sentences[0].contains(cause);
            assert!(is_told && sentences[1] == closed, "{sentences:#?}");
            assert_eq!(pool.stats().check_time().count(), number + 1);
        }
        assert_eq!(pool.stats().check_time().max(), 5 * SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_ping_that_is_not_polled_any_more_keeps_its_connection_from_nobody() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Check, Step::gate(&gate));
        let mut ping = Probe::pending(pool.ping());
        let mut user = Probe::pending(pool.acquire());
        gate.open();
        assert!(user.poll_until_stalled(stage), "the user drives the check");
        let held = user.take().expect("its check has passed");
        ping.poll_until_stalled(stage);
        ping.take().expect("the ping hears how it ended");
        drop((ping, held, user));
        assert_eq!((control.made(), control.checks()), (1, 1));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_ping_does_not_wait_for_the_close_of_a_connection_that_failed_its_check() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Check, Step::Err);
        let gate = Gate::new();
        control.next(Verb::Close, Step::gate(&gate));
        stage.run(pool.ping()).expect_err("the check fails");
        gate.open();
        stage.settle();
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_pool_is_ready_while_a_connection_is_idle_or_a_place_is_free() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        assert_eq!(words(&pool), "ready", "an acquire would connect");
        let one = acquire_now(stage, &pool);
        assert_eq!(words(&pool), "ready", "there is another place");
        let two = acquire_now(stage, &pool);
        assert!(pool.readiness().is_busy());
        drop(one);
        stage.settle();
        // Where nothing can be spawned, the next acquire recycles it.
        assert_eq!(words(&pool), "ready");
        assert_eq!(
            pool.readiness().status().expect("it is open").held(),
            1,
            "the counts of the same moment"
        );
        assert_eq!(control.checks(), 0, "nothing was asked");
        drop(two);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_busy_pool_serves_and_readiness_takes_nothing_from_its_users() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        let mut waiting = Probe::pending(pool.acquire());
        let readiness = pool.readiness();
        assert!(readiness.is_serving() && readiness.is_busy());
        assert_eq!(
            readiness.to_string(),
            "busy: an acquire has to wait; size 1 (free 0, held 1, checking 0, recycling 0, closing 0, connecting 0), waiting 1, maxsize 1"
        );
        drop(held);
        assert!(waiting.poll_until_stalled(stage));
        drop(waiting.take());
        drop(waiting);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_pool_that_cannot_connect_does_not_serve_and_says_why_until_a_connect_succeeds() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Connect, Step::Fail(ErrorClass::Auth));
        stage.run(pool.ping()).expect_err("the connect fails");
        stage.advance(3 * SECOND);
        let readiness = pool.readiness();
        assert!(!readiness.is_serving() && !readiness.is_busy());
        let Readiness::CannotConnect { class, age, .. } = readiness else {
            panic!("it must say that it cannot connect: {readiness}");
        };
        assert_eq!((class, age), (ErrorClass::Auth, 3 * SECOND));
        assert_eq!(
            words(&pool),
            "not serving: no connection is open, and the last connect failed 3s ago (auth)"
        );
        stage.run(pool.ping()).expect("the server is back");
        assert_eq!(words(&pool), "ready");
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_connect_that_takes_too_long_or_panics_counts_as_a_failed_one() {
    for step in [Step::Pend, Step::Panic] {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.connect_timeout(SECOND).build_lazy().unwrap();
            control.next(Verb::Connect, step.clone());
            let mut ping = Probe::polled(pool.ping());
            stage.advance(SECOND);
            assert!(ping.poll_until_stalled(stage));
            ping.take().expect_err("the connect fails");
            drop(ping);
            assert!(!pool.readiness().is_serving(), "{}", pool.readiness());
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn a_pool_that_cannot_open_more_serves_with_what_it_has() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        control.next(Verb::Connect, Step::Fail(ErrorClass::Overloaded));
        // The connect fails, and the acquire waits for the connection that is held.
        drop(Probe::pending(pool.acquire()));
        stage.advance(SECOND);
        assert!(pool.readiness().is_serving());
        assert_eq!(
            words(&pool),
            "busy: an acquire has to wait, and the last connect failed 1s ago (overloaded)"
        );
        drop(held);
        stage.settle();
        assert_eq!(words(&pool), "ready", "one is idle");
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_pool_that_closes_is_not_ready_although_somebody_holds_a_connection() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        pool.close();
        assert_eq!(pool.readiness(), Readiness::Closed);
        assert_eq!(words(&pool), "not serving: the pool is closed");
        assert_eq!(pool.readiness().status(), None);
        let error = stage.run(pool.ping()).expect_err("it is closed");
        assert!(matches!(error, Error::Closed));
        drop(held);
        stage.run(pool.wait_closed()).unwrap();
        assert_eq!((control.live(), control.in_connect()), (0, 0));
    });
}
