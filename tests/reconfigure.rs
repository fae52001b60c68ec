//! `reconfigure`: settings change together or not at all, while the pool runs.

use std::time::Duration;

use pool_core::{CheckPolicy, Error, IdleOrder, Phase, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeGuard, Gate, Probe, Stage, Step, Verb};

const SECOND: Duration = Duration::from_secs(1);
const MAX: Duration = Duration::MAX;

#[test]
fn settings_change_together_or_not_at_all() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let result = pool.reconfigure(|knobs| {
            knobs.maxsize(5);
            knobs.connect_timeout(SECOND);
            knobs.check_timeout(Duration::ZERO);
        });
        let Err(Error::Config(error)) = result else {
            panic!("zero would fail at once: {result:?}");
        };
        assert_eq!(error.field(), "check_timeout");
        let settings = pool.settings();
        let seen = (settings.maxsize(), settings.connect_timeout());
        assert_eq!(seen, (2, None));
        assert_eq!(pool.maxsize(), 2);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_time_out_counts_from_the_next_step_on() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Connect, Step::Pend);
        pool.reconfigure(|knobs| knobs.connect_timeout(2 * SECOND))
            .unwrap();
        let mut acquire = Probe::polled(pool.acquire());
        pool.reconfigure(|knobs| knobs.connect_timeout(9 * SECOND))
            .unwrap();
        stage.advance(2 * SECOND);
        assert!(acquire.poll_until_stalled(stage), "HANG");
        let Err(Error::Timeout { phase, after, .. }) = acquire.take() else {
            panic!("its connect hangs");
        };
        assert_eq!((phase, after), (Phase::Connect, 2 * SECOND));
        drop(acquire);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn an_acquire_keeps_the_time_out_that_it_has_begun_with() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        let mut old = Probe::polled(pool.acquire());
        pool.reconfigure(|knobs| knobs.acquire_timeout(SECOND))
            .unwrap();
        let mut new = Probe::polled(pool.acquire());
        stage.advance(SECOND);
        assert!(!old.poll_until_stalled(stage) && new.poll_until_stalled(stage));
        assert!(matches!(new.take(), Err(Error::Timeout { .. })));
        drop(held);
        assert!(old.poll_until_stalled(stage), "HANG");
        drop((old, new));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_check_that_began_without_a_deadline_goes_with_its_acquire() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        stage.settle();
        control.next(Verb::Check, Step::Pend);
        let acquire = Probe::polled(pool.acquire());
        pool.reconfigure(|knobs| knobs.check_timeout(SECOND))
            .unwrap();
        // Nothing would end this check, so it is dropped.
        drop(acquire);
        drop(acquire_now(stage, &pool));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_check_policy_that_is_switched_on_knows_nothing_of_the_time_before_and_checks() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        control.always_verdict(Verdict::Reuse);
        let builder = builder.check_policy(CheckPolicy::Never);
        let pool = builder.build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        stage.advance(100 * SECOND);
        drop(acquire_now(stage, &pool));
        assert_eq!(control.checks(), 0);
        pool.reconfigure(|knobs| knobs.check_policy(CheckPolicy::IdleFor(SECOND)))
            .unwrap();
        drop(acquire_now(stage, &pool));
        assert_eq!(control.checks(), 1, "nobody knows for how long it was idle");
        drop(acquire_now(stage, &pool));
        assert_eq!(control.checks(), 1, "now it is known");
        stage.advance(SECOND);
        drop(acquire_now(stage, &pool));
        assert_eq!(control.checks(), 2);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn the_idle_order_and_pool_recycle_change() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        control.always_verdict(Verdict::Reuse);
        let pool = builder.build_lazy().unwrap();
        let guards = [(); 2].map(|()| acquire_now(stage, &pool));
        let last = guards[1].id();
        drop(guards);
        pool.reconfigure(|knobs| {
            knobs.idle_order(IdleOrder::Lifo);
            knobs.pool_recycle(10 * SECOND);
        })
        .unwrap();
        let guard = acquire_now(stage, &pool);
        assert_eq!(guard.id(), last);
        drop(guard);
        stage.advance(10 * SECOND);
        let guard = acquire_now(stage, &pool);
        assert_eq!(
            (guard.id(), control.made()),
            (3, 3),
            "the others have expired"
        );
        drop(guard);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_larger_minsize_is_filled_in_the_background() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = builder.build_lazy().unwrap();
    pool.reconfigure(|knobs| knobs.minsize(3)).unwrap();
    stage.settle();
    assert_eq!((pool.minsize(), pool.freesize()), (3, 3));
    all_is_well(&stage, pool, &control);
}

#[test]
fn the_next_acquire_fills_a_larger_minsize_where_nothing_can_be_spawned() {
    let stage = Stage::bare();
    let (builder, control) = stage.pool(5);
    let pool = builder.build_lazy().unwrap();
    pool.reconfigure(|knobs| knobs.minsize(3)).unwrap();
    assert_eq!(pool.size(), 0);
    drop(acquire_now(&stage, &pool));
    assert_eq!(pool.size(), 3);
    all_is_well(&stage, pool, &control);
}

#[test]
fn thresholds_can_be_changed_where_the_pool_measures() {
    let stage = Stage::spawning();
    let (builder, _control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    for result in [
        pool.reconfigure(|knobs| knobs.slow_acquire_after(SECOND)),
        pool.reconfigure(|knobs| knobs.leak_warning_after(SECOND)),
    ] {
        assert!(matches!(result, Err(Error::Config(_))), "{result:?}");
    }
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder
        .slow_acquire_after(60 * SECOND)
        .build_lazy()
        .unwrap();
    let held = acquire_now(&stage, &pool);
    pool.reconfigure(|knobs| {
        knobs.slow_acquire_after(SECOND);
        knobs.leak_warning_after(2 * SECOND);
    })
    .unwrap();
    let waiting = Probe::polled(pool.acquire());
    stage.advance(SECOND);
    stage.advance(SECOND);
    let stats = pool.stats();
    assert_eq!((stats.slow_acquires(), stats.suspected_leaks()), (1, 1));
    drop((waiting, held));
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_leak_warning_that_is_set_later_watches_a_try_acquire_too() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    // A hand-out after a check does not go the shortest way.
    let builder = builder.check_policy(CheckPolicy::Always);
    let builder = builder.slow_acquire_after(60 * SECOND);
    let pool = builder.build_lazy().unwrap();
    let guard = acquire_now(&stage, &pool);
    stage.run(PooledConnection::release(guard)).unwrap();
    stage.settle();
    pool.reconfigure(|knobs| knobs.leak_warning_after(2 * SECOND))
        .unwrap();
    // Upkeep has seen the new setting before the hand-out.
    stage.tick();
    let held = pool.try_acquire().unwrap();
    stage.advance(2 * SECOND);
    assert_eq!(pool.stats().suspected_leaks(), 1);
    drop(held);
    all_is_well(&stage, pool, &control);
}

#[test]
fn two_callers_at_once_change_what_each_has_named() {
    let stage = Stage::bare();
    let (builder, _control) = stage.pool(5);
    let pool = builder.build_lazy().unwrap();
    pool.reconfigure(|knobs| {
        knobs.maxsize(7);
        // Another one, meanwhile. No lock is held.
        pool.reconfigure(|knobs| {
            knobs.minsize(2);
            knobs.maxsize(6);
        })
        .unwrap();
        assert_eq!((knobs.settings().maxsize(), pool.maxsize()), (7, 6));
    })
    .unwrap();
    assert_eq!((pool.minsize(), pool.maxsize()), (2, 7));
}

#[test]
fn a_change_that_panics_changes_nothing() {
    let stage = Stage::bare();
    let (builder, control) = stage.pool(2);
    let pool = builder.build_lazy().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pool.reconfigure(|knobs| {
            knobs.maxsize(9);
            panic!("scripted");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(pool.maxsize(), 2);
    let guards: Vec<FakeGuard> = (0..2).map(|_| acquire_now(&stage, &pool)).collect();
    drop(guards);
    all_is_well(&stage, pool, &control);
}

#[test]
fn max_connecting_can_be_set_lowered_and_lifted_while_connects_run() {
    Stage::each(|stage| {
        for most in [1, 2, 5] {
            let (builder, control) = stage.pool(10);
            let pool = builder.build_lazy().unwrap();
            let gate = Gate::new();
            control.always(Verb::Connect, Step::gate(&gate));
            pool.reconfigure(|knobs| knobs.max_connecting(most))
                .unwrap();
            let mut asking: Vec<_> = (0..10).map(|_| Probe::polled(pool.acquire())).collect();
            assert!(!stage.drive(&mut asking));
            assert_eq!(control.in_connect(), most);
            pool.reconfigure(|knobs| knobs.max_connecting(most + 3))
                .unwrap();
            assert!(!stage.drive(&mut asking));
            assert_eq!(control.in_connect(), most + 3);
            // Those that run go on.
            pool.reconfigure(|knobs| knobs.max_connecting(1)).unwrap();
            assert!(!stage.drive(&mut asking));
            assert_eq!(control.in_connect(), most + 3);
            pool.reconfigure(|knobs| knobs.max_connecting(None))
                .unwrap();
            assert!(!stage.drive(&mut asking));
            assert_eq!(control.in_connect(), 10);
            gate.open();
            assert!(stage.drive(&mut asking), "HANG: {}", pool.status());
            assert!(asking.iter_mut().all(|asking| asking.take().is_ok()));
            drop(asking);
            control.all_goes_well();
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn connect_retry_can_be_switched_on_and_off_while_acquires_wait() {
    Stage::each_virtual(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder.minsize(0).build_lazy().unwrap();
            control.always(Verb::Connect, Step::Err);
            let failed = |result: Result<_, Error<_>>| matches!(result, Err(Error::Connect(_)));
            assert!(failed(stage.run(pool.acquire()).map(drop)));
            pool.reconfigure(|knobs| knobs.connect_retry(MAX)).unwrap();
            let mut patient = Probe::polled(pool.acquire());
            for _ in 0..100 {
                stage.advance(SECOND);
                assert!(!patient.poll_until_stalled(stage), "it is tried again");
            }
            pool.reconfigure(|knobs| knobs.connect_retry(None)).unwrap();
            stage.advance(SECOND);
            assert!(patient.poll_until_stalled(stage), "HANG: {}", pool.status());
            assert!(failed(patient.take().map(drop)));
            assert!(failed(stage.run(pool.acquire()).map(drop)));
            drop(patient);
            // Too short for a second attempt.
            pool.reconfigure(|knobs| knobs.connect_retry(Duration::from_nanos(1)))
                .unwrap();
            let mut hasty = Probe::polled(pool.acquire());
            stage.advance(SECOND);
            assert!(hasty.poll_until_stalled(stage), "HANG: {}", pool.status());
            assert!(failed(hasty.take().map(drop)));
            drop(hasty);
            control.all_goes_well();
            stage.advance(SECOND);
            all_is_well(stage, pool, &control);
        }
    });
}
