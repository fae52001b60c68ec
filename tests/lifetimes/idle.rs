//! `idle_timeout`, `min_idle` and `max_idle`.

use pool_core::{CheckPolicy, IdleOrder, Verdict};
use support::invariants::{acquire_now, all_is_well, at_rest};
use support::{FakeGuard, Gate, Probe, Stage, Step, Told, Verb};

use super::{MINUTE, SECOND};

#[test]
fn what_nobody_needs_goes_down_to_minsize_and_no_further() {
    let stage = Stage::spawning();
    for policy in [
        CheckPolicy::Never,
        CheckPolicy::Always,
        CheckPolicy::default(),
    ] {
        for minsize in [0, 1, 2, 5] {
            let (builder, control) = stage.pool(5);
            let builder = builder.minsize(minsize).check_policy(policy);
            let (builder, told) = Told::by(builder.idle_timeout(MINUTE));
            let pool = stage.run(builder.build()).unwrap();
            let guards: Vec<FakeGuard> = (0..5).map(|_| acquire_now(&stage, &pool)).collect();
            drop(guards);
            stage.advance(59 * SECOND);
            assert_eq!(pool.freesize(), 5);
            stage.advance(SECOND);
            assert_eq!((pool.size(), pool.freesize()), (minsize, minsize));
            let closed = told.take_with("longer than idle_timeout").len();
            assert_eq!(closed, 5 - minsize);
            stage.advance(100 * MINUTE);
            assert_eq!((pool.freesize(), control.made()), (minsize, 5));
            all_is_well(&stage, pool, &control);
        }
    }
}

#[test]
fn one_that_is_used_again_and_again_stays() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let builder = builder.idle_order(IdleOrder::Lifo).idle_timeout(MINUTE);
    let pool = builder.build_lazy().unwrap();
    let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
    drop(guards);
    for _ in 0..100 {
        stage.advance(50 * SECOND);
        assert_eq!(acquire_now(&stage, &pool).id(), 3);
    }
    assert_eq!(pool.size(), 1);
    all_is_well(&stage, pool, &control);
}

#[test]
fn without_upkeep_it_goes_when_it_would_be_handed_out() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(5);
        let builder = builder.minsize(1).upkeep(false).idle_timeout(MINUTE);
        let pool = stage.run(builder.build()).unwrap();
        let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(stage, &pool)).collect();
        drop(guards);
        stage.settle();
        stage.advance(MINUTE);
        assert_eq!(pool.size(), 3);
        let last = acquire_now(stage, &pool);
        assert_eq!((last.id(), pool.size()), (3, 1));
        drop(last);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn some_are_kept_idle_as_long_as_there_is_room() {
    let stage = Stage::spawning();
    for maxsize in [1, 2, 5] {
        let (builder, control) = stage.pool(maxsize);
        let builder = builder.min_idle(1);
        let pool = stage.run(builder.build()).unwrap();
        stage.settle();
        let mut held = Vec::new();
        for number in 1..=maxsize {
            assert_eq!(pool.freesize(), 1, "before acquire {number}");
            held.push(acquire_now(&stage, &pool));
            stage.settle();
            assert_eq!(pool.size(), maxsize.min(number + 1));
        }
        assert_eq!((pool.freesize(), control.made()), (0, maxsize));
        drop(held);
        stage.advance(MINUTE);
        assert_eq!(control.made(), maxsize);
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn a_pool_that_shrinks_keeps_min_idle() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let builder = builder.min_idle(2).idle_timeout(MINUTE);
    let pool = builder.build_lazy().unwrap();
    let guards: Vec<FakeGuard> = (0..5).map(|_| acquire_now(&stage, &pool)).collect();
    drop(guards);
    stage.advance(10 * MINUTE);
    assert_eq!((pool.freesize(), control.made()), (2, 5));
    all_is_well(&stage, pool, &control);
}

#[test]
fn where_nothing_can_be_spawned_the_next_acquire_opens_what_is_to_be_idle() {
    let stage = Stage::bare();
    let (builder, control) = stage.pool(5);
    let pool = builder.min_idle(2).build_lazy().unwrap();
    let one = acquire_now(&stage, &pool);
    let two = acquire_now(&stage, &pool);
    assert!(control.made() >= 3, "{}", pool.status());
    drop((one, two));
    all_is_well(&stage, pool, &control);
}

#[test]
fn no_more_are_idle_than_max_idle_says() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            for max_idle in [0, 1, 3] {
                let (builder, control) = stage.pool(5);
                let (builder, told) = Told::by(builder.max_idle(max_idle));
                let pool = builder.build_lazy().unwrap();
                control.always_verdict(verdict);
                let guards: Vec<FakeGuard> = (0..5).map(|_| acquire_now(stage, &pool)).collect();
                drop(guards);
                stage.settle();
                assert_eq!((pool.size(), pool.freesize()), (max_idle, max_idle));
                let last: Vec<u64> = (1..=5).collect();
                assert_eq!(control.open_connections(), last[5 - max_idle..]);
                let closed = told.take_with("than max_idle allows").len();
                assert_eq!(closed, 5 - max_idle);
                at_rest(stage, &pool, &control);
                all_is_well(stage, pool, &control);
            }
        }
    });
}

#[test]
fn those_who_wait_are_served_before_any_is_idle() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            let (builder, control) = stage.pool(1);
            let pool = builder.max_idle(0).build_lazy().unwrap();
            control.always_verdict(verdict);
            let held = acquire_now(stage, &pool);
            let mut waiting: Vec<_> = (0..3).map(|_| Probe::polled(pool.acquire())).collect();
            drop(held);
            for waiter in &mut waiting {
                assert!(waiter.poll_until_stalled(stage), "HANG");
                assert_eq!(waiter.take().unwrap().id(), 1);
            }
            drop(waiting);
            stage.settle();
            assert_eq!(pool.size(), 0);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_connect_whose_acquire_was_dropped_is_not_one_too_many() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let pool = builder.max_idle(1).build_lazy().unwrap();
    let gate = Gate::new();
    control.next_times(Verb::Connect, 3, Step::gate(&gate));
    let waiting: Vec<_> = (0..3).map(|_| Probe::polled(pool.acquire())).collect();
    drop(waiting);
    gate.open();
    stage.settle();
    assert_eq!((pool.size(), pool.freesize()), (1, 1));
    all_is_well(&stage, pool, &control);
}
