//! The errors of acquires that the events tell of. Each is the error that a caller gets.

use pool_core::Event;

/// What was told and that no caller has got yet.
#[derive(Default)]
pub(super) struct Errors(Vec<String>);

impl Errors {
    pub(super) fn add(&mut self, event: &Event<'_>) {
        match event {
            // The manager looks away from what it is told inside of its methods.
            Event::Rejected { place, .. } if place.file().ends_with("simulated.rs") => {}
            Event::Rejected { error, .. }
            | Event::AcquireFailed { error, .. }
            | Event::TimedOut { error, .. } => self.0.push(error.to_string()),
            _ => {}
        }
    }

    /// A caller has got this error. Returns whether an event has told of it.
    pub(super) fn hear_of(&mut self, error: &str) -> bool {
        let found = self.0.iter().position(|told| told == error);
        if let Some(index) = found {
            self.0.swap_remove(index);
        }
        found.is_some()
    }

    pub(super) fn unheard(&self) -> Option<String> {
        self.0.first().cloned()
    }
}
