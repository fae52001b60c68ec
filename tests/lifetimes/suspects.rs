//! After a connection was lost, its siblings are checked before they are handed out.

use pool_core::{CheckPolicy, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeControl, FakeGuard, FakePool, Stage, Step, Verb, hold};

use super::MINUTE;

/// Three connections in use, of a pool that checks what was idle for a minute.
fn three(stage: &Stage) -> (FakePool, FakeControl, Vec<FakeGuard>) {
    let (builder, control) = stage.pool(3);
    let builder = builder.check_policy(CheckPolicy::IdleFor(MINUTE));
    let pool = builder.build_lazy().unwrap();
    let guards = (0..3).map(|_| acquire_now(stage, &pool)).collect();
    (pool, control, guards)
}

/// The two that are idle are checked, each once.
fn are_checked_once(stage: &Stage, pool: &FakePool, control: &FakeControl) {
    for round in 0..2 {
        let two = (acquire_now(stage, pool), acquire_now(stage, pool));
        assert_eq!(control.checks(), 2, "in round {round}");
        drop(two);
        stage.settle();
    }
}

#[test]
fn those_that_are_idle_are_checked_once() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            let (pool, control, mut guards) = three(stage);
            control.always_verdict(verdict);
            let lost = guards.pop().unwrap();
            drop(guards);
            stage.settle();
            assert_eq!(control.checks(), 0);
            control.all_goes_well();
            control.connection(lost.id()).break_it();
            drop(lost);
            control.always_verdict(verdict);
            are_checked_once(stage, &pool, &control);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn those_that_are_dead_too_are_not_handed_out() {
    Stage::each(|stage| {
        let (pool, control, mut guards) = three(stage);
        let lost = guards.pop().unwrap();
        drop(guards);
        stage.settle();
        control.break_all();
        drop(lost);
        stage.settle();
        // `hold` panics for a broken one.
        let next: Vec<_> = (0..3).map(|_| hold(acquire_now(stage, &pool))).collect();
        assert!(next.iter().all(|conn| conn.id() > 3));
        drop(next);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn those_that_are_in_use_are_checked_after_they_came_back() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            for awaited in [true, false] {
                let (pool, control, mut guards) = three(stage);
                control.connection(guards[2].id()).break_it();
                drop(guards.pop());
                stage.settle();
                control.always_verdict(verdict);
                for guard in guards {
                    match awaited {
                        true => stage.run(PooledConnection::release(guard)).unwrap(),
                        false => drop(guard),
                    }
                }
                stage.settle();
                are_checked_once(stage, &pool, &control);
                all_is_well(stage, pool, &control);
            }
        }
    });
}

#[test]
fn a_failed_check_tells_the_same() {
    Stage::each_virtual(|stage| {
        let (pool, control, guards) = three(stage);
        control.always_verdict(Verdict::Reuse);
        let mut guards = guards.into_iter();
        drop(guards.next());
        stage.advance(MINUTE);
        guards.for_each(drop);
        control.next(Verb::Check, Step::Err);
        let two = (acquire_now(stage, &pool), acquire_now(stage, &pool));
        assert_eq!((two.0.id(), two.1.id(), control.checks()), (2, 3, 3));
        drop(two);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_failed_recycle_tells_the_same() {
    Stage::each(|stage| {
        for step in [Step::Err, Step::Panic] {
            let (pool, control, guards) = three(stage);
            let mut guards = guards.into_iter();
            let first = guards.next().unwrap();
            guards.for_each(drop);
            stage.settle();
            control.next(Verb::Recycle, step);
            let failed = stage.run(PooledConnection::release(first)).is_err();
            let two = (acquire_now(stage, &pool), acquire_now(stage, &pool));
            assert!(failed && control.checks() == 2);
            drop(two);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_pool_that_never_checks_does_not_check_now() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.check_policy(CheckPolicy::Never);
        let pool = builder.build_lazy().unwrap();
        let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(stage, &pool)).collect();
        control.connection(1).break_it();
        drop(guards);
        drop((acquire_now(stage, &pool), acquire_now(stage, &pool)));
        assert_eq!(control.checks(), 0);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn what_its_user_discards_says_nothing_of_the_others() {
    Stage::each(|stage| {
        let (pool, control, mut guards) = three(stage);
        let one = guards.pop().unwrap();
        drop(guards);
        PooledConnection::discard(one);
        stage.settle();
        drop((acquire_now(stage, &pool), acquire_now(stage, &pool)));
        assert_eq!(control.checks(), 0);
        all_is_well(stage, pool, &control);
    });
}
