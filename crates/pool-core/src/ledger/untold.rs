//! The notes that the observers have not been told yet: how many are kept, and who takes them.

use std::collections::VecDeque;

use super::Note;

/// How many notes are kept for observers that are slower than the events. The documentation of `Observer` says it, too.
const MOST_KEPT: usize = 65_536;

/// What the observers have not been told, in the order of the changes.
pub(super) struct Untold {
    notes: Vec<Note>,
    /// Notes that are older. They came together, and were more than one call tells.
    older: VecDeque<Note>,
    /// A thread tells the observers at the moment. What is noted meanwhile it tells too.
    is_telling: bool,
}

impl Untold {
    pub(super) fn new() -> Self {
        Self {
            notes: Vec::new(),
            older: VecDeque::new(),
            is_telling: false,
        }
    }

    /// Whether there is nothing to tell.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.older.is_empty()
    }

    pub(super) fn is_telling(&self) -> bool {
        self.is_telling
    }

    /// Whether one more note can be kept.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.notes.len() + self.older.len() < MOST_KEPT
    }

    /// Keeps a note. The caller has looked whether there is room.
    #[inline]
    pub(super) fn push(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// A note is not kept. A mark in its place counts it.
    #[cold]
    pub(super) fn miss(&mut self) {
        match self.notes.last_mut() {
            Some(Note::Lagged(missed)) => *missed += 1,
            _ => self.notes.push(Note::Lagged(1)),
        }
    }

    /// Takes what is to be told, and no more than `most`, unless there is nothing, or somebody else tells at the moment.
    #[inline]
    pub(super) fn take(&mut self, most: usize) -> Option<Vec<Note>> {
        if self.is_telling || self.is_empty() {
            return None;
        }
        self.is_telling = true;
        if self.older.is_empty() && self.notes.len() <= most {
            return Some(std::mem::take(&mut self.notes));
        }
        Some(self.take_some(most))
    }

    #[cold]
    fn take_some(&mut self, most: usize) -> Vec<Note> {
        if self.older.is_empty() {
            self.older = std::mem::take(&mut self.notes).into();
        }
        let most = most.min(self.older.len());
        let taken = self.older.drain(..most).collect();
        if self.older.is_empty() {
            // Its memory is large.
            self.older = VecDeque::new();
        }
        taken
    }

    /// What was taken has been told.
    pub(super) fn told(&mut self) {
        self.is_telling = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes the next number, or misses it.
    fn note(untold: &mut Untold, number: u64) {
        match untold.has_room() {
            true => untold.push(Note::Waiting(number)),
            false => untold.miss(),
        }
    }

    /// Tells all, a few at a time: the numbers, and how many are missing in the gap before a number.
    fn tell_all(untold: &mut Untold, most: usize) -> (Vec<u64>, Vec<(u64, u64)>) {
        let (mut numbers, mut gaps) = (Vec::new(), Vec::new());
        while let Some(notes) = untold.take(most) {
            assert!(notes.len() <= most && !notes.is_empty());
            assert!(untold.take(most).is_none(), "one tells at a time");
            for note in notes {
                match note {
                    Note::Waiting(number) => numbers.push(number),
                    Note::Lagged(missed) => gaps.push((numbers.len() as u64, missed)),
                    _ => unreachable!("no other was noted"),
                }
            }
            untold.told();
        }
        (numbers, gaps)
    }

    #[test]
    fn what_finds_no_room_is_counted_in_its_place() {
        let most = MOST_KEPT as u64;
        let mut untold = Untold::new();
        (0..most + 10).for_each(|number| note(&mut untold, number));
        assert_eq!(untold.take(1000).map(|notes| notes.len()), Some(1000));
        untold.told();
        // The mark takes one of the places that have become free.
        (0..1009).for_each(|number| note(&mut untold, number));
        let (numbers, gaps) = tell_all(&mut untold, 1000);
        assert_eq!(numbers.len() as u64, most - 1000 + 999);
        assert_eq!(gaps, [(most - 1000, 10), (most - 1, 10)]);
        assert!(untold.is_empty() && untold.has_room());
    }

    #[test]
    fn what_comes_together_is_told_in_order_a_few_at_a_time() {
        let mut untold = Untold::new();
        (0..10).for_each(|number| note(&mut untold, number));
        assert_eq!(untold.take(3).map(|notes| notes.len()), Some(3));
        untold.told();
        (10..15).for_each(|number| note(&mut untold, number));
        let (numbers, gaps) = tell_all(&mut untold, 4);
        assert_eq!(numbers, Vec::from_iter(3..15));
        assert!(gaps.is_empty());
    }
}
