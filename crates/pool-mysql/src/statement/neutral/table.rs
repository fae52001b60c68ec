//! A list of words in which a word is found in a few steps, whatever the length of the list.

/// How many places a table has: a power of two, so that the place behind the last one is the first one.
const PLACES: usize = 512;

/// A hash table that the compiler fills.
pub(super) struct Table {
    words: &'static [&'static str],
    /// One more than the number of the word in the list; 0 for a place that is free.
    places: [u8; PLACES],
}

impl Table {
    /// The words are in capital letters, and fewer than 256.
    pub(super) const fn of(words: &'static [&'static str]) -> Self {
        assert!(words.len() < 256, "a place is one byte");
        let mut places = [0; PLACES];
        let mut number = 0;
        while number < words.len() {
            let mut place = place(words[number].as_bytes());
            while places[place] != 0 {
                place = (place + 1) % PLACES;
            }
            number += 1;
            places[place] = number as u8;
        }
        Self { words, places }
    }

    /// Whether the word is in the list, in capital or small letters.
    pub(super) fn contains(&self, word: &[u8]) -> bool {
        let mut place = place(word);
        loop {
            let number = usize::from(self.places[place]);
            let Some(known) = number.checked_sub(1).and_then(|at| self.words.get(at)) else {
                return false;
            };
            if known.as_bytes().eq_ignore_ascii_case(word) {
                return true;
            }
            place = (place + 1) % PLACES;
        }
    }
}

/// Where to look for a word first. Capital and small letters give the same.
const fn place(word: &[u8]) -> usize {
    let length = word.len();
    if length == 0 {
        return 0;
    }
    (word[0] as usize % 32
        + 7 * (word[length / 2] as usize % 32)
        + 59 * (word[length - 1] as usize % 32)
        + 117 * length)
        % PLACES
}
