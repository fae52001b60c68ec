//! The ledger as arithmetic: rules one by one, and a long random walk in which no place is lost or invented.

mod aborts;
mod dice;
mod ends;
mod fast;
mod govern;
mod governed;
mod lives;
mod plain;
mod walk;
mod world;

use std::time::Duration;

use self::dice::Dice;
pub(super) use self::plain::Plain;
use self::walk::random_step;
use self::world::World;
use super::*;
use crate::{CloseReason, Priority, Verdict};

#[test]
fn a_waiter_is_served_by_what_comes_first() {
    let mut world = World::new(0, 2);
    world.acquire_now();
    assert_eq!(world.guards.len(), 1);
    let waiter = world.acquire();
    world.look(waiter, false, true);
    assert_eq!(world.ledger.status().connecting(), 1);
    world.release(Verdict::Reuse);
    world.look(waiter, true, true);
    assert_eq!((world.guards.len(), world.waiting.len()), (1, 0));
    // The connect that was started for the waiter goes on.
    assert_eq!(world.ledger.status().connecting(), 1);
    world.run_task(0, true, true);
    assert_eq!(world.ledger.status().freesize(), 1);
}

#[test]
fn waiters_are_served_in_order_of_arrival() {
    let mut world = World::new(0, 1);
    world.acquire_now();
    let queue = [(); 3].map(|()| world.acquire());
    for (turn, ticket) in queue.into_iter().enumerate() {
        let entry = world.guards.pop().expect("a guard is held");
        assert!(
            world.release_fast(entry, Verdict::Reuse, None).is_ok(),
            "the fast case"
        );
        for later in &queue[turn + 1..] {
            assert!(matches!(
                world.poll(*later),
                Found::Nothing {
                    polls_undriven: false,
                    ..
                }
            ));
        }
        world.look(ticket, true, true);
        assert_eq!(world.guards.len(), 1);
    }
    let status = world.ledger.status();
    assert_eq!((status.held(), status.waiting()), (1, 0));
}

#[test]
fn a_failed_connect_fails_the_first_waiter_only() {
    let mut world = World::new(0, 2);
    let [first, second] = [(); 2].map(|()| world.acquire());
    world.look(second, true, false);
    assert!(
        matches!(world.poll(first), Found::Answered(Answered { answer: Answer::Failed(why), .. })
        if why == "refused")
    );
    world.look(second, true, true);
    world.look(second, true, true);
    assert_eq!(world.guards.len(), 1);
}

#[test]
fn a_dropped_waiter_passes_on_what_it_was_given() {
    let mut world = World::new(0, 1);
    world.acquire_now();
    let [dropped, next] = [(); 2].map(|()| world.acquire());
    world.release(Verdict::Reuse);
    world.leave(dropped);
    world.look(next, true, true);
    assert_eq!(world.guards.len(), 1);
}

#[test]
fn a_close_answers_all_waiters_and_keeps_nothing() {
    let mut world = World::new(0, 3);
    let [a, b] = [(); 2].map(|()| world.acquire());
    world.look(a, true, true);
    world.look(b, false, true);
    world.change(|ledger, effects| ledger.close(effects));
    for ticket in [a, b] {
        assert!(matches!(
            world.poll(ticket),
            Found::Answered(Answered {
                answer: Answer::Closed,
                ..
            })
        ));
    }
    while !world.tasks.is_empty() {
        world.run_task(0, true, true);
    }
    assert_eq!(world.ledger.size(), 0);
    assert!(world.ledger.is_closed());
}

#[test]
fn a_timer_that_strikes_too_early_costs_no_waiter_its_place() {
    let mut world = World::new(0, 1);
    world.acquire_now();
    let deadline = world.now + Duration::from_secs(5);
    let queue = [(); 3].map(|()| {
        let waker = world.waker.clone();
        let noted = Deadline {
            at: deadline,
            is_of_pool: true,
        };
        let queued = world
            .ledger
            .enqueue(waker, Some(noted), Priority::Normal, world.now);
        queued
            .map(|queued| queued.ticket)
            .expect("the pool is open")
    });
    world.change(|ledger, effects| ledger.timer_struck(None, effects));
    for ticket in queue.iter().rev() {
        world.change(|ledger, effects| ledger.resume(*ticket, deadline, effects));
    }
    for ticket in queue {
        world.release(Verdict::Reuse);
        world.look(ticket, true, true);
        assert_eq!(world.guards.len(), 1);
    }
}

#[test]
fn a_recycle_that_was_cleared_and_is_undone_is_closed() {
    let mut world = World::new(0, 1);
    world.acquire_now();
    let first = world.guards[0];
    let deadline = world.now + Duration::from_secs(5);
    let waiter = world.join_queue(Some(deadline)).expect("it is open");
    // The waiter is to recycle it, and its deadline strikes before it begins.
    world.release(Verdict::Recycle);
    world.now = deadline;
    world.strike_timer();
    assert_eq!(world.ledger.status().recycling(), 1);
    world.change(|ledger, effects| ledger.clear(effects));
    world.leave(waiter);
    world.acquire_now();
    if world.guards.is_empty() {
        world.settle();
        world.acquire_now();
    }
    assert_ne!(world.guards[0].0.id, first.0.id);
}

#[test]
fn a_waiter_takes_over_the_job_of_a_verb_and_the_verb_hears_its_end() {
    let mut world = World::new(1, 1);
    let [key] = world.fill_by_verb()[..] else {
        panic!("one connect is missing");
    };
    let take = |world: &mut World| {
        world.change(|ledger, effects| ledger.take_job(key, Poller::Owner, effects))
    };
    let waiter = world.acquire();
    let Take::Job(job) = take(&mut world) else {
        panic!("the verb can poll what a waiter drives");
    };
    assert!(job.is_shared && matches!(take(&mut world), Take::Busy));
    world.park(job);
    world.look(waiter, true, true);
    world.look(waiter, true, true);
    assert_eq!(world.guards.len(), 1);
    assert!(matches!(take(&mut world), Take::Ended(Settled::Kept)));
    assert!(matches!(take(&mut world), Take::Gone));
}

#[test]
fn a_failure_of_a_job_that_a_waiter_took_over_is_for_the_verb() {
    let mut world = World::new(1, 1);
    let key = world.fill_by_verb()[0];
    let waiter = world.acquire();
    world.look(waiter, true, false);
    let taken = world.change(|ledger, effects| ledger.take_job(key, Poller::Owner, effects));
    assert!(matches!(
        taken,
        Take::Ended(Settled::Lost {
            failure: Some("refused"),
            ..
        })
    ));
    // The waiter has its own connect by now.
    world.look(waiter, true, true);
    world.look(waiter, true, true);
    assert_eq!(world.guards.len(), 1);
}

#[test]
fn a_verb_that_is_dropped_leaves_its_job_and_the_end_of_a_job() {
    for ends_first in [false, true] {
        let mut world = World::new(1, 1);
        let key = world.fill_by_verb()[0];
        let waiter = world.acquire();
        if ends_first {
            world.look(waiter, true, true);
        }
        world.change(|ledger, effects| ledger.caller_dropped(key, Poller::Owner, effects));
        assert!(world.ledger.jobs.take_end(key).is_none());
        world.settle();
        assert_eq!(world.ledger.status().freesize(), 1);
    }
}

#[test]
fn a_release_that_is_dropped_after_the_last_pool_leaves_nothing_behind() {
    for verdict in [Verdict::Recycle, Verdict::Discard] {
        let mut world = World::new(0, 1);
        world.ledger.cannot_spawn();
        world.acquire_now();
        let entry = world.guards.pop().expect("it was served");
        let returned = world.change(|ledger, effects| {
            let judgement = Judgement::of(verdict, CloseReason::Discarded);
            ledger.give_back_awaited(entry, judgement, effects)
        });
        let Returned::Job(key) = returned else {
            panic!("the caller drives a step");
        };
        world.change(|ledger, effects| ledger.last_handle_dropped(effects));
        assert_eq!(world.ledger.size(), 1, "the caller still drives it");
        world.change(|ledger, effects| ledger.caller_dropped(key, Poller::Owner, effects));
        assert_eq!(world.ledger.size(), 0, "nobody else can come");
    }
}

#[test]
fn no_place_is_lost_or_invented_in_a_random_walk() {
    for seed in 1..=400_u64 {
        let mut dice = Dice::new(seed);
        let maxsize = 1 + dice.roll(5);
        let mut world = World::new(dice.roll(maxsize + 1), maxsize);
        let mut verb = Vec::new();
        for step in 0..300 {
            random_step(&mut world, &mut dice, &mut verb, 4);
            world.now += dice.millis(400);
            let status = world.ledger.status();
            assert!(
                status.size() <= maxsize,
                "seed {seed} step {step}: {status:?}"
            );
            let answered = world.waiting.iter();
            let answered = answered.filter(|ticket| world.ledger.queue.is_answered(**ticket));
            let held = world.guards.len()..=world.guards.len() + answered.count();
            assert!(
                held.contains(&status.held()),
                "seed {seed} step {step}: {status:?}, {} guards",
                world.guards.len()
            );
        }
        for key in verb {
            world.change(|ledger, effects| ledger.caller_dropped(key, Poller::Owner, effects));
        }
        world.settle();
        let status = world.ledger.status();
        assert_eq!(status.size(), status.freesize(), "seed {seed}: {status:?}");
        // Full capacity: exactly maxsize connections can be acquired.
        let tickets: Vec<_> = (0..maxsize).map(|_| world.acquire()).collect();
        for _ in 0..3 {
            for ticket in &tickets {
                if world.waiting.contains(ticket) {
                    world.look(*ticket, true, true);
                }
            }
        }
        assert_eq!(world.guards.len(), maxsize, "seed {seed}");
        assert_eq!(world.ledger.size(), maxsize, "seed {seed}");
    }
}

/// A ledger whose idle clock ticks, with one connection that has just come back to the idle list.
fn ticking_world() -> (World, ClockReading) {
    let mut world = World::new(0, 1);
    world.ledger.allow_idle_ticks(Some(Duration::from_secs(1)));
    let start = world.reading();
    world.acquire_now();
    let entry = world.guards.pop().expect("it was served");
    let given = world.release_fast(entry, Verdict::Reuse, None);
    assert_eq!(
        given,
        Err(entry),
        "the return that winds the clock reads it"
    );
    world.guards.push(entry);
    world.release(Verdict::Reuse);
    assert!(!world.ledger.idle_clock_rests());
    assert!(!world.ledger.wind_idle_clock(start), "it runs already");
    (world, start)
}

fn later(start: ClockReading, counted: Duration, asleep: Duration) -> ClockReading {
    ClockReading {
        instant: start.instant + counted,
        wall: start.wall + counted + asleep,
    }
}

#[test]
fn a_fresh_connection_needs_no_clock_and_a_tick_makes_it_older() {
    let quarter = Duration::from_millis(250);
    let (mut world, start) = ticking_world();
    // A connection with a stored instant needs the clock. When it has been out and back it is fresh.
    assert!(world.take_ready(None).is_none());
    let entry = world.take_ready(Some(start.instant));
    let entry = entry.expect("it has been idle for no time");
    assert!(world.release_fast(entry, Verdict::Reuse, None).is_ok());
    let entry = world.take_ready(None).expect("it is fresh");
    assert!(world.release_fast(entry, Verdict::Reuse, None).is_ok());

    let now = later(start, quarter, Duration::ZERO);
    world.change(|ledger, effects| ledger.timer_struck(Some(now), effects));
    assert!(world.take_ready(None).is_none(), "it has an instant");
    let just_before = start.instant + (4 * quarter).saturating_sub(Duration::from_nanos(1));
    let entry = world.take_ready(Some(just_before));
    let entry = entry.expect("idle for less than a second since the tick before");
    assert_eq!(entry.idle_since(), Some(start.instant));
}

#[test]
fn a_connection_that_came_back_before_the_machine_was_suspended_is_checked() {
    let quarter = Duration::from_millis(250);
    let (mut world, start) = ticking_world();
    let entry = world.take_ready(Some(start.instant)).expect("idle");
    assert!(world.release_fast(entry, Verdict::Reuse, None).is_ok());
    let now = later(start, quarter, Duration::from_secs(3600));
    world.change(|ledger, effects| ledger.timer_struck(Some(now), effects));
    assert!(world.take_ready(Some(now.instant)).is_none());
    let waiter = world.acquire();
    world.look(waiter, false, true);
    assert_eq!(world.ledger.status().checking(), 1);
}

#[test]
fn without_a_timer_returns_are_stamped() {
    let (mut world, start) = ticking_world();
    let entry = world.take_ready(Some(start.instant)).expect("idle");
    assert!(world.release_fast(entry, Verdict::Reuse, None).is_ok());
    world.ledger.timer_is_not_set();
    assert!(world.take_ready(None).is_none(), "it has an instant");
    let entry = world.take_ready(Some(start.instant)).expect("idle");
    let given = world.release_fast(entry, Verdict::Reuse, None);
    assert!(
        given.is_err(),
        "the next return tries to wind the clock again"
    );
}
