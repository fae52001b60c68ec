//! Close, terminate, shutdown, clear and the drop of the last handle, while others use the pool.

use std::time::Duration;

use pool_core::{Error, PooledConnection, Verdict};
use pool_models::{
    Gate, ModelPool, Setup, Spawner, Step, World, acquire, block_on, check, check_by_sampling,
    join, poll_once, spawn, thread,
};

/// Acquires a connection unless the pool is closed first.
fn acquire_or_closed(pool: &ModelPool) {
    match block_on(pool.acquire()) {
        Ok(held) => drop(held),
        Err(error) => assert!(matches!(error, Error::Closed), "{error}"),
    }
}

#[test]
fn a_close_meets_a_connect() {
    check("close_and_connect", || {
        let (world, pool) = World::new(Setup {
            connect: Step::Yields,
            ..Setup::default()
        });
        let waiter = thread(&pool, acquire_or_closed);
        pool.close();
        block_on(pool.wait_closed()).unwrap();
        join([waiter]);
        world.finish_closed(pool);
    });
}

#[test]
fn a_close_meets_a_connect_whose_acquire_is_dropped() {
    check("close_and_dropped_connect", || {
        let (world, pool) = World::new(Setup {
            connect: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let dropped = thread(&pool, |pool| drop(poll_once(&mut pool.acquire())));
        pool.close();
        block_on(pool.wait_closed()).unwrap();
        join([dropped]);
        world.finish_closed(pool);
    });
}

#[test]
fn a_terminate_meets_a_release_and_a_waiter() {
    check("terminate_and_release", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, acquire_or_closed);
        let release = spawn(move || drop(held));
        pool.terminate();
        block_on(pool.wait_closed()).unwrap();
        // A connection that was written off is its holder's until it comes back.
        join([waiter, release]);
        world.finish_closed(pool);
    });
}

/// The close wakes itself while one of two polls it; each of the two must hear of that.
#[test]
fn a_wait_closed_and_an_awaited_release_drive_one_close() {
    check("two_drive_a_close", || {
        let (world, pool) = World::new(Setup {
            close: Step::Yields,
            ..Setup::default()
        });
        let held = acquire(&pool);
        pool.close();
        let release = spawn(move || {
            let released = block_on(PooledConnection::release(held));
            assert!(matches!(released, Err(Error::Closed)), "{released:?}");
        });
        block_on(pool.wait_closed()).unwrap();
        join([release]);
        world.finish_closed(pool);
    });
}

#[test]
fn two_wait_closed_drive_one_close_and_one_of_them_is_dropped() {
    check("wait_closed_dropped", || {
        let (world, pool) = World::new(Setup {
            close: Step::Yields,
            ..Setup::default()
        });
        drop(acquire(&pool));
        pool.close();
        let dropped = thread(&pool, |pool| {
            let mut waits = Box::pin(pool.wait_closed());
            let _ = poll_once(&mut waits);
        });
        block_on(pool.wait_closed()).unwrap();
        join([dropped]);
        world.finish_closed(pool);
    });
}

#[test]
fn a_clear_meets_a_release_and_a_waiter() {
    check("clear_and_release", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        let release = spawn(move || drop(held));
        block_on(pool.clear());
        join([waiter, release]);
        world.finish(pool);
    });
}

#[test]
fn a_clear_meets_an_awaited_release() {
    check("clear_and_awaited_release", || {
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let release = spawn(move || match block_on(PooledConnection::release(held)) {
            Ok(()) => {}
            Err(error) => assert!(matches!(error, Error::Discarded), "{error}"),
        });
        block_on(pool.clear());
        join([release]);
        world.finish(pool);
    });
}

#[test]
fn the_last_handle_goes_while_a_guard_is_dropped() {
    check("last_handle", || {
        let (world, pool) = World::new(Setup {
            close: Step::Yields,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let release = spawn(move || drop(held));
        drop(pool);
        join([release]);
        world.finish_dropped();
    });
}

#[test]
fn the_last_handle_goes_while_a_guard_is_dropped_and_tasks_run() {
    check("last_handle_with_tasks", || {
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Yields,
            spawner: Spawner::Runs,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let release = spawn(move || drop(held));
        drop(pool);
        join([release]);
        world.finish_dropped();
    });
}

#[test]
fn a_close_with_tasks_meets_releases_and_waiters() {
    check_by_sampling("close_with_tasks", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            verdict: Verdict::Recycle,
            connect: Step::Yields,
            recycle: Step::Yields,
            close: Step::Yields,
            spawner: Spawner::Runs,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let waiters = [0, 1].map(|_| thread(&pool, acquire_or_closed));
        let release = spawn(move || drop(held));
        pool.close();
        block_on(pool.wait_closed()).unwrap();
        join(waiters);
        join([release]);
        world.finish_closed(pool);
    });
}

/// Another thread wakes the close while one of the two polls it and the other is dropped.
#[test]
fn two_wait_closed_drive_a_close_that_another_thread_wakes() {
    check("woken_close", || {
        let gate = Gate::new();
        let (world, pool) = World::new(Setup {
            close: Step::Waits(gate.clone()),
            ..Setup::default()
        });
        drop(acquire(&pool));
        pool.close();
        let dropped = thread(&pool, |pool| {
            let mut waits = Box::pin(pool.wait_closed());
            let _ = poll_once(&mut waits);
        });
        let opens = spawn(move || gate.open());
        block_on(pool.wait_closed()).unwrap();
        join([dropped, opens]);
        world.finish_closed(pool);
    });
}

#[test]
fn a_terminate_meets_a_connect_and_an_awaited_release() {
    check("terminate_and_steps", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            verdict: Verdict::Recycle,
            connect: Step::Yields,
            recycle: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let waiter = thread(&pool, acquire_or_closed);
        // It ends well, or with the error of a connection that was closed.
        let release = spawn(move || drop(block_on(PooledConnection::release(held))));
        pool.terminate();
        block_on(pool.wait_closed()).unwrap();
        join([waiter, release]);
        world.finish_closed(pool);
    });
}

const LIMIT: Duration = Duration::from_secs(1);

#[test]
fn a_shutdown_meets_a_release_and_a_waiter() {
    check("shutdown_and_release", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, acquire_or_closed);
        let release = spawn(move || drop(held));
        let report = block_on(pool.shutdown(LIMIT));
        assert!(report.is_clean(), "{report}");
        join([waiter, release]);
        world.finish_closed(pool);
    });
}

#[test]
fn a_shutdown_meets_a_connect() {
    check("shutdown_and_connect", || {
        let (world, pool) = World::new(Setup {
            connect: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let waiter = thread(&pool, acquire_or_closed);
        let report = block_on(pool.shutdown(LIMIT));
        assert!(report.is_clean(), "{report}");
        join([waiter]);
        world.finish_closed(pool);
    });
}

/// The one that holds a connection gives it back, or the time is over first.
fn strike_and_shutdown(is_reentrant: bool) {
    let (world, pool) = World::new(Setup {
        is_reentrant,
        ..Setup::default()
    });
    let held = acquire(&pool);
    let release = spawn(move || drop(held));
    let runtime = world.runtime();
    let strikes = spawn(move || runtime.strike());
    let report = block_on(pool.shutdown(LIMIT));
    // It came back in time, too late, or in the middle of that.
    let late = report.left().len() + report.cut_off();
    assert_eq!(report.closed() + late, 1, "{report}");
    join([release, strikes]);
    world.finish_closed(pool);
}

#[test]
fn the_time_of_a_shutdown_is_over_while_a_connection_comes_back() {
    check("strike_and_shutdown", || strike_and_shutdown(true));
}

#[test]
fn the_time_of_a_shutdown_is_over_under_the_timers_lock() {
    check("locked_strike_and_shutdown", || strike_and_shutdown(false));
}

/// Nobody gives the connection back, so the strike ends the wait, whenever it comes.
#[test]
fn a_shutdown_ends_in_time_though_a_connection_stays_out() {
    check("shutdown_in_time", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let runtime = world.runtime();
        let strikes = spawn(move || runtime.strike());
        let report = block_on(pool.shutdown(LIMIT));
        assert_eq!(report.left().len(), 1, "{report}");
        join([strikes]);
        drop(held);
        world.finish_closed(pool);
    });
}
