//! What the pool says of itself while something is under way.

use pool_core::{CheckPolicy, PooledConnection, Status};
use support::invariants::{acquire_now, counts_add_up};
use support::{FakePool, Gate, Probe, Stage, Step, Verb};

/// (free, held, checking, recycling, closing, connecting, waiting)
fn parts(pool: &FakePool) -> (usize, usize, usize, usize, usize, usize, usize) {
    counts_add_up(pool);
    let s = pool.status();
    (
        s.freesize(),
        s.held(),
        s.checking(),
        s.recycling(),
        s.closing(),
        s.connecting(),
        s.waiting(),
    )
}

#[test]
fn a_connecting_connection_counts_from_the_start() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut acquire = Probe::pending(pool.acquire());
        stage.settle();
        assert_eq!(parts(&pool), (0, 0, 0, 0, 0, 1, 1));
        assert_eq!((pool.size(), pool.freesize(), pool.used()), (1, 0, 0));
        gate.open();
        assert!(acquire.poll_until_stalled(stage));
        assert_eq!(parts(&pool), (0, 1, 0, 0, 0, 0, 0));
        assert_eq!((pool.size(), pool.freesize(), pool.used()), (1, 0, 1));
    });
}

#[test]
fn a_checked_connection_is_in_use() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        stage.run(PooledConnection::release(conn)).unwrap();
        assert_eq!(parts(&pool), (1, 0, 0, 0, 0, 0, 0));
        let gate = Gate::new();
        control.next(Verb::Check, Step::gate(&gate));
        let mut acquire = Probe::pending(pool.acquire());
        stage.settle();
        assert_eq!(parts(&pool), (0, 0, 1, 0, 0, 0, 1));
        assert_eq!((pool.size(), pool.used()), (1, 1));
        gate.open();
        assert!(acquire.poll_until_stalled(stage));
        assert_eq!(parts(&pool), (0, 1, 0, 0, 0, 0, 0));
    });
}

#[test]
fn a_recycled_connection_is_in_use_until_it_is_clean() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Recycle, Step::gate(&gate));
        let mut release = Probe::pending(PooledConnection::release(acquire_now(stage, &pool)));
        stage.settle();
        assert_eq!(parts(&pool), (0, 0, 0, 1, 0, 0, 0));
        assert_eq!((pool.size(), pool.freesize(), pool.used()), (1, 0, 1));
        gate.open();
        assert!(release.poll_until_stalled(stage));
        assert_eq!(parts(&pool), (1, 0, 0, 0, 0, 0, 0));
    });
}

#[test]
fn a_closing_connection_counts_until_it_is_closed() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        stage.run(PooledConnection::release(conn)).unwrap();
        let gate = Gate::new();
        control.next(Verb::Close, Step::gate(&gate));
        let mut clear = Probe::pending(pool.clear());
        stage.settle();
        assert_eq!(parts(&pool), (0, 0, 0, 0, 1, 0, 0));
        assert_eq!((pool.size(), pool.freesize(), pool.used()), (1, 0, 1));
        gate.open();
        assert!(clear.poll_until_stalled(stage));
        assert_eq!(parts(&pool), (0, 0, 0, 0, 0, 0, 0));
    });
}

#[test]
fn a_returned_connection_counts_as_free_where_nothing_can_be_spawned() {
    let stage = Stage::bare();
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    drop(acquire_now(&stage, &pool));
    assert_eq!(parts(&pool), (1, 0, 0, 0, 0, 0, 0));
    assert_eq!(control.recycles(), 0, "that happens in the next acquire");
    drop(acquire_now(&stage, &pool));
    assert_eq!(control.recycles(), 1);
}

#[test]
fn those_who_wait_are_counted_until_they_are_served_or_leave() {
    Stage::each(|stage| {
        let (builder, _control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let unpolled = pool.acquire();
        assert_eq!(
            pool.status().waiting(),
            0,
            "nothing happens before the first poll"
        );
        let mut waiters = [(); 3].map(|()| Probe::pending(pool.acquire()));
        assert_eq!(pool.status().waiting(), 3);
        waiters[1].cancel();
        assert_eq!(pool.status().waiting(), 2);
        drop(conn);
        assert!(waiters[0].poll_until_stalled(stage));
        assert_eq!(pool.status().waiting(), 1);
        drop(unpolled);
    });
}

#[test]
fn a_snapshot_does_not_change() {
    let stage = Stage::spawning();
    let (builder, _control) = stage.pool(3);
    let pool = stage.run(builder.minsize(1).build()).unwrap();
    let before: Status = pool.status();
    let copy = before;
    let conn = acquire_now(&stage, &pool);
    assert_eq!(before, copy);
    assert_ne!(before, pool.status());
    assert_eq!((before.minsize(), before.maxsize()), (1, 3));
    drop(conn);
    stage.settle();
    assert_eq!(before, pool.status(), "all is as it was");
}

#[test]
fn a_snapshot_reads_as_a_sentence() {
    let stage = Stage::spawning();
    let (builder, _control) = stage.pool(3);
    let pool = stage.run(builder.minsize(2).build()).unwrap();
    let _conn = acquire_now(&stage, &pool);
    let text = pool.status().to_string();
    for part in ["size 2", "free 1", "held 1", "waiting 0", "maxsize 3"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let (builder, _control) = stage.pool(0);
    let unlimited = builder.build_lazy().unwrap().status().to_string();
    assert!(unlimited.contains("maxsize unlimited"), "{unlimited}");
}

#[test]
fn a_guard_knows_its_number_its_age_and_how_often_it_was_used() {
    use std::time::Duration;
    Stage::each_virtual(|stage| {
        let (builder, _control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Never);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let id = PooledConnection::id(&conn);
        assert_eq!(PooledConnection::uses(&conn), 1);
        assert_eq!(PooledConnection::age(&conn), Duration::ZERO);
        drop(conn);
        stage.advance(Duration::from_secs(90));
        let conn = acquire_now(stage, &pool);
        assert_eq!(PooledConnection::id(&conn), id);
        assert_eq!(PooledConnection::uses(&conn), 2);
        assert_eq!(PooledConnection::age(&conn), Duration::from_secs(90));
        PooledConnection::discard(conn);
        stage.settle();
        let conn = acquire_now(stage, &pool);
        assert_ne!(PooledConnection::id(&conn), id);
        assert_eq!(PooledConnection::uses(&conn), 1);
    });
}
