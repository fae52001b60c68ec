//! The types of a ledger about numbers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ErrorClass;
use crate::error::FailureReason;
use crate::ledger::{ConnectionKey, LedgerEntry, LedgerFailure, LedgerTypes};

pub(in crate::ledger) struct Plain;

impl LedgerFailure for &'static str {
    fn as_refusal(&self, _: &Arc<str>, _: ErrorClass, _: Duration) -> Self {
        "the breaker is open"
    }
    fn reason(&self) -> FailureReason {
        FailureReason::Connect
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Number(pub(super) ConnectionKey, pub(super) Option<Instant>);

impl LedgerEntry for Number {
    fn key(&self) -> ConnectionKey {
        self.0
    }
    fn idle_since(&self) -> Option<Instant> {
        self.1
    }
    fn set_idle_since(&mut self, since: Option<Instant>) {
        self.1 = since;
    }
}

impl LedgerTypes for Plain {
    type Entry = Number;
    /// A future between two polls: the connection that is in it.
    type Future = Option<Number>;
    type Failure = &'static str;
}
