//! A subscriber of `tracing` that keeps spans and events.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// What was logged by pool-core.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Page>>);

#[derive(Default)]
struct Page {
    spans: Vec<Span>,
    events: Vec<Line>,
    entered: Vec<u64>,
}

/// A span.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    pub(crate) fields: Fields,
    /// The name of the span around it.
    pub(crate) outer: Option<&'static str>,
}

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: String,
    pub(crate) fields: Fields,
}

/// Names and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(pub(crate) BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Log {
    /// A way to make it the subscriber of a thread.
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(self.clone())
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.page().spans.clone()
    }

    pub(crate) fn events(&self) -> Vec<Line> {
        self.page().events.clone()
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
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut page = self.page();
        let outer = page.entered.last();
        let outer = outer.map(|outer| page.spans[*outer as usize - 1].name);
        page.spans.push(Span {
            name: span.metadata().name(),
            fields,
            outer,
        });
        Id::from_u64(page.spans.len() as u64)
    }
    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut page = self.page();
        values.record(&mut page.spans[id.into_u64() as usize - 1].fields);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level().to_string();
        self.page().events.push(Line { level, fields });
    }
    fn enter(&self, id: &Id) {
        self.page().entered.push(id.into_u64());
    }
    fn exit(&self, _: &Id) {
        self.page().entered.pop();
    }
}
