//! What background upkeep changes in the tests whose subject is laziness: the pool does not wait for an acquire.

use std::time::Duration;

use support::invariants::{acquire_now, all_is_well, counts_true};
use support::{FakeControl, FakePool, Stage};

/// Long enough for any upkeep to have come round.
const LONG: Duration = Duration::from_secs(600);

fn pool(stage: &Stage, minsize: usize, maxsize: usize) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(maxsize);
    let pool = stage.run(builder.minsize(minsize).build()).unwrap();
    (pool, control)
}

// 5
#[test]
fn release_closed_is_refilled_by_upkeep() {
    let stage = Stage::spawning();
    let (pool, control) = pool(&stage, 10, 10);
    let mut conn = acquire_now(&stage, &pool);
    conn.close();
    drop(conn);
    stage.advance(LONG);
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (10, 10, 0));
    assert_eq!(control.made(), 11);
    all_is_well(&stage, pool, &control);
}

// 7
#[test]
fn guard_scope_is_the_same_under_upkeep() {
    let stage = Stage::spawning();
    let (pool, control) = pool(&stage, 10, 10);
    {
        let _conn = acquire_now(&stage, &pool);
        stage.advance(LONG);
        assert_eq!((pool.size(), pool.freesize(), pool.used()), (10, 9, 1));
    }
    stage.advance(LONG);
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (10, 10, 0));
    assert_eq!(control.made(), 10);
    all_is_well(&stage, pool, &control);
}

// 8
#[test]
fn clear_is_refilled_by_upkeep() {
    let stage = Stage::spawning();
    let (pool, control) = pool(&stage, 2, 10);
    let conn = acquire_now(&stage, &pool);
    stage.run(pool.clear());
    assert_eq!(control.closed(), 1, "the free one was closed");
    stage.advance(LONG);
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (2, 1, 1));
    counts_true(&pool, &control, 1);
    drop(conn);
    all_is_well(&stage, pool, &control);
}

// 32
#[test]
fn recycle_does_not_wait_for_an_acquire_under_upkeep() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let limit = Duration::from_secs(3600);
    let pool = stage
        .run(builder.minsize(1).pool_recycle(limit).build())
        .unwrap();
    stage.advance(limit + LONG);
    assert_eq!(control.closed(), 1, "the stale one is gone");
    assert_eq!((pool.size(), pool.freesize()), (1, 1), "and replaced");
    let conn = acquire_now(&stage, &pool);
    assert_eq!(conn.id(), 2);
    assert_eq!(control.made(), 2, "the acquire found it ready");
    drop(conn);
    all_is_well(&stage, pool, &control);
}

// Quirk 4
#[test]
fn quirk_04_stale_connections_go_under_upkeep() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(4);
    let limit = Duration::from_secs(3600);
    let pool = builder.pool_recycle(limit).build_lazy().unwrap();
    let guards = [(); 4].map(|()| acquire_now(&stage, &pool));
    drop(guards);
    stage.settle();
    assert_eq!(pool.freesize(), 4);
    stage.advance(limit + LONG);
    assert_eq!((pool.size(), control.live(), control.made()), (0, 0, 4));
    all_is_well(&stage, pool, &control);
}

// Quirk 7
#[test]
fn quirk_07_clear_reopens_minsize_without_an_acquire_under_upkeep() {
    let stage = Stage::spawning();
    let (pool, control) = pool(&stage, 3, 5);
    stage.run(pool.clear());
    stage.advance(LONG);
    assert_eq!((pool.size(), pool.freesize()), (3, 3));
    assert_eq!((control.made(), control.closed()), (6, 3));
    all_is_well(&stage, pool, &control);
}
