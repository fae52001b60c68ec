//! The queue of waiters as plain data: slots with two linked lists for each lane through them, each in order of arrival.
//!
//! To join, to be served and to leave cost O(1). Slots are reused, so a wait allocates nothing once the slots are there.

mod deadlines;
mod lanes;
mod slots;

use std::task::Waker;
use std::time::Instant;

pub(crate) use self::deadlines::Deadline;
use self::deadlines::Deadlines;
use self::lanes::Lane;
pub(crate) use self::slots::Ticket;
use self::slots::{Slot, Slots};
use crate::Priority;

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
    /// The number of waiters in the lists of each kind.
    lens: [u32; 2],
    /// What keeps from the shortest way to the head: the number of waiters that are not in the normal lane, and one more
    /// where places are reserved.
    detours: u32,
    /// How many of them are of high priority.
    high: u32,
    slots: Slots<A, J>,
    /// By lane, and by kind.
    lists: [[Ends; 2]; 3],
    deadlines: Deadlines,
    /// When the first waiter with a priority came. The ranks count from then on.
    epoch: Option<Instant>,
}

impl<A, J: Copy> Queue<A, J> {
    pub(crate) fn new() -> Self {
        Self {
            lens: [0; 2],
            detours: 0,
            high: 0,
            slots: Slots::new(),
            lists: [[Ends::default(); 2]; 3],
            deadlines: Deadlines::new(),
            epoch: None,
        }
    }

    /// The number of waiters in the lists.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        let [unassigned, driving] = self.lens;
        unassigned as usize + driving as usize
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.lens == [0; 2]
    }

    /// The number of waiters without a job.
    pub(crate) fn unassigned_len(&self) -> usize {
        self.lens[List::Unassigned as usize] as usize
    }

    /// The number of waiters of high priority.
    pub(crate) fn high_len(&self) -> usize {
        self.high as usize
    }

    /// The first waiter.
    #[inline(always)]
    pub(crate) fn head(&self) -> Option<Ticket> {
        match self.is_plain() {
            true => self.plain_head(),
            false => self.head_of_lanes(),
        }
    }

    /// The first waiter without a job.
    pub(crate) fn first_unassigned(&self) -> Option<Ticket> {
        let first = |lane| self.lists[lane as usize][List::Unassigned as usize].first;
        let first = match self.is_plain() {
            true => first(Lane::Normal),
            false => self.first_of_lanes(first),
        };
        first.map(|slot| self.slots.ticket(slot))
    }

    /// Whether a waiter drives a job.
    #[inline]
    pub(crate) fn has_driving(&self) -> bool {
        self.lens[List::Driving as usize] > 0
    }

    /// The waiters that drive a job, in the order in which they are to be served.
    pub(crate) fn driving(&self) -> impl Iterator<Item = (Ticket, J)> {
        let mut next = self.lists.map(|lists| lists[List::Driving as usize].first);
        std::iter::from_fn(move || {
            let slot = self.first_of_lanes(|lane| next[lane as usize])?;
            let waiter = &self.slots[slot];
            next[waiter.lane as usize] = waiter.next;
            waiter.job.map(|job| (self.slots.ticket(slot), job))
        })
    }

    /// Adds a waiter that comes now at the end of its lane.
    #[inline]
    pub(crate) fn push(
        &mut self,
        waker: Waker,
        deadline: Option<Deadline>,
        priority: Priority,
        now: Instant,
    ) -> Ticket {
        let lane = Lane::of(priority);
        let rank = self.rank(lane, now);
        let (ticket, waiter) = self.slots.take();
        waiter.waker = Some(waker);
        waiter.lane = lane;
        waiter.rank = rank;
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
        let lane = waiter.lane;
        self.lens[list as usize] -= 1;
        if lane != Lane::Normal {
            self.detours -= 1;
            self.high -= u32::from(lane == Lane::High);
        }
        let ends = &mut self.lists[lane as usize][list as usize];
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
        let (arrival, lane) = (self.slots[slot].arrival, self.slots[slot].lane);
        let ends = &mut self.lists[lane as usize][list as usize];
        let mut previous = ends.last;
        // Mostly it is the last. Otherwise it is one of the first, because the queue is served from there.
        if previous.is_some_and(|last| self.slots[last].arrival > arrival) {
            previous = None;
            let mut at = ends.first;
            while let Some(other) = at.filter(|other| self.slots[*other].arrival < arrival) {
                previous = at;
                at = self.slots[other].next;
            }
        }
        let next = match previous {
            Some(previous) => self.slots[previous].next.replace(slot),
            None => ends.first.replace(slot),
        };
        match next {
            Some(next) => self.slots[next].previous = Some(slot),
            None => ends.last = Some(slot),
        }
        let waiter = &mut self.slots[slot];
        waiter.list = Some(list);
        waiter.previous = previous;
        waiter.next = next;
        self.lens[list as usize] += 1;
        if lane != Lane::Normal {
            self.detours += 1;
            self.high += u32::from(lane == Lane::High);
        }
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
mod tests;
