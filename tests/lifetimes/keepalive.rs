//! `keepalive`: idle connections are checked before they are silent for too long.

use pool_core::{CheckPolicy, IdleOrder};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeControl, FakeGuard, Gate, Probe, Stage, Step, Verb};

use super::{MINUTE, SECOND};

/// The connections that were checked so far, in order.
fn checked(control: &FakeControl) -> Vec<u64> {
    let log = control.log().into_iter();
    let checks = log.filter(|(verb, _)| *verb == Verb::Check);
    checks.map(|(_, id)| id).collect()
}

#[test]
fn each_idle_connection_is_checked_once_a_period_those_first_that_were_silent_longest() {
    let stage = Stage::spawning();
    for policy in [
        CheckPolicy::Never,
        CheckPolicy::Always,
        CheckPolicy::default(),
    ] {
        for order in [IdleOrder::Fifo, IdleOrder::Lifo] {
            let (builder, control) = stage.pool(3);
            let builder = builder.check_policy(policy).idle_order(order);
            let pool = builder.keepalive(MINUTE).build_lazy().unwrap();
            let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
            for guard in guards {
                drop(guard);
                stage.advance(SECOND);
            }
            stage.advance(56 * SECOND);
            let before = checked(&control);
            stage.advance(2 * SECOND);
            stage.advance(MINUTE);
            let all = checked(&control);
            assert_eq!(
                all[before.len()..],
                [1, 2, 3, 1, 2, 3][..all.len() - before.len()]
            );
            assert!(all.len() - before.len() >= 3);
            // That was no use: the order is as before, and nothing was closed.
            let next = acquire_now(&stage, &pool).id();
            assert_eq!(next, if order == IdleOrder::Fifo { 1 } else { 3 });
            assert_eq!((pool.size(), control.closed()), (3, 0));
            all_is_well(&stage, pool, &control);
        }
    }
}

#[test]
fn one_is_checked_at_a_time_and_the_others_can_be_had() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let builder = builder.check_policy(CheckPolicy::Never);
    let pool = builder.keepalive(MINUTE).build_lazy().unwrap();
    let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
    drop(guards);
    let gate = Gate::new();
    control.always(Verb::Check, Step::gate(&gate));
    stage.advance(MINUTE);
    assert_eq!((pool.status().checking(), pool.freesize()), (1, 2));
    control.all_goes_well();
    let mut waiting: Vec<_> = (0..3).map(|_| Probe::polled(pool.acquire())).collect();
    assert!(
        !stage.drive(&mut waiting),
        "the third one waits for the check"
    );
    gate.open();
    assert!(stage.drive(&mut waiting), "HANG");
    drop(waiting);
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_dead_one_is_replaced_and_its_siblings_are_checked() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let builder = builder.minsize(3).keepalive(MINUTE);
    let pool = stage.run(builder.build()).unwrap();
    stage.advance(30 * SECOND);
    drop(acquire_now(&stage, &pool));
    control.break_all();
    stage.advance(MINUTE);
    assert_eq!(pool.freesize(), 3);
    let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
    assert!(guards.iter().all(|guard| guard.id() > 3));
    drop(guards);
    all_is_well(&stage, pool, &control);
}

#[test]
fn idle_times_go_on_while_connections_are_kept_alive() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let builder = builder.keepalive(MINUTE).idle_timeout(10 * MINUTE);
    let pool = builder.build_lazy().unwrap();
    drop(acquire_now(&stage, &pool));
    stage.advance(599 * SECOND);
    assert_eq!(pool.size(), 1);
    stage.advance(SECOND);
    assert_eq!(pool.size(), 0);
    assert!(control.checks() >= 9);
    all_is_well(&stage, pool, &control);
}

#[test]
fn where_nothing_can_be_spawned_the_check_is_made_before_the_hand_out() {
    let stage = Stage::bare();
    let (builder, control) = stage.pool(3);
    let builder = builder.check_policy(CheckPolicy::Never);
    let pool = builder.keepalive(MINUTE).build_lazy().unwrap();
    drop(acquire_now(&stage, &pool));
    stage.advance(59 * SECOND);
    drop(acquire_now(&stage, &pool));
    assert_eq!(control.checks(), 0);
    stage.advance(MINUTE);
    drop(acquire_now(&stage, &pool));
    assert_eq!(control.checks(), 1);
    all_is_well(&stage, pool, &control);
}

#[test]
fn interceptors_are_not_asked_about_a_connection_that_nobody_gets() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let builder = builder.interceptor(control.interceptor());
    let pool = builder.keepalive(MINUTE).build_lazy().unwrap();
    drop(acquire_now(&stage, &pool));
    stage.settle();
    let before = control.calls(Verb::BeforeAcquire);
    stage.advance(10 * MINUTE);
    assert!(control.checks() >= 9);
    assert_eq!(control.calls(Verb::BeforeAcquire), before);
    drop(acquire_now(&stage, &pool));
    assert_eq!(control.calls(Verb::BeforeAcquire), before + 1);
    all_is_well(&stage, pool, &control);
}
