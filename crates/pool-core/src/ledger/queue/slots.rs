//! The slots of the waiters. A slot is reused; a ticket of an earlier use is recognised as stale.
//!
//! This is not a `SlotMap`: a `SlotMap` keeps the version of a slot behind its value. Here a waiter is one cache line
//! with all that the queue needs.

use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};
use std::task::Waker;

use super::List;
use super::lanes::Lane;

/// The number of a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    pub(super) slot: Slot,
    /// Tells the waiters of a slot apart.
    generation: u32,
}

/// The number of a slot, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(NonZeroU32);

/// One waiter.
#[repr(align(64))]
pub(super) struct Waiter<A, J> {
    /// How to wake the waiter; `None` after it was woken.
    pub(super) waker: Option<Waker>,
    pub(super) answer: Option<A>,
    /// The job that the waiter drives.
    pub(super) job: Option<J>,
    /// Which waiter it is, in order of arrival. 0 in a free slot.
    pub(super) arrival: u64,
    /// The neighbours in its list. The `previous` of the first waiter has no meaning. In a free slot, `next` is the
    /// next free slot.
    pub(super) previous: Option<Slot>,
    pub(super) next: Option<Slot>,
    /// The list that the waiter is in.
    pub(super) list: Option<List>,
    /// Its deadline is noted and has not struck.
    pub(super) has_note: bool,
    pub(super) lane: Lane,
    /// Its place among the waiters of all lanes.
    pub(super) rank: u32,
}

impl<A, J> Waiter<A, J> {
    /// Tells the waiters of a slot apart: they are of different arrivals.
    #[inline]
    fn generation(&self) -> u32 {
        self.arrival as u32
    }
}

pub(super) struct Slots<A, J> {
    all: Vec<Waiter<A, J>>,
    free: Option<Slot>,
    arrivals: u64,
}

impl<A, J> Slots<A, J> {
    pub(super) fn new() -> Self {
        Self {
            all: Vec::new(),
            free: None,
            arrivals: 0,
        }
    }

    /// Takes a slot for a new waiter, which is in no list yet.
    #[inline]
    pub(super) fn take(&mut self) -> (Ticket, &mut Waiter<A, J>) {
        let slot = self.free.unwrap_or_else(|| self.grow());
        self.arrivals += 1;
        let arrival = self.arrivals;
        let waiter = &mut self.all[slot.index()];
        self.free = waiter.next.take();
        waiter.arrival = arrival;
        let generation = waiter.generation();
        (Ticket { slot, generation }, waiter)
    }

    #[cold]
    fn grow(&mut self) -> Slot {
        self.all.push(Waiter {
            waker: None,
            answer: None,
            job: None,
            arrival: 0,
            previous: None,
            next: None,
            list: None,
            has_note: false,
            lane: Lane::Normal,
            rank: 0,
        });
        let count = u32::try_from(self.all.len()).ok();
        Slot(
            count
                .and_then(NonZeroU32::new)
                .expect("there are fewer than 2^32 waiters"),
        )
    }

    /// Frees the slot. The caller has taken out what was in it.
    #[inline]
    pub(super) fn free(&mut self, slot: Slot) {
        let next = self.free.replace(slot);
        let waiter = &mut self[slot];
        waiter.arrival = 0;
        waiter.next = next;
    }

    /// The ticket of the waiter in a slot.
    #[inline]
    pub(super) fn ticket(&self, slot: Slot) -> Ticket {
        let generation = self[slot].generation();
        Ticket { slot, generation }
    }

    /// The waiter, if the ticket is not stale.
    pub(super) fn get(&self, ticket: Ticket) -> Option<&Waiter<A, J>> {
        let waiter = self.all.get(ticket.slot.index());
        waiter.filter(|waiter| waiter.arrival > 0 && waiter.generation() == ticket.generation)
    }

    /// The waiter, if the ticket is not stale, to be changed.
    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Waiter<A, J>> {
        let waiter = self.all.get_mut(ticket.slot.index());
        waiter.filter(|waiter| waiter.arrival > 0 && waiter.generation() == ticket.generation)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiter<A, J>> {
        self.all.iter()
    }

    /// How many waiters there have been.
    pub(super) fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// The tickets of all waiters, in the order of their slots.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        let slots = (1..).map_while(NonZeroU32::new).map(Slot);
        let all = self.all.iter().zip(slots);
        let taken = all.filter(|(waiter, _)| waiter.arrival > 0);
        taken.map(|(waiter, slot)| {
            let generation = waiter.generation();
            Ticket { slot, generation }
        })
    }
}

impl Slot {
    #[inline]
    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl<A, J> Index<Slot> for Slots<A, J> {
    type Output = Waiter<A, J>;

    #[inline]
    fn index(&self, slot: Slot) -> &Waiter<A, J> {
        &self.all[slot.index()]
    }
}

impl<A, J> IndexMut<Slot> for Slots<A, J> {
    #[inline]
    fn index_mut(&mut self, slot: Slot) -> &mut Waiter<A, J> {
        &mut self.all[slot.index()]
    }
}

/// # Panics
///
/// If the ticket is stale: its owner gives it back once.
impl<A, J> Index<Ticket> for Slots<A, J> {
    type Output = Waiter<A, J>;

    #[inline]
    fn index(&self, ticket: Ticket) -> &Waiter<A, J> {
        let waiter = &self[ticket.slot];
        assert!(
            waiter.generation() == ticket.generation,
            "a ticket is given back once"
        );
        waiter
    }
}

impl<A, J> IndexMut<Ticket> for Slots<A, J> {
    #[inline]
    fn index_mut(&mut self, ticket: Ticket) -> &mut Waiter<A, J> {
        let waiter = &mut self[ticket.slot];
        assert!(
            waiter.generation() == ticket.generation,
            "a ticket is given back once"
        );
        waiter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_and_its_old_ticket_is_stale() {
        let mut slots = Slots::<u8, u8>::new();
        let (first, _) = slots.take();
        let (second, _) = slots.take();
        slots.free(first.slot);
        assert!(slots.get(first).is_none());
        let (third, _) = slots.take();
        assert_eq!((third.slot, slots.all.len()), (first.slot, 2));
        assert!(slots.get(first).is_none() && slots.get(third).is_some());
        assert_eq!(slots.tickets().collect::<Vec<_>>(), [third, second]);
        slots.free(second.slot);
        slots.free(third.slot);
        assert!(slots.tickets().next().is_none());
    }

    #[test]
    #[should_panic(expected = "given back once")]
    fn a_stale_ticket_is_not_taken_for_another() {
        let mut slots = Slots::<u8, u8>::new();
        let (ticket, _) = slots.take();
        slots.free(ticket.slot);
        slots[ticket].has_note = true;
    }

    #[test]
    fn a_waiter_is_one_cache_line() {
        /// As large as the answers of a pool.
        enum Answer {
            _Entry(Box<u8>),
            _Failed(Box<u8>),
            _Closed,
        }
        assert_eq!(size_of::<Waiter<Answer, slotmap::DefaultKey>>(), 64);
        assert_eq!(size_of::<Option<Ticket>>(), 8);
    }
}
