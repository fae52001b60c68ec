//! Lifetimes where the idle clock ticks, so that neither an acquire nor a release reads a clock.

use std::time::Duration;

use super::world::World;
use super::{Plain, later};
use crate::config::{Config, Lifetimes};
use crate::ledger::lifetimes::Fitness;
use crate::ledger::{ClockReading, Ledger, LedgerEntry};
use crate::{CheckPolicy, Verdict};

const SECOND: Duration = Duration::from_secs(1);

/// A world whose timer keeps the time, with one connection that has come back in the fast case.
fn world_with(lifetimes: Lifetimes) -> (World, ClockReading) {
    let config = Config {
        minsize: 0,
        maxsize: 2,
        check_policy: CheckPolicy::Never,
        pool_recycle: Some(1000 * SECOND),
        lifetimes,
        ..Config::default()
    };
    let mut world = World::with(&config, ClockReading::now());
    world.ledger.allow_idle_ticks(config.shortest_idle_limit());
    world.ledger.time_lives();
    let start = world.reading();
    world.acquire_now();
    world.release(Verdict::Reuse);
    world.ledger.wind_idle_clock(start);
    let entry = world.take_ready(Some(start.instant)).expect("idle");
    assert!(world.release_fast(entry, Verdict::Reuse, None).is_ok());
    (world, start)
}

fn aged(longest: Duration) -> Lifetimes {
    Lifetimes {
        max_lifetime: Some(longest),
        max_lifetime_jitter: Some(Duration::ZERO),
        ..Lifetimes::default()
    }
}

fn strike(world: &mut World, at: ClockReading) {
    world.now = at.instant;
    world.change(|ledger, effects| ledger.timer_struck(Some(at), effects));
}

#[test]
fn the_timer_keeps_a_fresh_connection_that_is_spent_from_the_fast_case() {
    let (mut world, start) = world_with(aged(10 * SECOND));
    let entry = world.take_ready(None).expect("it is fresh");
    assert!(world.release_fast(entry, Verdict::Reuse, None).is_ok());
    assert_eq!(world.ledger.timer_at(), Some(start.instant + 10 * SECOND));
    strike(&mut world, later(start, 10 * SECOND, Duration::ZERO));
    assert!(world.take_ready(None).is_none());
    let waiter = world.acquire();
    world.look(waiter, true, true);
    world.look(waiter, true, true);
    let next = world.guards.last().expect("another one was opened");
    assert_ne!(next.key(), entry.key());
}

#[test]
fn while_one_is_spent_in_somebodys_hands_returns_are_looked_at() {
    let (mut world, start) = world_with(aged(10 * SECOND));
    let entry = world.take_ready(None).expect("it is fresh");
    strike(&mut world, later(start, 10 * SECOND, Duration::ZERO));
    let entry = world.release_fast(entry, Verdict::Reuse, None);
    let entry = entry.expect_err("it has to be closed");
    world.guards.push(entry);
    world.release(Verdict::Reuse);
    world.settle();
    assert_eq!(world.ledger.size(), 0);
    assert!(
        world.ledger.lifecycle.returns_fast(),
        "nothing is due any more"
    );
    assert_eq!(world.ledger.lifetimes.next(), None);
}

#[test]
fn one_that_is_due_is_handed_out_in_the_fast_case_until_it_is_spent() {
    let (mut world, start) = world_with(Lifetimes {
        max_lifetime_jitter: None,
        ..aged(100 * SECOND)
    });
    let due = world.ledger.lifetimes.next().expect("it has a limit");
    let after = due - start.instant;
    assert!((90 * SECOND..=100 * SECOND).contains(&after), "{after:?}");
    strike(&mut world, later(start, after, Duration::ZERO));
    let key = world.take_ready(None).expect("it can be used").key();
    assert_eq!(world.ledger.lifetimes.fitness(key), Fitness::Due);
    assert_eq!(
        world.ledger.lifetimes.next(),
        Some(start.instant + 100 * SECOND)
    );
}

#[test]
fn what_has_left_is_in_no_list() {
    let (mut world, start) = world_with(aged(10 * SECOND));
    let is_forgotten = |ledger: &Ledger<Plain>| {
        ledger.lifetimes.all().is_empty()
            && ledger.lifetimes.due() == 0
            && ledger.lifetimes.next().is_none()
            && !ledger.lifetimes.looks_at_returns()
    };
    world.change(|ledger, _| ledger.lifetimes.suspect_all());
    strike(&mut world, later(start, 10 * SECOND, Duration::ZERO));
    assert!(!is_forgotten(&world.ledger));
    let keys = world.change(|ledger, effects| ledger.clear(effects));
    for key in keys {
        world.poll_as(crate::ledger::Poller::Owner, key, true, true);
    }
    assert!(is_forgotten(&world.ledger));
}
