//! A histogram of durations. The buckets grow with the value, so no value is wrong by more than 1.6 %.

use std::time::Duration;

/// The number of buckets between a power of two and the next one.
const STEPS: u64 = 32;
/// The largest value is 2^36 ns, more than a minute.
const BUCKETS: usize = 32 * 33;

/// Counts durations.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    longest: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            longest: 0,
        }
    }

    pub(crate) fn add(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.longest = self.longest.max(nanos);
        self.counts[bucket(nanos).min(BUCKETS - 1)] += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.longest = self.longest.max(other.longest);
    }

    /// The duration in nanoseconds that this share of all durations does not exceed. 0 if nothing was counted.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let all: u64 = self.counts.iter().map(|&count| u64::from(count)).sum();
        let wanted = (all as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, &count) in self.counts.iter().enumerate() {
            seen += u64::from(count);
            if count > 0 && seen >= wanted {
                return middle(index).min(self.longest as f64);
            }
        }
        self.longest as f64
    }

    /// The longest duration, in nanoseconds.
    pub(crate) fn longest(&self) -> f64 {
        self.longest as f64
    }
}

fn bucket(nanos: u64) -> usize {
    let octave = u64::from(nanos.max(1).ilog2());
    let index = match octave.checked_sub(u64::from(STEPS.ilog2())) {
        None => nanos,
        Some(shift) => (shift + 1) * STEPS + (nanos >> shift) - STEPS,
    };
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    match (bucket / STEPS).checked_sub(1) {
        None => bucket as f64,
        Some(shift) => {
            let least = (STEPS + bucket % STEPS) << shift;
            least as f64 + ((1_u64 << shift) - 1) as f64 / 2.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_found_within_two_per_cent() {
        for exponent in 0..36 {
            for nanos in [1_u64 << exponent, (1 << exponent) + (1 << exponent) / 3] {
                let found = middle(bucket(nanos));
                assert!(
                    (found - nanos as f64).abs() <= nanos as f64 * 0.02,
                    "{nanos}: {found}"
                );
            }
        }
    }

    #[test]
    fn there_is_no_gap_between_buckets() {
        let buckets: Vec<usize> = (0..5_000).map(bucket).collect();
        assert!(buckets.windows(2).all(|two| two[1] - two[0] <= 1));
    }

    #[test]
    fn quantiles_count_from_the_shortest() {
        let mut histogram = Histogram::new();
        for micros in 1..=1000 {
            histogram.add(Duration::from_micros(micros));
        }
        let near = |share, micros: f64| {
            let found = histogram.quantile(share) / 1000.0;
            assert!((found - micros).abs() <= micros * 0.02, "{share}: {found}");
        };
        near(0.5, 500.0);
        near(0.99, 990.0);
        near(0.999, 999.0);
        assert_eq!(histogram.longest(), 1_000_000.0);
    }

    #[test]
    fn merged_histograms_contain_the_values_of_both() {
        let mut one = Histogram::new();
        one.add(Duration::from_nanos(10));
        let mut other = Histogram::new();
        other.add(Duration::from_nanos(30));
        one.merge(&other);
        assert_eq!((one.quantile(0.5), one.quantile(1.0)), (10.0, 30.0));
        assert_eq!(one.longest(), 30.0);
    }

    #[test]
    fn the_quantiles_of_an_empty_histogram_are_zero() {
        assert_eq!(Histogram::new().quantile(0.5), 0.0);
    }
}
