//! Upkeep: what the pool does without being asked, and what it leaves to the next acquire where it cannot.

use std::time::Duration;

use pool_core::{CheckPolicy, ErrorClass, PooledConnection};
use support::invariants::{acquire_now, all_is_well, counts_true};
use support::{FakeGuard, Gate, Mode, Probe, Stage, Step, Verb, hold};

const SECOND: Duration = Duration::from_secs(1);
/// Long enough for any upkeep to have come round.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn a_loss_below_minsize_is_made_good_without_waiting_for_traffic() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = stage.run(builder.minsize(3).build()).unwrap();
    let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
    control.break_all();
    drop(guards);
    stage.advance(LONG);
    assert_eq!((pool.size(), pool.freesize()), (3, 3));
    assert_eq!(control.made(), 6);
    all_is_well(&stage, pool, &control);
}

#[test]
fn upkeep_stops_at_minsize() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = stage.run(builder.minsize(2).build()).unwrap();
    stage.advance(100 * LONG);
    assert_eq!((pool.size(), control.made(), control.closed()), (2, 2, 0));
    let guards: Vec<FakeGuard> = (0..5).map(|_| acquire_now(&stage, &pool)).collect();
    drop(guards);
    stage.advance(100 * LONG);
    assert_eq!(
        (pool.size(), control.made()),
        (5, 5),
        "what has grown stays"
    );
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_lazy_pool_with_upkeep_fills_itself() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = builder.minsize(3).build_lazy().unwrap();
    assert_eq!(control.connects(), 0, "building it connects nothing");
    stage.advance(LONG);
    assert_eq!((pool.size(), pool.freesize()), (3, 3));
    all_is_well(&stage, pool, &control);
}

#[test]
fn expired_idle_connections_are_closed_without_waiting_for_traffic() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = builder.pool_recycle(3_600 * SECOND).build_lazy().unwrap();
    let guards: Vec<FakeGuard> = (0..5).map(|_| acquire_now(&stage, &pool)).collect();
    let mut guards = guards.into_iter();
    let held = guards.next().unwrap();
    drop(guards);
    stage.advance(3_000 * SECOND);
    assert_eq!(control.live(), 5, "not yet");
    stage.advance(600 * SECOND + LONG);
    assert_eq!((pool.size(), pool.freesize(), control.live()), (1, 0, 1));
    assert_eq!(held.query(), Ok(1), "a used one is left alone");
    drop(held);
    all_is_well(&stage, pool, &control);
}

#[test]
fn an_idle_pool_with_a_short_pool_recycle_replaces_at_its_pace_and_no_faster() {
    // The same connection is closed and opened again; once a period is what was asked for.
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let builder = builder.minsize(1).pool_recycle(SECOND);
    let pool = stage.run(builder.build()).unwrap();
    stage.advance(60 * SECOND);
    assert!(
        control.made() <= 61,
        "{} connects in 60 periods",
        control.made()
    );
    assert_eq!(pool.size(), 1);
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_connection_in_steady_use_does_not_expire() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let builder = builder.minsize(1).pool_recycle(6 * SECOND / 10);
    let pool = stage.run(builder.build()).unwrap();
    for _ in 0..6 {
        stage.advance(3 * SECOND / 10);
        drop(hold(acquire_now(&stage, &pool)));
    }
    assert_eq!(control.made(), 1, "pool_recycle counts from the last use");
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_connect_of_upkeep_that_fails_is_tried_again_later() {
    for class in [ErrorClass::Transient, ErrorClass::Auth] {
        let stage = Stage::spawning();
        let (builder, control) = stage.pool(3);
        control.always(Verb::Connect, Step::Fail(class));
        let pool = builder.minsize(2).build_lazy().unwrap();
        stage.advance(LONG);
        let tries = control.connects();
        assert!(tries > 2, "it was tried {tries} times only");
        assert!(tries < 2_000, "a storm: {tries} connects in {LONG:?}");
        control.all_goes_well();
        stage.advance(LONG);
        assert_eq!((pool.size(), pool.freesize()), (2, 2));
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn a_panic_or_a_hang_in_a_connect_of_upkeep_ends_nothing() {
    for step in [Step::Panic, Step::PanicInCall, Step::Pend] {
        let stage = Stage::spawning();
        let (builder, control) = stage.pool(2);
        control.next(Verb::Connect, step);
        let builder = builder.minsize(1).connect_timeout(5 * SECOND);
        let pool = builder.build_lazy().unwrap();
        stage.advance(LONG);
        assert_eq!((pool.size(), pool.freesize()), (1, 1));
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn upkeep_never_has_more_than_minsize_connects_in_flight_nor_more_than_maxsize_connections() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let gate = Gate::new();
    control.always(Verb::Connect, Step::gate(&gate));
    let pool = builder.minsize(2).build_lazy().unwrap();
    stage.advance(LONG);
    assert_eq!(control.in_connect(), 2);
    let mut acquires: Vec<_> = (0..4).map(|_| Probe::pending(pool.acquire())).collect();
    stage.advance(LONG);
    assert_eq!(control.in_connect(), 3, "maxsize");
    gate.open();
    stage.drive(&mut acquires);
    drop(acquires);
    stage.advance(LONG);
    let size = pool.size();
    assert!((2..=3).contains(&size), "minsize <= {size} <= maxsize");
    all_is_well(&stage, pool, &control);
}

#[test]
fn upkeep_serves_who_waits_before_it_fills_the_idle_list() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(2);
    let gate = Gate::new();
    control.always(Verb::Connect, Step::gate(&gate));
    let pool = builder.minsize(2).build_lazy().unwrap();
    stage.advance(LONG);
    let mut acquire = Probe::pending(pool.acquire());
    gate.open();
    assert!(
        acquire.poll_until_stalled(&stage),
        "HANG: {}",
        pool.status()
    );
    drop(hold(acquire.take().unwrap()));
    assert_eq!(control.made(), 2);
    drop(acquire);
    all_is_well(&stage, pool, &control);
}

#[test]
fn upkeep_holds_the_pool_weakly_and_ends_with_it() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let builder = builder.minsize(3).pool_recycle(SECOND);
    let pool = stage.run(builder.build()).unwrap();
    stage.advance(LONG);
    assert!(stage.tasks() >= 1, "upkeep is a task");
    drop(pool);
    stage.settle();
    assert_eq!((control.live(), stage.tasks()), (0, 0));
    assert!(!control.manager_is_alive());
}

#[test]
fn a_closed_pool_is_not_kept_up() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let pool = stage.run(builder.minsize(3).build()).unwrap();
    pool.close();
    stage.advance(LONG);
    assert_eq!((control.made(), control.live(), pool.size()), (3, 0, 0));
    assert_eq!(stage.tasks(), 0);
}

#[test]
fn without_upkeep_nothing_happens_by_itself() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let builder = builder.minsize(3).upkeep(false).pool_recycle(SECOND);
    let pool = stage.run(builder.build()).unwrap();
    assert_eq!(stage.tasks(), 0);
    let mut conn = acquire_now(&stage, &pool);
    conn.close();
    drop(conn);
    stage.advance(LONG);
    assert_eq!((pool.size(), control.made(), control.closed()), (2, 3, 1));
    drop(acquire_now(&stage, &pool));
    stage.settle();
    assert_eq!(pool.size(), 3, "the next acquire restores minsize");
    assert_eq!(control.closed(), 3, "and finds the others expired");
    all_is_well(&stage, pool, &control);
}

#[test]
fn without_a_spawner_upkeep_happens_in_the_next_acquire() {
    for mode in [Mode::NoSpawner, Mode::BuiltIn] {
        let stage = Stage::new(mode);
        let (builder, control) = stage.pool(5);
        let pool = stage.run(builder.minsize(3).build()).unwrap();
        let mut conn = acquire_now(&stage, &pool);
        conn.close();
        drop(conn);
        assert_eq!((pool.size(), control.made()), (2, 3));
        let conn = acquire_now(&stage, &pool);
        assert_eq!(pool.size(), 3, "{}", pool.status());
        counts_true(&pool, &control, 1);
        drop(conn);
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn without_a_spawner_expired_connections_go_in_the_next_acquire() {
    let stage = Stage::bare();
    let (builder, control) = stage.pool(5);
    let pool = builder.pool_recycle(SECOND).build_lazy().unwrap();
    let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
    drop(guards);
    stage.advance(LONG);
    assert_eq!(control.live(), 3, "nobody is there to close them");
    let held = hold(acquire_now(&stage, &pool));
    assert_eq!(held.id(), 4, "no expired one is handed out");
    drop(held);
    all_is_well(&stage, pool, &control);
}

#[test]
fn with_a_spawner_a_returned_connection_is_clean_before_anybody_asks() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let builder = builder.check_policy(CheckPolicy::Never);
    let pool = builder.build_lazy().unwrap();
    let mut conn = acquire_now(&stage, &pool);
    conn.begin();
    drop(conn);
    assert_eq!(control.recycles(), 0, "not on the caller's path");
    stage.settle();
    assert_eq!(control.recycles(), 1);
    let mut acquire = Probe::new(pool.acquire());
    assert!(acquire.poll(), "it is there at once");
    drop(hold(acquire.take().unwrap()));
    assert_eq!(control.made(), 1);
    drop(acquire);
    all_is_well(&stage, pool, &control);
}

#[test]
fn the_time_in_somebodys_hands_is_not_idle_time() {
    for awaited in [false, true] {
        for mode in Mode::VIRTUAL {
            let stage = Stage::new(mode);
            let (builder, control) = stage.pool(1);
            let pool = builder.pool_recycle(10 * SECOND).build_lazy().unwrap();
            let conn = acquire_now(&stage, &pool);
            stage.advance(9 * SECOND);
            if awaited {
                stage.run(PooledConnection::release(conn)).unwrap();
            } else {
                drop(conn);
            }
            stage.advance(9 * SECOND);
            let held = hold(acquire_now(&stage, &pool));
            assert_eq!(
                held.id(),
                1,
                "{mode:?}, awaited: {awaited}: idle for nine of ten seconds"
            );
            drop(held);
            all_is_well(&stage, pool, &control);
        }
    }
}
