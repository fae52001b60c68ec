//! The deadlines of the waiters.
//!
//! Most waiters wait for the pool's own `acquire_timeout`, so their deadlines come in the order of arrival: each is
//! appended to a list. A deadline that would break this order (a time-out of the caller's own) goes into a heap. Each
//! entry of both is a *note*.
//!
//! Most waiters are served long before their deadline. The note of a waiter that left is removed at once if it is the
//! first of the list. Otherwise it stays, recognised as stale, until it comes up or until the stale notes outnumber the
//! others.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use super::{Queue, Ticket};

type Note = (Instant, Ticket);

pub(super) struct Deadlines {
    /// Notes in order of their instant.
    in_order: VecDeque<Note>,
    /// Notes that came too late to be in order; the earliest comes first.
    others: BinaryHeap<Reverse<Note>>,
    /// The number of notes that are not stale.
    live: usize,
}

impl Deadlines {
    pub(super) fn new() -> Self {
        Self {
            in_order: VecDeque::new(),
            others: BinaryHeap::new(),
            live: 0,
        }
    }

    #[inline]
    pub(super) fn add(&mut self, at: Instant, ticket: Ticket) {
        match self.in_order.back() {
            Some((last, _)) if at < *last => self.others.push(Reverse((at, ticket))),
            _ => self.in_order.push_back((at, ticket)),
        }
        self.live += 1;
    }

    /// The earliest note, and whether it is one of those in order.
    fn earliest(&self) -> Option<(Note, bool)> {
        let ordered = self.in_order.front().copied();
        let other = self.others.peek().map(|Reverse(note)| *note);
        match (ordered, other) {
            (Some(ordered), Some(other)) if other < ordered => Some((other, false)),
            (Some(ordered), _) => Some((ordered, true)),
            (None, other) => other.map(|note| (note, false)),
        }
    }

    fn remove_earliest(&mut self, in_order: bool) {
        match in_order {
            true => drop(self.in_order.pop_front()),
            false => drop(self.others.pop()),
        }
    }
}

impl<A, J: Copy> Queue<A, J> {
    /// Notes the deadline of a waiter, unless it is noted already.
    #[inline]
    pub(crate) fn note_deadline(&mut self, ticket: Ticket, at: Instant) {
        let waiter = &mut self.slots[ticket];
        if !waiter.has_note {
            waiter.has_note = true;
            self.deadlines.add(at, ticket);
        }
    }

    /// Whether a waiter may have a deadline.
    #[inline]
    pub(crate) fn has_deadlines(&self) -> bool {
        self.deadlines.live > 0
    }

    /// The queued waiter with the earliest deadline.
    pub(crate) fn next_deadline(&mut self) -> Option<(Instant, Ticket)> {
        loop {
            let ((at, ticket), in_order) = self.deadlines.earliest()?;
            if let Some(waiter) = self.slots.get_mut(ticket).filter(|waiter| waiter.has_note) {
                if waiter.list.is_some() {
                    return Some((at, ticket));
                }
                // It has its answer and needs no timer.
                waiter.has_note = false;
                self.deadlines.live -= 1;
            }
            self.deadlines.remove_earliest(in_order);
        }
    }

    /// Takes the earliest deadline out if it is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Ticket> {
        let (at, ticket) = self.next_deadline()?;
        if at > now {
            return None;
        }
        let (_, in_order) = self.deadlines.earliest()?;
        self.deadlines.remove_earliest(in_order);
        self.slots[ticket].has_note = false;
        self.deadlines.live -= 1;
        Some(ticket)
    }

    /// A waiter that had a note is gone.
    #[inline]
    pub(super) fn forget_note(&mut self, ticket: Ticket) {
        self.deadlines.live -= 1;
        let first = self.deadlines.in_order.front();
        if first.is_some_and(|(_, first)| *first == ticket) {
            self.deadlines.in_order.pop_front();
            return;
        }
        let Deadlines {
            in_order,
            others,
            live,
        } = &self.deadlines;
        if in_order.len() + others.len() > 64 + 2 * live {
            self.drop_stale_notes();
        }
    }

    #[cold]
    fn drop_stale_notes(&mut self) {
        let slots = &self.slots;
        let has_note = |ticket| slots.get(ticket).is_some_and(|waiter| waiter.has_note);
        let Deadlines {
            in_order, others, ..
        } = &mut self.deadlines;
        in_order.retain(|(_, ticket)| has_note(*ticket));
        others.retain(|Reverse((_, ticket))| has_note(*ticket));
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::Duration;

    use super::*;

    fn push(queue: &mut Queue<u8, u8>, deadline: Instant) -> Ticket {
        queue.push(Waker::noop().clone(), Some(deadline))
    }

    fn next(queue: &mut Queue<u8, u8>) -> Option<Instant> {
        queue.next_deadline().map(|(at, _)| at)
    }

    fn notes(queue: &Queue<u8, u8>) -> usize {
        queue.deadlines.in_order.len() + queue.deadlines.others.len()
    }

    #[test]
    fn a_million_waiters_that_gave_up_leave_no_notes() {
        let mut queue = Queue::<u8, u8>::new();
        let start = Instant::now();
        let at = start + Duration::from_secs(30);
        push(&mut queue, at);
        for seconds in [30, 29] {
            let at = start + Duration::from_secs(seconds);
            for _ in 0..500_000 {
                let ticket = push(&mut queue, at);
                queue.remove(ticket);
            }
        }
        assert!(notes(&queue) <= 128);
        assert_eq!(next(&mut queue), Some(at));
    }

    #[test]
    fn a_waiter_that_leaves_first_takes_its_note_along() {
        let mut queue = Queue::<u8, u8>::new();
        let start = Instant::now();
        for round in 0..1000 {
            let at = start + Duration::from_millis(round);
            let tickets = [(); 3].map(|()| push(&mut queue, at));
            for (left, ticket) in tickets.into_iter().enumerate() {
                queue.remove(ticket);
                assert_eq!(notes(&queue), 2 - left);
            }
        }
    }

    #[test]
    fn deadlines_are_due_earliest_first_in_whatever_order_they_come() {
        let mut queue = Queue::<u8, u8>::new();
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let [late, early, last, between] = [9, 1, 15, 12].map(|secs| push(&mut queue, after(secs)));
        assert_eq!(next(&mut queue), Some(after(1)));
        assert_eq!(queue.pop_due(start), None);
        for due in [Some(early), Some(late), Some(between), Some(last), None] {
            assert_eq!(queue.pop_due(after(20)), due);
        }
        assert!(!queue.has_deadlines());
    }

    #[test]
    fn an_answered_waiter_sets_no_timer() {
        let mut queue = Queue::<u8, u8>::new();
        let at = Instant::now() + Duration::from_secs(1);
        let ticket = push(&mut queue, at);
        queue.answer(ticket, 7);
        assert_eq!(next(&mut queue), None);
        let later = push(&mut queue, at + Duration::from_secs(1));
        queue.remove(ticket);
        assert_eq!(next(&mut queue), Some(at + Duration::from_secs(1)));
        queue.remove(later);
        assert_eq!(next(&mut queue), None);
        assert!(!queue.has_deadlines());
    }

    #[test]
    fn a_deadline_is_noted_once() {
        let mut queue = Queue::<u8, u8>::new();
        let at = Instant::now();
        let ticket = push(&mut queue, at);
        queue.note_deadline(ticket, at);
        assert_eq!((queue.pop_due(at), queue.pop_due(at)), (Some(ticket), None));
        queue.note_deadline(ticket, at);
        assert_eq!(queue.pop_due(at), Some(ticket));
    }
}
