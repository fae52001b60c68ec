//! The errors of acquires that the events tell of. Each is the error that a caller gets.

use pool_core::Event;

/// What was told and what callers have got.
#[derive(Default)]
pub(super) struct Errors {
    /// Nobody has got these yet.
    told: Vec<String>,
    /// The errors of calls that are more than an acquire: they may be of the acquire, and so told, or of what comes after.
    of_others: Vec<String>,
}

impl Errors {
    pub(super) fn add(&mut self, event: &Event<'_>) {
        match event {
            // The manager looks away from what it is told inside of its methods.
            Event::Rejected { place, .. } if place.file().ends_with("simulated.rs") => {}
            Event::Rejected { error, .. }
            | Event::AcquireFailed { error, .. }
            | Event::TimedOut { error, .. } => self.told.push(error.to_string()),
            _ => {}
        }
    }

    /// An acquire has returned this error. Returns whether an event has told of it.
    pub(super) fn hear_of(&mut self, error: &str) -> bool {
        let found = self.told.iter().position(|told| told == error);
        if let Some(index) = found {
            self.told.swap_remove(index);
        }
        found.is_some()
    }

    /// A call that is more than an acquire has returned this error.
    pub(super) fn may_hear_of(&mut self, error: String) {
        self.of_others.push(error);
    }

    /// At rest, an error that was told and that nobody has got.
    pub(super) fn unheard(&mut self) -> Option<String> {
        // Only now, because an acquire may return the same error a moment later.
        for error in std::mem::take(&mut self.of_others) {
            self.hear_of(&error);
        }
        self.told.first().cloned()
    }
}
