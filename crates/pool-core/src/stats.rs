//! What a pool has counted since it was built.

use std::time::Duration;

use crate::Status;
use crate::error::{FAILURE_NAMES, FailureReason};
use crate::event::REASON_NAMES;

/// What a pool has counted and measured since it was built; one consistent snapshot by
/// [`Pool::stats`](crate::Pool::stats).
///
/// The counters and [`connect_time`](Self::connect_time) are always kept. The other times are measured in a pool with an
/// [`observer`](crate::Builder::observer), because a pool without one does not read the clock when it hands a connection
/// out or takes one back. [`slow_acquire_after`](crate::Builder::slow_acquire_after) or
/// [`leak_warning_after`](crate::Builder::leak_warning_after) is enough for all of them but
/// [`hold_time`](Self::hold_time).
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// # use pool_core::Pool;
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).build().await?;
/// drop(pool.acquire().await?);
///
/// let stats = pool.stats();
/// assert_eq!((stats.acquires(), stats.connects(), stats.timeouts()), (1, 1, 0));
/// assert_eq!(stats.connect_time().count(), 1);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub(crate) status: Status,
    pub(crate) counters: Counters,
    pub(crate) times: Times,
}

/// The counters of a pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) acquires: u64,
    pub(crate) waits: u64,
    pub(crate) timeouts: u64,
    pub(crate) cancelled: u64,
    pub(crate) connects: u64,
    pub(crate) connect_failures: u64,
    pub(crate) connect_retries: u64,
    pub(crate) breaker_opens: u64,
    pub(crate) detached: u64,
    pub(crate) added: u64,
    pub(crate) slow_acquires: u64,
    pub(crate) suspected_leaks: u64,
    pub(crate) would_shed: u64,
    /// Boxed, so that what each acquire touches in the ledger stays close together.
    pub(crate) failures: Box<[u64; FAILURE_NAMES.len()]>,
    pub(crate) closes: [u64; REASON_NAMES.len()],
}

/// The times that a pool has measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    pub(crate) wait: Histogram,
    pub(crate) connect: Histogram,
    pub(crate) check: Histogram,
    pub(crate) recycle: Histogram,
    pub(crate) hold: Histogram,
}

impl Stats {
    /// The pool's counts at the same instant.
    pub fn status(&self) -> Status {
        self.status
    }
    /// How often a connection was handed out.
    pub fn acquires(&self) -> u64 {
        self.counters.acquires
    }
    /// How many acquires had to queue, whatever became of them.
    pub fn waits(&self) -> u64 {
        self.counters.waits
    }
    /// How many acquires ran into their time-out.
    pub fn timeouts(&self) -> u64 {
        self.counters.timeouts
    }
    /// How many acquires failed with an error that is not their time-out; those are the [`timeouts`](Self::timeouts).
    ///
    /// What [`try_acquire`](crate::Pool::try_acquire) answers is no failure, except that the pool is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// pool.close();
    /// assert!(pool.acquire().await.is_err());
    ///
    /// let stats = pool.stats();
    /// assert_eq!(stats.failures(), 1);
    /// let mut failed = stats.failures_by_reason().filter(|(_, count)| *count > 0);
    /// assert_eq!(failed.next(), Some(("closed", 1)));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn failures(&self) -> u64 {
        self.counters.failures.iter().sum()
    }
    /// How many acquires failed, by [`FailureReason::as_str`].
    pub fn failures_by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        FAILURE_NAMES.into_iter().zip(*self.counters.failures)
    }
    /// How many acquires were dropped while they waited.
    pub fn cancelled(&self) -> u64 {
        self.counters.cancelled
    }
    /// How many connections were opened.
    pub fn connects(&self) -> u64 {
        self.counters.connects
    }
    /// How many connects failed, panicked or took too long.
    pub fn connect_failures(&self) -> u64 {
        self.counters.connect_failures
    }
    /// How many connects were started while the breaker was open, to find out whether connecting works again.
    pub fn connect_retries(&self) -> u64 {
        self.counters.connect_retries
    }
    /// How often the breaker has opened; see [`Event::BreakerOpened`](crate::Event::BreakerOpened).
    pub fn breaker_opens(&self) -> u64 {
        self.counters.breaker_opens
    }
    /// How many connections were added from outside ([`Pool::add`](crate::Pool::add)).
    pub fn added(&self) -> u64 {
        self.counters.added
    }
    /// How many connections were detached.
    pub fn detached(&self) -> u64 {
        self.counters.detached
    }
    /// How many acquires have waited for longer than [`slow_acquire_after`](crate::Builder::slow_acquire_after).
    pub fn slow_acquires(&self) -> u64 {
        self.counters.slow_acquires
    }
    /// How often a connection was held for longer than [`leak_warning_after`](crate::Builder::leak_warning_after).
    pub fn suspected_leaks(&self) -> u64 {
        self.counters.suspected_leaks
    }
    /// How many acquires were refused because of [`max_waiters`](crate::Builder::max_waiters). They are not among the
    /// [`waits`](Self::waits). They are among the [`failures`](Self::failures).
    pub fn rejected(&self) -> u64 {
        self.counters.failures[FailureReason::QueueFull.index()]
    }
    /// How many acquires were refused because of [`shedding`](crate::Builder::shedding). They are not among the
    /// [`waits`](Self::waits). They are among the [`failures`](Self::failures).
    pub fn shed(&self) -> u64 {
        self.counters.failures[FailureReason::Shed.index()]
    }
    /// How many acquires [`shedding`](crate::Builder::shedding) would have refused without its dry run.
    pub fn would_shed(&self) -> u64 {
        self.counters.would_shed
    }
    /// How many connections were closed, for all reasons together.
    pub fn closes(&self) -> u64 {
        self.counters.closes.iter().sum()
    }
    /// How many connections were closed, by [`CloseReason::as_str`](crate::CloseReason::as_str).
    pub fn closes_by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        REASON_NAMES.into_iter().zip(self.counters.closes)
    }
    /// How long acquires took until they had their connection.
    pub fn wait_time(&self) -> &Histogram {
        &self.times.wait
    }
    /// How long successful connects took.
    pub fn connect_time(&self) -> &Histogram {
        &self.times.connect
    }
    /// How long checks took, failed ones included.
    pub fn check_time(&self) -> &Histogram {
        &self.times.check
    }
    /// How long recycles took, failed ones included.
    pub fn recycle_time(&self) -> &Histogram {
        &self.times.recycle
    }
    /// How long connections were held, in a pool with an [`observer`](crate::Builder::observer).
    pub fn hold_time(&self) -> &Histogram {
        &self.times.hold
    }
}

/// The number of buckets: four for each doubling of the time, from a microsecond to 25 days.
const BUCKETS: usize = 160;

/// How often which durations were measured, in buckets of which each is at most a quarter, or a microsecond, wider than the
/// last.
///
/// The buckets are fixed, so that a sample costs a few nanoseconds and a snapshot is a copy; a library such as
/// `hdrhistogram` is more exact than a pool's times need.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: [u64; BUCKETS],
    count: u64,
    sum: Duration,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            count: 0,
            sum: Duration::ZERO,
            max: Duration::ZERO,
        }
    }
}

impl Histogram {
    pub(crate) fn record(&mut self, sample: Duration) {
        self.buckets[bucket_of(sample)] += 1;
        self.count += 1;
        self.sum = self.sum.saturating_add(sample);
        self.max = self.max.max(sample);
    }

    /// The number of samples.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum of all samples.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// The largest sample; zero without samples.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// A duration that this part of the samples did not exceed (0.5 is the median), at most a quarter, or a microsecond, too long; `None`
    /// without samples.
    ///
    /// # Panics
    ///
    /// If `part` is not between 0 and 1.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let stats = pool.stats();
    /// assert!(stats.connect_time().quantile(0.99) <= Some(stats.connect_time().max()));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        assert!((0.0..=1.0).contains(&part), "a part is between 0 and 1");
        // A count is far below 2^52, so it is exact as a float.
        let wanted = ((part * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Some(upper_bound(bucket).min(self.max));
            }
        }
        None
    }

    /// The buckets that have samples: the duration that none of theirs exceeds, and how many there are.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let all = self.buckets.iter().enumerate();
        let used = all.filter(|(_, count)| **count > 0);
        used.map(|(bucket, count)| (upper_bound(bucket), *count))
    }
}

fn bucket_of(sample: Duration) -> usize {
    let micros = u64::try_from(sample.as_micros()).unwrap_or(u64::MAX);
    if micros < 4 {
        return micros as usize;
    }
    let octave = micros.ilog2();
    let quarter = (micros >> (octave - 2)) & 3;
    let bucket = (octave as usize - 1) * 4 + quarter as usize;
    bucket.min(BUCKETS - 1)
}

fn upper_bound(bucket: usize) -> Duration {
    if bucket < 4 {
        return Duration::from_micros(bucket as u64 + 1);
    }
    let (octave, quarter) = (bucket / 4 + 1, bucket as u64 % 4);
    Duration::from_micros((5 + quarter) << (octave - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_is_below_the_bound_of_its_bucket_and_not_below_that_of_the_one_before() {
        for shift in 0..40 {
            for offset in [0, 1, 2, 3] {
                let sample = Duration::from_micros((1_u64 << shift) + offset);
                let bucket = bucket_of(sample);
                assert!(sample < upper_bound(bucket), "{sample:?}");
                assert!(
                    bucket == 0 || sample >= upper_bound(bucket - 1),
                    "{sample:?}"
                );
            }
        }
        assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_quantile_is_at_most_a_quarter_too_long() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (1..=1000).for_each(|millis| histogram.record(Duration::from_millis(millis)));
        for (part, exact) in [(0.0, 1), (0.5, 500), (0.99, 990), (1.0, 1000)] {
            let exact = Duration::from_millis(exact);
            let told = histogram.quantile(part).expect("there are samples");
            assert!(
                told >= exact && told <= exact + exact / 4,
                "{part}: {told:?}"
            );
        }
        assert_eq!(histogram.max(), Duration::from_secs(1));
        assert_eq!(
            histogram.buckets().map(|(_, count)| count).sum::<u64>(),
            1000
        );
    }
}
