//! The books as arithmetic: rules one by one, and a long random walk in which no place is lost or invented.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use super::waiting::Queued;
use super::*;
use crate::jobs::Work;
use crate::keys::{JobKey, Ticket};
use crate::{Verdict, config::Config};

struct Plain;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Number(u64, Option<Instant>);

impl Item for Number {
    fn id(&self) -> u64 {
        self.0
    }
    fn idle_since(&self) -> Option<Instant> {
        self.1
    }
    fn set_idle_since(&mut self, since: Option<Instant>) {
        self.1 = since;
    }
}

impl Stock for Plain {
    type Entry = Number;
    /// A future between two polls: the entry that lies in it.
    type Job = Option<Number>;
    type Failure = &'static str;
}

/// A waker like any other; the one that does nothing stands for "nobody" in the books.
struct Nudge;

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {}
}

/// The books together with the world outside: guards, waiters, and what is to be done after a change.
struct World {
    books: Ledger<Plain>,
    now: Instant,
    made: u64,
    waker: Waker,
    guards: Vec<Number>,
    waiting: Vec<Ticket>,
    /// Jobs that were polled once at least, in the hands of visitors.
    visited: Vec<(JobKey, u64)>,
}

impl World {
    fn new(minsize: usize, maxsize: usize) -> Self {
        let config = Config {
            minsize,
            maxsize,
            ..Config::default()
        };
        Self {
            books: Ledger::new(&config),
            now: Instant::now(),
            made: 0,
            waker: Waker::from(Arc::new(Nudge)),
            guards: Vec::new(),
            waiting: Vec::new(),
            visited: Vec::new(),
        }
    }

    fn change<R>(
        &mut self,
        change: impl FnOnce(&mut Ledger<Plain>, Instant, &mut After<Plain>) -> R,
    ) -> R {
        let mut after = After::new(None);
        let result = change(&mut self.books, self.now, &mut after);
        self.perform(after);
        result
    }

    fn perform(&mut self, mut after: After<Plain>) {
        after.take_wakers().for_each(Waker::wake);
        let Some(chores) = after.take_chores() else {
            return;
        };
        for entry in chores.broken {
            self.change(|books, now, after| books.dropped(entry.0, now, after));
        }
        for CalledOff { kind, id, .. } in chores.called_off {
            self.change(|books, now, after| books.called_off(kind, id, now, after));
        }
        for key in chores.tend {
            if let Some(number) = self.books.hire(key) {
                self.visited.push((key, number));
            }
        }
    }

    fn acquire(&mut self) -> Ticket {
        let waker = self.waker.clone();
        let queued = self.change(|books, now, after| books.enqueue(waker, None, now, after));
        let Ok(Queued { ticket, .. }) = queued else {
            panic!("the pool is open");
        };
        self.waiting.push(ticket);
        ticket
    }

    fn entry(&mut self) -> Number {
        self.made += 1;
        Number(self.made, Some(self.now))
    }

    /// Ends a job that was taken out.
    fn finish(&mut self, key: JobKey, kind: Kind, work: Work<Number, Option<Number>>, well: bool) {
        let entry = match work {
            Work::Fresh(entry) => entry,
            Work::Parked(entry) => entry,
            Work::Polled => unreachable!(),
        };
        let outcome = match (kind, entry) {
            (Kind::Close, _) => Outcome::Gone,
            (Kind::Connect, _) if well => Outcome::Ready(self.entry(), None),
            (Kind::Connect, _) => Outcome::Failed {
                entry: None,
                failure: "refused",
                goodbye: false,
                hopeless: false,
            },
            (_, Some(entry)) if well => Outcome::Ready(entry, None),
            (_, entry) => Outcome::Failed {
                entry,
                failure: "broken",
                goodbye: self.made % 2 == 0,
                hopeless: false,
            },
        };
        let settled = self.change(|books, now, after| books.settle(key, outcome, now, after));
        if let Settled::Taken(entry) = settled {
            self.guards.push(entry);
        }
    }

    /// Comes as the waiter does, with its own waker.
    fn come(&mut self, ticket: Ticket) -> Visit<Plain> {
        match self.books.visit(ticket, None, Some(&self.waker)) {
            Visit::OtherWaker => {
                self.books.set_waker(ticket, self.waker.clone());
                self.books.visit(ticket, None, None)
            }
            visit => visit,
        }
    }

    /// One look of a waiter: its answer, or a step of its job.
    fn look(&mut self, ticket: Ticket, end: bool, well: bool) {
        match self.come(ticket) {
            Visit::Answer { left, .. } => {
                self.waiting.retain(|other| *other != ticket);
                if let Some(Answer::Entry(entry)) = left.answer {
                    self.guards.push(entry);
                }
            }
            Visit::Job(key, kind, work) if end => self.finish(key, kind, work, well),
            Visit::Job(key, _, work) => self.park(key, work),
            Visit::Nothing(_) | Visit::OtherWaker => {}
        }
    }

    fn park(&mut self, key: JobKey, work: Work<Number, Option<Number>>) {
        let job = match work {
            Work::Fresh(entry) => entry,
            Work::Parked(entry) => entry,
            Work::Polled => unreachable!(),
        };
        self.change(|books, now, after| books.park(key, job, None, now, after));
    }

    fn leave(&mut self, ticket: Ticket) {
        self.waiting.retain(|other| *other != ticket);
        self.change(|books, now, after| {
            let left = books.leave(ticket, now, after);
            if let Some(Answer::Entry(entry)) = left.answer {
                books.pass_on(entry, now, after);
            }
        });
    }

    fn release(&mut self, verdict: Verdict) {
        if let Some(entry) = self.guards.pop() {
            self.change(|books, now, after| books.give_back(entry, verdict, now, after));
        }
    }

    fn visit(&mut self, at: usize, end: bool, well: bool) {
        let (key, number) = self.visited[at];
        match self.books.take_as_visitor(key, number) {
            TakenWork::Work(kind, work) if end => {
                self.visited.swap_remove(at);
                self.finish(key, kind, work, well);
            }
            TakenWork::Work(_, work) => self.park(key, work),
            _ => {
                self.visited.swap_remove(at);
            }
        }
    }

    fn recycle_in_background(&mut self) {
        if let Some(claimed) = self.books.claim_dirty() {
            self.visited.push(claimed);
        }
    }

    /// Drives everything to its good end.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.recycle_in_background();
            for key in self.books.unattended() {
                if let Some(number) = self.books.hire(key) {
                    self.visited.push((key, number));
                }
            }
            if !self.visited.is_empty() {
                self.visit(0, true, true);
            }
            for ticket in self.waiting.clone() {
                self.look(ticket, true, true);
            }
            self.release(Verdict::Reuse);
            if self.visited.is_empty() && self.waiting.is_empty() && self.guards.is_empty() {
                return;
            }
        }
        panic!(
            "HANG: {:?}, {} waiting",
            self.books.status(),
            self.waiting.len()
        );
    }
}

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
fn a_failed_connect_fails_the_first_waiter_only() {
    let mut world = World::new(0, 2);
    let [a, b] = [(); 2].map(|()| world.acquire());
    world.look(b, true, false);
    assert!(matches!(world.come(a), Visit::Answer { left, .. }
        if matches!(left.answer, Some(Answer::Failed("refused")))));
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
        let ticket =
            world.change(|books, now, after| books.enqueue(waker, Some(later), now, after));
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
