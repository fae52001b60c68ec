//! The queue of waiters as plain data: slots with two linked lists through them.
//!
//! Every operation is O(1) but [`Waiters::insert`], which walks from the front and is needed only when a waiter falls
//! back to its old place. Slots are reused, so a wait allocates nothing once the slab is warm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;
use std::time::Instant;

use slotmap::{DefaultKey, SlotMap};

use crate::keys::{JobKey, Ticket};

/// The two lists that go through the slots.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List {
    /// Everybody who waits for an answer, in order of arrival.
    Queue = 0,
    /// Those of them for whom nothing is on its way, in order of arrival.
    Needy = 1,
}

#[derive(Clone, Copy, Default)]
struct Links {
    linked: bool,
    previous: Option<Ticket>,
    next: Option<Ticket>,
}

#[derive(Clone, Copy, Default)]
struct Ends {
    first: Option<Ticket>,
    last: Option<Ticket>,
    len: usize,
}

struct Waiter<A> {
    waker: Waker,
    answer: Option<A>,
    job: Option<JobKey>,
    deadline: Option<Instant>,
    /// Whether the deadline lies in the heap.
    timed: bool,
    arrival: u64,
    links: [Links; 2],
}

/// What a waiter leaves behind when it goes.
pub(crate) struct Left<A> {
    /// Kept only so that it is dropped without the lock.
    pub(crate) _waker: Waker,
    pub(crate) answer: Option<A>,
    pub(crate) job: Option<JobKey>,
}

/// The waiters, their order and their deadlines; `A` is what they wait for.
pub(crate) struct Waiters<A> {
    slots: SlotMap<DefaultKey, Waiter<A>>,
    ends: [Ends; 2],
    arrivals: u64,
    /// Deadlines, earliest first; those of waiters that left stay until they come up or outnumber the others.
    deadlines: BinaryHeap<Reverse<(Instant, Ticket)>>,
    timed: usize,
}

impl<A> Waiters<A> {
    pub(crate) fn new() -> Self {
        Self {
            slots: SlotMap::new(),
            ends: [Ends::default(); 2],
            arrivals: 0,
            deadlines: BinaryHeap::new(),
            timed: 0,
        }
    }

    /// How many are in the list.
    pub(crate) fn len(&self, list: List) -> usize {
        self.ends[list as usize].len
    }

    /// The first of the list.
    pub(crate) fn first(&self, list: List) -> Option<Ticket> {
        self.ends[list as usize].first
    }

    /// The next one in the queue.
    pub(crate) fn next(&self, ticket: Ticket) -> Option<Ticket> {
        self.slots[ticket.0].links[List::Queue as usize].next
    }

    /// A new waiter at the end of both lists.
    pub(crate) fn push(&mut self, waker: Waker, deadline: Option<Instant>) -> Ticket {
        self.arrivals += 1;
        let ticket = Ticket(self.slots.insert(Waiter {
            waker,
            answer: None,
            job: None,
            deadline,
            timed: false,
            arrival: self.arrivals,
            links: [Links::default(); 2],
        }));
        self.link_after(List::Queue, ticket, self.ends[List::Queue as usize].last);
        self.link_after(List::Needy, ticket, self.ends[List::Needy as usize].last);
        self.time(ticket);
        ticket
    }

    /// Puts a waiter into a list at the place that its arrival gives it.
    pub(crate) fn insert(&mut self, list: List, ticket: Ticket) {
        if self.links(list, ticket).linked {
            return;
        }
        let arrival = self.slots[ticket.0].arrival;
        let last = self.ends[list as usize].last;
        if last.is_none_or(|last| self.slots[last.0].arrival < arrival) {
            return self.link_after(list, ticket, last);
        }
        let mut before = None;
        let mut at = self.ends[list as usize].first;
        while let Some(other) = at.filter(|other| self.slots[other.0].arrival < arrival) {
            before = at;
            at = self.links(list, other).next;
        }
        self.link_after(list, ticket, before);
    }

    /// Takes a waiter out of a list, if it is in it.
    pub(crate) fn unlink(&mut self, list: List, ticket: Ticket) {
        let links = *self.links(list, ticket);
        if !links.linked {
            return;
        }
        match links.previous {
            Some(previous) => self.links(list, previous).next = links.next,
            None => self.ends[list as usize].first = links.next,
        }
        match links.next {
            Some(next) => self.links(list, next).previous = links.previous,
            None => self.ends[list as usize].last = links.previous,
        }
        *self.links(list, ticket) = Links::default();
        self.ends[list as usize].len -= 1;
    }

    fn link_after(&mut self, list: List, ticket: Ticket, previous: Option<Ticket>) {
        let next = match previous {
            Some(previous) => self.links(list, previous).next.replace(ticket),
            None => self.ends[list as usize].first.replace(ticket),
        };
        match next {
            Some(next) => self.links(list, next).previous = Some(ticket),
            None => self.ends[list as usize].last = Some(ticket),
        }
        *self.links(list, ticket) = Links {
            linked: true,
            previous,
            next,
        };
        self.ends[list as usize].len += 1;
    }

    fn links(&mut self, list: List, ticket: Ticket) -> &mut Links {
        &mut self.slots[ticket.0].links[list as usize]
    }

    /// Whether the waiter still waits in the queue.
    pub(crate) fn is_queued(&self, ticket: Ticket) -> bool {
        self.slots
            .get(ticket.0)
            .is_some_and(|waiter| waiter.links[List::Queue as usize].linked)
    }

    /// Answers a waiter; it leaves both lists and keeps its slot until it comes for the answer.
    pub(crate) fn answer(&mut self, ticket: Ticket, answer: A) {
        self.unlink(List::Queue, ticket);
        self.unlink(List::Needy, ticket);
        self.slots[ticket.0].answer = Some(answer);
    }

    /// Whether an answer lies ready.
    pub(crate) fn is_answered(&self, ticket: Ticket) -> bool {
        self.slots[ticket.0].answer.is_some()
    }

    /// Takes a waiter's answer away again, as `close` does.
    pub(crate) fn revoke(&mut self, ticket: Ticket) -> Option<A> {
        self.slots[ticket.0].answer.take()
    }

    /// The waiter goes: its slot is free again.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Left<A> {
        self.unlink(List::Queue, ticket);
        self.unlink(List::Needy, ticket);
        let waiter = self
            .slots
            .remove(ticket.0)
            .expect("a ticket is given back once");
        if waiter.timed {
            self.timed -= 1;
            self.compact();
        }
        Left {
            _waker: waiter.waker,
            answer: waiter.answer,
            job: waiter.job,
        }
    }

    /// The job that the waiter drives.
    pub(crate) fn job(&self, ticket: Ticket) -> Option<JobKey> {
        self.slots[ticket.0].job
    }

    /// Gives the waiter a job to drive, or takes it away.
    pub(crate) fn set_job(&mut self, ticket: Ticket, job: Option<JobKey>) -> Option<JobKey> {
        if job.is_some() {
            self.unlink(List::Needy, ticket);
        }
        std::mem::replace(&mut self.slots[ticket.0].job, job)
    }

    /// How to wake the waiter.
    pub(crate) fn waker(&self, ticket: Ticket) -> &Waker {
        &self.slots[ticket.0].waker
    }

    /// Another way to wake the waiter; the old one is handed back, to be dropped without the lock.
    pub(crate) fn set_waker(&mut self, ticket: Ticket, waker: Waker) -> Waker {
        std::mem::replace(&mut self.slots[ticket.0].waker, waker)
    }

    /// Every slot that is in use.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        self.slots.keys().map(Ticket).collect()
    }

    /// Notes the waiter's deadline, if it has one that is not noted.
    pub(crate) fn time(&mut self, ticket: Ticket) {
        let waiter = &mut self.slots[ticket.0];
        if let (Some(deadline), false) = (waiter.deadline, waiter.timed) {
            waiter.timed = true;
            self.timed += 1;
            self.deadlines.push(Reverse((deadline, ticket)));
        }
    }

    /// The earliest deadline of somebody who is still there.
    pub(crate) fn next_deadline(&mut self) -> Option<(Instant, Ticket)> {
        while let Some(Reverse((at, ticket))) = self.deadlines.peek().copied() {
            if self.slots.get(ticket.0).is_some_and(|waiter| waiter.timed) {
                return Some((at, ticket));
            }
            self.deadlines.pop();
        }
        None
    }

    /// Takes the earliest deadline off the list if it is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Ticket> {
        let (at, ticket) = self.next_deadline()?;
        if at > now {
            return None;
        }
        self.deadlines.pop();
        self.slots[ticket.0].timed = false;
        self.timed -= 1;
        Some(ticket)
    }

    /// Forgets the deadlines of waiters that left when they are most of the list.
    fn compact(&mut self) {
        if self.deadlines.len() > 64 + 2 * self.timed {
            let slots = &self.slots;
            self.deadlines
                .retain(|Reverse((_, ticket))| slots.get(ticket.0).is_some_and(|w| w.timed));
        }
    }

    /// How many deadlines are on the list, stale ones included.
    #[cfg(test)]
    pub(crate) fn deadlines_noted(&self) -> usize {
        self.deadlines.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    fn queue(waiters: &Waiters<u8>) -> Vec<Ticket> {
        let mut order = Vec::new();
        let mut at = waiters.first(List::Queue);
        while let Some(ticket) = at {
            order.push(ticket);
            at = waiters.slots[ticket.0].links[0].next;
        }
        order
    }

    #[test]
    fn waiters_stand_in_order_of_arrival() {
        let mut waiters = Waiters::<u8>::new();
        let [a, b, c] = [(); 3].map(|()| waiters.push(waker(), None));
        assert_eq!(queue(&waiters), [a, b, c]);
        waiters.remove(b);
        assert_eq!(queue(&waiters), [a, c]);
        assert_eq!(waiters.len(List::Queue), 2);
    }

    #[test]
    fn who_falls_back_gets_his_old_place() {
        let mut waiters = Waiters::<u8>::new();
        let all: Vec<_> = (0..5).map(|_| waiters.push(waker(), None)).collect();
        for out in [0, 2, 4] {
            waiters.unlink(List::Queue, all[out]);
            waiters.insert(List::Queue, all[out]);
            assert_eq!(queue(&waiters), all);
        }
    }

    #[test]
    fn an_answer_waits_in_the_slot_and_not_in_the_queue() {
        let mut waiters = Waiters::<u8>::new();
        let a = waiters.push(waker(), None);
        waiters.answer(a, 7);
        assert_eq!(waiters.first(List::Queue), None);
        assert_eq!(waiters.remove(a).answer, Some(7));
    }

    #[test]
    fn a_million_expired_waiters_leave_nothing_behind() {
        let mut waiters = Waiters::<u8>::new();
        let at = Instant::now() + Duration::from_secs(30);
        let keeper = waiters.push(waker(), Some(at));
        for _ in 0..1_000_000 {
            let ticket = waiters.push(waker(), Some(at));
            waiters.remove(ticket);
        }
        assert!(waiters.deadlines_noted() <= 128);
        assert_eq!(waiters.next_deadline(), Some((at, keeper)));
    }

    #[test]
    fn deadlines_come_up_earliest_first() {
        let mut waiters = Waiters::<u8>::new();
        let start = Instant::now();
        let late = waiters.push(waker(), Some(start + Duration::from_secs(9)));
        let early = waiters.push(waker(), Some(start + Duration::from_secs(1)));
        assert_eq!(waiters.pop_due(start), None);
        assert_eq!(
            waiters.pop_due(start + Duration::from_secs(20)),
            Some(early)
        );
        assert_eq!(waiters.pop_due(start + Duration::from_secs(20)), Some(late));
        assert_eq!(waiters.pop_due(start + Duration::from_secs(20)), None);
    }
}
