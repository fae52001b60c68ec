//! When the pool connects: how many connects run at once, the pause after a failed one, and the breaker.
//!
//! One governor is asked for every connect, whoever starts it. What the end of a connect means for the waiters is in
//! `ledger/attempts`.

mod breaker;

use std::task::Waker;
use std::time::{Duration, Instant};

use slotmap::{DefaultKey, SlotMap};

use self::breaker::Breaker;
pub(super) use self::breaker::is_hopeless;
use super::chance::Chance;
use super::{JobKey, LedgerTypes, Ticket};
use crate::ErrorClass;
use crate::config::Config;

/// The bound of the first pause after a failed background connect that nobody waits for. Each further failure doubles it, up
/// to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The number of a `fill` that waits until it may start its next connect.
#[derive(Clone, Copy)]
pub(crate) struct FillTurn(DefaultKey);

pub(super) struct Governor<T: LedgerTypes> {
    /// The largest number of connects at once; `usize::MAX` where it is unlimited.
    max_connecting: usize,
    connect_retry: Option<Duration>,
    /// `None`: it is closed.
    breaker: Option<Box<Breaker<T>>>,
    /// No connect that nobody waits for starts before this instant.
    background_retry_at: Option<Instant>,
    background_failures: u32,
    /// More connects are missing for minsize than could be started at once.
    has_backlog: bool,
    /// The `fill` calls that wait for their next connect, with their wakers.
    fills: SlotMap<DefaultKey, Option<Waker>>,
    chance: Chance,
}

/// Whether a failure has opened the breaker.
pub(super) struct Opened<T: LedgerTypes> {
    pub(super) is_new: bool,
    /// The cause that nobody needs any more.
    pub(super) stale: Option<T::Failure>,
}

/// What is left of a breaker that was open.
pub(super) struct WasOpen<T: LedgerTypes> {
    pub(super) since: Instant,
    pub(super) cause: T::Failure,
    /// The waiters whose own connect failed, and that waited for a connection in use.
    pub(super) refused: Vec<Ticket>,
}

impl<T: LedgerTypes> Governor<T> {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            max_connecting: config.connects.max_connecting.unwrap_or(usize::MAX),
            connect_retry: config.connects.connect_retry,
            breaker: None,
            background_retry_at: None,
            background_failures: 0,
            has_backlog: false,
            fills: SlotMap::new(),
            chance: Chance::repeatable(),
        }
    }

    /// The settings have changed.
    pub(super) fn reconfigured(&mut self, config: &Config) {
        self.max_connecting = config.connects.max_connecting.unwrap_or(usize::MAX);
        self.connect_retry = config.connects.connect_retry;
    }

    /// Draws its pauses from another source.
    pub(super) fn set_chance(&mut self, chance: Chance) {
        self.chance = chance;
    }

    /// Whether failed connects are tried again for the waiters.
    pub(super) fn retries(&self) -> bool {
        self.connect_retry.is_some()
    }

    /// Whether the breaker is open.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.breaker.is_some()
    }

    /// Why the breaker is open, and when the next attempt may start.
    pub(super) fn open_since(&self) -> Option<(ErrorClass, Instant)> {
        let breaker = self.breaker.as_ref();
        breaker.map(|breaker| (breaker.class, breaker.retry_at))
    }

    /// How the last connect failed, while the breaker is open.
    pub(super) fn cause(&self) -> Option<&T::Failure> {
        self.breaker.as_ref().map(|breaker| &breaker.cause)
    }

    /// How many connects may run beside those that run.
    pub(super) fn room(&self, connecting: usize) -> usize {
        self.max_connecting.saturating_sub(connecting)
    }

    /// The connect that was started last while the breaker is open.
    pub(super) fn probe(&self) -> Option<JobKey> {
        self.breaker.as_ref().and_then(|breaker| breaker.probe)
    }

    /// When the next connect may start as far as the breaker is concerned, if it is open and its last attempt is over.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        let breaker = self.breaker.as_ref();
        breaker.map(|breaker| breaker.retry_at)
    }

    /// A connect was started. If the breaker is open, it is the new attempt.
    pub(super) fn started(&mut self, key: JobKey) {
        if let Some(breaker) = &mut self.breaker {
            breaker.probe = Some(key);
        }
    }

    /// A connect has ended. `true`: it was the attempt of an open breaker.
    pub(super) fn ended(&mut self, key: JobKey) -> bool {
        let breaker = self.breaker.as_mut();
        let probe = breaker.filter(|breaker| breaker.probe == Some(key));
        probe.is_some_and(|breaker| breaker.probe.take().is_some())
    }

    /// A connect has failed for which the breaker opens, or stays open. `was_attempt`: it was started while the breaker
    /// was open. One that was under way before tells nothing new, except another kind of failure.
    pub(super) fn failed(
        &mut self,
        class: ErrorClass,
        cause: &T::Failure,
        was_attempt: bool,
        now: Instant,
    ) -> Opened<T> {
        let chance = &mut self.chance;
        let Some(breaker) = &mut self.breaker else {
            let breaker = Breaker::new(class, cause.clone(), now, chance);
            self.breaker = Some(Box::new(breaker));
            return Opened {
                is_new: true,
                stale: None,
            };
        };
        let is_worse = is_hopeless(class) && !is_hopeless(breaker.class);
        let stale = (was_attempt || is_worse)
            .then(|| breaker.failed_again(class, cause.clone(), now, chance));
        Opened {
            is_new: is_worse,
            stale,
        }
    }

    /// The breaker closes, if it was open.
    pub(super) fn close(&mut self) -> Option<WasOpen<T>> {
        self.breaker.take().map(|breaker| WasOpen {
            since: breaker.since,
            cause: breaker.cause,
            refused: breaker.refused,
        })
    }

    /// The next attempt may start at once: something has changed that it may depend on.
    pub(super) fn end_pause(&mut self, now: Instant) {
        if let Some(breaker) = &mut self.breaker {
            breaker.retry_at = breaker.retry_at.min(now);
        }
    }

    /// The breaker is open only because the server has no room for more, and the waiters wait for what is in use.
    pub(super) fn waits_for_returns(&self) -> bool {
        let breaker = self.breaker.as_ref();
        !self.retries() && breaker.is_some_and(|breaker| breaker.class == ErrorClass::Overloaded)
    }

    /// A waiter has come while the breaker is open.
    pub(super) fn arrived(&mut self, number: u64, now: Instant) {
        if let Some(breaker) = &mut self.breaker {
            breaker.arrived(number, now);
        }
    }

    /// The waiters with a smaller number have waited for longer than `connect_retry`, or will have at the next attempt.
    pub(super) fn first_in_time(&mut self) -> u64 {
        match (&mut self.breaker, self.connect_retry) {
            (Some(breaker), Some(patience)) => breaker.first_in_time(patience),
            _ => u64::MAX,
        }
    }

    /// The connect of this waiter has failed, and it waits for a connection in use.
    pub(super) fn refused(&mut self, ticket: Ticket) {
        if let Some(breaker) = &mut self.breaker {
            breaker.refused.push(ticket);
        }
    }

    /// A connect has succeeded.
    pub(super) fn succeeded(&mut self) {
        self.background_retry_at = None;
        self.background_failures = 0;
    }

    /// A connect that nobody waited for has failed.
    pub(super) fn background_failed(&mut self, now: Instant) {
        let longest = FIRST_PAUSE * 2_u32.pow(self.background_failures.min(10));
        self.background_failures = self.background_failures.saturating_add(1);
        // Full jitter: many pools that have lost the same server do not come back together.
        let pause = self.chance.up_to(longest.min(LONGEST_PAUSE));
        self.background_retry_at = now.checked_add(pause);
    }

    /// When a connect that nobody waits for may start, as far as the last ones have failed.
    pub(super) fn background_retry_at(&self) -> Option<Instant> {
        self.background_retry_at.max(self.retry_at())
    }

    /// The connects that are missing for minsize wait for others to end.
    pub(super) fn note_backlog(&mut self) {
        self.has_backlog = true;
    }

    /// Whether they did. From now on they do not.
    pub(super) fn take_backlog(&mut self) -> bool {
        std::mem::take(&mut self.has_backlog)
    }

    /// Whether somebody may wait until the next connect can start, who is not a waiter.
    pub(super) fn has_others(&self) -> bool {
        self.has_backlog || !self.fills.is_empty()
    }

    /// A `fill` waits for its next connect.
    pub(super) fn add_fill(&mut self) -> FillTurn {
        FillTurn(self.fills.insert(None))
    }

    /// Stores how to wake a `fill`. The old waker comes out.
    pub(super) fn set_fill_waker(&mut self, turn: FillTurn, waker: Waker) -> Option<Waker> {
        self.fills.get_mut(turn.0)?.replace(waker)
    }

    /// A `fill` is over. Its waker comes out.
    pub(super) fn remove_fill(&mut self, turn: FillTurn) -> Option<Waker> {
        self.fills.remove(turn.0)?
    }

    pub(super) fn take_fill_wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.fills.values_mut().filter_map(Option::take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::Plain;

    #[test]
    fn the_pause_of_the_background_doubles_up_to_ten_seconds_and_a_success_ends_it() {
        let mut governor = Governor::<Plain>::new(&Config::default());
        let now = Instant::now();
        let mut longest = [Duration::ZERO; 9];
        for _ in 0..2000 {
            for longest in &mut longest {
                governor.background_failed(now);
                let pause = governor.background_retry_at().expect("a pause") - now;
                *longest = pause.max(*longest);
            }
            governor.succeeded();
            assert_eq!(governor.background_retry_at(), None);
        }
        let bounds = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];
        for (longest, bound) in longest.into_iter().zip(bounds.map(Duration::from_millis)) {
            assert!(longest <= bound && longest > bound * 9 / 10, "{longest:?}");
        }
    }

    #[test]
    fn a_failure_from_before_the_breaker_opened_changes_nothing_unless_it_is_worse() {
        let mut governor = Governor::<Plain>::new(&Config::default());
        let now = Instant::now();
        let transient = ErrorClass::Transient;
        assert!(governor.failed(transient, &"refused", false, now).is_new);
        let retry_at = governor.retry_at();
        let opened = governor.failed(transient, &"refused again", false, now);
        assert!(!opened.is_new && opened.stale.is_none());
        assert_eq!(governor.retry_at(), retry_at);
        let opened = governor.failed(ErrorClass::Auth, &"wrong password", false, now);
        assert!(opened.is_new && opened.stale == Some("refused"));
        assert!(governor.retry_at() > retry_at);
        let was = governor.close().expect("it was open");
        assert_eq!((was.cause, was.since), ("wrong password", now));
    }
}
