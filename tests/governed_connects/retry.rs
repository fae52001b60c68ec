//! `connect_retry`: a failed connect is tried again for the waiters, within their time.

use pool_core::{Error, ErrorClass};
use support::invariants::{acquire_now, all_is_well};
use support::{Gate, Stage, Step, Verb, hold};

use crate::{MILLI, SECOND, callers, pass, recovers};

const SOON: [ErrorClass; 2] = [ErrorClass::Transient, ErrorClass::Overloaded];

#[test]
fn an_outage_that_is_shorter_than_connect_retry_fails_nobody() {
    for class in SOON {
        for maxsize in [1, 2, 5] {
            Stage::each_virtual(|stage| {
                let (builder, control) = stage.pool(maxsize);
                let pool = builder.connect_retry(3 * SECOND).build_lazy().unwrap();
                control.always(Verb::Connect, Step::Fail(class));
                let mut waiting = callers(&pool, maxsize);
                pass(stage, &mut waiting, MILLI, 500);
                assert!(
                    waiting.iter().all(|one| !one.is_ready()),
                    "{}",
                    pool.status()
                );
                assert_eq!(control.peak_in_connect(), 1, "one attempt at a time");
                let connects = control.connects();
                assert!((10..60).contains(&connects), "{connects} in half a second");
                control.all_goes_well();
                pass(stage, &mut waiting, MILLI, 50);
                assert!(
                    waiting.iter().all(|one| one.is_ready()),
                    "{}",
                    pool.status()
                );
                let held: Vec<_> = waiting
                    .iter_mut()
                    .map(|one| hold(one.take().unwrap()))
                    .collect();
                assert_eq!(held.len(), maxsize);
                assert!(control.peak() <= maxsize);
                drop((held, waiting));
                all_is_well(stage, pool, &control);
            });
        }
    }
}

#[test]
fn all_who_have_waited_for_connect_retry_fail_together_with_the_cause() {
    for class in SOON {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(2);
            let pool = builder.connect_retry(SECOND).build_lazy().unwrap();
            control.always(Verb::Connect, Step::Fail(class));
            let mut early = callers(&pool, 5);
            pass(stage, &mut early, 10 * MILLI, 50);
            let mut late = callers(&pool, 5);
            pass(stage, &mut early, 10 * MILLI, 44);
            assert!(
                early.iter().all(|one| !one.is_ready()),
                "not before its time"
            );
            pass(stage, &mut early, 10 * MILLI, 11);
            for one in &mut early {
                assert!(one.is_ready(), "HANG: {}", pool.status());
                assert!(matches!(one.take(), Err(Error::Connect(_))));
            }
            stage.drive(&mut late);
            assert!(
                late.iter().all(|one| !one.is_ready()),
                "its time counts from its arrival"
            );
            pass(stage, &mut late, 10 * MILLI, 60);
            assert!(
                late.iter_mut()
                    .all(|one| matches!(one.take(), Err(Error::Connect(_))))
            );
            drop((early, late));
            control.all_goes_well();
            stage.advance(SECOND);
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn a_deadline_strikes_between_two_attempts() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.connect_retry(10 * SECOND).acquire_timeout(SECOND);
        let pool = builder.build_lazy().unwrap();
        control.always(Verb::Connect, Step::Err);
        let mut waiting = callers(&pool, 3);
        pass(stage, &mut waiting, 10 * MILLI, 99);
        assert!(waiting.iter().all(|one| !one.is_ready()));
        pass(stage, &mut waiting, 10 * MILLI, 2);
        for one in &mut waiting {
            assert!(one.is_ready(), "HANG: {}", pool.status());
            let Err(Error::Timeout { last_connect, .. }) = one.take() else {
                panic!("its time is over");
            };
            assert!(last_connect.is_some(), "the cause survives");
        }
        drop(waiting);
        control.all_goes_well();
        stage.advance(SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_waiter_between_two_attempts_takes_a_connection_that_comes_back() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.connect_retry(10 * SECOND).build_lazy().unwrap();
        let held = hold(acquire_now(stage, &pool));
        control.always(Verb::Connect, Step::Err);
        let mut waiting = callers(&pool, 2);
        pass(stage, &mut waiting, 10 * MILLI, 10);
        drop(held);
        stage.drive(&mut waiting);
        assert!(waiting[0].is_ready() && !waiting[1].is_ready());
        drop(hold(waiting[0].take().unwrap()));
        stage.drive(&mut waiting);
        drop(hold(waiting[1].take().unwrap()));
        drop(waiting);
        control.all_goes_well();
        stage.advance(SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn whoever_is_dropped_between_two_attempts_keeps_nobody_from_the_next() {
    for dropped in 0..3 {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.connect_retry(10 * SECOND).build_lazy().unwrap();
            control.always(Verb::Connect, Step::Err);
            let mut waiting = callers(&pool, 3);
            pass(stage, &mut waiting, MILLI, 20);
            waiting[dropped].cancel();
            control.all_goes_well();
            waiting.remove(dropped);
            for _ in 0..2 {
                pass(stage, &mut waiting, MILLI, 50);
                let mut first = waiting.remove(0);
                assert!(first.is_ready(), "HANG: {}", pool.status());
                drop(hold(first.take().unwrap()));
            }
            drop(waiting);
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn a_connect_that_times_out_is_tried_again() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.connect_timeout(SECOND).connect_retry(10 * SECOND);
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Connect, Step::Pend);
        let mut waiting = callers(&pool, 1);
        pass(stage, &mut waiting, 10 * MILLI, 110);
        drop(hold(waiting[0].take().unwrap()));
        drop(waiting);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_panic_is_not_tried_again() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.connect_retry(10 * SECOND).build_lazy().unwrap();
        for step in [Step::Panic, Step::PanicInCall] {
            control.next(Verb::Connect, step);
            let error = stage.run(pool.acquire()).unwrap_err();
            assert!(matches!(error, Error::Panicked { .. }), "{error:?}");
        }
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn without_connect_retry_each_acquire_gets_its_own_failure() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let pool = builder.build_lazy().unwrap();
        control.always(Verb::Connect, Step::Err);
        let mut asking = callers(&pool, 8);
        assert!(stage.drive(&mut asking), "HANG: {}", pool.status());
        assert_eq!((control.connects(), pool.stats().breaker_opens()), (8, 0));
        drop(asking);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn the_background_keeps_its_pace_and_a_waiter_makes_it_faster() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let builder = builder.minsize(2).connect_retry(100 * SECOND);
    control.always(Verb::Connect, Step::Err);
    let pool = builder.build_lazy().unwrap();
    stage.advance(600 * SECOND);
    let slow = control.connects();
    assert!((60..300).contains(&slow), "{slow} attempts in ten minutes");
    let mut waiting = callers(&pool, 1);
    pass(&stage, &mut waiting, 10 * MILLI, 100);
    let fast = control.connects() - slow;
    assert!((15..100).contains(&fast), "{fast} attempts in a second");
    control.all_goes_well();
    pass(&stage, &mut waiting, MILLI, 51);
    drop(hold(waiting[0].take().unwrap()));
    stage.advance(SECOND);
    assert_eq!(pool.freesize(), 2);
    drop(waiting);
    all_is_well(&stage, pool, &control);
}

#[test]
fn connects_under_way_when_the_breaker_opens_are_not_cut() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.connect_retry(SECOND).build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        control.next(Verb::Connect, Step::Err);
        control.always(Verb::Connect, Step::Err);
        let mut waiting = callers(&pool, 2);
        pass(stage, &mut waiting, MILLI, 10);
        gate.open();
        stage.drive(&mut waiting);
        assert!(waiting[0].is_ready(), "HANG: {}", pool.status());
        drop(hold(waiting[0].take().unwrap()));
        stage.drive(&mut waiting);
        drop(hold(waiting[1].take().unwrap()));
        drop(waiting);
        recovers(stage, &pool, &control);
        all_is_well(stage, pool, &control);
    });
}
