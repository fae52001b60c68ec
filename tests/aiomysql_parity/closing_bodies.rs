//! The parity bodies whose subject is the end of a pool: close, terminate, wait_closed.

use std::pin::pin;

use futures_lite::future::poll_once;
use pool_core::{Error, PooledConnection};
use support::{Backend, counts_settle, yield_now};

use super::bodies::{acquire, close, ok, pool, waits};

// aiomysql's test_cannot_acquire_after_closing
pub(super) async fn acquire_after_close_errs<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    pool.close();
    match poll_once(pool.acquire()).await {
        Some(Err(Error::Closed)) => {}
        Some(_) => panic!("it must be Closed"),
        None => panic!("it must be refused at once"),
    }
    assert!(matches!(pool.try_acquire(), Err(Error::Closed)));
    ok(pool.wait_closed().await);
}

// aiomysql's test_wait_closed
pub(super) async fn wait_closed_after_last_release<B: Backend>(backend: &B) {
    let pool = pool(backend, 10, 10).await;
    let one = acquire(&pool).await;
    let two = acquire(&pool).await;
    pool.close();
    assert!(pool.is_closing() && !pool.is_closed());
    let mut closed = pin!(pool.wait_closed());
    for guard in [one, two] {
        for _ in 0..20 {
            assert!(waits(&mut closed).await, "a connection is still out");
            yield_now().await;
        }
        pool.release(guard);
    }
    ok(closed.await);
    assert!(pool.is_closed());
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (0, 0, 0));
    settle_open(backend, 0).await;
}

/// A server notices a close a little later.
async fn settle_open<B: Backend>(backend: &B, wanted: usize) {
    for _ in 0..1_000 {
        if backend.open().await == wanted {
            return;
        }
        yield_now().await;
    }
    assert_eq!(backend.open().await, wanted);
}

// aiomysql's test_release_closed_connection
pub(super) async fn release_of_closed_is_fine<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    let mut conn = acquire(&pool).await;
    B::close(&mut conn).await;
    pool.release(conn);
    close(&pool).await;
    assert_eq!(pool.size(), 0);
}

// aiomysql's test_wait_closing_on_not_closed
pub(super) async fn wait_closed_before_close_errs<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    match poll_once(pool.wait_closed()).await {
        Some(Err(Error::NotClosing)) => {}
        Some(_) => panic!("it must be NotClosing"),
        None => panic!("HANG: it must be refused at once"),
    }
    drop(acquire(&pool).await);
    close(&pool).await;
}

// aiomysql's test_release_terminated_pool
pub(super) async fn late_release_after_terminate_ok<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    let conn = acquire(&pool).await;
    pool.terminate();
    ok(pool.wait_closed().await);
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (0, 0, 0));
    pool.release(conn);
    counts_settle(&pool, 0, 0, 0).await;
    close(&pool).await;
    settle_open(backend, 0).await;
}

// aiomysql's test_release_terminated_pool_wait_release
pub(super) async fn late_awaited_release_after_terminate_ok<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    let conn = acquire(&pool).await;
    pool.terminate();
    ok(pool.wait_closed().await);
    let kept = PooledConnection::release(conn).await;
    assert!(kept.is_err(), "a terminated pool keeps nothing");
    assert_eq!((pool.size(), pool.freesize(), pool.used()), (0, 0, 0));
    close(&pool).await;
    settle_open(backend, 0).await;
}

// aiomysql's test_close_with_acquired_connections
pub(super) async fn wait_closed_is_cancellable_and_restartable<B: Backend>(backend: &B) {
    let pool = pool(backend, 1, 10).await;
    let conn = acquire(&pool).await;
    pool.close();
    {
        let mut first = pin!(pool.wait_closed());
        for _ in 0..20 {
            assert!(waits(&mut first).await, "a connection is still out");
            yield_now().await;
        }
    }
    pool.release(conn);
    ok(pool.wait_closed().await);
    ok(pool.wait_closed().await);
    assert!(pool.is_closed());
}
