//! The deadlines of the waiters.
//!
//! Those who wait as long as the pool says have deadlines that come in order, and most of them are served long before.
//! So one note stands for them together: the *horizon*, no later than any of theirs. When it is reached each of them is
//! noted by itself. Those who brought a time-out of their own are so from the beginning.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::{List, Waiters};
use crate::keys::Ticket;

/// Until when somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// As the pool says.
    Usual(Instant),
    /// As the caller says.
    Own(Instant),
}

impl Deadline {
    pub(crate) fn at(self) -> Instant {
        match self {
            Self::Usual(at) | Self::Own(at) => at,
        }
    }
}

/// How a waiter's deadline is counted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// There is none, or it has struck.
    Not,
    /// The horizon stands for it.
    Behind,
    /// It is noted by itself.
    Noted,
}

/// What is known of deadlines.
pub(super) struct Deadlines {
    /// No deadline that it stands for is earlier; `None` where it stands for nobody who still waits.
    horizon: Option<Instant>,
    /// For how many it stands.
    behind: usize,
    /// Notes, earliest first; those of waiters that left stay until they come up or outnumber the others.
    notes: BinaryHeap<Reverse<(Instant, Ticket)>>,
    /// How many notes are of waiters that are still there.
    live: usize,
}

impl Deadlines {
    pub(super) fn new() -> Self {
        Self {
            horizon: None,
            behind: 0,
            notes: BinaryHeap::new(),
            live: 0,
        }
    }

    /// Counts with a deadline; the first usual one becomes the horizon.
    pub(super) fn add(&mut self, deadline: Option<Deadline>, ticket: Ticket) -> Timing {
        match deadline {
            None => Timing::Not,
            Some(Deadline::Usual(at)) if at >= *self.horizon.get_or_insert(at) => {
                self.behind += 1;
                Timing::Behind
            }
            Some(deadline) => self.note(deadline, ticket),
        }
    }

    fn note(&mut self, deadline: Deadline, ticket: Ticket) -> Timing {
        self.notes.push(Reverse((deadline.at(), ticket)));
        self.live += 1;
        Timing::Noted
    }

    /// One for whom the horizon stood is gone.
    fn forget_behind(&mut self) {
        self.behind -= 1;
        if self.behind == 0 {
            self.horizon = None;
        }
    }
}

impl<A> Waiters<A> {
    /// Sees to it that the waiter's deadline, if it has one, is counted with.
    pub(crate) fn time(&mut self, ticket: Ticket) {
        let waiter = &mut self.slots[ticket];
        if waiter.timing == Timing::Not {
            waiter.timing = self.deadlines.add(waiter.deadline, ticket);
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
        self.first_noted();
        self.no_deadline_before()
    }

    /// Somebody who waits and has a deadline, the one with the earliest if that is noted by itself.
    pub(crate) fn somebody_with_a_deadline(&mut self) -> Option<Ticket> {
        if let Some((_, ticket)) = self.first_noted() {
            return Some(ticket);
        }
        // Where the horizon stands for somebody most of those who wait are such.
        self.deadlines.horizon?;
        let mut queue = self.everybody();
        queue.find(|ticket| self.slots[*ticket].timing == Timing::Behind)
    }

    /// All who wait.
    fn everybody(&self) -> impl Iterator<Item = Ticket> {
        [List::Needy, List::Driving]
            .into_iter()
            .flat_map(move |list| {
                let mut next = self.lists[list as usize].first;
                std::iter::from_fn(move || {
                    let ticket = next?;
                    next = self.slots[ticket].next;
                    Some(ticket)
                })
            })
    }

    /// Who waits and has the earliest deadline that is noted by itself.
    fn first_noted(&mut self) -> Option<(Instant, Ticket)> {
        while let Some(Reverse((at, ticket))) = self.deadlines.notes.peek().copied() {
            match self.slots.get_mut(ticket) {
                Some(waiter) if waiter.timing == Timing::Noted => {
                    if waiter.list.is_some() {
                        return Some((at, ticket));
                    }
                    // It has its answer, if it ever comes for it.
                    waiter.timing = Timing::Not;
                    self.deadlines.live -= 1;
                }
                _ => {}
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
        for list in [List::Needy, List::Driving] {
            let mut next = self.lists[list as usize].first;
            while let Some(ticket) = next {
                let waiter = &mut self.slots[ticket];
                next = waiter.next;
                if let (Timing::Behind, Some(deadline)) = (waiter.timing, waiter.deadline) {
                    waiter.timing = self.deadlines.note(deadline, ticket);
                    self.deadlines.forget_behind();
                }
            }
        }
        // It still stands for those who have their answer and did not come yet, but they need no timer.
        self.deadlines.horizon = None;
    }

    /// Takes the earliest deadline off the notes if it is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Ticket> {
        let (at, ticket) = self.first_noted()?;
        if at > now {
            return None;
        }
        self.deadlines.notes.pop();
        self.slots[ticket].timing = Timing::Not;
        self.deadlines.live -= 1;
        Some(ticket)
    }

    /// A waiter is gone; the notes of such are thrown away when they are most of them.
    #[inline]
    pub(super) fn forget_deadline(&mut self, timing: Timing) {
        match timing {
            Timing::Not => {}
            Timing::Behind => self.deadlines.forget_behind(),
            Timing::Noted => self.forget_note(),
        }
    }

    fn forget_note(&mut self) {
        let Deadlines { notes, live, .. } = &mut self.deadlines;
        *live -= 1;
        if notes.len() > 64 + 2 * *live {
            let slots = &self.slots;
            notes.retain(|Reverse((_, ticket))| {
                let waiter = slots.get(*ticket);
                waiter.is_some_and(|waiter| waiter.timing == Timing::Noted)
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
        waiters.push(Waker::noop().clone(), Some(Deadline::Usual(deadline)))
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

    #[test]
    fn the_horizon_goes_with_the_last_one_behind_it() {
        let mut waiters = Waiters::<u8>::new();
        let at = Instant::now() + Duration::from_secs(30);
        for _ in 0..3 {
            waiters.push(Waker::noop().clone(), None);
            let ticket = push(&mut waiters, at);
            waiters.push(Waker::noop().clone(), None);
            assert_eq!(waiters.next_deadline(), Some(at));
            waiters.remove(ticket);
            assert_eq!(waiters.next_deadline(), None);
            assert_eq!(waiters.somebody_with_a_deadline(), None);
        }
    }

    #[test]
    fn a_time_out_of_one_s_own_moves_no_horizon() {
        let mut waiters = Waiters::<u8>::new();
        let start = Instant::now();
        let mut own = |secs| {
            let at = start + Duration::from_secs(secs);
            waiters.push(Waker::noop().clone(), Some(Deadline::Own(at)))
        };
        let [late, early] = [9, 1].map(&mut own);
        assert!(waiters.deadlines.horizon.is_none());
        assert_eq!(waiters.somebody_with_a_deadline(), Some(early));
        waiters.answer(early, 7);
        assert_eq!(waiters.somebody_with_a_deadline(), Some(late));
        assert_eq!(waiters.remove(early).answer, Some(7));
        assert_eq!(waiters.deadlines.live, 1);
    }

    #[test]
    fn one_who_is_answered_and_does_not_come_sets_no_timer() {
        let mut waiters = Waiters::<u8>::new();
        let at = Instant::now() + Duration::from_secs(1);
        let ticket = push(&mut waiters, at);
        waiters.answer(ticket, 7);
        waiters.look_behind_the_horizon(at);
        assert_eq!(waiters.next_deadline(), None);
        let later = push(&mut waiters, at + Duration::from_secs(1));
        waiters.remove(ticket);
        assert_eq!(waiters.next_deadline(), Some(at + Duration::from_secs(1)));
        waiters.remove(later);
        assert_eq!(waiters.next_deadline(), None);
    }
}
