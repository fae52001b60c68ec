//! A subscriber of `tracing` that keeps spans and events as lines.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// What was logged by pool-core.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Page>>);

#[derive(Default)]
struct Page {
    /// Name, fields, and the name of the span around it.
    spans: Vec<(&'static Metadata<'static>, String)>,
    events: Vec<(String, String)>,
    entered: Vec<u64>,
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string takes all");
    }
}

impl Log {
    /// A way to make it the subscriber of a thread.
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(self.clone())
    }

    /// The spans, each with its fields and the span around it.
    pub(crate) fn spans(&self) -> Vec<String> {
        let page = self.page();
        page.spans.iter().map(|(_, line)| line.clone()).collect()
    }

    /// The events of this level.
    pub(crate) fn events(&self, level: &str) -> Vec<String> {
        let page = self.page();
        let of_level = page.events.iter().filter(|(other, _)| other == level);
        of_level.map(|(_, line)| line.clone()).collect()
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "pool_core"
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        let mut page = self.page();
        if let Some(outer) = page.entered.last().copied() {
            let (metadata, _) = page.spans[outer as usize - 1];
            line.0.push_str(&format!(" in {}", metadata.name()));
        }
        page.spans.push((span.metadata(), line.0));
        Id::from_u64(page.spans.len() as u64)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = event.metadata().level().to_string();
        self.page().events.push((level, line.0));
    }
    fn enter(&self, id: &Id) {
        self.page().entered.push(id.into_u64());
    }
    fn exit(&self, _: &Id) {
        self.page().entered.pop();
    }
}
