//! The queue of waiters as plain data: slots with two linked lists through them, each in order of arrival.
//!
//! Who comes, is served or goes costs O(1). A waiter that falls back to its old place is sought from the front, a time-out of
//! one's own lies in a heap, and the whole queue is walked once in an `acquire_timeout`. Slots are reused, so a wait
//! allocates nothing once the slab is warm.

mod deadlines;
mod slots;

use std::task::Waker;

pub(crate) use self::deadlines::Deadline;
use self::deadlines::{Deadlines, Timing};
use self::slots::Slots;
use crate::keys::{JobKey, Ticket};

/// The lists that go through the slots; who is answered, or was put out by its deadline, is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    /// Those for whom nothing is on its way.
    Needy = 0,
    /// Those who drive a job.
    Driving = 1,
}

#[derive(Clone, Copy, Default)]
struct Ends {
    first: Option<Ticket>,
    last: Option<Ticket>,
}

/// What a waiter leaves behind when it goes.
pub(crate) struct Left<A> {
    /// Kept only so that it is dropped without the lock.
    pub(crate) _waker: Option<Waker>,
    pub(crate) answer: Option<A>,
    pub(crate) job: Option<JobKey>,
}

/// The waiters, their order and their deadlines; `A` is what they wait for.
///
/// In this order, so that what every wait touches lies together.
#[repr(C)]
pub(crate) struct Waiters<A> {
    queued: usize,
    lists: [Ends; 2],
    slots: Slots<A>,
    arrivals: u64,
    deadlines: Deadlines,
}

impl<A> Waiters<A> {
    pub(crate) fn new() -> Self {
        Self {
            queued: 0,
            lists: [Ends::default(); 2],
            slots: Slots::new(),
            arrivals: 0,
            deadlines: Deadlines::new(),
        }
    }

    /// How many wait for an answer.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// The first who waits for an answer.
    #[inline]
    pub(crate) fn first(&self) -> Option<Ticket> {
        let [needy, driving] = &self.lists;
        match (needy.first, driving.first) {
            (first, None) | (None, first) => first,
            (Some(needy), Some(driving)) => {
                let needy_is_first = self.slots[needy].arrival < self.slots[driving].arrival;
                Some(if needy_is_first { needy } else { driving })
            }
        }
    }

    /// The first for whom nothing is on its way.
    pub(crate) fn first_needy(&self) -> Option<Ticket> {
        self.lists[List::Needy as usize].first
    }

    /// Those who drive a job, in order of arrival.
    pub(crate) fn driving(&self) -> impl Iterator<Item = (Ticket, JobKey)> {
        let mut next = self.lists[List::Driving as usize].first;
        std::iter::from_fn(move || {
            let ticket = next?;
            let waiter = &self.slots[ticket];
            next = waiter.next;
            waiter.job.map(|job| (ticket, job))
        })
    }

    /// A new waiter at the end of the queue.
    pub(crate) fn push(&mut self, waker: Waker, deadline: Option<Deadline>) -> Ticket {
        self.arrivals += 1;
        let last = self.lists[List::Needy as usize].last;
        let (ticket, waiter) = self.slots.take();
        waiter.waker = Some(waker);
        waiter.list = Some(List::Needy);
        waiter.previous = last;
        waiter.timing = self.deadlines.add(deadline, ticket);
        waiter.deadline = deadline;
        waiter.arrival = self.arrivals;
        match last {
            Some(last) => self.slots[last].next = Some(ticket),
            None => self.lists[List::Needy as usize].first = Some(ticket),
        }
        self.lists[List::Needy as usize].last = Some(ticket);
        self.queued += 1;
        ticket
    }

    /// Puts a waiter that is out of the queue back to where its arrival places it.
    pub(crate) fn requeue(&mut self, ticket: Ticket) {
        let waiter = &self.slots[ticket];
        if waiter.list.is_some() {
            return;
        }
        let list = match waiter.job {
            Some(_) => List::Driving,
            None => List::Needy,
        };
        self.link(list, ticket);
    }

    /// Takes a waiter out of the queue, if it is in it.
    pub(crate) fn unqueue(&mut self, ticket: Ticket) {
        let waiter = &mut self.slots[ticket];
        let Some(list) = waiter.list.take() else {
            return;
        };
        let (previous, next) = (waiter.previous.take(), waiter.next.take());
        let ends = &mut self.lists[list as usize];
        let previous = previous.filter(|_| ends.first != Some(ticket));
        if next.is_none() {
            ends.last = previous;
        }
        match previous {
            Some(previous) => self.slots[previous].next = next,
            None => ends.first = next,
        }
        if let (Some(next), Some(_)) = (next, previous) {
            self.slots[next].previous = previous;
        }
        self.queued -= 1;
    }

    /// Puts a waiter into a list, behind all that arrived before it.
    fn link(&mut self, list: List, ticket: Ticket) {
        let arrival = self.slots[ticket].arrival;
        let mut previous = self.lists[list as usize].last;
        // Nearly always it is the latest; else it is one of the first, for the queue is served from there.
        if previous.is_some_and(|last| self.slots[last].arrival > arrival) {
            previous = None;
            let mut at = self.lists[list as usize].first;
            while let Some(other) = at.filter(|other| self.slots[*other].arrival < arrival) {
                previous = at;
                at = self.slots[other].next;
            }
        }
        let next = match previous {
            Some(previous) => self.slots[previous].next.replace(ticket),
            None => self.lists[list as usize].first.replace(ticket),
        };
        match next {
            Some(next) => self.slots[next].previous = Some(ticket),
            None => self.lists[list as usize].last = Some(ticket),
        }
        let waiter = &mut self.slots[ticket];
        waiter.list = Some(list);
        waiter.previous = previous;
        waiter.next = next;
        self.queued += 1;
    }

    /// Whether the waiter still waits in the queue.
    pub(crate) fn is_queued(&self, ticket: Ticket) -> bool {
        let waiter = self.slots.get(ticket);
        waiter.is_some_and(|waiter| waiter.list.is_some())
    }

    /// Answers a waiter; it leaves the queue and keeps its slot until it comes for the answer.
    #[inline]
    pub(crate) fn answer(&mut self, ticket: Ticket, answer: A) {
        self.unqueue(ticket);
        self.slots[ticket].answer = Some(answer);
    }

    /// Answers the first of those who wait, if it is one for whom nothing is on its way; its waker comes out.
    ///
    /// # Errors
    ///
    /// Gives the answer back where the first one drives a job, or nobody waits.
    pub(crate) fn serve_first(&mut self, answer: A) -> Result<Option<Waker>, A> {
        let [needy, driving] = &mut self.lists;
        let (Some(first), None) = (needy.first, driving.first) else {
            return Err(answer);
        };
        let waiter = &mut self.slots[first];
        waiter.answer = Some(answer);
        waiter.list = None;
        let waker = waiter.waker.take();
        let next = waiter.next.take();
        needy.first = next;
        if next.is_none() {
            needy.last = None;
        }
        self.queued -= 1;
        Ok(waker)
    }

    /// The answer, if it lies ready and there is nothing else to be cleared away.
    pub(crate) fn plain_answer(&self, ticket: Ticket) -> Option<&A> {
        let waiter = &self.slots[ticket];
        let plain =
            waiter.waker.is_none() && waiter.job.is_none() && waiter.timing != Timing::Noted;
        waiter.answer.as_ref().filter(|_| plain)
    }

    /// The waiter whose [plain answer](Self::plain_answer) was seen goes with it.
    pub(crate) fn take_plain_answer(&mut self, ticket: Ticket) -> Option<A> {
        let waiter = &mut self.slots[ticket];
        let answer = waiter.answer.take();
        let timing = waiter.timing;
        self.slots.free(ticket);
        self.forget_deadline(timing);
        answer
    }

    /// Whether an answer lies ready.
    pub(crate) fn is_answered(&self, ticket: Ticket) -> bool {
        self.slots[ticket].answer.is_some()
    }

    /// Takes a waiter's answer away again, as `close` does.
    pub(crate) fn revoke(&mut self, ticket: Ticket) -> Option<A> {
        self.slots[ticket].answer.take()
    }

    /// The waiter goes: its slot is free again.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Left<A> {
        self.unqueue(ticket);
        let waiter = &mut self.slots[ticket];
        let left = Left {
            _waker: waiter.waker.take(),
            answer: waiter.answer.take(),
            job: waiter.job.take(),
        };
        let timing = waiter.timing;
        self.slots.free(ticket);
        self.forget_deadline(timing);
        left
    }

    /// The job that the waiter drives.
    pub(crate) fn job(&self, ticket: Ticket) -> Option<JobKey> {
        self.slots[ticket].job
    }

    /// Gives the waiter a job to drive, or takes it away.
    pub(crate) fn set_job(&mut self, ticket: Ticket, job: Option<JobKey>) -> Option<JobKey> {
        let waiter = &mut self.slots[ticket];
        let old = std::mem::replace(&mut waiter.job, job);
        if waiter.list.is_some() && old.is_some() != job.is_some() {
            self.unqueue(ticket);
            self.requeue(ticket);
        }
        old
    }

    /// How to wake the waiter; it is nobody's to wake again until it leaves another waker.
    pub(crate) fn take_waker(&mut self, ticket: Ticket) -> Option<Waker> {
        self.slots[ticket].waker.take()
    }

    /// Whether the waiter would be woken by this waker.
    pub(crate) fn is_woken_by(&self, ticket: Ticket, waker: &Waker) -> bool {
        let known = self.slots[ticket].waker.as_ref();
        known.is_some_and(|known| known.will_wake(waker))
    }

    /// Another way to wake the waiter; the old one is handed back, to be dropped without the lock.
    pub(crate) fn set_waker(&mut self, ticket: Ticket, waker: Waker) -> Option<Waker> {
        self.slots[ticket].waker.replace(waker)
    }

    /// Every slot that is in use.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        self.slots.iter().map(|(ticket, _)| ticket).collect()
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    fn queue(waiters: &Waiters<u8>) -> Vec<Ticket> {
        let mut order = Vec::new();
        let mut at = waiters.first_needy();
        while let Some(ticket) = at {
            order.push(ticket);
            at = waiters.slots[ticket].next;
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
        assert_eq!(waiters.queued(), 2);
    }

    #[test]
    fn who_falls_back_gets_his_old_place() {
        let mut waiters = Waiters::<u8>::new();
        let all: Vec<_> = (0..5).map(|_| waiters.push(waker(), None)).collect();
        for out in [0, 2, 4] {
            waiters.unqueue(all[out]);
            waiters.requeue(all[out]);
            assert_eq!(queue(&waiters), all);
        }
    }

    #[test]
    fn who_drives_a_job_keeps_his_turn() {
        let mut waiters = Waiters::<u8>::new();
        let [a, b, c] = [(); 3].map(|()| waiters.push(waker(), None));
        let mut jobs = SlotMap::new();
        for ticket in [b, a] {
            waiters.set_job(ticket, Some(JobKey(jobs.insert(()))));
        }
        assert_eq!((waiters.first(), waiters.first_needy()), (Some(a), Some(c)));
        let driving: Vec<_> = waiters.driving().map(|(ticket, _)| ticket).collect();
        assert_eq!(driving, [a, b]);
        waiters.set_job(b, None);
        assert_eq!(queue(&waiters), [b, c]);
        assert_eq!((waiters.first(), waiters.queued()), (Some(a), 3));
        waiters.remove(a);
        assert_eq!((waiters.first(), waiters.queued()), (Some(b), 2));
    }

    #[test]
    fn an_answer_waits_in_the_slot_and_not_in_the_queue() {
        let mut waiters = Waiters::<u8>::new();
        let a = waiters.push(waker(), None);
        waiters.answer(a, 7);
        assert_eq!(waiters.first(), None);
        assert_eq!(waiters.remove(a).answer, Some(7));
    }
}
