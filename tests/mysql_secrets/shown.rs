//! All that the programs of this test have shown.

use std::fmt::{Debug, Display, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pool_mysql::Error;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Everything that was shown.
pub(crate) static SHOWN: Mutex<String> = Mutex::new(String::new());

/// Writes down every span and every event of everybody.
pub(crate) struct Everything(pub(crate) AtomicU64);

pub(crate) struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

pub(crate) fn write_down(what: &str, record: impl FnOnce(&mut Line<'_>)) {
    let mut shown = SHOWN.lock().unwrap();
    shown.push_str(what);
    record(&mut Line(&mut shown));
    shown.push('\n');
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        write_down(span.metadata().name(), |line| span.record(line));
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed))
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        write_down("recorded", |line| values.record(line));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        write_down(event.metadata().target(), |line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

pub(crate) fn show(thing: &impl Debug) {
    write_down(&format!("{thing:?} {thing:#?}"), |_| {});
}

/// An error in every form, with all that it comes from.
pub(crate) fn show_error(error: impl std::error::Error + 'static) {
    fn forms(error: &(impl Debug + Display + ?Sized)) -> String {
        format!("{error} {error:#} {error:?} {error:#?}")
    }
    let mut text = forms(&error);
    let mut source = error.source();
    while let Some(cause) = source {
        text += &forms(cause);
        source = cause.source();
    }
    write_down(&text, |_| {});
}

/// An error of the pool as it is, and as `?` makes it the one error of a handler.
pub(crate) fn show_pool_error(error: pool_core::Error<Error>) {
    show_error(error.clone());
    show_error(Error::from(error));
}
