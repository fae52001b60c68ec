//! The slots of the waiters. A slot is reused; a ticket of an earlier use is recognised as stale.
//!
//! This is not a `SlotMap`: a `SlotMap` keeps the version of a slot behind its value. Here a waiter with its version is two cache lines, and whoever
//! serves the waiter touches only the first.

use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};
use std::task::Waker;

use super::List;
use crate::ledger::jobs::JobKey;

/// The number of a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    index: u32,
    generation: NonZeroU32,
}

/// One waiter. The fields that change while it waits come first.
#[repr(C, align(64))]
pub(super) struct Waiter<A> {
    /// How to wake the waiter; `None` after it was woken.
    pub(super) waker: Option<Waker>,
    pub(super) answer: Option<A>,
    /// The job that the waiter drives.
    pub(super) job: Option<JobKey>,
    /// The neighbours in its list. The `previous` of the first waiter has no meaning. In a free slot, `next` is the next free slot.
    pub(super) previous: Option<Ticket>,
    pub(super) next: Option<Ticket>,
    /// The list that the waiter is in.
    pub(super) list: Option<List>,
    /// Its deadline is noted and has not struck.
    pub(super) has_note: bool,
    is_free: bool,
    generation: NonZeroU32,
    pub(super) arrival: u64,
}

pub(super) struct Slots<A> {
    all: Vec<Waiter<A>>,
    free: Option<Ticket>,
}

impl<A> Slots<A> {
    pub(super) fn new() -> Self {
        Self {
            all: Vec::new(),
            free: None,
        }
    }

    /// Takes a slot for a new waiter, which is in no list yet.
    pub(super) fn take(&mut self) -> (Ticket, &mut Waiter<A>) {
        let ticket = self.free.unwrap_or_else(|| self.grow());
        let waiter = &mut self.all[ticket.index as usize];
        self.free = waiter.next.take();
        waiter.is_free = false;
        (ticket, waiter)
    }

    #[cold]
    fn grow(&mut self) -> Ticket {
        let index = u32::try_from(self.all.len()).expect("there are fewer than 2^32 waiters");
        let generation = NonZeroU32::MIN;
        self.all.push(Waiter {
            waker: None,
            answer: None,
            job: None,
            previous: None,
            next: None,
            list: None,
            has_note: false,
            is_free: true,
            generation,
            arrival: 0,
        });
        Ticket { index, generation }
    }

    /// Frees the slot. The caller has taken out what was in it.
    pub(super) fn free(&mut self, ticket: Ticket) {
        let next = self.free;
        let waiter = &mut self[ticket];
        waiter.is_free = true;
        waiter.next = next;
        let following = waiter.generation.checked_add(1);
        waiter.generation = following.unwrap_or(NonZeroU32::MIN);
        let generation = waiter.generation;
        self.free = Some(Ticket {
            generation,
            ..ticket
        });
    }

    /// The waiter, if the ticket is not stale.
    pub(super) fn get(&self, ticket: Ticket) -> Option<&Waiter<A>> {
        let waiter = self.all.get(ticket.index as usize)?;
        (waiter.generation == ticket.generation && !waiter.is_free).then_some(waiter)
    }

    /// The waiter, if the ticket is not stale, to be changed.
    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Waiter<A>> {
        let waiter = self.all.get_mut(ticket.index as usize)?;
        (waiter.generation == ticket.generation && !waiter.is_free).then_some(waiter)
    }

    /// All waiters, in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Ticket, &Waiter<A>)> {
        let taken = self
            .all
            .iter()
            .zip(0..)
            .filter(|(waiter, _)| !waiter.is_free);
        taken.map(|(waiter, index)| {
            let generation = waiter.generation;
            (Ticket { index, generation }, waiter)
        })
    }
}

/// # Panics
///
/// If the ticket is stale: its owner gives it back once.
impl<A> Index<Ticket> for Slots<A> {
    type Output = Waiter<A>;

    #[inline]
    fn index(&self, ticket: Ticket) -> &Waiter<A> {
        let waiter = &self.all[ticket.index as usize];
        assert!(
            waiter.generation == ticket.generation,
            "a ticket is given back once"
        );
        waiter
    }
}

impl<A> IndexMut<Ticket> for Slots<A> {
    #[inline]
    fn index_mut(&mut self, ticket: Ticket) -> &mut Waiter<A> {
        let waiter = &mut self.all[ticket.index as usize];
        assert!(
            waiter.generation == ticket.generation,
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
        let mut slots = Slots::<u8>::new();
        let (first, _) = slots.take();
        let (second, _) = slots.take();
        slots.free(first);
        assert!(slots.get(first).is_none());
        let (third, _) = slots.take();
        assert_eq!((third.index, slots.all.len()), (first.index, 2));
        assert!(slots.get(first).is_none() && slots.get(third).is_some());
        let there: Vec<_> = slots.iter().map(|(ticket, _)| ticket).collect();
        assert_eq!(there, [third, second]);
        slots.free(second);
        slots.free(third);
        assert!(slots.iter().next().is_none());
    }

    #[test]
    #[should_panic(expected = "given back once")]
    fn a_stale_ticket_is_not_taken_for_another() {
        let mut slots = Slots::<u8>::new();
        let (ticket, _) = slots.take();
        slots.free(ticket);
        slots.free(ticket);
    }

    #[test]
    fn serving_a_waiter_touches_one_cache_line() {
        /// As large as the answers of a pool.
        enum Answer {
            _Entry(Box<u8>),
            _Failed(Box<u8>),
            _Closed,
        }
        assert_eq!(size_of::<Waiter<Answer>>(), 128);
        assert!(std::mem::offset_of!(Waiter<Answer>, generation) < 64);
    }
}
