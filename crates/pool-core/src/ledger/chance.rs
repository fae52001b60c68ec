//! Random times, so that what was started together does not come back together.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use fastrand::Rng;

/// A source of random times.
pub(crate) struct Chance(Rng);

impl Chance {
    /// The same times in each run, for a pool whose clock is not the real one.
    pub(crate) fn repeatable() -> Self {
        Self(Rng::with_seed(1))
    }

    /// Other times in each pool and in each process.
    pub(crate) fn drawn() -> Self {
        // The standard library has no other source of random numbers.
        Self(Rng::with_seed(RandomState::new().hash_one(())))
    }

    /// A time from zero to `most`, each equally likely.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.0.u64(..=most))
    }

    /// A number, each equally likely.
    pub(crate) fn share(&mut self) -> u32 {
        self.0.u32(..)
    }
}

/// This part of a time, in 1 / 2^32.
pub(super) fn share_of(time: Duration, share: u32) -> Duration {
    let nanos = (time.as_nanos() >> 32) * u128::from(share)
        + (((time.as_nanos() & u128::from(u32::MAX)) * u128::from(share)) >> 32);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_spread_from_zero_to_the_most() {
        let mut chance = Chance::repeatable();
        let most = Duration::from_millis(100);
        let times: Vec<_> = (0..1000).map(|_| chance.up_to(most)).collect();
        assert!(times.iter().all(|time| *time <= most));
        for tenth in 0..10 {
            let part = most * tenth / 10..most * (tenth + 1) / 10;
            let count = times.iter().filter(|time| part.contains(time)).count();
            assert!((50..200).contains(&count), "{count} in {part:?}");
        }
        assert_eq!(chance.up_to(Duration::ZERO), Duration::ZERO);
        let longest = chance.up_to(Duration::MAX);
        assert!(longest <= Duration::from_nanos(u64::MAX));
    }
}
