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

// aiomysql's test_release_closed, with upkeep.
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

// aiomysql's test_context_manager, with upkeep.
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

// aiomysql's test_clear, with upkeep.
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

// aiomysql's test_pool_with_connection_recycling, with upkeep.
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

// In aiomysql an idle pool keeps expired connections for ever.
#[test]
fn upkeep_closes_expired_connections() {
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

// In aiomysql only the next acquire opens minsize connections again after a clear.
#[test]
fn upkeep_opens_minsize_connections_after_clear() {
    let stage = Stage::spawning();
    let (pool, control) = pool(&stage, 3, 5);
    stage.run(pool.clear());
    stage.advance(LONG);
    assert_eq!((pool.size(), pool.freesize()), (3, 3));
    assert_eq!((control.made(), control.closed()), (6, 3));
    all_is_well(&stage, pool, &control);
}
