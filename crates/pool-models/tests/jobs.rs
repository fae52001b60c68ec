//! Steps that change hands: from a task, a verb or a waiter that leaves to whoever needs them.

use pool_core::{CheckPolicy, PooledConnection, Verdict};
use pool_models::{
    Gate, Setup, Spawner, Step, World, acquire, block_on, check, check_by_sampling, join,
    poll_once, spawn, thread,
};

#[test]
fn an_acquire_adopts_a_recycle_from_its_task() {
    check("adopted_recycle", || {
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Yields,
            spawner: Spawner::Runs,
            ..Setup::default()
        });
        drop(acquire(&pool));
        drop(acquire(&pool));
        world.finish(pool);
    });
}

#[test]
fn a_recycle_outlives_the_task_that_is_dropped() {
    check_by_sampling("dropped_task", || {
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Yields,
            spawner: Spawner::Drops,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let cancelled = thread(&pool, |pool| drop(poll_once(&mut pool.acquire())));
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        drop(held);
        join([cancelled, waiter]);
        world.finish(pool);
    });
}

/// Another thread wakes the recycle while its verb or the waiter that has adopted it polls it.
#[test]
fn an_acquire_adopts_a_recycle_from_an_awaited_release() {
    check("adopted_release", || {
        let gate = Gate::new();
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Waits(gate.clone()),
            ..Setup::default()
        });
        let held = acquire(&pool);
        let release = spawn(move || block_on(PooledConnection::release(held)).unwrap());
        let opens = spawn(move || gate.open());
        drop(acquire(&pool));
        join([release, opens]);
        world.finish(pool);
    });
}

/// The recycle wakes itself, so the wake always comes during the poll.
#[test]
fn a_recycle_that_wakes_itself_is_driven_by_two() {
    check("recycle_wakes_itself", || {
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Yields,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let release = spawn(move || block_on(PooledConnection::release(held)).unwrap());
        drop(acquire(&pool));
        join([release]);
        world.finish(pool);
    });
}

#[test]
fn an_awaited_release_is_dropped_while_a_waiter_needs_its_recycle() {
    check("release_dropped", || {
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Yields,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let release = spawn(move || {
            let mut release = Box::pin(PooledConnection::release(held));
            let _ = poll_once(&mut release);
        });
        drop(acquire(&pool));
        join([release]);
        world.finish(pool);
    });
}

#[test]
fn a_connect_wakes_from_another_thread_while_its_waiter_is_dropped() {
    check("connect_outlives_waiter", || {
        let gate = Gate::new();
        let (world, pool) = World::new(Setup {
            connect: Step::Waits(gate.clone()),
            ..Setup::default()
        });
        let dropped = thread(&pool, |pool| drop(poll_once(&mut pool.acquire())));
        let opens = spawn(move || gate.open());
        drop(acquire(&pool));
        join([dropped, opens]);
        world.finish(pool);
    });
}

#[test]
fn a_failed_check_costs_nobody_the_turn() {
    check("failed_check", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            check_policy: CheckPolicy::Always,
            check: Step::Fails,
            ..Setup::default()
        });
        let held = acquire(&pool);
        drop(acquire(&pool));
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        let release = spawn(move || drop(held));
        drop(acquire(&pool));
        join([waiter, release]);
        world.finish(pool);
    });
}

#[test]
fn a_fill_and_an_acquire_share_the_places() {
    check("fill", || {
        let (world, pool) = World::new(Setup {
            minsize: 1,
            maxsize: 2,
            connect: Step::Yields,
            ..Setup::default()
        });
        let fill = thread(&pool, |pool| block_on(pool.fill()).unwrap());
        drop(acquire(&pool));
        join([fill]);
        world.finish(pool);
    });
}

#[test]
fn a_fill_is_dropped_while_an_acquire_needs_its_connect() {
    check("fill_dropped", || {
        let (world, pool) = World::new(Setup {
            minsize: 1,
            connect: Step::Yields,
            ..Setup::default()
        });
        let fill = thread(&pool, |pool| {
            let mut fill = Box::pin(pool.fill());
            let _ = poll_once(&mut fill);
        });
        drop(acquire(&pool));
        join([fill]);
        world.finish(pool);
    });
}

#[test]
fn upkeep_and_an_acquire_share_the_places() {
    check_by_sampling("upkeep", || {
        let (world, pool) = World::new(Setup {
            minsize: 1,
            maxsize: 2,
            connect: Step::Yields,
            upkeep: true,
            spawner: Spawner::Runs,
            ..Setup::default()
        });
        let discards = thread(&pool, |pool| PooledConnection::discard(acquire(pool)));
        drop(acquire(&pool));
        join([discards]);
        world.finish(pool);
    });
}

/// A task, an acquire that gives up and one that stays want the same recycle, which another thread wakes.
#[test]
fn a_recycle_changes_hands_while_another_thread_wakes_it() {
    check_by_sampling("recycle_changes_hands", || {
        let gate = Gate::new();
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Waits(gate.clone()),
            spawner: Spawner::Runs,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let dropped = thread(&pool, |pool| drop(poll_once(&mut pool.acquire())));
        let opens = spawn(move || gate.open());
        drop(held);
        drop(acquire(&pool));
        join([dropped, opens]);
        world.finish(pool);
    });
}

/// A `try_acquire` polls a check once and leaves it to whoever waits.
#[test]
fn a_try_acquire_leaves_a_check_to_a_waiter() {
    check("try_acquire_and_check", || {
        let (world, pool) = World::new(Setup {
            check_policy: CheckPolicy::Always,
            check: Step::Yields,
            ..Setup::default()
        });
        drop(acquire(&pool));
        let tries = thread(&pool, |pool| drop(pool.try_acquire()));
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        drop(acquire(&pool));
        join([tries, waiter]);
        world.finish(pool);
    });
}

/// Every step takes two polls, and every way to leave a step happens.
#[test]
fn a_crowd_with_slow_steps_gives_up_and_releases_in_every_way() {
    check_by_sampling("crowd_with_slow_steps", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            verdict: Verdict::Recycle,
            check_policy: CheckPolicy::Always,
            connect: Step::Yields,
            check: Step::Yields,
            recycle: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let gives_up = thread(&pool, |pool| {
            drop(poll_once(&mut pool.acquire()));
            drop(acquire(pool));
        });
        let discards = thread(&pool, |pool| PooledConnection::discard(acquire(pool)));
        let awaits = thread(&pool, |pool| {
            // A `clear` of the other thread may have closed it.
            let _ = block_on(PooledConnection::release(acquire(pool)));
        });
        let clears = thread(&pool, |pool| block_on(pool.clear()));
        drop(acquire(&pool));
        join([gives_up, discards, awaits, clears]);
        world.finish(pool);
    });
}
