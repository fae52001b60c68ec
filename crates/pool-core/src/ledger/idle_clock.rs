//! How the pool knows for how long a connection has been idle.
//!
//! Two settings ask for it: `CheckPolicy::IdleFor` and `pool_recycle` (a manager can add a limit per connection). The
//! simple way is to read the clock at each return and at each acquire. But one clock read costs about as much as an
//! acquire with its release, so the simple way would take two to three times as long.
//!
//! So the clock *ticks* instead, where the pool runs in real time and the built-in timer exists:
//!
//! - A connection that comes back is *fresh*: no instant is stored.
//! - A tick comes four times in the shortest limit that a setting names. It stores in each fresh connection the instant
//!   of the tick before. The connection came back later than that instant, so its idle time is never underestimated,
//!   and overestimated by at most one period: a limit strikes up to a quarter early, never late.
//! - A fresh connection has been idle for less than one period, so it needs neither a check nor a clock.
//! - After five ticks without a fresh connection all idle ones are older than the shortest limit, and the clock
//!   *rests*. The next return winds it again; that return reads the clock.
//!
//! A machine can be suspended between two ticks. `Instant` does not count that time on Linux, `SystemTime` does. Each
//! tick compares the two: what is missing is added to the idle time of every connection that is idle, so that a
//! connection whose peer has long gone is checked. Between the end of the suspension and the next tick, at most one
//! period, a fresh connection can still go out unchecked: without a clock at each acquire that cannot be told.
//! `CheckPolicy::Always` closes this gap.
//!
//! Where time is virtual or comes from a foreign runtime, and while the timer thread cannot be started, returns are
//! stamped with their instant, and each acquire reads the clock.

use std::time::{Duration, Instant, SystemTime};

/// The number of ticks in the shortest limit that a setting names.
const TICKS: u32 = 4;

/// The present by both clocks.
#[derive(Clone, Copy)]
pub(crate) struct ClockReading {
    pub(crate) instant: Instant,
    pub(crate) wall: SystemTime,
}

impl ClockReading {
    pub(crate) fn now() -> Self {
        Self {
            instant: Instant::now(),
            wall: SystemTime::now(),
        }
    }
}

/// The ticks of a pool.
pub(super) struct IdleClock {
    /// The pause between two ticks; `None` where returns are stamped.
    period: Option<Duration>,
    /// The last tick, while the clock runs.
    last: Option<ClockReading>,
    next: Option<Instant>,
    /// The clock ought to run as soon as a connection comes back.
    is_resting: bool,
    /// How many ticks found nothing fresh.
    quiet_ticks: u32,
}

impl IdleClock {
    pub(super) fn new() -> Self {
        Self {
            period: None,
            last: None,
            next: None,
            is_resting: false,
            quiet_ticks: 0,
        }
    }

    /// From now on the clock ticks; `shortest` is the shortest limit that a setting names.
    pub(super) fn use_ticks(&mut self, shortest: Duration) {
        self.period = Some(shortest / TICKS);
        self.is_resting = true;
    }

    /// The settings have changed: from now on the clock ticks for this limit, or not at all.
    pub(super) fn use_ticks_of(&mut self, shortest: Option<Duration>) {
        self.period = shortest.map(|shortest| shortest / TICKS);
        self.is_resting = self.period.is_some();
    }

    /// A connection has a limit of its own: the ticks are short enough for it from the next one on.
    pub(super) fn tick_at_least_for(&mut self, limit: Duration) {
        if let Some(period) = &mut self.period {
            *period = (*period).min(limit / TICKS);
        }
    }

    /// Whether the next return has to wind the clock.
    #[inline]
    pub(super) fn is_resting(&self) -> bool {
        self.is_resting
    }

    /// The instant of the last tick, while the clock runs.
    #[inline]
    pub(super) fn last_tick(&self) -> Option<Instant> {
        self.last.map(|last| last.instant)
    }

    pub(super) fn next_tick(&self) -> Option<Instant> {
        self.next
    }

    /// Starts the clock, if it rests.
    pub(super) fn wind(&mut self, now: ClockReading) {
        if self.is_resting {
            self.ticked(now, true);
        }
    }

    /// How long the machine was suspended since the last tick.
    ///
    /// The wall clock can also be set forward; then this is too much, and a connection is checked once too often.
    pub(super) fn asleep_until(&self, now: ClockReading) -> Duration {
        let (Some(last), Some(period)) = (self.last, self.period) else {
            return Duration::ZERO;
        };
        let wall = now.wall.duration_since(last.wall).unwrap_or_default();
        let counted = now.instant.saturating_duration_since(last.instant);
        let missing = wall.saturating_sub(counted);
        match missing >= period {
            true => missing,
            false => Duration::ZERO,
        }
    }

    /// A tick is over; `any_fresh` says whether it found a fresh connection.
    pub(super) fn ticked(&mut self, now: ClockReading, any_fresh: bool) {
        self.quiet_ticks = match any_fresh {
            true => 0,
            false => self.quiet_ticks + 1,
        };
        if self.quiet_ticks > TICKS {
            self.stop();
            return;
        }
        self.last = Some(now);
        self.is_resting = false;
        self.next = self
            .period
            .and_then(|period| now.instant.checked_add(period));
    }

    /// The clock rests.
    pub(super) fn stop(&mut self) {
        self.last = None;
        self.next = None;
        self.quiet_ticks = 0;
        self.is_resting = self.period.is_some();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(start: ClockReading, counted: Duration, asleep: Duration) -> ClockReading {
        ClockReading {
            instant: start.instant + counted,
            wall: start.wall + counted + asleep,
        }
    }

    #[test]
    fn the_clock_rests_after_five_ticks_without_a_return() {
        let mut clock = IdleClock::new();
        clock.use_ticks(SECOND);
        assert!(clock.is_resting());
        let mut now = ClockReading::now();
        clock.wind(now);
        for _ in 0..4 {
            assert_eq!(clock.next_tick(), Some(now.instant + SECOND / 4));
            now = after(now, SECOND / 4, Duration::ZERO);
            clock.ticked(now, false);
            assert_eq!(clock.last_tick(), Some(now.instant));
        }
        clock.ticked(now, false);
        assert!(clock.is_resting());
        assert_eq!((clock.next_tick(), clock.last_tick()), (None, None));
    }

    #[test]
    fn a_return_keeps_the_clock_running() {
        let mut clock = IdleClock::new();
        clock.use_ticks(SECOND);
        clock.wind(ClockReading::now());
        for _ in 0..3 {
            (0..4).for_each(|_| clock.ticked(ClockReading::now(), false));
            clock.ticked(ClockReading::now(), true);
        }
        assert!(!clock.is_resting());
    }

    #[test]
    fn the_ticks_are_short_enough_for_the_shortest_limit() {
        let mut clock = IdleClock::new();
        clock.tick_at_least_for(SECOND);
        assert!(!clock.is_resting(), "returns are stamped");
        clock.use_ticks(600 * SECOND);
        clock.tick_at_least_for(4 * SECOND);
        clock.tick_at_least_for(40 * SECOND);
        let now = ClockReading::now();
        clock.wind(now);
        assert_eq!(clock.next_tick(), Some(now.instant + SECOND));
    }

    #[test]
    fn time_that_only_the_wall_clock_counts_is_time_asleep() {
        let mut clock = IdleClock::new();
        clock.use_ticks(SECOND);
        let start = ClockReading::now();
        clock.wind(start);
        let asleep = |by| clock.asleep_until(after(start, SECOND / 4, by));
        assert_eq!(asleep(3600 * SECOND), 3600 * SECOND);
        assert_eq!(asleep(Duration::ZERO), Duration::ZERO);
        assert_eq!(
            asleep(SECOND / 100),
            Duration::ZERO,
            "the wall clock was adjusted"
        );
        let back = ClockReading {
            instant: start.instant + SECOND,
            wall: start.wall - 3600 * SECOND,
        };
        assert_eq!(clock.asleep_until(back), Duration::ZERO);
    }
}
