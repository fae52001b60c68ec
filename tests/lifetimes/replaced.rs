//! `clear_all` and `recycle_all`.

use std::time::Duration;

use pool_core::{CheckPolicy, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, at_rest, counts_true};
use support::{FakeGuard, Gate, Probe, Stage, Step, Told, Verb, hold};

use super::{MINUTE, SECOND};

#[test]
fn clear_all_closes_what_is_idle_now_and_what_is_in_use_when_it_comes_back() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            for maxsize in [1, 2, 5] {
                let (builder, control) = stage.pool(maxsize);
                let (builder, told) = Told::by(builder);
                let pool = builder.build_lazy().unwrap();
                control.always_verdict(verdict);
                let mut held: Vec<_> = (0..maxsize)
                    .map(|_| hold(acquire_now(stage, &pool)))
                    .collect();
                drop(held.split_off(maxsize.div_ceil(2)));
                stage.settle();
                stage.run(pool.clear_all());
                counts_true(&pool, &control, held.len());
                assert_eq!(pool.size(), held.len());
                drop(held);
                stage.settle();
                assert_eq!((pool.size(), control.closed()), (0, maxsize));
                assert_eq!(told.take_with("the pool was cleared").len(), maxsize);
                // What is opened from now on stays.
                drop(acquire_now(stage, &pool));
                stage.settle();
                assert_eq!(pool.freesize(), 1);
                at_rest(stage, &pool, &control);
                all_is_well(stage, pool, &control);
            }
        }
    });
}

#[test]
fn a_connect_that_began_before_clear_all_is_not_kept() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut acquire = Probe::polled(pool.acquire());
        stage.run(pool.clear_all());
        gate.open();
        assert!(acquire.poll_until_stalled(stage), "HANG");
        let conn = acquire.take().unwrap();
        assert_eq!((conn.id(), pool.size()), (2, 1));
        drop((conn, acquire));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_check_or_a_recycle_during_clear_all_ends_in_a_close() {
    Stage::each_virtual(|stage| {
        for verb in [Verb::Check, Verb::Recycle] {
            let (builder, control) = stage.pool(1);
            let builder = builder.check_policy(match verb {
                Verb::Check => CheckPolicy::Always,
                _ => CheckPolicy::Never,
            });
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            let gate = Gate::new();
            control.next(verb, Step::gate(&gate));
            drop(conn);
            let mut acquire = Probe::polled(pool.acquire());
            stage.settle();
            stage.run(pool.clear_all());
            gate.open();
            assert!(acquire.poll_until_stalled(stage), "HANG in {verb:?}");
            assert_eq!(acquire.take().unwrap().id(), 2, "{verb:?}");
            drop(acquire);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_dropped_clear_all_has_marked_everything() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        drop(acquire_now(stage, &pool));
        stage.settle();
        control.next(Verb::Close, Step::Delay(SECOND));
        let mut clear = Probe::new(pool.clear_all());
        clear.poll();
        drop(clear);
        drop(held);
        stage.settle();
        assert_eq!(acquire_now(stage, &pool).id(), 3);
        if stage.mode() != support::Mode::BuiltIn {
            stage.advance(SECOND);
        }
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn recycle_all_replaces_one_after_the_other_within_the_time() {
    let stage = Stage::spawning();
    for (minsize, maxsize) in [(1, 2), (2, 5), (5, 5)] {
        let (builder, control) = stage.pool(maxsize);
        let (builder, told) = Told::by(builder.minsize(minsize));
        let pool = stage.run(builder.build()).unwrap();
        pool.recycle_all(MINUTE);
        let mut closed = Vec::new();
        for _ in 0..60 {
            stage.advance(SECOND);
            assert_eq!(pool.freesize(), minsize);
            closed.push(control.closed());
        }
        assert_eq!(closed.last(), Some(&minsize));
        assert!(
            closed.windows(2).all(|two| two[1] - two[0] <= 1),
            "{closed:?}"
        );
        assert_eq!(told.take_with("recycle_all was called").len(), minsize);
        let first = control.open_connections();
        assert!(first.iter().all(|id| *id > minsize as u64), "{first:?}");
        stage.advance(100 * MINUTE);
        assert_eq!(control.made(), 2 * minsize);
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn recycle_all_at_once_hands_out_none_of_the_old_ones() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            let (builder, control) = stage.pool(3);
            let pool = builder.build_lazy().unwrap();
            control.always_verdict(verdict);
            let held = acquire_now(stage, &pool);
            let guards: Vec<FakeGuard> = (0..2).map(|_| acquire_now(stage, &pool)).collect();
            drop(guards);
            stage.settle();
            pool.recycle_all(Duration::ZERO);
            let next = acquire_now(stage, &pool);
            assert!(next.id() > 3);
            let released = stage.run(PooledConnection::release(held));
            assert!(released.is_err());
            drop(next);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn what_was_opened_just_now_is_replaced_before_it_goes() {
    let stage = Stage::spawning();
    for minsize in [1, 2, 5] {
        let (builder, control) = stage.pool(2 * minsize);
        let pool = stage.run(builder.minsize(minsize).build()).unwrap();
        for _ in 0..3 {
            let opened = control.made();
            let gates: Vec<Gate> = (0..minsize).map(|_| Gate::new()).collect();
            for gate in &gates {
                control.next(Verb::Connect, Step::gate(gate));
            }
            pool.recycle_all(Duration::ZERO);
            stage.settle();
            assert_eq!(
                pool.freesize(),
                minsize,
                "none goes before: {}",
                pool.status()
            );
            assert_eq!(pool.status().connecting(), minsize);
            for gate in &gates {
                gate.open();
            }
            stage.settle();
            assert_eq!((pool.size(), pool.freesize()), (minsize, minsize));
            assert_eq!(control.made(), opened + minsize);
            assert!(acquire_now(&stage, &pool).id() > opened.try_into().unwrap());
            stage.settle();
        }
        all_is_well(&stage, pool, &control);
    }
}
