//! The timer strikes on a thread of its own while connections come back and waiters leave.
//!
//! Where the runtime is not re-entrant, the timer wakes under its lock. A pool that asked for another lock in the other
//! order would lock up.

use std::time::Duration;

use pool_core::Error;
use pool_models::{
    Gate, ModelPool, Setup, Spawner, Step, World, acquire, block_on, check, check_by_sampling,
    join, poll_once, spawn, thread,
};

const LIMIT: Duration = Duration::from_secs(1);

fn setup(is_reentrant: bool) -> Setup {
    Setup {
        acquire_timeout: Some(LIMIT),
        is_reentrant,
        ..Setup::default()
    }
}

/// Acquires a connection unless the timer strikes first.
fn acquire_or_timeout(pool: &ModelPool) {
    match block_on(pool.acquire()) {
        Ok(held) => drop(held),
        Err(error) => assert!(matches!(error, Error::Timeout { .. }), "{error}"),
    }
}

fn strike_and_release(is_reentrant: bool) {
    let (world, pool) = World::new(setup(is_reentrant));
    let held = acquire(&pool);
    let waiter = thread(&pool, acquire_or_timeout);
    let runtime = world.runtime();
    let strikes = spawn(move || runtime.strike());
    drop(held);
    join([waiter, strikes]);
    world.finish(pool);
}

#[test]
fn a_strike_meets_a_release() {
    check("strike_and_release", || strike_and_release(true));
}

#[test]
fn a_strike_under_the_timers_lock_meets_a_release() {
    check("locked_strike_and_release", || strike_and_release(false));
}

fn strike_and_drop(is_reentrant: bool) {
    let (world, pool) = World::new(setup(is_reentrant));
    let held = acquire(&pool);
    // Its own time-out is shorter, so the timer is set twice.
    let dropped = thread(&pool, |pool| {
        drop(poll_once(&mut pool.acquire().timeout(LIMIT / 2)));
    });
    let waiter = thread(&pool, acquire_or_timeout);
    let runtime = world.runtime();
    let strikes = spawn(move || runtime.strike());
    join([dropped, waiter, strikes]);
    drop(held);
    world.finish(pool);
}

#[test]
fn a_strike_meets_the_drop_of_a_waiter() {
    check("strike_and_drop", || strike_and_drop(true));
}

#[test]
fn a_strike_under_the_timers_lock_meets_the_drop_of_a_waiter() {
    check("locked_strike_and_drop", || strike_and_drop(false));
}

/// Each of the waiters sets the timer, or leaves that to another that does it at the same time.
fn strike_and_waiters(is_reentrant: bool) {
    let gate = Gate::new();
    let (world, pool) = World::new(Setup {
        connect: Step::Waits(gate.clone()),
        ..setup(is_reentrant)
    });
    let waiters = [LIMIT, LIMIT / 2].map(|limit| {
        thread(&pool, move |pool| {
            let acquired = block_on(pool.acquire().timeout(limit));
            assert!(matches!(acquired, Err(Error::Timeout { .. })));
        })
    });
    let runtime = world.runtime();
    let strikes = spawn(move || runtime.strike());
    join(waiters);
    join([strikes]);
    gate.open();
    world.finish(pool);
}

#[test]
fn a_strike_ends_waiters_that_nobody_serves() {
    check_by_sampling("strike_and_waiters", || strike_and_waiters(true));
}

#[test]
fn a_strike_under_the_timers_lock_ends_waiters_that_nobody_serves() {
    check_by_sampling("locked_strike_and_waiters", || strike_and_waiters(false));
}

#[test]
fn the_last_handle_goes_while_the_timer_strikes() {
    check("strike_and_last_handle", || {
        let (world, pool) = World::new(setup(false));
        let held = acquire(&pool);
        let _ = poll_once(&mut pool.acquire());
        let runtime = world.runtime();
        let strikes = spawn(move || runtime.strike());
        drop(pool);
        drop(held);
        join([strikes]);
        world.finish_dropped();
    });
}

/// Where the timer cannot be set while it strikes, upkeep sets it for the waiters that are left.
#[test]
fn upkeep_sets_the_timer_that_has_struck() {
    check_by_sampling("strike_and_upkeep", || {
        let (world, pool) = World::new(Setup {
            upkeep: true,
            spawner: Spawner::Runs,
            ..setup(false)
        });
        let held = acquire(&pool);
        let waiters = [LIMIT, LIMIT / 2].map(|limit| {
            thread(&pool, move |pool| {
                drop(block_on(pool.acquire().timeout(limit)));
            })
        });
        let runtime = world.runtime();
        let strikes = spawn(move || runtime.strike());
        join(waiters);
        drop(held);
        join([strikes]);
        world.finish(pool);
    });
}
