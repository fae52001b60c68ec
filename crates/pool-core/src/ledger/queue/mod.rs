//! The queue of waiters as plain data: slots with two linked lists through them, each in order of arrival.
//!
//! To join, to be served and to leave cost O(1). Slots are reused, so a wait allocates nothing once the slots are there.

mod deadlines;
mod slots;

use std::task::Waker;

pub(crate) use self::deadlines::Deadline;
use self::deadlines::Deadlines;
pub(crate) use self::slots::Ticket;
use self::slots::{Slot, Slots};

/// The lists through the slots. A waiter that has its answer, or whose deadline struck, is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    /// Waiters without a job.
    Unassigned = 0,
    /// Waiters that drive a job.
    Driving = 1,
}

#[derive(Clone, Copy, Default)]
struct Ends {
    first: Option<Slot>,
    last: Option<Slot>,
}

/// A waiter that has left the queue.
pub(crate) struct Left<A, J> {
    /// Nobody needs it any more.
    pub(crate) waker: Option<Waker>,
    pub(crate) answer: Option<A>,
    pub(crate) job: Option<J>,
}

/// The waiters, their order and their deadlines. `A` is what they wait for, `J` the key of a job.
///
/// The fields that every wait touches come first.
#[repr(C)]
pub(crate) struct Queue<A, J> {
    len: usize,
    lists: [Ends; 2],
    slots: Slots<A, J>,
    deadlines: Deadlines,
}

impl<A, J: Copy> Queue<A, J> {
    pub(crate) fn new() -> Self {
        Self {
            len: 0,
            lists: [Ends::default(); 2],
            slots: Slots::new(),
            deadlines: Deadlines::new(),
        }
    }

    /// The number of waiters in the two lists.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first waiter.
    #[inline]
    pub(crate) fn head(&self) -> Option<Ticket> {
        let [unassigned, driving] = &self.lists;
        let head = match (unassigned.first, driving.first) {
            (Some(one), Some(other)) if self.slots[other].arrival < self.slots[one].arrival => {
                Some(other)
            }
            (one, other) => one.or(other),
        };
        head.map(|slot| self.slots.ticket(slot))
    }

    /// The first waiter without a job.
    pub(crate) fn first_unassigned(&self) -> Option<Ticket> {
        let first = self.lists[List::Unassigned as usize].first;
        first.map(|slot| self.slots.ticket(slot))
    }

    /// Whether a waiter drives a job.
    #[inline]
    pub(crate) fn has_driving(&self) -> bool {
        self.lists[List::Driving as usize].first.is_some()
    }

    /// The waiters that drive a job, in order of arrival.
    pub(crate) fn driving(&self) -> impl Iterator<Item = (Ticket, J)> {
        let mut next = self.lists[List::Driving as usize].first;
        std::iter::from_fn(move || {
            let slot = next?;
            let waiter = &self.slots[slot];
            next = waiter.next;
            waiter.job.map(|job| (self.slots.ticket(slot), job))
        })
    }

    /// Adds a waiter at the end of the queue.
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker, deadline: Option<Deadline>) -> Ticket {
        let (ticket, waiter) = self.slots.take();
        waiter.waker = Some(waker);
        self.link(List::Unassigned, ticket);
        if let Some(deadline) = deadline {
            self.note_deadline(ticket, deadline);
        }
        ticket
    }

    /// Puts a waiter that is in no list back to the place of its arrival.
    pub(crate) fn requeue(&mut self, ticket: Ticket) {
        let waiter = &self.slots[ticket];
        if waiter.list.is_some() {
            return;
        }
        let list = match waiter.job {
            Some(_) => List::Driving,
            None => List::Unassigned,
        };
        self.link(list, ticket);
    }

    /// Takes a waiter out of its list, if it is in one.
    #[inline]
    pub(crate) fn unqueue(&mut self, ticket: Ticket) {
        let slot = ticket.slot;
        let waiter = &mut self.slots[ticket];
        let Some(list) = waiter.list.take() else {
            return;
        };
        let (previous, next) = (waiter.previous.take(), waiter.next.take());
        self.len -= 1;
        let ends = &mut self.lists[list as usize];
        let previous = previous.filter(|_| ends.first != Some(slot));
        if next.is_none() {
            ends.last = previous;
        }
        match previous {
            None => ends.first = next,
            Some(previous) => {
                self.slots[previous].next = next;
                if let Some(next) = next {
                    self.slots[next].previous = Some(previous);
                }
            }
        }
    }

    /// Puts a waiter into a list, behind all that arrived before it.
    #[inline]
    fn link(&mut self, list: List, ticket: Ticket) {
        let slot = ticket.slot;
        let arrival = self.slots[slot].arrival;
        let mut previous = self.lists[list as usize].last;
        // Mostly it is the last. Otherwise it is one of the first, because the queue is served from there.
        if previous.is_some_and(|last| self.slots[last].arrival > arrival) {
            previous = None;
            let mut at = self.lists[list as usize].first;
            while let Some(other) = at.filter(|other| self.slots[*other].arrival < arrival) {
                previous = at;
                at = self.slots[other].next;
            }
        }
        let next = match previous {
            Some(previous) => self.slots[previous].next.replace(slot),
            None => self.lists[list as usize].first.replace(slot),
        };
        match next {
            Some(next) => self.slots[next].previous = Some(slot),
            None => self.lists[list as usize].last = Some(slot),
        }
        let waiter = &mut self.slots[slot];
        waiter.list = Some(list);
        waiter.previous = previous;
        waiter.next = next;
        self.len += 1;
    }

    /// Whether the waiter is still there and in the queue.
    pub(crate) fn is_queued(&self, ticket: Ticket) -> bool {
        let waiter = self.slots.get(ticket);
        waiter.is_some_and(|waiter| waiter.list.is_some())
    }

    /// Whether the waiter has not left and has no answer. Its deadline may have struck.
    pub(crate) fn is_there(&self, ticket: Ticket) -> bool {
        let waiter = self.slots.get(ticket);
        waiter.is_some_and(|waiter| waiter.answer.is_none())
    }

    /// Which waiter this is, in order of arrival.
    pub(crate) fn number(&self, ticket: Ticket) -> u64 {
        self.slots[ticket].arrival
    }

    /// Gives a waiter its answer. It leaves the queue; its job, if it drives one, comes out.
    #[inline]
    pub(crate) fn answer(&mut self, ticket: Ticket, answer: A) -> Option<J> {
        self.unqueue(ticket);
        let waiter = &mut self.slots[ticket.slot];
        waiter.answer = Some(answer);
        waiter.job.take()
    }

    /// Whether the waiter has its answer.
    pub(crate) fn is_answered(&self, ticket: Ticket) -> bool {
        self.slots[ticket].answer.is_some()
    }

    /// Takes the answer of a waiter away.
    pub(crate) fn revoke(&mut self, ticket: Ticket) -> Option<A> {
        self.slots[ticket].answer.take()
    }

    /// The waiter leaves with its answer, if it has one. Its waker comes out too, if it was not called.
    #[inline]
    pub(crate) fn take_answer(&mut self, ticket: Ticket) -> Option<(A, Option<Waker>)> {
        let waiter = &mut self.slots[ticket];
        let answer = waiter.answer.take()?;
        let waker = waiter.waker.take();
        self.free(ticket);
        Some((answer, waker))
    }

    /// The waiter leaves.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Left<A, J> {
        self.unqueue(ticket);
        let waiter = &mut self.slots[ticket.slot];
        let left = Left {
            waker: waiter.waker.take(),
            answer: waiter.answer.take(),
            job: waiter.job.take(),
        };
        self.free(ticket);
        left
    }

    /// Frees the slot of a waiter that is in no list.
    #[inline]
    fn free(&mut self, ticket: Ticket) {
        let waiter = &mut self.slots[ticket.slot];
        let had_note = std::mem::take(&mut waiter.has_note);
        self.slots.free(ticket.slot);
        if had_note {
            self.forget_note(ticket);
        }
    }

    /// The job that the waiter drives.
    pub(crate) fn job(&self, ticket: Ticket) -> Option<J> {
        self.slots[ticket].job
    }

    /// Gives the waiter a job to drive, or takes it away.
    pub(crate) fn set_job(&mut self, ticket: Ticket, job: Option<J>) -> Option<J> {
        let waiter = &mut self.slots[ticket];
        let old = std::mem::replace(&mut waiter.job, job);
        if waiter.list.is_some() && old.is_some() != job.is_some() {
            self.unqueue(ticket);
            self.requeue(ticket);
        }
        old
    }

    /// Takes the waker of a waiter; nobody can wake the waiter until it stores another one.
    #[inline]
    pub(crate) fn take_waker(&mut self, ticket: Ticket) -> Option<Waker> {
        self.slots[ticket].waker.take()
    }

    /// Whether this waker wakes the waiter.
    pub(crate) fn is_woken_by(&self, ticket: Ticket, waker: &Waker) -> bool {
        let known = self.slots[ticket].waker.as_ref();
        known.is_some_and(|known| known.will_wake(waker))
    }

    /// Stores another waker; the old one comes back, to be dropped after the lock is released.
    pub(crate) fn set_waker(&mut self, ticket: Ticket, waker: Waker) -> Option<Waker> {
        self.slots[ticket].waker.replace(waker)
    }

    /// The answers that lie ready.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &A> {
        self.slots
            .iter()
            .filter_map(|waiter| waiter.answer.as_ref())
    }

    /// How many waiters there have been.
    pub(crate) fn arrivals(&self) -> u64 {
        self.slots.arrivals()
    }

    /// All waiters, those with an answer included.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        self.slots.tickets().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    fn order(queue: &Queue<u8, u8>) -> Vec<Ticket> {
        let mut order = Vec::new();
        let mut at = queue.lists[List::Unassigned as usize].first;
        while let Some(slot) = at {
            order.push(queue.slots.ticket(slot));
            at = queue.slots[slot].next;
        }
        order
    }

    #[test]
    fn waiters_are_in_order_of_arrival() {
        let mut queue = Queue::<u8, u8>::new();
        let [a, b, c] = [(); 3].map(|()| queue.push(waker(), None));
        assert_eq!(order(&queue), [a, b, c]);
        queue.remove(b);
        assert_eq!(order(&queue), [a, c]);
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn a_requeued_waiter_gets_its_old_place() {
        let mut queue = Queue::<u8, u8>::new();
        let all: Vec<_> = (0..5).map(|_| queue.push(waker(), None)).collect();
        for out in [0, 2, 4] {
            queue.unqueue(all[out]);
            queue.requeue(all[out]);
            assert_eq!(order(&queue), all);
        }
    }

    #[test]
    fn a_waiter_that_drives_a_job_keeps_its_turn() {
        let mut queue = Queue::<u8, u8>::new();
        let [a, b, c] = [(); 3].map(|()| queue.push(waker(), None));
        for (ticket, job) in [b, a].into_iter().zip(1..) {
            queue.set_job(ticket, Some(job));
        }
        assert_eq!((queue.head(), queue.first_unassigned()), (Some(a), Some(c)));
        let driving: Vec<_> = queue.driving().map(|(ticket, _)| ticket).collect();
        assert_eq!(driving, [a, b]);
        queue.set_job(b, None);
        assert_eq!(order(&queue), [b, c]);
        assert_eq!((queue.head(), queue.len()), (Some(a), 3));
        queue.remove(a);
        assert_eq!((queue.head(), queue.len()), (Some(b), 2));
    }

    #[test]
    fn the_head_is_served_whether_it_drives_a_job_or_not() {
        let mut queue = Queue::<u8, u8>::new();
        let [a, b, c] = [(); 3].map(|()| queue.push(waker(), None));
        let job = Some(1);
        queue.set_job(b, job);
        for (head, job) in [(a, None), (b, job), (c, None)] {
            assert_eq!(queue.head(), Some(head));
            assert_eq!(queue.answer(head, 7), job);
            assert_eq!(queue.remove(head).answer, Some(7));
        }
        assert_eq!((queue.len(), queue.tickets().len()), (0, 0));
    }

    #[test]
    fn an_answer_waits_in_the_slot_and_not_in_the_queue() {
        let mut queue = Queue::<u8, u8>::new();
        let a = queue.push(waker(), None);
        queue.answer(a, 7);
        assert_eq!(queue.head(), None);
        assert_eq!(queue.remove(a).answer, Some(7));
    }
}
