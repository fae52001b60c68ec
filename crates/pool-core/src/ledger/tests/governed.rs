//! A pool whose connects are governed: a long random walk with `max_connecting`, `connect_retry` and failures of all
//! classes.

use std::time::{Duration, SystemTime};

use super::dice::Dice;
use super::walk::random_step;
use super::world::World;
use crate::ErrorClass;
use crate::config::Config;
use crate::ledger::{ClockReading, Kind, Poller};

const CLASSES: [ErrorClass; 5] = [
    ErrorClass::Transient,
    ErrorClass::Overloaded,
    ErrorClass::Auth,
    ErrorClass::Config,
    ErrorClass::Fatal,
];

fn world(dice: &mut Dice) -> (World, usize, usize) {
    let maxsize = 1 + dice.roll(5);
    let mut config = Config {
        minsize: dice.roll(maxsize + 1),
        maxsize,
        ..Config::default()
    };
    let most = match dice.roll(3) {
        0 => usize::MAX,
        _ => 1 + dice.roll(3),
    };
    config.connects.max_connecting = (most < usize::MAX).then_some(most);
    config.connects.connect_retry = (dice.roll(2) == 0).then_some(Duration::from_millis(80));
    let start = ClockReading {
        instant: std::time::Instant::now(),
        wall: SystemTime::now(),
    };
    (World::with(&config, start), maxsize, most)
}

/// What holds at each instant.
fn check(world: &World, maxsize: usize, most: usize, at: &str) {
    let status = world.ledger.status();
    assert!(status.size() <= maxsize, "{at}: {status:?}");
    assert!(status.connecting() <= most, "{at}: {status:?}");
    let ledger = &world.ledger;
    let waits_for_nothing = ledger.queue.first_unassigned().is_some()
        && status.size() == status.closing()
        && status.size() < maxsize;
    // Somebody waits, nothing is open and nothing connects: the next attempt has its time, and the timer is set for it.
    if waits_for_nothing {
        let next = ledger.next_attempt();
        assert!(next.is_some(), "{at}: stranded; {status:?}");
        assert!(!ledger.timer_is_late(), "{at}: no timer; {status:?}");
        let (class, _) = ledger.governor.open_since().expect("it is open");
        assert!(
            !super::super::governor::is_hopeless(class),
            "{at}: {class:?}"
        );
    }
}

#[test]
fn no_waiter_is_stranded_and_no_limit_exceeded_in_a_random_walk() {
    for seed in 1..=600_u64 {
        let mut dice = Dice::new(seed);
        let (mut world, maxsize, most) = world(&mut dice);
        let mut verb = Vec::new();
        for step in 0..300 {
            if dice.roll(10) == 0 {
                world.failure_class = CLASSES[dice.roll(CLASSES.len())];
            }
            random_step(&mut world, &mut dice, &mut verb, 2);
            if dice.roll(3) == 0 {
                world.now += dice.millis(30);
                world.strike_timer();
            }
            check(&world, maxsize, most, &format!("seed {seed} step {step}"));
        }
        for key in verb {
            world.change(|ledger, effects| ledger.caller_dropped(key, Poller::Owner, effects));
        }
        world.now += Duration::from_secs(60);
        world.strike_timer();
        world.settle();
        world.now += Duration::from_secs(60);
        let tickets: Vec<_> = (0..maxsize).map(|_| world.acquire()).collect();
        for _ in 0..4 * maxsize {
            for ticket in &tickets {
                if world.waiting.contains(ticket) {
                    world.look(*ticket, true, true);
                }
            }
        }
        assert_eq!(world.guards.len(), maxsize, "seed {seed}");
        assert_eq!(world.ledger.status().connecting(), 0, "seed {seed}");
        assert_eq!(world.ledger.jobs.count(Kind::Close), 0, "seed {seed}");
    }
}

/// No timer strikes in this test.
#[test]
fn without_a_timer_the_next_acquire_finds_the_pause_over() {
    let mut world = World::new(0, 2);
    world.failure_class = ErrorClass::Auth;
    let first = world.acquire();
    world.look(first, true, false);
    world.look(first, true, true);
    assert!(world.waiting.is_empty() && world.guards.is_empty());
    let refused = world.acquire();
    assert_eq!(
        world.ledger.status().connecting(),
        0,
        "one attempt a period"
    );
    world.look(refused, true, true);
    assert!(world.waiting.is_empty() && world.guards.is_empty());
    world.now += Duration::from_secs(2);
    world.acquire_now();
    assert_eq!(world.guards.len(), 1);
    assert!(world.ledger.governor.open_since().is_none());
}
