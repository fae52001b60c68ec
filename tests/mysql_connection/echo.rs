//! The statement log.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, connect, create_pool};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::server::{Server, polled, test};

/// Writes down the events of `pool_mysql::echo`, one a line.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<String>>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "pool_mysql::echo"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut Line(&mut line));
        self.0.lock().unwrap().push(line);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What a body logs; everything is polled on this thread.
fn journal(body: impl AsyncFnOnce()) -> Vec<String> {
    let journal = Journal::default();
    tracing::subscriber::with_default(journal.clone(), || futures::executor::block_on(body()));
    std::mem::take(&mut *journal.0.lock().unwrap())
}

async fn statements(conn: &mut Connection) {
    conn.query_drop("SELECT 'text'").await.unwrap();
    conn.exec_drop("SELECT ?, ?", (1, "hidden")).await.unwrap();
    let statement = conn.prep("SELECT ?").await.unwrap();
    conn.exec_drop(statement, ("hidden",)).await.unwrap();
    Queryable::exec_drop(conn, "SELECT 'not seen'", ())
        .await
        .unwrap();
    conn.prep("SELECT 'prepared'").await.unwrap();
    conn.begin().await.unwrap();
    conn.rollback().await.unwrap();
    conn.query_drop("BLABLA").await.unwrap_err();
    let mut cur = conn.cursor();
    cur.execute("SELECT 'cursor'", ()).await.unwrap();
    cur.execute("SELECT ?, 'cursor'", ("hidden",))
        .await
        .unwrap();
    let _ = polled(1, Box::pin(conn.query_drop("DO SLEEP(2)"))).await;
}

#[test]
fn every_statement_is_logged_with_its_time_and_without_its_parameters() {
    let server = Server::start();
    let lines = journal(async || {
        let options = server.tcp().user("app").password("app").echo(true);
        statements(&mut connect(options).await.unwrap()).await;
    });
    let expected = [
        ("SELECT 'text'", "ok", None),
        ("SELECT ?, ?", "ok", Some(2)),
        ("PREPARE SELECT ?", "ok", None),
        ("(a prepared statement)", "ok", Some(1)),
        ("(a prepared statement)", "ok", Some(0)),
        ("PREPARE SELECT 'prepared'", "ok", None),
        ("BEGIN", "ok", None),
        ("ROLLBACK", "ok", None),
        ("BLABLA", "error 1064", None),
        ("SELECT 'cursor'", "ok", None),
        ("SELECT ?, 'cursor'", "ok", Some(1)),
        ("DO SLEEP(2)", "cancelled", None),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, (statement, outcome, parameters)) in lines.iter().zip(expected) {
        assert!(line.starts_with("INFO "), "{line}");
        assert!(line.contains(&format!("message={statement}")), "{line}");
        assert!(line.contains(&format!("outcome={outcome:?}")), "{line}");
        assert!(
            line.contains(" elapsed=") && line.contains(" connection="),
            "{line}"
        );
        match parameters {
            Some(number) => assert!(line.contains(&format!("parameters={number}")), "{line}"),
            None => assert!(!line.contains("parameters"), "{line}"),
        }
        assert!(!line.contains("hidden"), "{line}");
    }
}

#[test]
fn nothing_is_logged_unless_it_is_asked_for() {
    let server = Server::start();
    let lines = journal(async || {
        statements(&mut connect(server.tcp()).await.unwrap()).await;
        let pool = create_pool(server.tcp().echo(true))
            .echo(false)
            .build()
            .await
            .unwrap();
        assert!(!pool.echo());
        statements(&mut pool.acquire().await.unwrap()).await;
    });
    assert_eq!(lines, Vec::<String>::new());
}

#[test]
fn a_pools_echo_reaches_its_connections() {
    test(|| async {
        let server = Server::start();
        let pool = create_pool(server.tcp().echo(true))
            .minsize(2)
            .build()
            .await
            .unwrap();
        assert!(pool.echo());
    });
    let server = Server::start();
    let lines = journal(async || {
        let pool = create_pool(server.tcp()).echo(true).build().await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        conn.query_drop("SELECT 'pooled'").await.unwrap();
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("SELECT 'pooled'"), "{lines:?}");
}
