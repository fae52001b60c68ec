//! What a time-out tells beside its phase and its counts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::borrowed::{Nested, PlaceAndLabel};
use crate::{Borrowed, ErrorClass};

/// What the pool knew when a time-out struck. See the methods of [`Error`](crate::Error) that return its parts.
#[derive(Clone, Debug)]
pub struct TimeoutReport {
    pub(crate) pool: Arc<str>,
    /// The class of the last connect error, and how long ago it was.
    pub(crate) last_connect: Option<(ErrorClass, Duration)>,
    /// Who holds a connection for the longest time.
    pub(crate) holder: Option<Borrowed>,
    pub(crate) nested: Option<Nested>,
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
