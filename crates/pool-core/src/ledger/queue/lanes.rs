//! The lanes of the queue: one for each priority.
//!
//! Each waiter has a rank: when it came, less the lead of its priority, in *beats* of about a millisecond. The head of the
//! queue is the one of the lanes' heads whose rank is the least. Within a lane the order of arrival decides, whatever the
//! ranks are.
//!
//! To compute a rank costs about as much as the rest of joining the queue. So nobody is ranked before the first waiter with a
//! priority comes: those that wait then count as if they had come at that moment.

use std::time::{Duration, Instant};

use super::slots::Slot;
use super::{Ends, List, Queue, Ticket};
use crate::Priority;

/// How much earlier one of high priority counts, and how much later one of low priority, in beats: 10 s.
const LEAD: u32 = 9537;

/// A beat is 2^20 ns. In 32 bits they go around in 52 days, so two ranks are compared by their difference.
const BEAT: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Normal = 0,
    High = 1,
    Low = 2,
}

impl Lane {
    pub(super) const ALL: [Self; 3] = [Self::Normal, Self::High, Self::Low];

    #[inline]
    pub(super) fn of(priority: Priority) -> Self {
        match priority {
            Priority::Normal => Self::Normal,
            Priority::High => Self::High,
            Priority::Low => Self::Low,
        }
    }

    /// By how many beats a waiter of this lane counts as later.
    #[inline]
    fn delay(self) -> u32 {
        match self {
            Self::Normal => 0,
            Self::High => 0_u32.wrapping_sub(LEAD),
            Self::Low => LEAD,
        }
    }
}

impl<A, J: Copy> Queue<A, J> {
    /// From now on all that come are ranked.
    pub(crate) fn use_ranks(&mut self, now: Instant) {
        self.epoch.get_or_insert(now);
    }

    /// The rank of a waiter that comes now.
    #[inline]
    pub(super) fn rank(&mut self, lane: Lane, now: Instant) -> u32 {
        match (self.epoch, lane) {
            (None, Lane::Normal) => 0,
            _ => self.rank_from(lane, now),
        }
    }

    #[cold]
    fn rank_from(&mut self, lane: Lane, now: Instant) -> u32 {
        self.use_ranks(now);
        self.beats(now).wrapping_add(lane.delay())
    }

    fn beats(&self, now: Instant) -> u32 {
        let since = now.saturating_duration_since(self.epoch.unwrap_or(now));
        let nanos = since.as_secs().wrapping_mul(1_000_000_000) + u64::from(since.subsec_nanos());
        (nanos >> BEAT) as u32
    }

    /// The first waiter of one lane.
    #[inline(always)]
    pub(super) fn head_of(&self, lane: Lane) -> Option<Slot> {
        let [unassigned, driving] = &self.lists[lane as usize];
        match (unassigned.first, driving.first) {
            (Some(one), Some(other)) if self.slots[other].arrival < self.slots[one].arrival => {
                Some(other)
            }
            (one, other) => one.or(other),
        }
    }

    /// Whether one waiter is to be served before another one of another lane.
    fn is_before(&self, one: Slot, other: Slot) -> bool {
        let (one, other) = (&self.slots[one], &self.slots[other]);
        match one.rank.wrapping_sub(other.rank) {
            0 => one.arrival < other.arrival,
            difference => difference > u32::MAX / 2,
        }
    }

    /// The one of the lanes' first waiters that is to be served first.
    #[cold]
    pub(super) fn first_of_lanes(&self, first: impl Fn(Lane) -> Option<Slot>) -> Option<Slot> {
        let heads = Lane::ALL.into_iter().filter_map(first);
        heads.reduce(|one, other| match self.is_before(other, one) {
            true => other,
            false => one,
        })
    }

    /// Whether the shortest way to the head is right: there is one lane, and no place is reserved.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.detours == 0
    }

    /// From now on the shortest way to the head is never right, because places are reserved.
    pub(crate) fn reserve(&mut self) {
        self.detours += 1;
    }

    /// The first waiter of a queue with one lane.
    #[inline(always)]
    pub(crate) fn plain_head(&self) -> Option<Ticket> {
        let head = self.head_of(Lane::Normal);
        head.map(|slot| self.slots.ticket(slot))
    }

    /// The first waiter of all lanes.
    #[cold]
    #[inline(never)]
    pub(super) fn head_of_lanes(&self) -> Option<Ticket> {
        let head = self.first_of_lanes(|lane| self.head_of(lane));
        head.map(|slot| self.slots.ticket(slot))
    }

    /// The first waiter of high priority.
    pub(crate) fn head_of_high(&self) -> Option<Ticket> {
        let head = self.head_of(Lane::High);
        head.map(|slot| self.slots.ticket(slot))
    }

    /// The first waiter of high priority without a job.
    pub(crate) fn first_unassigned_of_high(&self) -> Option<Ticket> {
        let Ends { first, .. } = self.lists[Lane::High as usize][List::Unassigned as usize];
        first.map(|slot| self.slots.ticket(slot))
    }

    /// How long the first waiter has waited, in whole beats, in a queue that uses ranks.
    pub(crate) fn head_waited(&self, now: Instant) -> Option<Duration> {
        let head = self.head()?;
        let now = self.beats(now);
        let waiter = &self.slots[head];
        let since = waiter.rank.wrapping_sub(waiter.lane.delay());
        // Another thread may have read the clock later and joined before.
        let waited = now.wrapping_sub(since);
        let waited = if waited > u32::MAX / 2 { 0 } else { waited };
        Some(Duration::from_nanos(u64::from(waited) << BEAT))
    }
}
