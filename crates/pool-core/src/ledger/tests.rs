//! The books as arithmetic: rules one by one, and a long random walk in which no place is lost or invented.

mod world;

use std::time::Duration;

use self::world::World;
use super::*;
use crate::Verdict;
use crate::waiters::Deadline;

#[test]
fn a_waiter_is_served_by_whichever_comes_first() {
    let mut world = World::new(0, 2);
    let a = world.acquire();
    world.look(a, true, true);
    world.look(a, true, true);
    assert_eq!(world.guards.len(), 1);
    let b = world.acquire();
    world.look(b, false, true);
    assert_eq!(world.books.status().connecting(), 1);
    world.release(Verdict::Reuse);
    world.look(b, true, true);
    assert_eq!((world.guards.len(), world.waiting.len()), (1, 0));
    // The connect that b had begun is kept.
    assert_eq!(world.books.status().connecting(), 1);
    world.visit(0, true, true);
    assert_eq!(world.books.status().freesize(), 1);
}

#[test]
fn the_short_ways_serve_in_order_of_arrival() {
    let mut world = World::new(0, 1);
    world.in_a_hurry = true;
    let first = world.acquire();
    world.look(first, true, true);
    world.look(first, true, true);
    let queue = [(); 3].map(|()| world.acquire());
    for (turn, ticket) in queue.into_iter().enumerate() {
        world.release(Verdict::Reuse);
        for later in &queue[turn + 1..] {
            assert!(world.books.collect(*later).is_none());
        }
        let entry = world.books.collect(ticket).expect("it is its turn");
        world.guards.push(entry);
    }
    let status = world.books.status();
    assert_eq!((status.held(), status.waiting()), (1, 0));
}

#[test]
fn a_failed_connect_fails_the_first_waiter_only() {
    let mut world = World::new(0, 2);
    let [a, b] = [(); 2].map(|()| world.acquire());
    world.look(b, true, false);
    assert!(matches!(world.come(a), Visit::Answer { left, .. }
        if matches!(&left.answer, Some(Answer::Failed(why)) if **why == "refused")));
    world.look(b, true, true);
    world.look(b, true, true);
    assert_eq!(world.guards.len(), 1);
}

#[test]
fn a_dropped_waiter_passes_on_what_it_was_given() {
    let mut world = World::new(0, 1);
    let a = world.acquire();
    world.look(a, true, true);
    world.look(a, true, true);
    let [b, c] = [(); 2].map(|()| world.acquire());
    world.release(Verdict::Reuse);
    world.leave(b);
    world.look(c, true, true);
    assert_eq!(world.guards.len(), 1);
}

#[test]
fn closing_answers_everybody_and_keeps_nothing() {
    let mut world = World::new(0, 3);
    let [a, b] = [(); 2].map(|()| world.acquire());
    world.look(a, true, true);
    world.look(b, false, true);
    world.change(|books, now, after| books.close(now, after));
    for ticket in [a, b] {
        assert!(matches!(world.come(ticket), Visit::Answer { left, .. }
            if matches!(left.answer, Some(Answer::Closed))));
    }
    while !world.visited.is_empty() {
        world.visit(0, true, true);
    }
    assert_eq!(world.books.size(), 0);
    assert!(world.books.is_closed());
}

#[test]
fn a_timer_that_strikes_too_early_costs_no_waiter_its_place() {
    let mut world = World::new(0, 1);
    let first = world.acquire();
    world.look(first, true, true);
    world.look(first, true, true);
    let now = world.now;
    let later = now + Duration::from_secs(5);
    let mut queue = Vec::new();
    for _ in 0..3 {
        let waker = world.waker.clone();
        let ticket = world.change(|books, now, after| {
            books.enqueue(waker, Some(Deadline::Usual(later)), now, after)
        });
        queue.extend(ticket.map(|queued| queued.ticket).ok());
    }
    world.change(|books, _, after| books.timer_struck(after));
    for ticket in queue.iter().rev() {
        world.change(|books, now, after| books.resume(*ticket, now, after));
    }
    for ticket in queue {
        world.release(Verdict::Reuse);
        world.look(ticket, true, true);
        assert_eq!(world.guards.len(), 1);
    }
}

/// A small generator, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

#[test]
fn no_place_is_lost_or_invented_in_a_random_walk() {
    for seed in 1..=400_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let maxsize = 1 + dice.roll(5);
        let mut world = World::new(dice.roll(maxsize + 1), maxsize);
        for step in 0..300 {
            world.in_a_hurry = dice.roll(3) > 0;
            match dice.roll(10) {
                0 | 1 => {
                    world.acquire();
                }
                2..=4 if !world.waiting.is_empty() => {
                    let ticket = world.waiting[dice.roll(world.waiting.len())];
                    world.look(ticket, dice.roll(3) > 0, dice.roll(4) > 0);
                }
                5 if !world.waiting.is_empty() => {
                    let ticket = world.waiting[dice.roll(world.waiting.len())];
                    world.leave(ticket);
                }
                6 | 7 => {
                    let verdicts = [Verdict::Reuse, Verdict::Recycle, Verdict::Discard];
                    world.release(verdicts[dice.roll(3)]);
                }
                8 if !world.visited.is_empty() => {
                    let at = dice.roll(world.visited.len());
                    world.visit(at, dice.roll(2) > 0, dice.roll(4) > 0);
                }
                9 => world.recycle_in_background(),
                _ => {}
            }
            world.now += Duration::from_millis(dice.roll(400) as u64);
            let status = world.books.status();
            assert!(
                status.size() <= maxsize,
                "seed {seed} step {step}: {status:?}"
            );
            let answered = world
                .waiting
                .iter()
                .filter(|ticket| world.books.waiters.is_answered(**ticket))
                .count();
            assert!(
                status.held() >= world.guards.len()
                    && status.held() <= world.guards.len() + answered,
                "seed {seed} step {step}: {status:?}, {} guards",
                world.guards.len()
            );
        }
        world.settle();
        let status = world.books.status();
        assert_eq!(status.size(), status.freesize(), "seed {seed}: {status:?}");
        // Full capacity: exactly maxsize can be acquired.
        let tickets: Vec<_> = (0..maxsize).map(|_| world.acquire()).collect();
        for _ in 0..3 {
            for ticket in &tickets {
                if world.waiting.contains(ticket) {
                    world.look(*ticket, true, true);
                }
            }
        }
        assert_eq!(world.guards.len(), maxsize, "seed {seed}");
        assert_eq!(world.books.size(), maxsize, "seed {seed}");
    }
}

#[test]
fn ticks_tell_how_long_an_entry_was_idle_and_stop_when_nothing_comes_back() {
    let second = Duration::from_secs(1);
    let mut world = World::new(0, 1);
    let start = world.now;
    world.books.time_by_ticks(second);
    assert!(world.books.idle_clock.must_be_wound());
    let ticket = world.acquire();
    world.look(ticket, true, true);
    world.look(ticket, true, true);
    let entry = world.guards.pop().expect("it was served");
    assert!(
        world.books.give_ready(entry).is_err(),
        "the clock is not wound"
    );
    world.change(|books, now, after| books.give_back(entry, Verdict::Reuse, now, after));
    assert_eq!(world.books.wind(start), Some(start + second / 4));
    assert_eq!(world.books.wind(start), None, "it ticks already");

    // What was noted with an instant needs a clock; once it was out and back it is fresh and needs none.
    assert!(world.books.take_ready(None).is_none());
    let mut entry = world
        .books
        .take_ready(Some(start))
        .expect("idle for no time");
    entry.set_idle_since(None);
    assert!(matches!(world.books.give_ready(entry), Ok(None)));
    let entry = world.books.take_ready(None).expect("fresh");
    assert!(matches!(world.books.give_ready(entry), Ok(None)));

    // The tick says of the fresh one that it may have been idle since the last tick, and nothing later.
    let mut now = start + second / 4;
    assert_eq!(world.books.tick(now), Some(now + second / 4));
    let since = world.books.idle.front().expect("it is idle").1.idle_since();
    assert_eq!(since, Some(start));
    assert!(
        world.books.take_ready(Some(start + second)).is_none(),
        "to be checked"
    );

    // Nothing came back since: the clock stops, and must be wound for the next return.
    now += second / 4;
    assert_eq!(world.books.tick(now), None);
    assert!(world.books.idle_clock.must_be_wound());
}

#[test]
fn ticks_are_short_enough_for_a_connection_of_its_own_idle_limit() {
    let second = Duration::from_secs(1);
    let mut world = World::new(0, 1);
    world.books.tick_at_least_for(second);
    assert_eq!(
        world.books.wind(world.now),
        None,
        "returns are not timed by ticks"
    );
    world.books.time_by_ticks(600 * second);
    world.books.tick_at_least_for(4 * second);
    world.books.tick_at_least_for(40 * second);
    assert_eq!(world.books.wind(world.now), Some(world.now + second));
}
