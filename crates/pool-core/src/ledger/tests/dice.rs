//! Random numbers for the unit tests of the ledger.

use std::time::Duration;

/// A small random generator, so that a failure can be repeated by its seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub(super) fn millis(&mut self, below: usize) -> Duration {
        Duration::from_millis(self.roll(below) as u64)
    }
}
