//! What pool-mysql warns of.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use futures::executor::block_on;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use crate::watchdog::{MINUTE, within};

/// The warnings of the crate, one a line.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Warnings {
    fn lines(&self) -> Vec<String> {
        let lines = self.0.lock();
        lines.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target().starts_with("pool_mysql")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        let lines = self.0.lock();
        lines.unwrap_or_else(PoisonError::into_inner).push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Runs the body on one thread, within a minute, and returns the warnings of pool-mysql on it.
pub fn warnings(name: &str, body: impl AsyncFnOnce() + Send + 'static) -> Vec<String> {
    within(MINUTE, name, || {
        let warnings = Warnings::default();
        let dispatch = Dispatch::new(warnings.clone());
        // While there is only one subscriber, an event that happens first on another thread, which has none, counts as
        // unwanted everywhere. With a second one each subscriber is asked.
        let second = Dispatch::new(Warnings::default());
        tracing::dispatcher::with_default(&dispatch, || block_on(body()));
        drop(second);
        warnings.lines()
    })
}
