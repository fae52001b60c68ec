//! The breaker after failures that somebody has to mend: one attempt a period, however many wait.

use std::error::Error as _;

use pool_core::{Error, ErrorClass, PooledConnection, Readiness};
use support::invariants::{acquire_now, all_is_well};
use support::told::Told;
use support::{FakeError, Probe, Stage, Step, Verb, hold};

use crate::{MILLI, SECOND, callers, pass};

const HOPELESS: [ErrorClass; 3] = [ErrorClass::Auth, ErrorClass::Config, ErrorClass::Fatal];

#[test]
fn one_attempt_a_period_however_many_ask() {
    for class in HOPELESS {
        for maxsize in [1, 2, 5] {
            Stage::each_virtual(|stage| {
                let (builder, control) = stage.pool(maxsize);
                let pool = builder.build_lazy().unwrap();
                control.always(Verb::Connect, Step::Fail(class));
                // 12 callers, who come again every ten milliseconds, for four seconds.
                for _ in 0..400 {
                    let mut asking = callers(&pool, 12);
                    assert!(stage.drive(&mut asking), "HANG: {}", pool.status());
                    assert!(asking.iter_mut().all(|one| one.take().is_err()));
                    drop(asking);
                    stage.advance(10 * MILLI);
                }
                // At 0 s, after 1 s, and 2 s later.
                assert_eq!(control.connects(), 3);
                control.all_goes_well();
                stage.advance(5 * SECOND);
                all_is_well(stage, pool, &control);
            });
        }
    }
}

#[test]
fn the_first_gets_the_failure_and_the_others_a_breaker_that_says_why() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(5);
        let pool = builder.name("orders").build_lazy().unwrap();
        control.always(Verb::Connect, Step::Fail(ErrorClass::Auth));
        let mut asking = callers(&pool, 3);
        assert!(stage.drive(&mut asking), "HANG: {}", pool.status());
        assert!(matches!(asking[0].take(), Err(Error::Connect(_))));
        for later in &mut asking[1..] {
            let error = later.take().unwrap_err();
            let cause = error.source().and_then(|cause| cause.downcast_ref());
            assert!(matches!(cause, Some(FakeError::Scripted { .. })));
            let text = error.to_string();
            assert_eq!(error.pool_name(), Some("orders"));
            let Error::BreakerOpen {
                class,
                last_connect: Some(_),
                retry_after,
                ..
            } = error
            else {
                panic!("{error:?}");
            };
            assert_eq!(class, ErrorClass::Auth);
            assert!(
                (SECOND..=SECOND * 11 / 10).contains(&retry_after),
                "{retry_after:?}"
            );
            assert!(
                text.starts_with("pool \"orders\" does not connect for 1"),
                "{text}"
            );
        }
        assert!(pool.try_acquire().is_err());
        assert!(matches!(
            stage.run(pool.fill()),
            Ok(()) // nothing is missing: minsize is 0
        ));
        drop(asking);
        control.all_goes_well();
        stage.advance(2 * SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_fill_is_refused_while_the_breaker_is_open() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.minsize(3).upkeep(false);
        let pool = builder.build_lazy().unwrap();
        control.always(Verb::Connect, Step::Fail(ErrorClass::Auth));
        assert!(matches!(stage.run(pool.fill()), Err(Error::Connect(_))));
        assert_eq!(
            control.connects(),
            1,
            "those that had not begun do not begin"
        );
        assert!(matches!(
            stage.run(pool.fill()),
            Err(Error::BreakerOpen { .. })
        ));
        assert_eq!(control.connects(), 1);
        stage.advance(2 * SECOND);
        control.all_goes_well();
        stage.run(pool.fill()).unwrap();
        assert_eq!(pool.freesize(), 3);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn waiters_stay_while_a_connection_is_in_use_that_can_come_back() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let held = hold(acquire_now(stage, &pool));
        control.always(Verb::Connect, Step::Fail(ErrorClass::Auth));
        let mut waiting = callers(&pool, 3);
        assert!(!stage.drive(&mut waiting));
        assert!(matches!(waiting[0].take(), Err(Error::Connect(_))));
        let connects = control.connects();
        drop(held);
        stage.drive(&mut waiting[1..]);
        let first = hold(waiting[1].take().unwrap());
        assert_eq!((first.id(), control.connects()), (1, connects));
        // A period later one waiter makes one attempt, and only this one fails.
        assert!(!waiting[2].is_ready());
        pass(stage, &mut waiting[2..], SECOND, 2);
        assert!(matches!(waiting[2].take(), Err(Error::Connect(_))));
        assert_eq!(control.connects(), connects + 1);
        drop((first, waiting));
        control.all_goes_well();
        stage.advance(5 * SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn waiters_are_not_stranded_when_the_last_connection_in_use_is_lost() {
    for way in 0..3 {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(2);
            let pool = builder.build_lazy().unwrap();
            let mut guard = acquire_now(stage, &pool);
            control.always(Verb::Connect, Step::Fail(ErrorClass::Fatal));
            let mut waiting = callers(&pool, 3);
            assert!(!stage.drive(&mut waiting));
            match way {
                0 => {
                    guard.close();
                    drop(guard);
                }
                1 => PooledConnection::discard(guard),
                _ => drop(PooledConnection::detach(guard)),
            }
            assert!(stage.drive(&mut waiting), "HANG: {}", pool.status());
            for one in &mut waiting[1..] {
                assert!(matches!(one.take(), Err(Error::BreakerOpen { .. })));
            }
            drop(waiting);
            control.all_goes_well();
            stage.advance(2 * SECOND);
            stage.settle();
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn the_waiter_of_the_attempt_is_dropped_and_the_attempt_counts() {
    for ends_well in [false, true] {
        for behind in [0, 1, 3] {
            Stage::each_virtual(|stage| {
                let (builder, control) = stage.pool(5);
                let pool = builder.build_lazy().unwrap();
                control.next(Verb::Connect, Step::Fail(ErrorClass::Auth));
                assert!(stage.run(pool.acquire()).is_err());
                stage.advance(2 * SECOND);
                let end = match ends_well {
                    true => Step::Ok,
                    false => Step::Fail(ErrorClass::Auth),
                };
                control.next(Verb::Connect, Step::Delay(SECOND).then(end));
                let mut waiting = callers(&pool, 1 + behind);
                stage.drive(&mut waiting);
                assert_eq!(control.in_connect(), 1, "one attempt");
                waiting[0].cancel();
                stage.advance(SECOND);
                assert!(stage.drive(&mut waiting[1..]), "HANG: {}", pool.status());
                for one in &mut waiting[1..] {
                    assert_eq!(one.take().is_ok(), ends_well);
                }
                drop(waiting);
                if stage.spawns() && !ends_well {
                    let next = stage.run(pool.acquire());
                    assert!(matches!(next, Err(Error::BreakerOpen { .. })), "{next:?}");
                }
                control.all_goes_well();
                stage.advance(11 * SECOND);
                // Without a spawner, the next acquire that comes hears of the end.
                if !stage.spawns() && !ends_well {
                    let _ = stage.run(pool.acquire());
                    stage.advance(11 * SECOND);
                }
                all_is_well(stage, pool, &control);
            });
        }
    }
}

#[test]
fn an_operator_sees_when_the_breaker_opens_and_closes() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let (builder, told) = Told::by(builder);
        let pool = builder.build_lazy().unwrap();
        control.next_times(Verb::Connect, 2, Step::Fail(ErrorClass::Auth));
        assert!(stage.run(pool.acquire()).is_err());
        let opened = told.take_with("the breaker has");
        assert_eq!(opened.len(), 1);
        assert!(opened[0].starts_with("the breaker has opened: the next connect is tried in 1"));
        let readiness = pool.readiness();
        assert!(!readiness.is_serving());
        assert!(
            matches!(readiness, Readiness::CannotConnect { retry_after: Some(after), .. } if after >= SECOND),
            "{readiness:?}"
        );
        assert!(
            readiness.to_string().contains("the next attempt is in"),
            "{readiness}"
        );
        stage.advance(2 * SECOND);
        assert!(stage.run(pool.acquire()).is_err());
        stage.advance(3 * SECOND);
        drop(hold(acquire_now(stage, &pool)));
        let closed = told.take_with("the breaker has");
        assert_eq!(closed, ["the breaker has closed after 5s"]);
        let stats = pool.stats();
        assert_eq!((stats.breaker_opens(), stats.connect_retries()), (1, 2));
        assert!(matches!(pool.readiness(), Readiness::Ready { .. }));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_breaker_of_a_closed_pool_keeps_nobody() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.connect_retry(SECOND).build_lazy().unwrap();
        control.always(Verb::Connect, Step::Err);
        let mut waiting = callers(&pool, 3);
        stage.drive(&mut waiting);
        pool.close();
        assert!(stage.drive(&mut waiting), "HANG");
        assert!(
            waiting
                .iter_mut()
                .all(|one| matches!(one.take(), Err(Error::Closed)))
        );
        drop(waiting);
        stage.run(pool.wait_closed()).unwrap();
        let mut late = Probe::new(pool.acquire());
        assert!(late.poll() && matches!(late.take(), Err(Error::Closed)));
    });
}
