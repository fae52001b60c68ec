//! The breaker while it is open: why, until when nobody connects, and who has waited for how long.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Chance;
use crate::ErrorClass;
use crate::ledger::{JobKey, LedgerTypes, Ticket};

/// The pauses after failures that pass by themselves. They are short, because a server that is back is to be found soon,
/// and because there is one attempt at a time. Each attempt doubles the longest one.
const SHORT: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(50)];
/// The pauses after failures that somebody has to mend. Each attempt doubles them.
const LONG: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];
/// Waiters that come within this time count as one.
const GRAIN: Duration = Duration::from_millis(1);

/// Whether a failed connect of this class fails again until somebody mends something.
pub(in crate::ledger) fn is_hopeless(class: ErrorClass) -> bool {
    matches!(
        class,
        ErrorClass::Auth | ErrorClass::Config | ErrorClass::Fatal
    )
}

/// A breaker that is open.
pub(super) struct Breaker<T: LedgerTypes> {
    pub(super) class: ErrorClass,
    /// How the last connect failed.
    pub(super) cause: T::Failure,
    pub(super) since: Instant,
    /// No connect starts before this instant.
    pub(super) retry_at: Instant,
    /// How many attempts have failed since it opened for this kind of failure.
    failures: u32,
    /// The connect that was started last. While it runs, no other one starts.
    pub(super) probe: Option<JobKey>,
    /// Since when the waiters wait for a connect: those with this number and later ones, since this instant. It is in
    /// order.
    arrivals: VecDeque<(u64, Instant)>,
    /// The waiters whose own connect failed, and that wait for a connection in use.
    pub(super) refused: Vec<Ticket>,
}

impl<T: LedgerTypes> Breaker<T> {
    pub(super) fn new(
        class: ErrorClass,
        cause: T::Failure,
        now: Instant,
        chance: &mut Chance,
    ) -> Self {
        Self {
            class,
            cause,
            since: now,
            retry_at: now + pause(class, 0, chance),
            failures: 1,
            probe: None,
            arrivals: VecDeque::from([(0, now)]),
            refused: Vec::new(),
        }
    }

    /// Another attempt has failed. The old cause comes out.
    pub(super) fn failed_again(
        &mut self,
        class: ErrorClass,
        cause: T::Failure,
        now: Instant,
        chance: &mut Chance,
    ) -> T::Failure {
        if is_hopeless(class) != is_hopeless(self.class) {
            self.failures = 0;
        }
        self.class = class;
        self.retry_at = now + pause(class, self.failures, chance);
        self.failures = self.failures.saturating_add(1);
        std::mem::replace(&mut self.cause, cause)
    }

    /// A waiter has come that waits for a connect.
    pub(super) fn arrived(&mut self, number: u64, now: Instant) {
        let last = self.arrivals.back();
        if last.is_none_or(|(_, at)| now.saturating_duration_since(*at) >= GRAIN) {
            self.arrivals.push_back((number, now));
        }
    }

    /// The waiters with a smaller number have waited for so long that the next attempt comes too late for them.
    pub(super) fn first_in_time(&mut self, patience: Duration) -> u64 {
        let retry_at = self.retry_at;
        let is_late = |since: Instant| {
            let end = since.checked_add(patience);
            end.is_some_and(|end| end < retry_at)
        };
        while self.arrivals.front().is_some_and(|(_, at)| is_late(*at)) {
            self.arrivals.pop_front();
        }
        self.arrivals
            .front()
            .map_or(u64::MAX, |(number, _)| *number)
    }
}

/// The pause after so many failures of an open breaker.
fn pause(class: ErrorClass, failures: u32, chance: &mut Chance) -> Duration {
    let [first, longest] = match is_hopeless(class) {
        true => LONG,
        false => SHORT,
    };
    let period = (first * 2_u32.pow(failures.min(10))).min(longest);
    match is_hopeless(class) {
        // At most one attempt a period.
        true => period + chance.up_to(period / 10),
        // Full jitter: many pools that have lost the same server do not come back together.
        false => chance.up_to(period),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::Plain;

    fn longest_pauses(class: ErrorClass) -> Vec<Duration> {
        let mut chance = Chance::repeatable();
        let of = |failures| (0..2000).map(move |_| failures);
        let longest = (0..6).map(|failures| {
            let pauses = of(failures).map(|failures| pause(class, failures, &mut chance));
            pauses.max().expect("there are pauses")
        });
        longest.collect()
    }

    #[test]
    fn short_pauses_are_drawn_from_five_to_fifty_milliseconds() {
        for class in [ErrorClass::Transient, ErrorClass::Overloaded] {
            let longest = longest_pauses(class);
            for (most, millis) in longest.iter().zip([5, 10, 20, 40, 50, 50]) {
                let bound = Duration::from_millis(millis);
                assert!(*most <= bound && *most > bound * 9 / 10, "{most:?}");
            }
        }
    }

    #[test]
    fn long_pauses_are_never_less_than_their_period() {
        let mut chance = Chance::repeatable();
        for class in [ErrorClass::Auth, ErrorClass::Config, ErrorClass::Fatal] {
            for (failures, seconds) in [1, 2, 4, 8, 10, 10].into_iter().enumerate() {
                let period = Duration::from_secs(seconds);
                let failures = u32::try_from(failures).expect("a small number");
                for _ in 0..100 {
                    let pause = pause(class, failures, &mut chance);
                    assert!((period..=period * 11 / 10).contains(&pause), "{pause:?}");
                }
            }
        }
    }

    #[test]
    fn the_pause_of_another_kind_of_failure_begins_anew() {
        let (mut chance, now) = (Chance::repeatable(), Instant::now());
        let mut breaker = Breaker::<Plain>::new(ErrorClass::Transient, "refused", now, &mut chance);
        for _ in 0..20 {
            breaker.failed_again(ErrorClass::Transient, "refused", now, &mut chance);
        }
        breaker.failed_again(ErrorClass::Auth, "wrong", now, &mut chance);
        assert!(breaker.retry_at - now <= Duration::from_millis(1100));
        breaker.failed_again(ErrorClass::Fatal, "wrong", now, &mut chance);
        assert!(breaker.retry_at - now >= Duration::from_secs(2));
    }

    #[test]
    fn a_waiter_is_late_when_its_time_ends_before_the_next_attempt() {
        let (mut chance, now) = (Chance::repeatable(), Instant::now());
        let after = |millis| now + Duration::from_millis(millis);
        let mut breaker = Breaker::<Plain>::new(ErrorClass::Transient, "refused", now, &mut chance);
        breaker.arrived(7, after(10));
        breaker.arrived(8, after(10));
        breaker.arrived(9, after(20));
        let patience = Duration::from_millis(100);
        for (retry_at, first) in [(100, 0), (101, 7), (110, 7), (111, 9), (121, u64::MAX)] {
            breaker.retry_at = after(retry_at);
            assert_eq!(breaker.first_in_time(patience), first, "at {retry_at}");
        }
        breaker.arrived(10, after(121));
        assert_eq!(breaker.first_in_time(patience), 10);
        assert_eq!(breaker.first_in_time(Duration::MAX), 10);
    }
}
