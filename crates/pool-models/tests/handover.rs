//! Connections that come back while others wait, come, or give up.

use pool_core::{Error, PooledConnection};
use pool_models::{
    Setup, World, acquire, check, check_by_sampling, join, poll_once, spawn, thread,
};

#[test]
fn a_release_reaches_a_waiter_at_its_first_poll() {
    check("hand_over", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        drop(held);
        join([waiter]);
        world.finish(pool);
    });
}

#[test]
fn what_a_cancelled_waiter_was_given_goes_to_the_one_behind() {
    check("cancelled_hand_over", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let cancelled = thread(&pool, |pool| drop(poll_once(&mut pool.acquire())));
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        drop(held);
        join([cancelled, waiter]);
        world.finish(pool);
    });
}

#[test]
fn two_releases_serve_two_waiters() {
    check("two_releases", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            ..Setup::default()
        });
        let (first, second) = (acquire(&pool), acquire(&pool));
        let waiters = [0, 1].map(|_| thread(&pool, |pool| drop(acquire(pool))));
        let release = spawn(move || drop(first));
        drop(second);
        join(waiters);
        join([release]);
        world.finish(pool);
    });
}

#[test]
fn a_try_acquire_takes_nothing_from_a_waiter_for_good() {
    check("try_acquire", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        let tries = thread(&pool, |pool| match pool.try_acquire() {
            Ok(taken) => drop(taken),
            Err(error) => assert!(matches!(error, Error::Exhausted), "{error}"),
        });
        drop(held);
        join([waiter, tries]);
        world.finish(pool);
    });
}

#[test]
fn a_place_that_becomes_free_goes_to_a_waiter() {
    check("freed_place", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            ..Setup::default()
        });
        let (first, second) = (acquire(&pool), acquire(&pool));
        let waiters = [0, 1].map(|_| thread(&pool, |pool| drop(acquire(pool))));
        PooledConnection::discard(first);
        PooledConnection::discard(second);
        join(waiters);
        world.finish(pool);
    });
}

#[test]
fn a_crowd_shares_two_connections_and_some_give_up() {
    check_by_sampling("crowd", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            ..Setup::default()
        });
        let threads = [true, false, false, false].map(|gives_up| {
            thread(&pool, move |pool| {
                if gives_up {
                    drop(poll_once(&mut pool.acquire()));
                }
                let held = acquire(pool);
                let status = pool.status();
                assert!(status.size() <= 2 && status.held() <= 2, "{status:?}");
                drop(held);
            })
        });
        join(threads);
        world.finish(pool);
    });
}
