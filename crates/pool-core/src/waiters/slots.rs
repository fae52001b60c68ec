//! The slots of the waiters: reused, and known by tickets that recognise when somebody else has the slot by now.
//!
//! Not a `SlotMap`, because that keeps a slot's version behind its value: a waiter with its version here is two cache
//! lines, and only the first is touched by whoever serves it.

use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};
use std::task::Waker;

use super::List;
use super::deadlines::{Deadline, Timing};
use crate::keys::{JobKey, Ticket};

/// One waiter; what is written while it waits comes first.
#[repr(C, align(64))]
pub(super) struct Waiter<A> {
    /// How to wake it; `None` once that was done.
    pub(super) waker: Option<Waker>,
    pub(super) answer: Option<A>,
    pub(super) job: Option<JobKey>,
    /// Its neighbours in its list; the first one's `previous` means nothing. In a free slot `next` is the next free one.
    pub(super) previous: Option<Ticket>,
    pub(super) next: Option<Ticket>,
    /// The list it is in.
    pub(super) list: Option<List>,
    /// How the deadline is counted with.
    pub(super) timing: Timing,
    free: bool,
    /// The turn of the slot: a ticket of an earlier one is stale.
    turn: NonZeroU32,
    pub(super) deadline: Option<Deadline>,
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

    /// A slot for a new waiter, who is in no list yet.
    pub(super) fn take(&mut self) -> (Ticket, &mut Waiter<A>) {
        let ticket = self.free.unwrap_or_else(|| self.grow());
        let waiter = &mut self.all[ticket.index as usize];
        self.free = waiter.next.take();
        waiter.free = false;
        (ticket, waiter)
    }

    #[cold]
    fn grow(&mut self) -> Ticket {
        let index =
            u32::try_from(self.all.len()).expect("fewer than four thousand million waiters");
        let turn = NonZeroU32::MIN;
        self.all.push(Waiter {
            waker: None,
            answer: None,
            job: None,
            previous: None,
            next: None,
            list: None,
            timing: Timing::Not,
            free: true,
            turn,
            deadline: None,
            arrival: 0,
        });
        Ticket { index, turn }
    }

    /// Frees the slot; what is still in it is for the caller to take out before.
    pub(super) fn free(&mut self, ticket: Ticket) {
        let next = self.free;
        let waiter = &mut self[ticket];
        waiter.free = true;
        waiter.next = next;
        waiter.turn = waiter.turn.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let turn = waiter.turn;
        self.free = Some(Ticket { turn, ..ticket });
    }

    /// The waiter, if it is still there.
    pub(super) fn get(&self, ticket: Ticket) -> Option<&Waiter<A>> {
        let waiter = self.all.get(ticket.index as usize)?;
        (waiter.turn == ticket.turn && !waiter.free).then_some(waiter)
    }

    /// The waiter, if it is still there, to be changed.
    pub(super) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Waiter<A>> {
        let waiter = self.all.get_mut(ticket.index as usize)?;
        (waiter.turn == ticket.turn && !waiter.free).then_some(waiter)
    }

    /// Everybody who is there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Ticket, &Waiter<A>)> {
        let taken = self.all.iter().zip(0..).filter(|(waiter, _)| !waiter.free);
        taken.map(|(waiter, index)| {
            let turn = waiter.turn;
            (Ticket { index, turn }, waiter)
        })
    }
}

/// # Panics
///
/// Where the ticket is stale: each is given back once, by the one who has it.
impl<A> Index<Ticket> for Slots<A> {
    type Output = Waiter<A>;

    #[inline]
    fn index(&self, ticket: Ticket) -> &Waiter<A> {
        let waiter = &self.all[ticket.index as usize];
        assert!(waiter.turn == ticket.turn, "a ticket is given back once");
        waiter
    }
}

impl<A> IndexMut<Ticket> for Slots<A> {
    #[inline]
    fn index_mut(&mut self, ticket: Ticket) -> &mut Waiter<A> {
        let waiter = &mut self.all[ticket.index as usize];
        assert!(waiter.turn == ticket.turn, "a ticket is given back once");
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
    fn whoever_serves_a_waiter_touches_one_cache_line() {
        /// As large as what a pool's waiters wait for.
        enum Answer {
            _Entry(Box<u8>),
            _Failed(Box<u8>),
            _Closed,
        }
        assert_eq!(size_of::<Waiter<Answer>>(), 128);
        assert!(std::mem::offset_of!(Waiter<Answer>, deadline) >= 64);
        assert!(std::mem::offset_of!(Waiter<Answer>, turn) < 64);
    }
}
