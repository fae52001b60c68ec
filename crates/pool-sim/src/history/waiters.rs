//! The acquires that had to queue, as the events tell of them.

use std::collections::HashMap;
use std::panic::Location;
use std::time::{Duration, Instant};

/// An acquire that had to queue.
struct Waiter {
    since: Instant,
    is_there: bool,
    /// The place and the label of one that was slow.
    slow: Option<(&'static Location<'static>, Option<String>)>,
}

/// All that ever were, by their numbers.
#[derive(Default)]
pub(super) struct Waiters(HashMap<u64, Waiter>);

impl Waiters {
    pub(super) fn count(&self) -> usize {
        self.0.values().filter(|waiter| waiter.is_there).count()
    }

    pub(super) fn joins(&mut self, number: u64, now: Instant) -> Result<(), String> {
        let waiter = Waiter {
            since: now,
            is_there: true,
            slow: None,
        };
        match self.0.insert(number, waiter) {
            None => Ok(()),
            Some(_) => Err("the number was used before".to_owned()),
        }
    }

    /// One has waited for long. It is told once.
    pub(super) fn is_slow(
        &mut self,
        number: u64,
        (now, limit): (Instant, Duration),
        waited: Duration,
        place: &'static Location<'static>,
        label: Option<&str>,
    ) -> Result<(), String> {
        let waiter = self.there(number)?;
        let earlier = waiter.slow.replace((place, label.map(str::to_owned)));
        if earlier.is_some() {
            return Err("it was told before".to_owned());
        }
        // A timer has found it, and it is told later.
        let longest = now.saturating_duration_since(waiter.since);
        match (limit..=longest).contains(&waited) {
            true => Ok(()),
            false => Err(format!("it has waited for {longest:?}")),
        }
    }

    /// One has left the queue.
    pub(super) fn leaves(
        &mut self,
        number: u64,
        now: Instant,
        waited: Duration,
    ) -> Result<(), String> {
        let waiter = self.there(number)?;
        waiter.is_there = false;
        let truth = now.saturating_duration_since(waiter.since);
        match waited == truth {
            true => Ok(()),
            false => Err(format!("it has waited for {truth:?}")),
        }
    }

    /// One that was slow has its connection.
    pub(super) fn was_told_as(
        &self,
        number: u64,
        place: &'static Location<'static>,
        label: Option<&str>,
    ) -> Result<(), String> {
        let slow = self.0.get(&number).and_then(|waiter| waiter.slow.as_ref());
        match slow {
            Some((own, words)) if (*own, words.as_deref()) != (place, label) => {
                Err(format!("it was slow at {own} with {words:?}"))
            }
            _ => Ok(()),
        }
    }

    fn there(&mut self, number: u64) -> Result<&mut Waiter, String> {
        let waiter = self.0.get_mut(&number).filter(|waiter| waiter.is_there);
        waiter.ok_or_else(|| "it does not wait".to_owned())
    }
}
