//! Bodies about sizes, lost connections and time-outs.

use std::time::Duration;

use futures_lite::future::zip;
use pool_core::{CheckPolicy, Error, PooledConnection};
use support::{Backend, counts_settle, yield_now};

use super::bodies::{Guard, acquire, close, ok, pool};

// aiomysql's test_invalid_minsize_and_maxsize; a negative number cannot be written
pub(super) async fn config_rejects_min_gt_max<B: Backend>(backend: &B) {
    let eager = backend.builder().minsize(5).maxsize(2).build().await;
    let lazy = backend.builder().minsize(5).maxsize(2).build_lazy();
    for outcome in [eager.err(), lazy.err()] {
        match outcome {
            Some(Error::Config(error)) => assert_eq!(error.field(), "minsize"),
            _ => panic!("minsize 5 with maxsize 2 must be a ConfigError"),
        }
    }
    assert_eq!(backend.open().await, 0);
}

// aiomysql's test_true_parallel_tasks
pub(super) async fn never_exceeds_max_one<B: Backend>(backend: &B) {
    let pool = pool(backend, 0, 1).await;
    let task = || async {
        let conn = acquire(&pool).await;
        assert_eq!(
            (pool.size(), pool.freesize(), pool.status().held()),
            (1, 0, 1)
        );
        for _ in 0..20 {
            yield_now().await;
            assert_eq!(pool.size(), 1);
        }
        let id = PooledConnection::id(&conn);
        pool.release(conn);
        id
    };
    let (one, two) = zip(task(), task()).await;
    assert_eq!(one, two);
    counts_settle(&pool, 1, 1, 0).await;
    assert_eq!(backend.open().await, 1);
    close(&pool).await;
}

// aiomysql's test_drop_connection_if_timedout and test_pool_drops_connection_with_exception.
pub(super) async fn idle_transport_error_replaced<B: Backend>(backend: &B) {
    let builder = backend.builder().minsize(3).maxsize(3);
    let pool = ok(builder
        .upkeep(false)
        .check_policy(CheckPolicy::Always)
        .build()
        .await);
    backend.kill_all().await;
    let mut guards = Vec::new();
    for _ in 0..3 {
        let mut conn = acquire(&pool).await;
        assert_eq!(B::query(&mut conn).await, Some(1));
        guards.push(conn);
    }
    drop(guards);
    counts_settle(&pool, 3, 3, 0).await;
    close(&pool).await;
}

// aiomysql's test_pool_maxsize_unlimited
pub(super) async fn maxsize_zero_unbounded<B: Backend>(backend: &B, holders: usize) {
    let pool = pool(backend, 0, 0).await;
    assert_eq!(pool.maxsize(), 0);
    let acquires = (0..holders).map(|_| acquire(&pool));
    let guards: Vec<Guard<B>> = futures::future::join_all(acquires).await;
    assert_eq!(
        (pool.size(), pool.freesize(), pool.used()),
        (holders, 0, holders)
    );
    drop(guards);
    counts_settle(&pool, holders, holders, 0).await;
    close(&pool).await;
}

// aiomysql's test_pool_maxsize_unlimited_minsize_1
pub(super) async fn maxsize_zero_with_minsize<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 0).await;
    assert_eq!((pool.size(), pool.freesize()), (1, 1));
    let (mut one, two) = zip(acquire(&pool), acquire(&pool)).await;
    assert_eq!(B::query(&mut one).await, Some(1));
    assert_eq!(pool.size(), 2);
    drop((one, two));
    close(&pool).await;
}

// aiomysql skips its test_create_pool_with_timeout, because it has no such time-out. This pool has one.
pub(super) async fn acquire_timeout_strikes<B: Backend>(backend: &B) {
    let limit = Duration::from_millis(10);
    let builder = backend.builder().minsize(1).maxsize(1).upkeep(false);
    let pool = ok(builder.acquire_timeout(limit).build().await);
    let conn = acquire(&pool).await;
    match pool.acquire().await {
        Err(Error::Timeout { after, .. }) => assert!(after >= limit, "{after:?}"),
        _ => panic!("it must be a Timeout"),
    }
    drop(conn);
    drop(acquire(&pool).await);
    close(&pool).await;
}
