//! A password is looked for in all that a program could print, when things go well and when they do not.

use std::fmt::{Debug, Display, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics_util::debugging::DebuggingRecorder;
use pool_core::{Builder, Event as PoolEvent, MetricsObserver, TracingObserver};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{
    ConnectOptions, Error, IoRuntime, MySqlManager, MySqlRuntime, Pool, PoolOptions, connect,
    create_pool, create_pool_from_url,
};
use private_server::PrivateServer;
use support::watchdog::{MINUTE, within};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Long enough for a warning, and short enough for a test.
const SOON: Duration = Duration::from_millis(100);

const SECRET: &str = "s3cret@/?#: %ü";

/// Everything that was shown.
static SHOWN: Mutex<String> = Mutex::new(String::new());

/// Writes down every span and every event of everybody.
struct Everything(AtomicU64);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

fn write_down(what: &str, record: impl FnOnce(&mut Line<'_>)) {
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

fn show(thing: &impl Debug) {
    write_down(&format!("{thing:?} {thing:#?}"), |_| {});
}

/// An error in every form, with all that it comes from.
fn show_error(error: impl std::error::Error + 'static) {
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
fn show_pool_error(error: pool_core::Error<Error>) {
    show_error(error.clone());
    show_error(Error::from(error));
}

fn url(server: &PrivateServer) -> String {
    format!(
        "mysql://secretive:s3cret%40%2F%3F%23%3A%20%25%C3%BC@127.0.0.1:{}",
        server.port()
    )
}

/// A short pool whose events are shown in every form, by the observers that this workspace has as well.
fn observed(builder: Builder<MySqlManager>) -> Builder<MySqlManager> {
    builder
        .name("orders")
        .maxsize(1)
        .slow_acquire_after(SOON / 10)
        .leak_warning_after(SOON / 10)
        .observer(TracingObserver::new())
        .observer(MetricsObserver::new())
        .observer(|event: &PoolEvent<'_>| {
            write_down(&format!("{event} {event:?} {event:#?}"), |_| {});
        })
}

/// What a pool says of itself.
fn show_all_of(pool: &Pool) {
    show(&pool.status());
    write_down(&pool.status().to_string(), |_| {});
    show(&pool.stats());
    for borrowed in pool.borrowed() {
        show(&borrowed);
        write_down(&borrowed.to_string(), |_| {});
    }
}

/// What goes well.
async fn good_days(server: &PrivateServer) {
    let options = ConnectOptions::from_url(&url(server)).unwrap().echo(true);
    show(&options);
    show(&PoolOptions::from(options.clone()));
    show(&serde_json::from_value::<PoolOptions>(serde_json::json!({"password": SECRET})).unwrap());
    show(&MySqlManager::new(options.clone()));
    for options in [
        options.clone(),
        options.clone().unix_socket(server.socket()),
    ] {
        let mut conn = connect(options.io_runtime(IoRuntime::Background))
            .await
            .unwrap();
        show(&conn);
        conn.ping().await.unwrap();
        conn.query_drop("DO 1").await.unwrap();
        conn.exec_drop("DO ?", (SECRET,)).await.unwrap();
        show(&conn.cursor());
        show_error(conn.query_drop("BLABLA").await.unwrap_err());
        show_error(Error::from(conn.query_drop("BLABLA").await.unwrap_err()));
        conn.ensure_closed().await.unwrap();
        show(&conn);
    }
    // Back to no database: the account logs in again, with its password.
    let pool = observed(create_pool(options)).build().await.unwrap();
    show(&pool);
    let mut conn = pool.acquire().label("report").await.unwrap();
    show(&conn);
    show_all_of(&pool);
    conn.query_drop("USE information_schema").await.unwrap();
    pool_mysql::PooledConnection::release(conn).await.unwrap();
    show(&pool.status());
    let conn = pool.acquire().await.unwrap();
    show_pool_error(pool.acquire().timeout(SOON).await.unwrap_err());
    pool.terminate();
    show(&conn);
    pool.wait_closed().await.unwrap();
    show(&pool);
    show_all_of(&pool);
}

/// A connection that is closed under its user, and says why.
async fn closed_under_its_user(server: &PrivateServer) {
    let options = ConnectOptions::from_url(&url(server)).unwrap().echo(true);
    let pool = observed(create_pool(options)).build_lazy().unwrap();
    let mut conn = pool.acquire().await.unwrap();
    let command = conn.exec_drop("DO SLEEP(?), ?", (10, SECRET));
    assert!(futures_lite::future::poll_once(command).await.is_none());
    let because = conn.closed_because().expect("it was cancelled");
    show(&because);
    write_down(&because.to_string(), |_| {});
    show_error(conn.cursor().execute("DO 1", (SECRET,)).await.unwrap_err());
    show_error(conn.query_drop("DO 1").await.unwrap_err());
    let begun = conn.transaction(|_| Box::pin(async { Ok::<(), Error>(()) }));
    show_error(begun.await.unwrap_err());
    show(&conn);
    drop(conn);
    pool.close();
    pool.wait_closed().await.unwrap();
    show_all_of(&pool);
}

/// What does not.
async fn bad_days(server: &PrivateServer) {
    let wrong = ConnectOptions::new()
        .host("127.0.0.1")
        .port(server.port())
        .user("app")
        .password(SECRET)
        .echo(true);
    show_error(connect(wrong.clone()).await.unwrap_err());
    show_pool_error(create_pool(wrong.clone()).build().await.unwrap_err());
    let pool: Pool = observed(create_pool(wrong.clone())).build_lazy().unwrap();
    show_pool_error(pool.acquire().await.unwrap_err());
    // A time-out names the last connect error.
    server.pause();
    show_pool_error(pool.acquire().timeout(SOON).await.unwrap_err());
    server.resume();
    show_all_of(&pool);
    for unreachable in [
        wrong.clone().port(1),
        wrong.clone().host("no.such.host.invalid"),
        wrong.clone().port(0),
        wrong.clone().password(format!("{SECRET}\0")),
    ] {
        show_pool_error(create_pool(unreachable).build().await.unwrap_err());
    }
    show(&pool);
    show_error(connect(wrong.clone().port(1)).await.unwrap_err());
    show_error(
        connect(wrong.clone().host("no.such.host.invalid"))
            .await
            .unwrap_err(),
    );
    for name in [
        "127.0.0.1:1",
        "no.such.host.invalid",
        "%2Fno%2Fsuch%2Fsocket",
    ] {
        let url = url(server);
        let (account, _) = url.rsplit_once('@').expect("an account");
        let options = ConnectOptions::from_url(&format!("{account}@{name}")).unwrap();
        show_error(connect(options).await.unwrap_err());
    }
    show_error(
        connect(wrong.clone().unix_socket("/no/such/socket"))
            .await
            .unwrap_err(),
    );
    server.pause();
    let hasty = wrong
        .clone()
        .connect_timeout(std::time::Duration::from_millis(50));
    show_error(connect(hasty).await.unwrap_err());
    server.resume();
    show_error(
        wrong
            .clone()
            .password(format!("{SECRET}\0"))
            .validate()
            .unwrap_err(),
    );
    show_error(wrong.clone().port(0).validate().unwrap_err());
    show_error(
        wrong
            .clone()
            .ssl_cert_password(SECRET)
            .validate()
            .unwrap_err(),
    );
    show_error(
        wrong
            .read_default_file("/no/such/file")
            .validate()
            .unwrap_err(),
    );
    for url in [
        format!("mysql://app:{SECRET}@h/db"),
        format!("{}/a/b", url(server)),
        format!("{}/?autocomit=1", url(server)),
        format!("{}/?autocommit=maybe", url(server)),
        format!("x{}", url(server)),
        "mysql://app:12?s3cret=34@h/db".into(),
        "mysql://app:12?echo=s3cret@h/db".into(),
        "mysql://app:12?maxsize=s3cret@h/db".into(),
        "mysql://app:12/s3cret@h/db".into(),
    ] {
        show_error(ConnectOptions::from_url(&url).unwrap_err());
        show_error(create_pool_from_url(&url).map(|_| ()).unwrap_err());
        show_error(serde_json::from_value::<PoolOptions>(url.into()).unwrap_err());
    }
}

#[test]
fn no_output_holds_the_password() {
    let subscriber = Everything(AtomicU64::new(1));
    tracing::subscriber::set_global_default(subscriber).expect("this is the only test here");
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().expect("this is the only test here");
    within(MINUTE, "no_output_holds_the_password", || {
        futures::executor::block_on(async {
            let server = PrivateServer::start().expect("a server starts");
            let root = ConnectOptions::new()
                .unix_socket(server.socket())
                .user("root");
            let mut root = connect(root).await.unwrap();
            let create = format!("CREATE USER secretive@'%' IDENTIFIED BY '{SECRET}'");
            root.query_drop(create).await.unwrap();
            good_days(&server).await;
            closed_under_its_user(&server).await;
            bad_days(&server).await;
            show(&MySqlRuntime::new());
        });
    });
    let mut shown = SHOWN.lock().unwrap();
    let metrics = snapshotter.snapshot().into_vec();
    assert!(!metrics.is_empty());
    shown.push_str(&format!("{metrics:?}"));
    // Each new kind of output was among what was searched.
    for words in [
        "mysql.query",
        "db.query.text",
        "pool.connect",
        "pool \"orders\": connection 1 was acquired at ",
        "is it leaked?",
        "has waited for",
        "it cannot be used again: a command was cancelled",
        "the connection is closed: a command was cancelled; ",
        "the last connect failed",
        "held longest: connection 1 ",
        "(report)",
        "Histogram {",
        "db.client.connection.count",
    ] {
        assert!(shown.contains(words), "{words:?} was not shown");
    }
    // The log was on, and it was listened to.
    assert!(shown.contains("pool_mysql::echo"), "{shown}");
    assert!(
        shown.contains("DO 1") && shown.contains("BLABLA"),
        "{shown}"
    );
    // The texts of the server's errors were among what was searched.
    assert!(
        shown.contains(" as app failed: 1045 (28000): Access denied"),
        "{shown}"
    );
    let bytes: Vec<String> = SECRET
        .bytes()
        .take(6)
        .map(|byte| byte.to_string())
        .collect();
    for secret in ["s3cret", "s3cret%40", &bytes.join(", "), &bytes.join(",\n")] {
        let place = shown.find(secret);
        let around = place.map(|place| {
            let line = shown[..place].rfind('\n').unwrap_or_default();
            shown[line..].lines().take(3).collect::<String>()
        });
        assert_eq!(around, None, "{secret}");
    }
}
