//! The deadlines of the waiters.
//!
//! A pool's waiters mostly have the same patience, so their deadlines come in order, and most of them are served long
//! before. So a deadline is noted by itself only where it is earlier than those that one note stands for together: the
//! *horizon*. When the horizon is reached, all that stand behind it are noted, and the latest of them is the next one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::Waiters;
use crate::keys::Ticket;

/// What is known of deadlines.
pub(super) struct Deadlines {
    /// No deadline that is not noted by itself is earlier.
    horizon: Option<Instant>,
    /// Notes, earliest first; those of waiters that left stay until they come up or outnumber the others.
    notes: BinaryHeap<Reverse<(Instant, Ticket)>>,
    /// How many notes are of waiters that are still there.
    live: usize,
}

impl Deadlines {
    pub(super) fn new() -> Self {
        Self {
            horizon: None,
            notes: BinaryHeap::new(),
            live: 0,
        }
    }

    /// Whether the horizon does not stand for this one; the first one becomes the horizon.
    pub(super) fn must_be_noted(&mut self, deadline: Instant) -> bool {
        deadline < *self.horizon.get_or_insert(deadline)
    }

    pub(super) fn note(&mut self, deadline: Instant, ticket: Ticket) {
        self.notes.push(Reverse((deadline, ticket)));
        self.live += 1;
    }
}

impl<A> Waiters<A> {
    /// Sees to it that the waiter's deadline, if it has one, is counted with.
    pub(crate) fn time(&mut self, ticket: Ticket) {
        let waiter = &mut self.slots[ticket];
        if let (Some(deadline), false) = (waiter.deadline, waiter.noted) {
            waiter.noted = self.deadlines.must_be_noted(deadline);
            if waiter.noted {
                self.deadlines.note(deadline, ticket);
            }
        }
    }

    /// An instant no later than the earliest deadline; cheap, and nearly always enough to know that a timer is set.
    #[inline]
    pub(crate) fn no_deadline_before(&self) -> Option<Instant> {
        let noted = self.deadlines.notes.peek();
        let noted = noted.map(|Reverse((at, _))| *at);
        match (noted, self.deadlines.horizon) {
            (Some(noted), Some(horizon)) => Some(noted.min(horizon)),
            (noted, horizon) => noted.or(horizon),
        }
    }

    /// When the timer is to strike next: at the earliest deadline, or where the horizon has to be looked behind.
    pub(crate) fn next_deadline(&mut self) -> Option<Instant> {
        if self.slots.is_empty() {
            self.deadlines.horizon = None;
        }
        self.first_noted();
        self.no_deadline_before()
    }

    /// Somebody with a deadline, the one with the earliest if that is noted by itself.
    pub(crate) fn somebody_with_a_deadline(&mut self) -> Option<Ticket> {
        if let Some((_, ticket)) = self.first_noted() {
            return Some(ticket);
        }
        let mut slots = self.slots.iter();
        let timed = slots.find(|(_, waiter)| waiter.list.is_some() && waiter.deadline.is_some());
        timed.map(|(ticket, _)| ticket)
    }

    /// The waiter with the earliest deadline that is noted by itself.
    fn first_noted(&mut self) -> Option<(Instant, Ticket)> {
        while let Some(Reverse((at, ticket))) = self.deadlines.notes.peek().copied() {
            if self.slots.get(ticket).is_some_and(|waiter| waiter.noted) {
                return Some((at, ticket));
            }
            self.deadlines.notes.pop();
        }
        None
    }

    /// The horizon is reached, if it is: every deadline behind it is noted.
    pub(crate) fn look_behind_the_horizon(&mut self, now: Instant) {
        if self.deadlines.horizon.is_none_or(|horizon| horizon > now) {
            return;
        }
        self.deadlines.horizon = None;
        for (ticket, waiter) in self.slots.iter_mut() {
            let Some(deadline) = waiter.deadline.filter(|_| waiter.list.is_some()) else {
                continue;
            };
            self.deadlines.horizon = self.deadlines.horizon.max(Some(deadline));
            if !waiter.noted {
                waiter.noted = true;
                self.deadlines.note(deadline, ticket);
            }
        }
    }

    /// Takes the earliest deadline off the notes if it is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Ticket> {
        let (at, ticket) = self.first_noted()?;
        if at > now {
            return None;
        }
        self.deadlines.notes.pop();
        self.slots[ticket].noted = false;
        self.deadlines.live -= 1;
        Some(ticket)
    }

    /// A waiter whose deadline was noted is gone; the notes of such are thrown away when they are most of them.
    pub(super) fn forget_deadline(&mut self) {
        let Deadlines { notes, live, .. } = &mut self.deadlines;
        *live -= 1;
        if notes.len() > 64 + 2 * *live {
            let slots = &self.slots;
            notes.retain(|Reverse((_, ticket))| {
                slots.get(*ticket).is_some_and(|waiter| waiter.noted)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::Duration;

    use super::*;

    fn push(waiters: &mut Waiters<u8>, deadline: Instant) -> Ticket {
        waiters.push(Waker::noop().clone(), Some(deadline))
    }

    #[test]
    fn a_million_expired_waiters_leave_nothing_behind() {
        let mut waiters = Waiters::<u8>::new();
        let start = Instant::now();
        let at = start + Duration::from_secs(30);
        push(&mut waiters, at);
        for patience in [30, 29] {
            let at = start + Duration::from_secs(patience);
            for _ in 0..500_000 {
                let ticket = push(&mut waiters, at);
                waiters.remove(ticket);
            }
        }
        assert!(waiters.deadlines.notes.len() <= 128);
        assert_eq!(waiters.next_deadline(), Some(at));
    }

    #[test]
    fn deadlines_come_up_earliest_first() {
        let mut waiters = Waiters::<u8>::new();
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let [late, early, last] = [9, 1, 15].map(|secs| push(&mut waiters, after(secs)));
        assert_eq!(waiters.next_deadline(), Some(after(1)));
        assert_eq!(waiters.pop_due(start), None);
        waiters.look_behind_the_horizon(after(20));
        for due in [Some(early), Some(late), Some(last), None] {
            assert_eq!(waiters.pop_due(after(20)), due);
        }
    }

    #[test]
    fn the_horizon_stands_for_all_behind_it() {
        let mut waiters = Waiters::<u8>::new();
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        let tickets: Vec<_> = (1..=1000)
            .map(|secs| push(&mut waiters, after(secs)))
            .collect();
        assert!(waiters.deadlines.notes.is_empty());
        assert_eq!(waiters.next_deadline(), Some(after(1)));
        assert_eq!(waiters.somebody_with_a_deadline(), Some(tickets[0]));
        for (ticket, secs) in tickets.iter().zip(1..) {
            waiters.look_behind_the_horizon(after(secs));
            assert_eq!(waiters.pop_due(after(secs)), Some(*ticket));
            assert_eq!(waiters.pop_due(after(secs)), None);
            waiters.remove(*ticket);
        }
        assert_eq!(waiters.next_deadline(), None);
    }

    #[test]
    fn one_behind_the_horizon_is_found_when_an_earlier_one_was_due() {
        let mut waiters = Waiters::<u8>::new();
        let start = Instant::now();
        let patient = push(&mut waiters, start + Duration::from_secs(30));
        let hasty = push(&mut waiters, start + Duration::from_secs(1));
        let at = waiters.next_deadline().unwrap();
        waiters.look_behind_the_horizon(at);
        assert_eq!(waiters.pop_due(at), Some(hasty));
        waiters.unqueue(hasty);
        assert_eq!(waiters.somebody_with_a_deadline(), Some(patient));
        assert_eq!(
            waiters.next_deadline(),
            Some(start + Duration::from_secs(30))
        );
    }
}
