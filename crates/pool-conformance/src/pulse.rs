//! Notes when a check last came forward, so that a method that blocks its thread is found and named.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The last step that began or ended, and when.
pub(crate) struct Pulse {
    last: Mutex<(Instant, String)>,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            last: Mutex::new((Instant::now(), String::new())),
        }
    }

    /// A step begins or ends.
    pub(crate) fn beat(&self, step: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.0 = Instant::now();
        if last.1 != step {
            last.1 = step.to_owned();
        }
    }

    /// How long ago that was, and which step it was.
    pub(crate) fn last(&self) -> (Duration, String) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (last.0.elapsed(), last.1.clone())
    }
}
