//! Many times the same: memory, waiters and places are as before.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_lite::future::block_on;
use pool_core::{CheckPolicy, Pool, ThreadTimer};
use support::Clean;

/// Acquires that wait and are dropped. One in a hundred has been given the connection when it is dropped.
fn cancel(pool: &Pool<Clean>, cycles: u32) {
    let mut held = block_on(pool.acquire()).ok();
    let mut cx = Context::from_waker(Waker::noop());
    for cycle in 0..cycles {
        let mut waiter = pin!(pool.acquire());
        assert!(waiter.as_mut().poll(&mut cx).is_pending());
        if cycle % 100 == 0 {
            held = None;
            // It is the waiter's now.
            assert!(pool.try_acquire().is_err());
        }
        if held.is_none() {
            waiter.set(pool.acquire());
            held = pool.try_acquire().ok();
            assert!(held.is_some(), "what the waiter was given is lost");
        }
    }
}

#[test]
fn ten_million_cancelled_acquires_leave_no_waiter_and_no_memory() {
    let pool = Pool::builder(Clean)
        .maxsize(1)
        .acquire_timeout(Duration::from_secs(3600))
        // Without the idle clock, whose tick can fall into the middle of the count.
        .check_policy(CheckPolicy::Never)
        .runtime(ThreadTimer::new())
        .build_lazy()
        .expect("the settings are good");
    cancel(&pool, 1_000);
    let memory = allocation_counter::measure(|| cancel(&pool, 10_000_000));
    assert_eq!((memory.count_total, memory.bytes_current), (0, 0));
    assert_eq!(pool.status().waiting(), 0);
    let held = block_on(pool.acquire()).expect("the place is there");
    assert!(pool.try_acquire().is_err(), "and it is the only one");
    drop(held);
}
