//! The span of a statement, for `tracing`.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pool_core::BoxFuture;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span, debug_span};

use crate::statement::opening::operation;

/// Where a statement goes, in the words of the OpenTelemetry conventions for databases.
pub(crate) struct Destination<'a> {
    pub(crate) is_mariadb: bool,
    /// The configured database.
    pub(crate) db: Option<&'a str>,
    /// The host, or the path of the unix socket.
    pub(crate) address: &'a str,
    /// `None` for a unix socket.
    pub(crate) port: Option<u16>,
}

/// What is known of the text of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Text<'a> {
    Known(&'a [u8]),
    /// It is only prepared.
    Prepared(&'a [u8]),
    /// It was prepared before.
    Hidden,
}

impl Text<'_> {
    fn operation(self) -> Option<String> {
        match self {
            Self::Known(sql) => operation(sql),
            Self::Prepared(_) => Some("PREPARE".into()),
            Self::Hidden => None,
        }
    }

    fn shown(self) -> Option<String> {
        match self {
            Self::Known(sql) | Self::Prepared(sql) => {
                Some(String::from_utf8_lossy(sql).into_owned())
            }
            Self::Hidden => None,
        }
    }
}

/// The span of a statement; `None` where nobody wants it.
///
/// The text is only shown where `shows_text`: it may contain what nobody should read. Parameters are never shown.
pub(crate) fn of_statement<'a>(
    destination: impl FnOnce() -> Destination<'a>,
    text: Text<'_>,
    shows_text: bool,
) -> Option<Span> {
    // One read of a static. The fields of the span below are computed only where somebody wants this span.
    if LevelFilter::current() < Level::DEBUG {
        return None;
    }
    let Destination {
        is_mariadb,
        db,
        address,
        port,
    } = destination();
    let span = debug_span!(
        target: "pool_mysql",
        "mysql.query",
        db.system.name = if is_mariadb { "mariadb" } else { "mysql" },
        db.namespace = db,
        server.address = address,
        server.port = port,
        db.operation.name = text.operation(),
        db.query.text = text.shown().filter(|_| shows_text),
    );
    Some(span).filter(|span| !span.is_disabled())
}

/// A command inside of its span. The span ends with the command, or when the command is dropped.
pub(crate) struct InSpan<'a, T> {
    command: Option<BoxFuture<'a, T>>,
    span: Option<Span>,
}

impl<'a, T> InSpan<'a, T> {
    pub(crate) fn new(span: Span, command: BoxFuture<'a, T>) -> Self {
        Self {
            command: Some(command),
            span: Some(span),
        }
    }
}

impl<T> Future for InSpan<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Self { command, span } = &mut *self;
        let entered = span.as_ref().map(Span::enter);
        let running = command.as_mut().expect("it is not polled after its end");
        let polled = running.as_mut().poll(cx);
        if polled.is_ready() {
            *command = None;
            drop(entered);
            *span = None;
        }
        polled
    }
}

impl<T> Drop for InSpan<'_, T> {
    fn drop(&mut self) {
        let Self { command, span } = self;
        // The command may write the line of a cancelled statement, which belongs into the span. The subscriber is somebody
        // else's code, and a drop must not panic.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _entered = span.as_ref().map(Span::enter);
            *command = None;
        }));
        let _ = catch_unwind(AssertUnwindSafe(|| *span = None));
        // If the subscriber did not even let the span be entered, the command is dropped now.
        *command = None;
    }
}

#[cfg(test)]
mod tests {
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::session::tests::panics::Panics;

    fn destination() -> Destination<'static> {
        Destination {
            is_mariadb: true,
            db: Some("shop"),
            address: "db.example",
            port: Some(3306),
        }
    }

    /// A subscriber that wants everything but spans.
    struct NoSpans;

    impl Subscriber for NoSpans {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            !metadata.is_span()
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            unreachable!("it wants none")
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_span_that_nobody_wants_allocates_nothing() {
        let try_both = || {
            for echo in [false, true] {
                let text = Text::Known(b"SELECT 1");
                assert!(of_statement(destination, text, echo).is_none());
            }
        };
        // The first time `tracing` gets to know the place.
        try_both();
        assert_eq!(allocation_counter::measure(try_both).count_total, 0);
        tracing::subscriber::with_default(NoSpans, || {
            try_both();
            assert_eq!(allocation_counter::measure(try_both).count_total, 0);
        });
    }

    #[test]
    fn a_subscriber_that_panics_does_not_make_the_drop_of_a_command_panic() {
        tracing::subscriber::with_default(Panics, || {
            let span = of_statement(destination, Text::Hidden, false).expect("it is wanted");
            let (dropped, notes) = std::sync::mpsc::channel::<()>();
            let command = Box::pin(async move {
                let _kept = dropped;
                std::future::pending::<()>().await;
            });
            let command = InSpan::new(span, command);
            assert!(catch_unwind(AssertUnwindSafe(|| drop(command))).is_ok());
            assert!(notes.recv().is_err(), "the command itself was dropped");
        });
    }
}
