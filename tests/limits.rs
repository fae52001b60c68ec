//! The limits of what the pool promises, and what it does at the edge.

use std::error::Error as _;
use std::time::Duration;

use pool_core::{CheckPolicy, Error, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, closed_for_good, counts_true};
use support::{FakeError, FakeGuard, Gate, Mode, Probe, Stage, Step, Verb, hold};

#[test]
fn an_unlimited_pool_has_as_many_as_are_wanted_at_once() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(0);
        let pool = builder.build_lazy().unwrap();
        let guards: Vec<FakeGuard> = (0..200).map(|_| acquire_now(stage, &pool)).collect();
        assert_eq!((pool.size(), pool.used(), pool.maxsize()), (200, 200, 0));
        drop(guards);
        stage.settle();
        assert_eq!(pool.freesize(), 200);
        let again = acquire_now(stage, &pool);
        assert_eq!(control.made(), 200, "what is there comes first");
        drop(again);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_forgotten_guard_keeps_its_place_until_terminate() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        control.give_abort_handles();
        let pool = builder.build_lazy().unwrap();
        let guard = acquire_now(stage, &pool);
        let marks = guard.marks().clone();
        std::mem::forget(guard);
        let other = acquire_now(stage, &pool);
        let mut waiter = Probe::pending(pool.acquire());
        assert!(!waiter.poll_until_stalled(stage));
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        drop(other);
        assert!(waiter.poll_until_stalled(stage), "the other place works");
        drop(waiter);
        pool.terminate();
        stage.run(pool.wait_closed()).unwrap();
        assert_eq!(pool.size(), 0);
        assert!(marks.is_aborted());
    });
}

#[test]
fn swapped_connections_leave_number_age_and_abort_handle_with_their_places() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        control.give_abort_handles();
        let pool = builder.build_lazy().unwrap();
        let mut one = acquire_now(stage, &pool);
        let mut two = acquire_now(stage, &pool);
        let places = (PooledConnection::id(&one), PooledConnection::id(&two));
        let connections = (one.id(), two.id());
        std::mem::swap(&mut *one, &mut *two);
        assert_eq!(
            (PooledConnection::id(&one), PooledConnection::id(&two)),
            places
        );
        assert_eq!((two.id(), one.id()), connections);
        drop(one);
        counts_true(&pool, &control, 1);
        drop(two);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_detached_connection_frees_its_place_at_once() {
    Stage::each(|stage| {
        let (manager, control) = stage.fake(0);
        let pool = stage
            .builder(manager)
            .minsize(0)
            .maxsize(1)
            .build_lazy()
            .unwrap();
        let guard = acquire_now(stage, &pool);
        let mut waiter = Probe::pending(pool.acquire());
        let detached = PooledConnection::detach(guard);
        assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(waiter.take().unwrap()));
        assert_eq!(detached.query(), Ok(1));
        stage.settle();
        assert_eq!((pool.size(), control.live()), (1, 2));
        assert_eq!(
            control.calls(Verb::OnRelease),
            1,
            "the manager is not asked about it"
        );
        drop(detached);
        drop(waiter);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_discarded_connection_frees_its_place_when_it_is_closed() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    let gate = Gate::new();
    control.next(Verb::Close, Step::gate(&gate));
    PooledConnection::discard(acquire_now(&stage, &pool));
    let mut waiter = Probe::pending(pool.acquire());
    assert!(!waiter.poll_until_stalled(&stage), "it is still open");
    assert_eq!(control.live(), 1);
    gate.open();
    assert!(waiter.poll_until_stalled(&stage), "HANG: {}", pool.status());
    drop(hold(waiter.take().unwrap()));
    drop(waiter);
    all_is_well(&stage, pool, &control);
}

#[test]
fn without_a_spawner_a_discarded_connection_goes_without_close() {
    for mode in [Mode::NoSpawner, Mode::BuiltIn] {
        let stage = Stage::new(mode);
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        PooledConnection::discard(acquire_now(&stage, &pool));
        assert_eq!(
            (pool.size(), control.live(), control.close_calls()),
            (0, 0, 0)
        );
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn try_acquire_takes_what_is_idle_and_never_connects() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        assert_eq!(
            control.connects(),
            0,
            "there is room, but it does not connect"
        );
        let conn = acquire_now(stage, &pool);
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        stage.run(PooledConnection::release(conn)).unwrap();
        let held = hold(pool.try_acquire().expect("one is idle and clean"));
        assert_eq!(held.id(), 1);
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        drop(held);
        assert_eq!(control.connects(), 1);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn try_acquire_takes_what_is_idle_also_below_minsize() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.minsize(3).upkeep(false);
        let pool = stage.run(builder.build()).unwrap();
        let guards = [(); 2].map(|()| acquire_now(stage, &pool));
        guards.into_iter().for_each(PooledConnection::discard);
        stage.settle();
        let held = hold(pool.try_acquire().expect("one is idle and clean"));
        counts_true(&pool, &control, 1);
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        drop(held);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn try_acquire_recycles_where_nobody_else_does_and_tries_the_next_when_that_fails() {
    for mode in [Mode::NoSpawner, Mode::BuiltIn] {
        let stage = Stage::new(mode);
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        drop([(); 2].map(|()| acquire_now(&stage, &pool)));
        control.next(Verb::Recycle, Step::Err);
        let held = hold(pool.try_acquire().expect("the second is fine"));
        assert_eq!((held.id(), control.recycles()), (2, 2));
        counts_true(&pool, &control, 1);
        drop(held);
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn a_try_acquire_that_comes_too_early_costs_no_connection() {
    for limit in [None, Some(Duration::from_secs(3_600))] {
        for mode in [Mode::NoSpawner, Mode::BuiltIn] {
            for verb in [Verb::Recycle, Verb::Check] {
                println!("{verb:?}, limit {limit:?}, {mode:?}");
                let stage = Stage::new(mode);
                let (builder, control) = stage.pool(1);
                let builder = builder.recycle_timeout(limit).check_timeout(limit);
                let builder = builder.check_policy(CheckPolicy::Always);
                let pool = builder.build_lazy().unwrap();
                let conn = acquire_now(&stage, &pool);
                let gate = Gate::new();
                control.next(verb, Step::gate(&gate));
                match verb {
                    Verb::Recycle => drop(conn),
                    _ => stage.run(PooledConnection::release(conn)).unwrap(),
                }
                for _ in 0..3 {
                    assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
                    assert_eq!((pool.size(), control.live()), (1, 1), "it goes on later");
                }
                gate.open();
                let held = hold(acquire_now(&stage, &pool));
                assert_eq!(held.id(), 1);
                drop(held);
                all_is_well(&stage, pool, &control);
            }
        }
    }
}

#[test]
fn try_acquire_never_hands_out_what_is_dirty_broken_or_expired() {
    Stage::each_virtual(|stage| {
        let hour = Duration::from_secs(3_600);
        let (builder, control) = stage.pool(1);
        let builder = builder.upkeep(false).pool_recycle(hour);
        let pool = builder
            .check_policy(CheckPolicy::Always)
            .build_lazy()
            .unwrap();
        for round in 0..4 {
            let mut conn = acquire_now(stage, &pool);
            conn.begin();
            conn.scribble("mine");
            let gate = Gate::new();
            if round == 0 {
                control.next(Verb::Recycle, Step::gate(&gate));
            }
            drop(conn);
            match round {
                0 => {}
                1 => stage.settle(),
                2 => {
                    stage.settle();
                    control.break_all();
                }
                _ => {
                    stage.settle();
                    stage.advance(2 * hour);
                }
            }
            // Whether it takes one is its own business; what it takes is as new. `hold` looks.
            drop(pool.try_acquire().map(hold));
            gate.open();
            stage.settle();
            drop(hold(acquire_now(stage, &pool)));
            stage.settle();
        }
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn reuse_skips_the_recycle_and_keeps_what_was_written() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        control.next_verdict(Verdict::Reuse);
        let mut conn = acquire_now(stage, &pool);
        conn.scribble("kept on the manager's word");
        drop(conn);
        stage.settle();
        assert_eq!((pool.freesize(), control.recycles()), (1, 0));
        let conn = acquire_now(stage, &pool);
        assert_eq!(conn.scribbles(), ["kept on the manager's word"]);
        drop(conn);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn an_acquire_does_nothing_before_its_first_poll() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let unpolled = [(); 3].map(|()| pool.acquire());
        stage.settle();
        assert_eq!(
            (pool.size(), pool.status().waiting(), control.connects()),
            (0, 0, 0)
        );
        drop(unpolled);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn an_acquire_and_a_guard_and_a_pool_can_go_to_other_threads() {
    fn can_go<T: Send>(_: &T) {}
    fn can_stay<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn can_move_anywhere<T: Unpin>(_: &T) {}
    fn is_free<T: Send + 'static>(_: &T) {}
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    can_stay(&pool);
    let acquire = pool.acquire();
    can_go(&acquire);
    can_move_anywhere(&acquire);
    can_go(&pool.wait_closed());
    can_go(&pool.clear());
    can_go(&pool.fill());
    drop(acquire);
    let guard = acquire_now(&stage, &pool);
    is_free(&guard);
    let release = PooledConnection::release(guard);
    is_free(&release);
    stage.run(release).unwrap();
    closed_for_good(&stage, pool, &control);
}

#[test]
fn a_guard_may_travel_to_another_thread_and_home() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let guard = acquire_now(stage, &pool);
        let answer = std::thread::spawn(move || guard.query()).join().unwrap();
        assert_eq!(answer, Ok(1));
        stage.settle();
        counts_true(&pool, &control, 0);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn an_awaited_release_says_what_became_of_the_connection() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let release = || stage.run(PooledConnection::release(acquire_now(stage, &pool)));
        assert!(release().is_ok());
        assert_eq!((pool.freesize(), control.live()), (1, 1), "kept");
        control.next_verdict(Verdict::Reuse);
        assert!(release().is_ok());

        control.next(Verb::Recycle, Step::Err);
        let error = release().expect_err("it was not kept");
        assert!(matches!(error, Error::Recycle(_)), "{error:?}");
        assert!(error.source().is_some_and(|cause| cause.is::<FakeError>()));
        assert_eq!(
            (pool.size(), control.live()),
            (0, 0),
            "closed when it is said"
        );

        control.next_verdict(Verdict::Discard);
        let error = release().expect_err("it was not kept");
        assert!(matches!(error, Error::Discarded), "{error:?}");
        assert_eq!((pool.size(), control.live()), (0, 0));

        let guard = acquire_now(stage, &pool);
        pool.close();
        let error = stage.run(PooledConnection::release(guard));
        assert!(matches!(error, Err(Error::Closed)), "{error:?}");
        assert_eq!((pool.size(), control.live()), (0, 0));
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn a_release_that_is_no_longer_awaited_is_still_a_release() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Recycle, Step::gate(&gate));
        let mut release = Probe::pending(PooledConnection::release(acquire_now(stage, &pool)));
        release.poll_until_stalled(stage);
        release.cancel();
        drop(release);
        gate.open();
        stage.settle();
        let held = hold(acquire_now(stage, &pool));
        assert_eq!(held.id(), 1, "as if the guard had been dropped");
        drop(held);
        all_is_well(stage, pool, &control);
    });
}
