//! Verbs and settings that end connections or hold back acquires, while others acquire and release.

use std::time::Duration;

use pool_core::{PooledConnection, Verdict};
use pool_models::{
    Gate, ModelPool, Setup, Spawner, Step, World, acquire, block_on, check, check_by_sampling,
    join, poll_once, spawn, thread,
};

/// Whoever asks now gets a connection that was opened later than this one.
fn assert_newer_than(pool: &ModelPool, id: u64) {
    let held = acquire(pool);
    assert!(PooledConnection::id(&held) > id, "{:?}", pool.status());
}

#[test]
fn a_clear_all_meets_a_release_and_a_waiter() {
    check("clear_all_and_release", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        let release = spawn(move || drop(held));
        block_on(pool.clear_all());
        assert_newer_than(&pool, 1);
        join([waiter, release]);
        world.finish(pool);
    });
}

#[test]
fn a_clear_all_meets_an_awaited_release() {
    check("clear_all_and_awaited_release", || {
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let held = acquire(&pool);
        // It is kept until the other comes, or closed.
        let release = spawn(move || drop(block_on(PooledConnection::release(held))));
        block_on(pool.clear_all());
        assert_newer_than(&pool, 1);
        join([release]);
        world.finish(pool);
    });
}

#[test]
fn a_clear_all_meets_a_connect() {
    check("clear_all_and_connect", || {
        let (world, pool) = World::new(Setup {
            connect: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        block_on(pool.clear_all());
        join([waiter]);
        world.finish(pool);
    });
}

#[test]
fn two_clear_all_meet_and_one_of_them_is_dropped() {
    check("clear_all_dropped", || {
        let (world, pool) = World::new(Setup {
            close: Step::Yields,
            ..Setup::default()
        });
        drop(acquire(&pool));
        let dropped = thread(&pool, |pool| {
            let mut clears = Box::pin(pool.clear_all());
            let _ = poll_once(&mut clears);
        });
        block_on(pool.clear_all());
        assert_newer_than(&pool, 1);
        join([dropped]);
        world.finish(pool);
    });
}

#[test]
fn a_recycle_all_meets_a_release_and_a_waiter() {
    check("recycle_all_and_release", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        let release = spawn(move || drop(held));
        pool.recycle_all(Duration::ZERO);
        assert_newer_than(&pool, 1);
        join([waiter, release]);
        world.finish(pool);
    });
}

/// The replacement of the one that minsize needs is opened by a task, and an acquire wants the place.
#[test]
fn a_recycle_all_opens_a_replacement_while_others_come() {
    check_by_sampling("recycle_all_and_replacement", || {
        let (world, pool) = World::new(Setup {
            minsize: 1,
            maxsize: 2,
            connect: Step::Yields,
            close: Step::Yields,
            spawner: Spawner::Runs,
            ..Setup::default()
        });
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        let release = spawn(move || drop(held));
        pool.recycle_all(Duration::ZERO);
        join([waiter, release]);
        world.finish(pool);
    });
}

#[test]
fn a_connection_that_may_be_used_once_is_no_hand_over() {
    check("max_uses", || {
        let (world, pool) = World::new(Setup {
            max_uses: Some(1),
            ..Setup::default()
        });
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| assert_newer_than(pool, 1));
        drop(held);
        join([waiter]);
        world.finish(pool);
    });
}

/// Each of them opens its own, one after the other where there is no room.
#[test]
fn a_crowd_uses_each_connection_once() {
    check_by_sampling("max_uses_crowd", || {
        let (world, pool) = World::new(Setup {
            minsize: 1,
            maxsize: 2,
            max_uses: Some(1),
            verdict: Verdict::Recycle,
            connect: Step::Yields,
            recycle: Step::Yields,
            close: Step::Yields,
            spawner: Spawner::Runs,
            ..Setup::default()
        });
        let users = [false, false, true].map(|gives_up| {
            thread(&pool, move |pool| {
                if gives_up {
                    drop(poll_once(&mut pool.acquire()));
                }
                let held = acquire(pool);
                assert_eq!(PooledConnection::uses(&held), 1);
            })
        });
        join(users);
        world.finish(pool);
    });
}

#[test]
fn a_resume_lets_those_in_who_waited() {
    check("suspend_and_resume", || {
        let (world, pool) = World::new(Setup::default());
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        let changes = thread(&pool, |pool| {
            pool.suspend();
            pool.resume();
        });
        drop(held);
        join([waiter, changes]);
        world.finish(pool);
    });
}

/// A connect ends while the pool is suspended, and another thread resumes it.
#[test]
fn a_resume_meets_a_connect() {
    check("resume_and_connect", || {
        let gate = Gate::new();
        let (world, pool) = World::new(Setup {
            connect: Step::Waits(gate.clone()),
            ..Setup::default()
        });
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        pool.suspend();
        let opens = spawn(move || gate.open());
        pool.resume();
        join([waiter, opens]);
        world.finish(pool);
    });
}

#[test]
fn a_resize_to_one_meets_two_releases() {
    check("resize_and_release", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            ..Setup::default()
        });
        let (first, second) = (acquire(&pool), acquire(&pool));
        let release = spawn(move || drop(first));
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        pool.resize(1).expect("minsize is 0");
        drop(second);
        join([release, waiter]);
        assert!(pool.size() <= 1, "{:?}", pool.status());
        world.finish(pool);
    });
}

#[test]
fn a_place_that_a_resize_gives_serves_a_waiter() {
    check("resize_and_wait", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            ..Setup::default()
        });
        pool.resize(1).expect("minsize is 0");
        let held = acquire(&pool);
        let waiter = thread(&pool, |pool| drop(acquire(pool)));
        // Nobody gives the first one back.
        pool.resize(2).expect("it is more");
        join([waiter]);
        drop(held);
        world.finish(pool);
    });
}

/// Every verb that changes what the pool may do, while steps are slow and somebody gives up.
#[test]
fn a_crowd_goes_on_while_the_pool_is_governed() {
    check_by_sampling("governed_crowd", || {
        let (world, pool) = World::new(Setup {
            maxsize: 2,
            max_uses: Some(2),
            verdict: Verdict::Recycle,
            connect: Step::Yields,
            recycle: Step::Yields,
            close: Step::Yields,
            ..Setup::default()
        });
        let gives_up = thread(&pool, |pool| {
            drop(poll_once(&mut pool.acquire()));
            drop(acquire(pool));
        });
        let works = thread(&pool, |pool| {
            // Others may have seen to it that it is closed.
            let _ = block_on(PooledConnection::release(acquire(pool)));
        });
        let resizes = thread(&pool, |pool| {
            pool.resize(1).expect("minsize is 0");
            pool.resize(2).expect("it is more");
        });
        let clears = thread(&pool, |pool| {
            block_on(pool.clear_all());
            pool.recycle_all(Duration::ZERO);
        });
        pool.suspend();
        pool.resume();
        drop(acquire(&pool));
        join([gives_up, works, resizes, clears]);
        world.finish(pool);
    });
}
