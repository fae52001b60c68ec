//! The rules of a suspended pool, and of one that gets smaller.

use super::world::World;
use crate::Verdict;
use crate::config::Config;

fn resize(world: &mut World, maxsize: usize) {
    let config = Config {
        minsize: 0,
        maxsize,
        ..Config::default()
    };
    world.change(|ledger, effects| ledger.reconfigure(config, false, effects));
}

fn suspend(world: &mut World) {
    world.change(|ledger, effects| ledger.suspend(effects));
}

fn resume(world: &mut World) {
    world.change(|ledger, effects| ledger.end_suspension(effects));
}

/// A world in which so many connections are held.
fn holding(number: usize, maxsize: usize) -> World {
    let mut world = World::new(0, maxsize);
    (0..number).for_each(|_| world.acquire_now());
    assert_eq!(world.guards.len(), number);
    world
}

#[test]
fn what_comes_back_to_a_pool_that_is_too_large_is_closed_until_it_fits() {
    let mut world = holding(4, 4);
    resize(&mut world, 2);
    let waiter = world.acquire();
    for closing in 1..=2 {
        world.release(Verdict::Reuse);
        let status = world.ledger.status();
        assert_eq!((status.closing(), status.held()), (closing, 4 - closing));
        assert!(!world.ledger.queue.is_answered(waiter));
    }
    world.release(Verdict::Reuse);
    assert!(world.ledger.queue.is_answered(waiter), "now it fits");
    assert!(
        !world.ledger.lifecycle.returns_fast(),
        "two are on their way out"
    );
    world.settle();
    world.release(Verdict::Reuse);
    assert!(world.ledger.lifecycle.returns_fast());
}

#[test]
fn a_connect_that_ends_in_a_pool_that_is_too_large_is_closed() {
    let mut world = holding(1, 2);
    let waiter = world.acquire();
    world.look(waiter, false, true);
    resize(&mut world, 1);
    world.look(waiter, true, true);
    let status = world.ledger.status();
    assert_eq!((status.held(), status.closing()), (1, 1));
    assert_eq!(world.waiting, [waiter]);
    world.settle();
    assert_eq!(world.ledger.size(), 1);
}

#[test]
fn a_larger_pool_starts_a_connect_for_each_who_waits() {
    let mut world = holding(1, 1);
    let waiting = [(); 3].map(|()| world.acquire());
    resize(&mut world, 3);
    assert_eq!(world.ledger.status().connecting(), 2);
    for waiter in waiting {
        world.look(waiter, true, true);
    }
    assert_eq!(world.ledger.size(), 3);
    world.settle();
}

#[test]
fn a_suspended_pool_hands_out_nothing_and_takes_back_what_lies_ready() {
    let mut world = holding(1, 1);
    let waiter = world.acquire();
    world.release(Verdict::Reuse);
    assert!(world.ledger.queue.is_answered(waiter));
    suspend(&mut world);
    assert!(!world.ledger.queue.is_answered(waiter));
    assert!(world.take_ready(None).is_none());
    let status = world.ledger.status();
    assert_eq!(
        (status.freesize(), status.held(), status.waiting()),
        (1, 0, 1)
    );
    let later = world.acquire();
    resume(&mut world);
    assert!(
        world.ledger.queue.is_answered(waiter),
        "it has kept its turn"
    );
    assert!(!world.ledger.queue.is_answered(later));
    world.settle();
}

#[test]
fn a_suspended_pool_starts_nothing_and_keeps_what_comes_out_of_a_step() {
    let mut world = World::new(2, 3);
    let waiter = world.acquire();
    world.look(waiter, false, true);
    suspend(&mut world);
    let begun = world.ledger.status().connecting();
    let later = world.acquire();
    world.look(later, true, true);
    assert_eq!(world.ledger.status().connecting(), begun, "none has begun");
    world.look(waiter, true, true);
    assert_eq!(world.waiting, [waiter, later]);
    assert!(world.ledger.status().freesize() > 0);
    resume(&mut world);
    world.settle();
    assert!(world.take_ready(Some(world.now)).is_some());
}
