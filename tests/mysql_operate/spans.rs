//! The span of a statement.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, Connection, connect};
use support::watchdog::{MINUTE, within};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

use crate::server::{Server, polled};

/// Keeps the spans of pool-mysql, and when they were closed.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Page>>);

#[derive(Default)]
struct Page {
    opened: Vec<String>,
    closed: usize,
    entered: usize,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string takes all");
    }
}

impl Spans {
    fn with<T>(&self, look: impl FnOnce(&mut Page) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The spans since the last call. All of them are closed.
    fn take(&self) -> Vec<String> {
        self.with(|page| {
            assert_eq!(page.entered, 0, "none is entered any more");
            assert_eq!(page.closed, page.opened.len(), "all are closed");
            page.closed = 0;
            std::mem::take(&mut page.opened)
        })
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "pool_mysql"
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let metadata = span.metadata();
        let mut line = Line(format!("{} {}", metadata.level(), metadata.name()));
        span.record(&mut line);
        self.with(|page| {
            page.opened.push(line.0);
            Id::from_u64(page.opened.len() as u64)
        })
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {
        self.with(|page| page.entered += 1);
    }
    fn exit(&self, _: &Id) {
        self.with(|page| page.entered -= 1);
    }
    fn try_close(&self, _: Id) -> bool {
        self.with(|page| page.closed += 1);
        true
    }
}

/// Runs a body whose spans are kept.
fn watched(name: &str, body: impl AsyncFnOnce(Server, &Spans) + Send + 'static) {
    within(MINUTE, name, || {
        let server = Server::start();
        let spans = Spans::default();
        let dispatch = Dispatch::new(spans.clone());
        // As in `support::warnings`: with a second subscriber each of them is asked.
        let second = Dispatch::new(Spans::default());
        tracing::dispatcher::with_default(&dispatch, || {
            futures::executor::block_on(body(server, &spans));
        });
        drop(second);
    });
}

async fn statements(conn: &mut Connection) {
    conn.query_drop("select 'text'").await.unwrap();
    conn.exec_drop("SELECT ?, ?", (1, "hidden")).await.unwrap();
    let statement = conn.prep("SELECT ?").await.unwrap();
    conn.exec_drop(statement, ("hidden",)).await.unwrap();
    conn.begin().await.unwrap();
    conn.rollback().await.unwrap();
    conn.query_drop("BLABLA").await.unwrap_err();
    conn.ping().await.unwrap();
    let mut cur = conn.cursor();
    cur.execute("/* why */ (SELECT 'cursor')", ())
        .await
        .unwrap();
    cur.execute("INSERT INTO spans VALUES (?)", ("hidden",))
        .await
        .unwrap();
    cur.executemany("INSERT INTO spans VALUES (?)", [("hidden",), ("hidden",)])
        .await
        .unwrap();
    let _ = polled(1, Box::pin(conn.query_drop("DO SLEEP(2)"))).await;
}

const OPERATIONS: [Option<&str>; 11] = [
    Some("SELECT"),
    Some("SELECT"),
    Some("PREPARE"),
    None,
    Some("BEGIN"),
    Some("ROLLBACK"),
    Some("BLABLA"),
    Some("SELECT"),
    Some("INSERT"),
    Some("INSERT"),
    Some("DO"),
];

async fn opened(options: ConnectOptions) -> Connection {
    let mut conn = connect(options).await.unwrap();
    conn.query_drop("CREATE TABLE IF NOT EXISTS spans (a TEXT)")
        .await
        .unwrap();
    conn
}

#[test]
fn each_statement_has_a_span_with_the_names_of_opentelemetry() {
    watched(
        "each statement has a span with the names of opentelemetry",
        async |server, spans| {
            let mut conn = opened(server.tcp()).await;
            spans.take();
            statements(&mut conn).await;
            let expected = OPERATIONS.map(|operation| {
            let operation = operation.map(|word| format!(" db.operation.name={word:?}"));
            format!(
                "DEBUG mysql.query db.system.name=\"mariadb\" db.namespace=\"test\" server.address=\"127.0.0.1\" \
                 server.port={}{}",
                server.port(),
                operation.unwrap_or_default()
            )
        });
            assert_eq!(spans.take(), expected);
        },
    );
}

#[test]
fn over_a_unix_socket_its_path_is_the_address() {
    watched(
        "over a unix socket its path is the address",
        async |server, spans| {
            let mut conn = opened(server.unix()).await;
            spans.take();
            conn.query_drop("DO 1").await.unwrap();
            let path = server.socket().to_str().expect("a plain path");
            assert_eq!(
                spans.take(),
                [format!(
                    "DEBUG mysql.query db.system.name=\"mariadb\" db.namespace=\"test\" server.address={path:?} \
                 db.operation.name=\"DO\""
                )]
            );
        },
    );
}

#[test]
fn the_text_is_shown_only_with_echo_and_the_parameters_never() {
    watched(
        "the text is shown only with echo and the parameters never",
        async |server, spans| {
            let mut conn = opened(server.tcp().echo(true)).await;
            spans.take();
            statements(&mut conn).await;
            let lines = spans.take();
            let texts: Vec<&str> = lines
                .iter()
                .map(|line| {
                    line.split_once(" db.query.text=")
                        .map_or("", |(_, text)| text)
                })
                .collect();
            assert_eq!(
                texts,
                [
                    "\"select 'text'\"",
                    "\"SELECT ?, ?\"",
                    "\"SELECT ?\"",
                    "",
                    "\"BEGIN\"",
                    "\"ROLLBACK\"",
                    "\"BLABLA\"",
                    "\"/* why */ (SELECT 'cursor')\"",
                    "\"INSERT INTO spans VALUES (?)\"",
                    "\"INSERT INTO spans VALUES (?)\"",
                    "\"DO SLEEP(2)\"",
                ]
            );
            assert!(!lines.concat().contains("hidden"), "{lines:?}");
        },
    );
}
