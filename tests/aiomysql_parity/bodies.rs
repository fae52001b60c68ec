//! aiomysql's `tests/test_pool.py` as promises of ours, one body a test, generic over the backend: the fake manager
//! here, a real server where there is one.
//!
//! What the originals read between two statements is read here when the pool has come to rest, because a returned
//! connection is recycled before it is free again. Bodies whose subject is laziness switch upkeep off.

use std::collections::HashSet;
use std::future::Future;

use futures_lite::future::poll_once;
use pool_core::{Error, Manager, Pool, PooledConnection};
use support::{Backend, counts_settle, settle_until, yield_now};

pub(super) use super::closing_bodies::{
    acquire_after_close_errs, late_awaited_release_after_terminate_ok,
    late_release_after_terminate_ok, release_of_closed_is_fine, wait_closed_after_last_release,
    wait_closed_before_close_errs, wait_closed_is_cancellable_and_restartable,
};

pub(super) use super::limit_bodies::{
    acquire_timeout_strikes, config_rejects_min_gt_max, idle_transport_error_replaced,
    maxsize_zero_unbounded, maxsize_zero_with_minsize, never_exceeds_max_one,
};

/// Hands the name of every body that runs alike on every backend to the macro that makes tests of them.
macro_rules! for_every_body {
    ($tests:ident) => {
        $tests! {
            create_defaults
            create_min_max
            acquire_runs_query
            release_moves_back
            release_closed_shrinks_then_refills_on_acquire
            guard_scope
            guard_scope_left_early
            guard_scope_cancelled
            clear_empties_free
            starts_empty_grows_on_demand_reuses_first
            parallel_two_fifo_reuse
            parallel_three_fifo_reuse
            release_in_transaction_is_rolled_back_and_kept
            awaited_release_in_transaction_is_clean
            grows_beyond_minsize_and_keeps
            connect_on_acquire
            no_speculative_growth
            config_rejects_min_gt_max
            never_exceeds_max_one
            acquire_after_close_errs
            wait_closed_after_last_release
            release_of_closed_is_fine
            wait_closed_before_close_errs
            late_release_after_terminate_ok
            late_awaited_release_after_terminate_ok
            wait_closed_is_cancellable_and_restartable
            idle_transport_error_replaced
            maxsize_zero_with_minsize
            acquire_timeout_strikes
        }
    };
}
pub(super) use for_every_body;

pub(super) type Guard<B> = PooledConnection<<B as Backend>::Manager>;

pub(super) async fn pool<B: Backend>(
    backend: &B,
    minsize: usize,
    maxsize: usize,
) -> Pool<B::Manager> {
    let builder = backend.builder().minsize(minsize).maxsize(maxsize);
    ok(builder.upkeep(false).build().await)
}

/// The value of a result whose error need not be `Debug` to be shown.
#[track_caller]
pub(super) fn ok<T, E: std::error::Error>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("it ought to succeed: {error}"))
}

pub(super) async fn acquire<M: Manager>(pool: &Pool<M>) -> PooledConnection<M> {
    ok(pool.acquire().await)
}

pub(super) async fn close<M: Manager>(pool: &Pool<M>) {
    pool.close();
    ok(pool.wait_closed().await);
}

/// Polls a future once, to see that it waits.
pub(super) async fn waits<F: Future + Unpin>(future: &mut F) -> bool {
    poll_once(future).await.is_none()
}

// aiomysql's test_create_pool
pub(super) async fn create_defaults<B: Backend>(backend: &B) {
    let pool = ok(backend.builder().build().await);
    assert_eq!((pool.minsize(), pool.maxsize()), (1, 10));
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (1, 1, 0));
    assert!(!pool.echo() && !pool.is_closing() && !pool.is_closed());
    counts_settle(&pool, 1, 1, 0).await;
    assert_eq!(backend.open().await, 1, "no connect happens later");
    close(&pool).await;
}

// aiomysql's test_create_pool2
pub(super) async fn create_min_max<B: Backend>(backend: &B) {
    let pool = pool(backend, 10, 20).await;
    assert_eq!((pool.minsize(), pool.maxsize()), (10, 20));
    assert_eq!((pool.size(), pool.freesize()), (10, 10));
    assert_eq!(backend.open().await, 10);
    close(&pool).await;
}

// aiomysql's test_acquire
pub(super) async fn acquire_runs_query<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    let mut conn = acquire(&pool).await;
    assert_eq!(B::query(&mut conn).await, Some(1));
    pool.release(conn);
    close(&pool).await;
}

// aiomysql's test_release
pub(super) async fn release_moves_back<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    let conn = acquire(&pool).await;
    let id = PooledConnection::id(&conn);
    assert_eq!((pool.freesize(), pool.used()), (0, 1));
    pool.release(conn);
    counts_settle(&pool, 1, 1, 0).await;
    let again = acquire(&pool).await;
    assert_eq!(PooledConnection::id(&again), id);
    drop(again);
    close(&pool).await;
}

// aiomysql's test_release_closed
pub(super) async fn release_closed_shrinks_then_refills_on_acquire<B: Backend>(backend: &B) {
    let pool = pool(backend, 10, 10).await;
    let mut conn = acquire(&pool).await;
    counts_settle(&pool, 10, 9, 1).await;
    B::close(&mut conn).await;
    pool.release(conn);
    counts_settle(&pool, 9, 9, 0).await;
    let conn = acquire(&pool).await;
    settle_until(&pool, 10, || pool.size()).await;
    assert_eq!(pool.status().held(), 1);
    drop(conn);
    close(&pool).await;
}

// aiomysql's test_context_manager
pub(super) async fn guard_scope<B: Backend>(backend: &B) {
    let pool = pool(backend, 10, 10).await;
    {
        let _conn = acquire(&pool).await;
        counts_settle(&pool, 10, 9, 1).await;
    }
    counts_settle(&pool, 10, 10, 0).await;
    close(&pool).await;
}

// aiomysql's test_context_manager; here the scope is left by `?`.
pub(super) async fn guard_scope_left_early<B: Backend>(backend: &B) {
    async fn fails<M: Manager>(pool: &Pool<M>) -> Result<(), Error<M::Error>> {
        let _conn = pool.acquire().await?;
        pool.wait_closed().await?;
        unreachable!("the pool is not closing");
    }
    let pool = pool(backend, 2, 2).await;
    assert!(matches!(fails(&pool).await, Err(Error::NotClosing)));
    counts_settle(&pool, 2, 2, 0).await;
    close(&pool).await;
}

// aiomysql's test_context_manager; here a future that holds the guard is dropped.
pub(super) async fn guard_scope_cancelled<B: Backend>(backend: &B) {
    let pool = pool(backend, 2, 2).await;
    {
        let mut inside = Box::pin(async {
            let _conn = acquire(&pool).await;
            std::future::pending::<()>().await;
        });
        // On a real server the acquire itself may take some polls.
        while pool.used() == 0 {
            assert!(waits(&mut inside).await);
            yield_now().await;
        }
    }
    counts_settle(&pool, 2, 2, 0).await;
    close(&pool).await;
}

// aiomysql's test_clear
pub(super) async fn clear_empties_free<B: Backend>(backend: &B) {
    let pool = pool(backend, 2, 10).await;
    let mut conn = acquire(&pool).await;
    pool.clear().await;
    assert_eq!((pool.freesize(), pool.used()), (0, 1));
    assert_eq!(
        B::query(&mut conn).await,
        Some(1),
        "a used connection is left alone"
    );
    drop(conn);
    counts_settle(&pool, 1, 1, 0).await;
    close(&pool).await;
}

// aiomysql's test_initial_empty
pub(super) async fn starts_empty_grows_on_demand_reuses_first<B: Backend>(backend: &B) {
    let pool = pool(backend, 0, 10).await;
    assert_eq!((pool.size(), pool.freesize()), (0, 0));
    let conn = acquire(&pool).await;
    assert_eq!((pool.size(), pool.freesize()), (1, 0));
    drop(conn);
    counts_settle(&pool, 1, 1, 0).await;
    let one = acquire(&pool).await;
    assert_eq!(
        (pool.size(), pool.freesize()),
        (1, 0),
        "what is there comes first"
    );
    let two = acquire(&pool).await;
    assert_eq!((pool.size(), pool.freesize()), (2, 0));
    drop(one);
    counts_settle(&pool, 2, 1, 1).await;
    drop(two);
    counts_settle(&pool, 2, 2, 0).await;
    close(&pool).await;
}

// aiomysql's test_parallel_tasks and test_parallel_tasks_more.
async fn parallel_fifo_reuse<B: Backend>(backend: &B, parallel: usize) {
    let pool = pool(backend, 0, parallel).await;
    let acquires = (0..parallel).map(|_| acquire(&pool));
    let guards: Vec<Guard<B>> = futures::future::join_all(acquires).await;
    assert_eq!(
        (pool.size(), pool.freesize(), pool.used()),
        (parallel, 0, parallel)
    );
    let ids: Vec<u64> = guards.iter().map(PooledConnection::id).collect();
    for (returned, guard) in guards.into_iter().enumerate() {
        pool.release(guard);
        counts_settle(&pool, parallel, returned + 1, parallel - returned - 1).await;
    }
    assert_eq!(backend.open().await, parallel, "none was closed");
    for (taken, id) in ids.iter().enumerate() {
        let mut conn = acquire(&pool).await;
        assert_eq!(
            PooledConnection::id(&conn),
            *id,
            "returned first, handed out first"
        );
        assert_eq!(B::query(&mut conn).await, Some(1));
        assert_eq!(pool.used(), 1, "round {taken}");
        pool.release(conn);
        counts_settle(&pool, parallel, parallel, 0).await;
    }
    close(&pool).await;
}

pub(super) async fn parallel_two_fifo_reuse<B: Backend>(backend: &B) {
    parallel_fifo_reuse(backend, 2).await;
}

pub(super) async fn parallel_three_fifo_reuse<B: Backend>(backend: &B) {
    parallel_fifo_reuse(backend, 3).await;
}

// aiomysql's test_release_with_invalid_status; ours rolls back and keeps
pub(super) async fn release_in_transaction_is_rolled_back_and_kept<B: Backend>(backend: &B) {
    let pool = pool(backend, 10, 10).await;
    let mut conn = acquire(&pool).await;
    let id = PooledConnection::id(&conn);
    B::begin(&mut conn).await;
    assert!(B::shows_transaction(&mut conn).await);
    counts_settle(&pool, 10, 9, 1).await;
    pool.release(conn);
    counts_settle(&pool, 10, 10, 0).await;
    let mut seen = HashSet::new();
    let mut guards = Vec::new();
    for _ in 0..10 {
        let mut conn = acquire(&pool).await;
        assert!(
            !B::shows_transaction(&mut conn).await,
            "nothing of it is left"
        );
        seen.insert(PooledConnection::id(&conn));
        guards.push(conn);
    }
    assert!(seen.contains(&id), "it was kept");
    drop(guards);
    close(&pool).await;
}

// aiomysql's test_release_with_invalid_status_wait_release
pub(super) async fn awaited_release_in_transaction_is_clean<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 1).await;
    let mut conn = acquire(&pool).await;
    let id = PooledConnection::id(&conn);
    B::begin(&mut conn).await;
    ok(PooledConnection::release(conn).await);
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (1, 1, 0));
    let mut conn = ok(pool.try_acquire());
    assert_eq!(PooledConnection::id(&conn), id);
    assert!(!B::shows_transaction(&mut conn).await);
    drop(conn);
    close(&pool).await;
}

// aiomysql's test__fill_free
pub(super) async fn grows_beyond_minsize_and_keeps<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    let one = acquire(&pool).await;
    assert_eq!((pool.size(), pool.freesize()), (1, 0));
    let two = acquire(&pool).await;
    assert_ne!(PooledConnection::id(&one), PooledConnection::id(&two));
    assert_eq!((pool.size(), pool.freesize()), (2, 0));
    drop((one, two));
    counts_settle(&pool, 2, 2, 0).await;
    close(&pool).await;
}

// aiomysql's test_connect_from_acquire
pub(super) async fn connect_on_acquire<B: Backend>(backend: &B) {
    let pool = pool(backend, 0, 10).await;
    assert_eq!(
        (pool.size(), pool.freesize(), backend.open().await),
        (0, 0, 0)
    );
    let conn = acquire(&pool).await;
    assert_eq!((pool.size(), pool.freesize()), (1, 0));
    pool.release(conn);
    counts_settle(&pool, 1, 1, 0).await;
    close(&pool).await;
}

// aiomysql's test_concurrency
pub(super) async fn no_speculative_growth<B: Backend>(backend: &B) {
    let pool = pool(backend, 2, 4).await;
    let one = acquire(&pool).await;
    let two = acquire(&pool).await;
    counts_settle(&pool, 2, 0, 2).await;
    assert_eq!(backend.open().await, 2, "no third on speculation");
    drop((one, two));
    counts_settle(&pool, 2, 2, 0).await;
    close(&pool).await;
}
