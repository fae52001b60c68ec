//! What happens while a limit strikes: other verbs, other settings, and steps that are under way.

use std::time::Duration;

use pool_core::{CheckPolicy, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, closed_for_good};
use support::{FakeGuard, Gate, Probe, Stage, Step, Verb, hold};

use super::{MINUTE, SECOND};

#[test]
fn keepalive_goes_on_after_a_check_that_failed() {
    let stage = Stage::spawning();
    for step in [Step::Err, Step::Panic, Step::Delay(MINUTE)] {
        let (builder, control) = stage.pool(3);
        let builder = builder.check_timeout(5 * SECOND).keepalive(MINUTE);
        let pool = builder.build_lazy().unwrap();
        let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
        drop(guards);
        stage.settle();
        control.next(Verb::Check, step);
        stage.advance(MINUTE + 10 * SECOND);
        let before = control.checks();
        stage.advance(10 * MINUTE);
        assert_eq!(pool.size(), 2);
        assert!(
            control.checks() >= before + 18,
            "{} checks",
            control.checks()
        );
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn clear_closes_the_connection_that_is_being_kept_alive() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.keepalive(MINUTE).build_lazy().unwrap();
    drop(acquire_now(&stage, &pool));
    let gate = Gate::new();
    control.next(Verb::Check, Step::gate(&gate));
    stage.advance(MINUTE);
    assert_eq!(pool.status().checking(), 1);
    stage.run(pool.clear());
    gate.open();
    stage.settle();
    assert_eq!(pool.size(), 0);
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_new_connection_that_outlives_its_life_in_an_interceptor_is_handed_out_once() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let builder = builder.interceptor(control.interceptor());
    let builder = builder
        .max_lifetime(SECOND)
        .max_lifetime_jitter(Duration::ZERO);
    let pool = builder.build_lazy().unwrap();
    control.next(Verb::AfterConnect, Step::Delay(2 * SECOND));
    let mut acquire = Probe::polled(pool.acquire());
    stage.advance(2 * SECOND);
    assert!(acquire.poll_until_stalled(&stage), "HANG");
    assert_eq!(acquire.take().unwrap().id(), 1);
    drop(acquire);
    assert_eq!(acquire_now(&stage, &pool).id(), 2);
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_fill_that_waits_hears_of_a_terminate_although_connections_are_to_be_replaced() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.minsize(3).max_connecting(1).upkeep(false);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        let held = acquire_now(stage, &pool);
        stage.settle();
        stage.run(pool.clear_all());
        control.always(Verb::Connect, Step::gate(&gate));
        let mut fill = Probe::polled(pool.fill());
        pool.terminate();
        assert!(fill.poll_until_stalled(stage), "HANG");
        assert!(fill.take().is_err());
        drop((fill, held));
        control.all_goes_well();
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn as_many_stay_idle_as_min_idle_says_while_they_are_replaced() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let builder = builder.min_idle(2).max_lifetime(MINUTE);
    let builder = builder.max_lifetime_jitter(20 * SECOND);
    let pool = stage.run(builder.build()).unwrap();
    stage.settle();
    for _ in 0..300 {
        stage.advance(SECOND);
        assert!(pool.freesize() >= 2, "{}", pool.status());
    }
    assert!(control.made() >= 10);
    all_is_well(&stage, pool, &control);
}

#[test]
fn min_idle_is_restored_after_a_try_acquire() {
    let stage = Stage::spawning();
    for policy in [CheckPolicy::Never, CheckPolicy::Always] {
        let (builder, control) = stage.pool(5);
        let builder = builder.min_idle(1).check_policy(policy);
        let pool = stage.run(builder.build()).unwrap();
        stage.settle();
        let taken = pool.try_acquire().unwrap();
        stage.settle();
        assert_eq!((pool.size(), pool.freesize()), (2, 1));
        drop(taken);
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn a_full_pool_replaces_its_connections_one_after_the_other() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = stage.run(builder.minsize(5).build()).unwrap();
    control.always(Verb::Connect, Step::Delay(SECOND));
    pool.recycle_all(MINUTE);
    stage.advance(SECOND / 2);
    // They can be used until their turn comes.
    for _ in 0..60 {
        assert!(pool.freesize() >= 4, "{}", pool.status());
        stage.advance(SECOND);
    }
    assert_eq!((control.made(), pool.freesize()), (10, 5));
    control.all_goes_well();
    all_is_well(&stage, pool, &control);
}

#[test]
fn those_in_use_are_replaced_before_they_come_back_where_there_is_room() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(6);
    let pool = builder.max_lifetime(MINUTE).build_lazy().unwrap();
    let held: Vec<_> = (0..3).map(|_| hold(acquire_now(&stage, &pool))).collect();
    stage.advance(MINUTE);
    assert_eq!((pool.size(), pool.freesize()), (6, 3));
    drop(held);
    stage.settle();
    assert_eq!((pool.size(), pool.freesize(), control.made()), (3, 3, 6));
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_suspect_connection_is_checked_although_the_interceptors_alone_have_seen_it() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.check_policy(CheckPolicy::IdleFor(MINUTE));
        let pool = builder.interceptor(control.interceptor());
        let pool = pool.build_lazy().unwrap();
        control.always_verdict(Verdict::Reuse);
        let (one, two) = (acquire_now(stage, &pool), acquire_now(stage, &pool));
        drop(one);
        stage.settle();
        let gate = Gate::new();
        control.next(Verb::BeforeAcquire, Step::gate(&gate));
        let mut acquire = Probe::polled(pool.acquire());
        stage.settle();
        control.next_verdict(Verdict::Discard);
        drop(two);
        gate.open();
        assert!(acquire.poll_until_stalled(stage), "HANG");
        assert_eq!((acquire.take().unwrap().id(), control.checks()), (1, 1));
        drop(acquire);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_limit_that_is_switched_off_closes_nothing_any_more() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.max_lifetime(MINUTE).max_uses(1);
        let pool = builder.upkeep(false).build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        stage.advance(MINUTE);
        pool.reconfigure(|knobs| {
            knobs.max_lifetime(None);
            knobs.max_uses(None);
        })
        .unwrap();
        drop(held);
        stage.settle();
        stage.advance(MINUTE);
        assert_eq!(acquire_now(stage, &pool).id(), 1);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn the_shortest_and_the_longest_times_mean_what_they_say() {
    let (shortest, longest) = (SECOND / 1_000_000_000, Duration::MAX);
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.max_lifetime(longest).max_lifetime_jitter(longest);
        let builder = builder.idle_timeout(longest).keepalive(longest);
        let pool = builder.build_lazy().unwrap();
        drop((acquire_now(stage, &pool), acquire_now(stage, &pool)));
        stage.settle();
        pool.recycle_all(longest);
        stage.advance(1_000_000 * MINUTE);
        assert_eq!((pool.size(), control.closed()), (2, 0));
        pool.reconfigure(|knobs| {
            knobs.keepalive(None);
            knobs.idle_timeout(shortest);
        })
        .unwrap();
        stage.advance(SECOND);
        assert_eq!(acquire_now(stage, &pool).id(), 3, "those were idle");
        pool.reconfigure(|knobs| {
            knobs.idle_timeout(None);
            knobs.keepalive(shortest);
        })
        .unwrap();
        stage.settle();
        stage.tick();
        drop(acquire_now(stage, &pool));
        assert!(control.checks() >= 1, "it was silent for a nanosecond");
        pool.reconfigure(|knobs| knobs.keepalive(None)).unwrap();
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_connect_under_way_counts_as_one_that_recycle_all_has_to_replace() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut early = Probe::polled(pool.acquire());
        pool.recycle_all(Duration::ZERO);
        let mut late = Probe::polled(pool.acquire());
        gate.open();
        for acquire in [&mut early, &mut late] {
            assert!(acquire.poll_until_stalled(stage), "HANG");
            let guard = acquire.take().unwrap();
            assert_ne!(PooledConnection::id(&guard), 1);
        }
        drop((early, late));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn on_a_real_clock_the_shortest_life_is_good_for_one_acquire() {
    for intercepted in [false, true] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(2);
            let builder = builder.max_lifetime(Duration::from_nanos(1));
            let builder = match intercepted {
                true => builder.interceptor(control.interceptor()),
                false => builder,
            };
            let pool = builder.build_lazy().unwrap();
            for id in 1..5 {
                assert_eq!(acquire_now(stage, &pool).id(), id);
                stage.tick();
            }
            all_is_well(stage, pool, &control);
        });
    }
}
