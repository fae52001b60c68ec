//! What a time-out tells beside its phase and its counts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Error;
use crate::borrowed::{Nested, PlaceAndLabel};
use crate::words::{OneLine, Rounded};
use crate::{Borrowed, ErrorClass};

/// What the pool knew when a time-out struck. See the methods of [`Error`](crate::Error) that return its parts.
#[derive(Clone, Debug)]
pub struct TimeoutReport {
    pub(crate) pool: Arc<str>,
    /// How the last connect failed, if it did.
    pub(crate) last_connect: Option<LastConnect>,
    /// Who holds a connection for the longest time.
    pub(crate) holder: Option<Borrowed>,
    pub(crate) nested: Option<Nested>,
}

/// How the last connect failed.
#[derive(Clone, Debug)]
pub(crate) struct LastConnect {
    pub(crate) class: ErrorClass,
    /// How long ago that was.
    pub(crate) age: Duration,
    /// Why, if the manager has returned no error: the connect took too long, or panicked.
    words: Option<String>,
}

impl LastConnect {
    pub(crate) fn new<E: fmt::Display>(
        failure: &Error<E>,
        class: ErrorClass,
        age: Duration,
    ) -> Self {
        let words = match failure {
            Error::Connect(_) => None,
            // The counts of that moment would only confuse.
            Error::Timeout { phase, after, .. } => {
                Some(format!("{phase} took longer than {}", Rounded(*after)))
            }
            other => Some(other.to_string()),
        };
        Self { class, age, words }
    }
}

impl Default for TimeoutReport {
    fn default() -> Self {
        Self {
            pool: Arc::from("pool"),
            last_connect: None,
            holder: None,
            nested: None,
        }
    }
}

impl TimeoutReport {
    /// The end of the first line of the error: how the last connect failed. `error`: the manager's error, if there is one.
    pub(crate) fn last_connect<E: fmt::Display>(
        &self,
        error: Option<&E>,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let last = self.last_connect.as_ref();
        let words = last.and_then(|last| last.words.as_deref());
        if error.is_none() && words.is_none() {
            return Ok(());
        }
        f.write_str("; the last connect failed")?;
        if let Some(last) = last {
            write!(f, " {} ago ({})", Rounded(last.age), last.class.as_str())?;
        }
        match error {
            Some(error) => write!(f, ": {}", OneLine(error)),
            None => write!(f, ": {}", words.unwrap_or_default()),
        }
    }

    /// The second line of the error: who could give a connection back.
    pub(crate) fn holders(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(holder) = &self.holder {
            write!(f, "\nheld longest: {holder}")?;
        }
        if let Some(nested) = &self.nested {
            let holds = PlaceAndLabel {
                place: nested.holds,
                label: None,
            };
            let waits = PlaceAndLabel {
                place: nested.waits,
                label: None,
            };
            write!(
                f,
                "; every holder waits for another connection of this pool: {:?} holds one since {holds} and waits at {waits}",
                nested.label
            )?;
        }
        Ok(())
    }
}
