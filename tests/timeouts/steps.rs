//! The deadlines of the steps: connect, check, recycle, close.

use pool_core::{CheckPolicy, Error, Phase, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{Probe, Stage, Step, Verb, hold};

use super::{SECOND, timed_out};

#[test]
fn a_connect_that_hangs_fails_its_waiter_and_frees_its_place_at_its_deadline() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.connect_timeout(2 * SECOND).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Pend);
        let mut first = Probe::pending(pool.acquire());
        let mut second = Probe::pending(pool.acquire());
        stage.advance(2 * SECOND);
        assert!(first.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert_eq!(timed_out(first.take()), (Phase::Connect, 2 * SECOND));
        assert!(second.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(second.take().unwrap()));
        drop((first, second));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_check_that_hangs_is_a_dead_connection_at_its_deadline() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.check_timeout(SECOND).build_lazy().unwrap();
        for conn in [(); 2].map(|()| acquire_now(stage, &pool)) {
            stage.run(PooledConnection::release(conn)).unwrap();
        }
        control.next(Verb::Check, Step::Pend);
        let start = stage.now();
        let held = hold(stage.clock().block_on(pool.acquire()).unwrap());
        let checked: Vec<u64> = control
            .log()
            .into_iter()
            .filter_map(|(verb, id)| (verb == Verb::Check).then_some(id))
            .collect();
        assert_eq!(
            checked.len(),
            2,
            "the next one is tried; the caller sees nothing"
        );
        assert_eq!(held.id(), checked[1]);
        assert_eq!(stage.now() - start, SECOND);
        assert_eq!(control.live(), 1);
        assert_eq!(control.close_calls(), 0, "nobody talks to it any more");
        drop(held);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_recycle_that_hangs_is_a_lost_connection_at_its_deadline() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.recycle_timeout(SECOND).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        control.next(Verb::Recycle, Step::Pend);
        drop(conn);
        let start = stage.now();
        let held = hold(stage.clock().block_on(pool.acquire()).unwrap());
        assert_eq!((held.id(), stage.now() - start), (2, SECOND));
        assert_eq!(
            control.peak(),
            1,
            "the stuck one counted until it was dropped"
        );
        drop(held);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_close_that_hangs_is_over_at_its_deadline() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.close_timeout(SECOND).build_lazy().unwrap();
    control.next(Verb::Close, Step::Pend);
    control.next_verdict(Verdict::Discard);
    drop(acquire_now(&stage, &pool));
    stage.settle();
    assert_eq!(
        (pool.status().closing(), control.live()),
        (1, 1),
        "it counts until then"
    );
    stage.advance(SECOND);
    assert_eq!((pool.size(), control.live()), (0, 0));
    all_is_well(&stage, pool, &control);
}

#[test]
fn clear_is_over_when_the_last_close_had_its_time() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.minsize(3).upkeep(false).close_timeout(SECOND);
        let pool = stage.run(builder.build()).unwrap();
        control.always(Verb::Close, Step::Pend);
        let start = stage.now();
        stage.clock().block_on(pool.clear());
        assert_eq!(stage.now() - start, SECOND, "all of them in parallel");
        assert_eq!((pool.size(), control.live()), (0, 0));
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn build_gives_up_when_a_connect_had_its_time() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        control.next(Verb::Connect, Step::Ok);
        control.next(Verb::Connect, Step::Pend);
        let builder = builder.minsize(3).connect_timeout(SECOND);
        let outcome = stage.clock().block_on(builder.build());
        assert!(matches!(
            outcome,
            Err(Error::Timeout {
                phase: Phase::Connect,
                ..
            })
        ));
        assert_eq!((control.live(), control.in_connect()), (0, 0));
    });
}

#[test]
fn steps_within_their_deadlines_succeed() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder
            .check_policy(CheckPolicy::Always)
            .acquire_timeout(10 * SECOND)
            .connect_timeout(SECOND)
            .check_timeout(SECOND)
            .recycle_timeout(SECOND)
            .close_timeout(SECOND)
            .build_lazy()
            .unwrap();
        for verb in [Verb::Connect, Verb::Check, Verb::Recycle, Verb::Close] {
            control.always(verb, Step::Delay(SECOND * 9 / 10));
        }
        for _ in 0..3 {
            let conn = stage.clock().block_on(pool.acquire()).unwrap();
            stage
                .clock()
                .block_on(PooledConnection::release(conn))
                .unwrap();
        }
        assert_eq!(
            (control.made(), control.checks(), control.recycles()),
            (1, 2, 3)
        );
        pool.close();
        stage.clock().block_on(pool.wait_closed()).unwrap();
        assert_eq!((control.close_calls(), control.live()), (1, 0));
    });
}
