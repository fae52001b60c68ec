//! The connections of the pool by slot: how to abort each, and who holds it.

use std::borrow::Cow;
use std::panic::Location;
use std::time::{Duration, Instant};

use crate::AbortHandle;
use crate::borrowed::{Borrowed, Borrower, Label, LabelText};

/// A connection, or one to be: its number, and where it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionKey {
    pub(crate) id: u64,
    pub(crate) slot: u32,
}

/// What is written down of a connection. Its size is a power of two, so that its place is found without a multiplication.
#[repr(align(128))]
struct Record {
    /// Where its holder acquired it; `None` while nobody holds it.
    place: Option<&'static Location<'static>>,
    /// Which hand-out that was. A hand-out writes these two fields only.
    sequence: u64,
    /// What is known of one hand-out; of an earlier one, if its number is another one.
    details: Details,
    /// 0 in a free slot.
    id: u64,
    abort: Option<AbortHandle>,
}

/// What is known of a hand-out beside its place.
#[derive(Default)]
struct Details {
    /// The number of the hand-out.
    sequence: u64,
    label: Option<Label>,
    /// Since when the connection has been held, or an instant at which it was held already.
    since: Option<Instant>,
    /// `since` is the instant of the hand-out.
    is_exact: bool,
    /// It has been held for so long that a leak was suspected.
    is_suspected: bool,
}

pub(super) struct Connections {
    records: Vec<Record>,
    free: Vec<u32>,
    last_id: u64,
    /// The number of the last hand-out.
    sequence: u64,
}

/// A connection that came back.
pub(super) struct Return {
    /// How long it was held, if that was measured.
    pub(super) held: Option<Duration>,
    /// A leak had been suspected: the place and the label of its acquire.
    pub(super) suspected: Option<(&'static Location<'static>, Option<Cow<'static, str>>)>,
}

impl Record {
    /// What is known of the present hand-out.
    fn details(&mut self) -> &mut Details {
        if self.details.sequence != self.sequence {
            self.details = Details {
                sequence: self.sequence,
                ..Details::default()
            };
        }
        &mut self.details
    }

    fn describe(&mut self, now: Instant, seen: Option<(Instant, u64)>) -> Option<Borrowed> {
        let seen = seen.filter(|(_, sequence)| self.sequence <= *sequence);
        let seen_at = seen.map_or(now, |(at, _)| at);
        let (id, place) = (self.id, self.place?);
        let details = self.details();
        let since = *details.since.get_or_insert(seen_at);
        Some(Borrowed {
            age: now.saturating_duration_since(since),
            is_exact: details.is_exact,
            label: details.label.as_ref().map(|label| label.text.clone()),
            id,
            place,
        })
    }

    fn label(&self) -> Option<&LabelText> {
        let details = Some(&self.details).filter(|details| details.sequence == self.sequence);
        details.and_then(|details| details.label.as_deref())
    }
}

impl Connections {
    pub(super) fn new() -> Self {
        Self {
            records: Vec::new(),
            free: Vec::new(),
            last_id: 0,
            sequence: 0,
        }
    }

    /// The number of the last hand-out.
    #[inline]
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// A connect begins.
    pub(super) fn begin(&mut self) -> ConnectionKey {
        self.last_id += 1;
        let id = self.last_id;
        let record = Record {
            place: None,
            sequence: 0,
            details: Details::default(),
            id,
            abort: None,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.records[slot as usize] = record;
                slot
            }
            None => {
                let slot = u32::try_from(self.records.len());
                self.records.push(record);
                slot.expect("there are fewer than 2^32 connections")
            }
        };
        ConnectionKey { id, slot }
    }

    fn record(&mut self, key: ConnectionKey) -> Option<&mut Record> {
        let record = self.records.get_mut(key.slot as usize);
        record.filter(|record| record.id == key.id)
    }

    pub(super) fn set_abort(&mut self, key: ConnectionKey, abort: AbortHandle) {
        if let Some(record) = self.record(key) {
            record.abort = Some(abort);
        }
    }

    /// Nobody can abort the connection any more. Its handle comes out.
    pub(super) fn take_abort(&mut self, key: ConnectionKey) -> Option<AbortHandle> {
        self.record(key)?.abort.take()
    }

    /// A connection has left the pool, or was never opened.
    pub(super) fn remove(&mut self, key: ConnectionKey) {
        if let Some(record) = self.record(key) {
            record.id = 0;
            record.place = None;
            record.details = Details::default();
            self.free.push(key.slot);
        }
    }

    /// A connection is handed out.
    #[inline]
    pub(super) fn lend(&mut self, key: ConnectionKey, to: &mut Borrower) {
        self.sequence += 1;
        if let Some(record) = self.records.get_mut(key.slot as usize) {
            record.place = Some(to.place);
            record.sequence = self.sequence;
        }
        if to.label.is_some() {
            self.set_label(key, to.label.take());
        }
    }

    #[cold]
    fn set_label(&mut self, key: ConnectionKey, label: Option<Label>) {
        if let Some(record) = self.record(key) {
            record.details().label = label;
        }
    }

    /// A connection was handed out at this instant: the place of its acquire, and its label.
    pub(super) fn lent_at(
        &mut self,
        key: ConnectionKey,
        now: Instant,
    ) -> Option<(&'static Location<'static>, Option<&Cow<'static, str>>)> {
        let record = self.record(key)?;
        let details = record.details();
        details.since = Some(now);
        details.is_exact = true;
        Some((record.place?, record.label().map(|label| &label.text)))
    }

    /// A connection that was handed out is the pool's again. The fast case of a return does not write this down.
    pub(super) fn take_back(&mut self, key: ConnectionKey) {
        if let Some(record) = self.records.get_mut(key.slot as usize) {
            record.place = None;
        }
    }

    /// As [`take_back`](Self::take_back), where the time is known. `None`: it had been written off.
    pub(super) fn take_back_at(&mut self, key: ConnectionKey, now: Instant) -> Option<Return> {
        let record = self.record(key)?;
        let place = record.place.take()?;
        let details = record.details();
        let since = details.since.filter(|_| details.is_exact);
        Some(Return {
            held: since.map(|since| now.saturating_duration_since(since)),
            suspected: details
                .is_suspected
                .then(|| (place, details.label.take().map(|label| label.text))),
        })
    }

    /// A leak of this connection was suspected.
    pub(super) fn is_suspected(&self, key: ConnectionKey) -> bool {
        let record = self.records.get(key.slot as usize);
        record.is_some_and(|record| {
            record.details.sequence == record.sequence && record.details.is_suspected
        })
    }

    /// The connections that somebody holds, those held longest first.
    ///
    /// Where the instant of a hand-out is not known, that connection counts as held since somebody asked first, or since
    /// a waiter came that it kept waiting. `seen`: one came at this instant, after the hand-out with this number.
    pub(super) fn borrowed(&mut self, now: Instant, seen: Option<(Instant, u64)>) -> Vec<Borrowed> {
        let mut held: Vec<&mut Record> = Vec::new();
        held.extend(
            self.records
                .iter_mut()
                .filter(|record| record.place.is_some()),
        );
        held.sort_by_key(|record| record.sequence);
        let held = held.into_iter();
        held.filter_map(|record| record.describe(now, seen))
            .collect()
    }

    /// The first of [`borrowed`](Self::borrowed).
    pub(super) fn longest_held(
        &mut self,
        now: Instant,
        seen: Option<(Instant, u64)>,
    ) -> Option<Borrowed> {
        let held = self.records.iter_mut();
        let held = held.filter(|record| record.place.is_some());
        let longest = held.min_by_key(|record| record.sequence)?;
        longest.describe(now, seen)
    }

    /// Where each connection that somebody holds was acquired, and the label.
    pub(super) fn lent(
        &self,
    ) -> impl Iterator<Item = (&'static Location<'static>, Option<&LabelText>)> + '_ {
        let all = self.records.iter();
        all.filter_map(|record| Some((record.place?, record.label())))
    }

    /// The pool gives up what is held: nobody is asked for it any more. The numbers come out.
    pub(super) fn write_off(&mut self) -> Vec<u64> {
        let all = self.records.iter_mut();
        let held = all.filter_map(|record| record.place.take().map(|_| record.id));
        held.collect()
    }

    /// Takes the abort handles of all connections except these.
    pub(super) fn take_aborts(&mut self, except: impl Fn(u64) -> bool) -> Vec<AbortHandle> {
        let all = self.records.iter_mut();
        let aborted = all.filter(|record| record.id > 0 && !except(record.id));
        aborted.filter_map(|record| record.abort.take()).collect()
    }

    /// Every connection that has been held for this long and was not found before, and when the next will have been.
    pub(super) fn take_suspects(
        &mut self,
        now: Instant,
        limit: Duration,
    ) -> (Vec<Borrowed>, Option<Instant>) {
        let mut suspects = Vec::new();
        let mut next: Option<Instant> = None;
        for record in &mut self.records {
            let (id, Some(place)) = (record.id, record.place) else {
                continue;
            };
            let details = record.details();
            let since = details.since.filter(|_| !details.is_suspected);
            let at = since.and_then(|since| since.checked_add(limit));
            let (Some(since), Some(at)) = (since, at) else {
                continue;
            };
            if at > now {
                next = next.into_iter().chain([at]).min();
                continue;
            }
            details.is_suspected = true;
            suspects.push(Borrowed {
                id,
                age: now.saturating_duration_since(since),
                is_exact: true,
                place,
                label: details.label.as_ref().map(|label| label.text.clone()),
            });
        }
        (suspects, next)
    }
}
