//! In which order waiters have to be served.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pool_core::Priority;

use crate::simulated::Simulated;
use crate::task::Task;
use crate::world::{Acquiring, Done, Kind, World};

/// What a priority is worth.
const LEAD: Duration = Duration::from_secs(10);

/// The pool compares times of arrival that are so far apart.
const TICK: Duration = Duration::from_millis(3);

impl Acquiring {
    /// When it counts as arrived. All of them later by the lead, so that none is before the start of the clock.
    fn counts_from(&self, ranked_since: Option<Instant>) -> Instant {
        match self.priority {
            Priority::High => self.since,
            Priority::Normal => self.since.max(ranked_since.unwrap_or(self.since)) + LEAD,
            Priority::Low => self.since + 2 * LEAD,
        }
    }
}

impl<M: Simulated> World<M> {
    /// Nobody who came before is still waiting. (To find that out they are polled.)
    pub(crate) fn check_order(&mut self, served: Option<&Acquiring>) -> Result<(), String> {
        if self.settings.order == 0 {
            return Ok(());
        }
        // A ping that has its connection waits for its check.
        let is_acquire = |acquiring: &Acquiring| !acquiring.is_of_ping;
        let since = self.ranked_since;
        let is_ranked_before = |other: &Acquiring, served: &Acquiring| {
            since.is_some() && other.counts_from(since) + TICK < served.counts_from(since)
        };
        let has_reserve = self.settings.reserved_places() > 0;
        let is_before = |other: &Acquiring| match (other.arrival, served) {
            (Some(arrival), Some(served)) => {
                let is_earlier = served.arrival.is_some_and(|own| arrival < own);
                // A reserved place is for some only.
                let is_for_some = has_reserve && served.priority == Priority::High;
                // One that came later may have come when the connection was handed over already.
                is_earlier
                    && (other.priority == served.priority
                        || (!is_for_some && is_ranked_before(other, served)))
            }
            (Some(_), None) => true,
            (None, _) => false,
        };
        let before: Vec<Arc<Task<Done<M>>>> = self
            .calls
            .iter()
            .filter(|call| call.kind != Kind::Run)
            .filter(|call| {
                let acquire = call.acquire.as_ref();
                acquire.is_some_and(|acquire| is_acquire(acquire) && is_before(acquire))
            })
            .map(|call| Arc::clone(&call.task))
            .collect();
        for task in before {
            task.poll();
            if task.is_alive() {
                return Err("I8: somebody was overtaken".into());
            }
        }
        Ok(())
    }
}
