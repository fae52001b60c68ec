//! `max_connecting`: whoever starts connects, not more run at once.

use support::invariants::{all_is_well, counts_true};
use support::{Gate, Probe, Stage, Step, Verb, hold};

use crate::callers;

#[test]
fn not_more_connects_run_at_once_and_waiters_keep_their_turn() {
    for (maxsize, most) in [(1, 1), (2, 1), (5, 2), (5, 5)] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder.max_connecting(most).build_lazy().unwrap();
            let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
            for gate in &gates {
                control.next(Verb::Connect, Step::gate(gate));
            }
            let mut waiting = callers(&pool, maxsize);
            stage.drive(&mut waiting);
            for (turn, gate) in gates.iter().enumerate() {
                assert_eq!(control.in_connect(), most.min(maxsize - turn));
                assert_eq!(pool.status().connecting(), control.in_connect());
                gate.open();
                stage.drive(&mut waiting);
                let served = waiting.iter().filter(|waiter| waiter.is_ready()).count();
                assert_eq!(served, turn + 1);
                assert!(waiting[turn].is_ready(), "waiter {turn} was overtaken");
            }
            let held: Vec<_> = waiting
                .iter_mut()
                .map(|one| hold(one.take().unwrap()))
                .collect();
            counts_true(&pool, &control, maxsize);
            assert_eq!(control.peak_in_connect(), most.min(maxsize));
            drop(held);
            drop(waiting);
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn build_opens_minsize_in_portions() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let gate = Gate::new();
        control.always(Verb::Connect, Step::gate(&gate));
        let mut build = Probe::pending(builder.minsize(5).max_connecting(2).build());
        build.poll_until_stalled(stage);
        assert_eq!(control.in_connect(), 2);
        gate.open();
        assert!(build.poll_until_stalled(stage), "HANG");
        let pool = build.take().unwrap();
        assert_eq!((pool.freesize(), control.peak_in_connect()), (5, 2));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn build_fails_with_the_first_failure_of_any_portion() {
    for failing in 0..5 {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(5);
            control.next_times(Verb::Connect, failing, Step::Ok);
            control.next(Verb::Connect, Step::Err);
            let built = stage.run(builder.minsize(5).max_connecting(2).build());
            assert!(matches!(built, Err(pool_core::Error::Connect(_))));
            stage.settle();
            assert_eq!((control.live(), control.in_connect()), (0, 0));
            assert!(!control.manager_is_alive());
        });
    }
}

#[test]
fn a_fill_waits_for_the_connects_of_waiters_and_waiters_for_those_of_a_fill() {
    for fill_first in [false, true] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(4);
            let builder = builder.minsize(2).upkeep(false).max_connecting(1);
            let pool = builder.build_lazy().unwrap();
            let gate = Gate::new();
            control.always(Verb::Connect, Step::gate(&gate));
            let mut fill = Probe::new(pool.fill());
            if fill_first {
                fill.poll();
            }
            let mut waiting = callers(&pool, 2);
            fill.poll();
            stage.drive(&mut waiting);
            assert_eq!(control.in_connect(), 1, "{}", pool.status());
            gate.open();
            for _ in 0..4 {
                fill.poll_until_stalled(stage);
                stage.drive(&mut waiting);
            }
            assert!(fill.is_ready(), "HANG: {}", pool.status());
            assert!(
                waiting.iter().all(Probe::is_ready),
                "HANG: {}",
                pool.status()
            );
            assert_eq!(control.peak_in_connect(), 1);
            drop((fill, waiting));
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn a_fill_that_waits_for_its_next_connect_can_be_dropped() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.minsize(3).upkeep(false).max_connecting(1);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut fill = Probe::pending(pool.fill());
        fill.poll_until_stalled(stage);
        fill.cancel();
        drop(fill);
        gate.open();
        let held = hold(support::invariants::acquire_now(stage, &pool));
        assert_eq!(control.peak_in_connect(), 1);
        drop(held);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn the_next_acquire_restores_minsize_one_connect_after_the_other() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let builder = builder.minsize(4).upkeep(false).max_connecting(1);
        let pool = builder.build_lazy().unwrap();
        drop(hold(support::invariants::acquire_now(stage, &pool)));
        stage.settle();
        if stage.spawns() {
            assert_eq!(pool.size(), 4, "{}", pool.status());
        }
        assert_eq!(control.peak_in_connect(), 1);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn upkeep_fills_in_portions() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let builder = builder.minsize(5).max_connecting(2);
    control.always(Verb::Connect, Step::Delay(crate::SECOND));
    let pool = builder.build_lazy().unwrap();
    stage.advance(600 * crate::SECOND);
    assert_eq!((pool.freesize(), control.peak_in_connect()), (5, 2));
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_waiter_that_is_dropped_in_its_connect_gives_the_next_its_turn() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.max_connecting(1).build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut waiting = callers(&pool, 3);
        waiting[0].cancel();
        stage.drive(&mut waiting[1..]);
        gate.open();
        assert!(stage.drive(&mut waiting[1..]), "HANG: {}", pool.status());
        assert_eq!((control.made(), control.peak_in_connect()), (2, 1));
        drop(waiting);
        all_is_well(stage, pool, &control);
    });
}
