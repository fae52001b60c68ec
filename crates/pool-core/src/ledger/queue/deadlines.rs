//! The deadlines of the waiters.
//!
//! Most waiters wait for the pool's own `acquire_timeout`, so their deadlines come in the order of arrival: each is
//! appended to a list. A deadline of a caller's own time-out goes into a heap, even if it would be in order: a far one at
//! the end of the list would send all that come after it into the heap. Each entry of both is a *note*.
//!
//! Most waiters are served long before their deadline. The note of a waiter that left is removed at once if it is the
//! first of the list. Otherwise it stays, recognised as stale, until it comes up or until the stale notes outnumber the
//! others.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use super::{Queue, Ticket};

/// The deadline of a waiter.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// It comes from the pool's `acquire_timeout`, not from a time-out of the caller's own.
    pub(crate) is_of_pool: bool,
}

type Note = (Instant, Ticket);

pub(super) struct Deadlines {
    /// Deadlines of the pool's own time-out, in order of their instant.
    in_order: VecDeque<Note>,
    /// All others, and the few of the pool's own that come out of order: two threads read the clock in one order and
    /// take the lock in the other, or a timer struck too early. The earliest comes first.
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
    fn add(&mut self, deadline: Deadline, ticket: Ticket) {
        let Deadline { at, is_of_pool } = deadline;
        let last = self.in_order.back();
        match is_of_pool & last.is_none_or(|(last, _)| *last <= at) {
            true => self.in_order.push_back((at, ticket)),
            false => self.others.push(Reverse((at, ticket))),
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
    pub(crate) fn note_deadline(&mut self, ticket: Ticket, deadline: Deadline) {
        let waiter = &mut self.slots[ticket];
        if !waiter.has_note {
            waiter.has_note = true;
            self.deadlines.add(deadline, ticket);
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

    /// Whether a deadline of this waiter is known.
    pub(crate) fn has_deadline(&self, ticket: Ticket) -> bool {
        self.slots.get(ticket).is_some_and(|waiter| waiter.has_note)
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
    use crate::Priority;

    fn of_pool(at: Instant) -> Deadline {
        Deadline {
            at,
            is_of_pool: true,
        }
    }

    fn of_caller(at: Instant) -> Deadline {
        Deadline {
            at,
            is_of_pool: false,
        }
    }

    fn push(queue: &mut Queue<u8, u8>, deadline: Deadline) -> Ticket {
        queue.push(
            Waker::noop().clone(),
            Some(deadline),
            Priority::Normal,
            deadline.at,
        )
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
        push(&mut queue, of_pool(at));
        let early = start + Duration::from_secs(29);
        for deadline in [of_pool(at), of_pool(early), of_caller(at)] {
            for _ in 0..500_000 {
                let ticket = push(&mut queue, deadline);
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
            let tickets = [(); 3].map(|()| push(&mut queue, of_pool(at)));
            for (left, ticket) in tickets.into_iter().enumerate() {
                queue.remove(ticket);
                assert_eq!(notes(&queue), 2 - left);
            }
        }
    }

    #[test]
    fn a_far_deadline_of_a_caller_does_not_send_the_pools_own_into_the_heap() {
        let mut queue = Queue::<u8, u8>::new();
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let far = push(&mut queue, of_caller(after(3600)));
        let own = [30, 30, 31].map(|secs| push(&mut queue, of_pool(after(secs))));
        let near = push(&mut queue, of_caller(after(1)));
        let Deadlines {
            in_order, others, ..
        } = &queue.deadlines;
        assert_eq!((in_order.len(), others.len()), (3, 2));
        for due in [near, own[0], own[1], own[2], far] {
            assert_eq!(queue.pop_due(after(3600)), Some(due));
        }
    }

    #[test]
    fn deadlines_are_due_earliest_first_in_whatever_order_they_come() {
        let mut queue = Queue::<u8, u8>::new();
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        for caller_has_others in [false, true] {
            let others = match caller_has_others {
                true => of_caller,
                false => of_pool,
            };
            let late = push(&mut queue, others(after(9)));
            let [early, last] = [1, 15].map(|secs| push(&mut queue, of_pool(after(secs))));
            let between = push(&mut queue, others(after(12)));
            assert_eq!(next(&mut queue), Some(after(1)));
            assert_eq!(queue.pop_due(start), None);
            for due in [Some(early), Some(late), Some(between), Some(last), None] {
                assert_eq!(queue.pop_due(after(20)), due);
            }
            assert!(!queue.has_deadlines());
        }
    }

    #[test]
    fn an_answered_waiter_sets_no_timer() {
        let mut queue = Queue::<u8, u8>::new();
        let at = Instant::now() + Duration::from_secs(1);
        let ticket = push(&mut queue, of_pool(at));
        queue.answer(ticket, 7);
        assert_eq!(next(&mut queue), None);
        let later = push(&mut queue, of_pool(at + Duration::from_secs(1)));
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
        let ticket = push(&mut queue, of_pool(at));
        queue.note_deadline(ticket, of_pool(at));
        assert_eq!((queue.pop_due(at), queue.pop_due(at)), (Some(ticket), None));
        queue.note_deadline(ticket, of_pool(at));
        assert_eq!(queue.pop_due(at), Some(ticket));
    }
}
