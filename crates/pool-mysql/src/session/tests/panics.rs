//! A subscriber of `tracing` that panics, for all tests of what must not pass its panic on.

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// It wants everything, and panics at each event and when a span is entered or closed.
pub(in crate::session) struct Panics;

impl Subscriber for Panics {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        panic!("expected by this test");
    }
    fn enter(&self, _: &Id) {
        panic!("expected by this test");
    }
    fn exit(&self, _: &Id) {}
    fn try_close(&self, _: Id) -> bool {
        panic!("expected by this test");
    }
}
