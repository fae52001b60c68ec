//! Connects that fail, at the start and under load: what broke in other pools.

use std::error::Error as _;
use std::time::Duration;

use pool_core::{CheckPolicy, Error, ErrorClass, PooledConnection};
use support::invariants::{acquire_now, all_is_well, counts_true, full_capacity};
use support::{FakeError, FakeGuard, Gate, Probe, Stage, Step, Verb, hold};

const SECOND: Duration = Duration::from_secs(1);

/// A wrong password is returned as an error at once, with its cause, after one attempt for all callers.
#[test]
fn a_wrong_password_is_an_error_at_once_with_its_cause() {
    for class in [ErrorClass::Auth, ErrorClass::Config, ErrorClass::Fatal] {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(5);
            let pool = builder.acquire_timeout(30 * SECOND).build_lazy().unwrap();
            control.always(Verb::Connect, Step::Fail(class));
            for caller in 1..=3 {
                let error = stage.run(pool.acquire()).expect_err("it cannot succeed");
                let cause = error.source().expect("the cause survives");
                let cause = cause
                    .downcast_ref::<FakeError>()
                    .expect("it is the manager's");
                assert!(matches!(cause, FakeError::Scripted { class: c, .. } if *c == class));
                let is_expected = match caller {
                    1 => matches!(error, Error::Connect(_)),
                    _ => matches!(error, Error::BreakerOpen { .. }),
                };
                assert!(is_expected, "{error:?}");
                assert_eq!(control.connects(), 1, "one attempt a period");
            }
            control.all_goes_well();
            stage.advance(2 * SECOND);
            all_is_well(stage, pool, &control);
        });
    }
}

/// Ten callers, and every connect fails: each caller gets an error with the cause at once.
#[test]
fn ten_callers_get_an_error_at_once_if_every_connect_fails() {
    for maxsize in [1, 2, 5, 20] {
        for class in [ErrorClass::Transient, ErrorClass::Overloaded] {
            Stage::each(|stage| {
                let (builder, control) = stage.pool(maxsize);
                let pool = builder.build_lazy().unwrap();
                control.always(Verb::Connect, Step::Fail(class));
                let mut callers: Vec<_> = (0..10).map(|_| Probe::polled(pool.acquire())).collect();
                assert!(stage.drive(&mut callers), "HANG: {}", pool.status());
                for caller in &mut callers {
                    let error = caller.take().expect_err("it cannot succeed");
                    assert!(matches!(error, Error::Connect(_)), "{error:?}");
                    assert!(error.source().is_some());
                }
                assert_eq!(control.connects(), 10, "one attempt a caller");
                drop(callers);
                counts_true(&pool, &control, 0);
                control.all_goes_well();
                all_is_well(stage, pool, &control);
            });
        }
    }
}

/// A connection that is replaced is closed before its successor is opened: never twice the sessions.
#[test]
fn a_replaced_connection_is_closed_before_its_successor_opens() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        let conn = acquire_now(stage, &pool);
        stage.run(PooledConnection::release(conn)).unwrap();
        control.break_all();
        let gate = Gate::new();
        control.next(Verb::Close, Step::gate(&gate));
        let mut acquire = Probe::new(pool.acquire());
        if !acquire.poll_until_stalled(stage) {
            assert_eq!(
                (control.live(), control.in_connect()),
                (1, 0),
                "the old one is there"
            );
            gate.open();
            assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
        }
        let held = hold(acquire.take().unwrap());
        assert_eq!((held.id(), control.peak()), (2, 1));
        drop(held);
        drop(acquire);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

/// A failed connect fails the first waiter. The others get a connection from a new connect or from a release.
#[test]
fn a_failed_connect_fails_the_first_waiter_only() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate).then(Step::Err));
        control.next(Verb::Connect, Step::Pend);
        let mut first = Probe::polled(pool.acquire());
        let mut second = Probe::polled(pool.acquire());
        stage.settle();
        gate.open();
        assert!(first.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert!(matches!(first.take(), Err(Error::Connect(_))));
        assert!(!second.poll_until_stalled(stage), "its own connect hangs");
        drop(conn);
        assert!(second.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(second.take().unwrap()));
        drop((first, second));
        pool.terminate();
        stage.run(pool.wait_closed()).unwrap();
        assert_eq!((control.live(), control.in_connect()), (0, 0));
    });
}

/// After a failed connect the next acquire behaves as if the failed one had never been.
#[test]
fn an_acquire_after_a_failed_one_succeeds() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        for round in 1..=5 {
            control.next(Verb::Connect, Step::Err);
            assert!(stage.run(pool.acquire()).is_err());
            assert_eq!((pool.size(), pool.status().waiting()), (0, 0));
            let held = hold(acquire_now(stage, &pool));
            assert_eq!(control.made(), round);
            PooledConnection::discard(held.into_guard());
            stage.settle();
        }
        all_is_well(stage, pool, &control);
    });
}

/// A connect fails after its waiter was dropped. The next acquire does not get that error.
#[test]
fn a_connect_that_fails_after_its_waiter_was_dropped_does_not_fail_the_next_acquire() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.connect_timeout(SECOND).build_lazy().unwrap();
        for step in [Step::Pend, Step::Delay(SECOND / 2).then(Step::Err)] {
            control.next(Verb::Connect, step);
            let mut leaves = Probe::pending(pool.acquire());
            assert!(!leaves.poll_until_stalled(stage));
            leaves.cancel();
            drop(leaves);
            stage.advance(600 * SECOND);
            drop(hold(acquire_now(stage, &pool)));
            stage.settle();
            stage.run(pool.clear());
        }
        all_is_well(stage, pool, &control);
    });
}

/// Build tells the cause, closes what it opened, and leaves nothing behind, however many of its connects fail.
#[test]
fn a_build_that_fails_tells_the_cause_and_leaves_nothing() {
    for failing in 1..=3 {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(3);
            control.next_times(Verb::Connect, 3 - failing, Step::Ok);
            control.next_times(Verb::Connect, failing, Step::Fail(ErrorClass::Auth));
            let error = stage
                .run(builder.minsize(3).build())
                .expect_err("it cannot succeed");
            assert!(error.source().is_some_and(|cause| cause.is::<FakeError>()));
            assert_eq!((control.live(), control.in_connect()), (0, 0));
            stage.settle();
            assert!(!control.manager_is_alive());
            assert_eq!(stage.tasks(), 0);
        });
    }
}

/// Build opens all of minsize in parallel.
#[test]
fn build_opens_minsize_in_parallel() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let gate = Gate::new();
        control.always(Verb::Connect, Step::gate(&gate));
        let mut build = Probe::pending(builder.minsize(4).build());
        assert!(!build.poll_until_stalled(stage));
        assert_eq!(control.in_connect(), 4);
        gate.open();
        assert!(build.poll_until_stalled(stage), "HANG");
        let pool = build.take().unwrap();
        assert_eq!((pool.size(), pool.freesize()), (4, 4));
        all_is_well(stage, pool, &control);
    });
}

/// The idle ones are all dead and nothing connects: one acquire tries each dead one at most once, then tells.
#[test]
fn an_acquire_among_dead_connections_ends() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        full_capacity(stage, &pool, &control);
        control.break_all();
        control.always(Verb::Connect, Step::Err);
        let checks = control.checks();
        let error = stage.run(pool.acquire()).expect_err("it cannot succeed");
        assert!(matches!(error, Error::Connect(_)), "{error:?}");
        assert!(control.checks() - checks <= 5);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

/// Fill tells of its failure, keeps what it could open, and can be called again.
#[test]
fn fill_returns_its_error_and_can_be_repeated() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let pool = builder.minsize(3).upkeep(false).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Ok);
        control.next(Verb::Connect, Step::Err);
        control.next(Verb::Connect, Step::Ok);
        assert!(matches!(stage.run(pool.fill()), Err(Error::Connect(_))));
        stage.run(pool.fill()).unwrap();
        assert_eq!((pool.size(), control.live()), (3, 3));
        assert_eq!(control.made(), 3, "what was open stayed open");
        stage.run(pool.fill()).unwrap();
        assert_eq!(control.made(), 3, "nothing was missing");
        all_is_well(stage, pool, &control);
    });
}

/// While one caller's connect is refused again and again, he waits for a connection in use, and those with connections go
/// on as if nothing were.
#[test]
fn refused_connects_do_not_disturb_connections_in_use() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(4);
        let pool = builder.build_lazy().unwrap();
        let guards: Vec<FakeGuard> = (0..2).map(|_| acquire_now(stage, &pool)).collect();
        control.always(Verb::Connect, Step::Fail(ErrorClass::Overloaded));
        for _ in 0..5 {
            drop(Probe::pending(pool.acquire()));
            stage.advance(SECOND);
        }
        assert!(guards.iter().all(|guard| guard.query() == Ok(1)));
        drop(guards);
        let again = [(); 2].map(|()| hold(acquire_now(stage, &pool)));
        assert_eq!(control.made(), 2);
        drop(again);
        control.all_goes_well();
        stage.advance(SECOND);
        all_is_well(stage, pool, &control);
    });
}
