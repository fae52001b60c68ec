//! Futures that were polled once and are kept, but never polled again, hold nobody up.

use pool_core::{PooledConnection, Verdict};
use pool_models::{
    Gate, Setup, Step, World, acquire, block_on, check, join, poll_once, spawn, thread,
};

/// The waiter may have adopted the recycle, so its wake has to reach the release too.
#[test]
fn an_awaited_release_ends_though_the_waiter_that_drives_it_is_not_polled() {
    check("unpolled_waiter", || {
        let gate = Gate::new();
        let (world, pool) = World::new(Setup {
            verdict: Verdict::Recycle,
            recycle: Step::Waits(gate.clone()),
            ..Setup::default()
        });
        let held = acquire(&pool);
        let release = spawn(move || block_on(PooledConnection::release(held)).unwrap());
        let opens = spawn(move || gate.open());
        let mut kept = pool.acquire();
        let answered = poll_once(&mut kept);
        join([release, opens]);
        drop((kept, answered));
        world.finish(pool);
    });
}

#[test]
fn a_wait_closed_ends_though_the_one_that_drives_the_close_is_not_polled() {
    check("unpolled_wait_closed", || {
        let gate = Gate::new();
        let (world, pool) = World::new(Setup {
            close: Step::Waits(gate.clone()),
            ..Setup::default()
        });
        drop(acquire(&pool));
        pool.close();
        let waits = thread(&pool, |pool| block_on(pool.wait_closed()).unwrap());
        let opens = spawn(move || gate.open());
        let mut kept = Box::pin(pool.wait_closed());
        let _ = poll_once(&mut kept);
        join([waits, opens]);
        drop(kept);
        world.finish_closed(pool);
    });
}
