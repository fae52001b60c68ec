//! A password is looked for in all that a program could print, when things go well and when they do not.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use metrics_util::debugging::DebuggingRecorder;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use pool_core::{
    Builder, Event as PoolEvent, MetricsObserver, OpenTelemetryObserver, Readiness, Runtime as _,
    TracingObserver,
};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{
    ConnectOptions, Error, IoRuntime, MySqlManager, MySqlRuntime, Pool, PoolOptions, connect,
    create_pool, create_pool_from_url,
};
use private_server::PrivateServer;
use support::watchdog::{MINUTE, within};

#[path = "mysql_secrets/provided.rs"]
mod provided;
#[path = "mysql_secrets/shown.rs"]
mod shown;

use shown::{Everything, SHOWN, show, show_error, show_pool_error, write_down};

/// Long enough for a warning, and short enough for a test.
const SOON: Duration = Duration::from_millis(100);

const SECRET: &str = "s3cret@/?#: %ü";

/// Where the pools' OpenTelemetry metrics go.
static METER: OnceLock<Meter> = OnceLock::new();

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
        .observer(OpenTelemetryObserver::new(
            METER.get().expect("it is set first"),
        ))
        .observer(|event: &PoolEvent<'_>| {
            write_down(&format!("{event} {event:?} {event:#?}"), |_| {});
        })
}

/// What a pool says of itself.
fn show_all_of(pool: &Pool) {
    show(&pool.status());
    write_down(&pool.status().to_string(), |_| {});
    show(&pool.stats());
    show(&pool.readiness());
    write_down(&pool.readiness().to_string(), |_| {});
    show(&pool.settings());
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

/// Statements whose text or parameters hold the password, on each way to the server. Without `echo` nothing shows them.
async fn secret_statements(server: &PrivateServer) {
    let options = ConnectOptions::from_url(&url(server)).unwrap();
    let pool = observed(create_pool(options)).build_lazy().unwrap();
    let mut conn = pool.acquire().await.unwrap();
    let sql = format!("SELECT '{SECRET}'");
    conn.query_drop(sql.as_str()).await.unwrap();
    drop(conn.query_iter(sql.as_str()).await.unwrap());
    conn.exec_drop(sql.as_str(), ()).await.unwrap();
    conn.exec_drop("DO ?", (SECRET,)).await.unwrap();
    let statement = conn.prep(sql.as_str()).await.unwrap();
    conn.exec_drop(&statement, ()).await.unwrap();
    conn.cursor().execute(&sql, ()).await.unwrap();
    conn.ss_cursor()
        .execute("SELECT ?", (SECRET,))
        .await
        .unwrap();
    let mut tx = conn.start_transaction(<_>::default()).await.unwrap();
    tx.query_drop(sql.as_str()).await.unwrap();
    tx.commit().await.unwrap();
    // A comment, because the server repeats in its error what it does not understand.
    let wrong = format!("DO nowhere() /* {SECRET} */");
    show_error(conn.query_drop(wrong.as_str()).await.unwrap_err());
    show_error(conn.cursor().execute(&wrong, ()).await.unwrap_err());
    let command = conn.query_drop(format!("DO SLEEP(10), '{SECRET}'"));
    assert!(futures_lite::future::poll_once(command).await.is_none());
    show_error(Error::from(conn.ping().await.unwrap_err()));
    drop(conn);
    pool.close();
    pool.wait_closed().await.unwrap();
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
    // Without minsize nobody connects but the acquires.
    let pool: Pool = observed(create_pool(wrong.clone()).minsize(0))
        .build_lazy()
        .unwrap();
    show_pool_error(pool.acquire().await.unwrap_err());
    // For a while the pool does not connect.
    show_pool_error(pool.acquire().await.unwrap_err());
    while let Readiness::CannotConnect {
        retry_after: Some(after),
        ..
    } = pool.readiness()
    {
        if after.is_zero() {
            break;
        }
        let runtime = MySqlRuntime::new();
        runtime.sleep_until(runtime.now() + after).await;
    }
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
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    assert!(METER.set(provider.meter("test")).is_ok());
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
            secret_statements(&server).await;
            closed_under_its_user(&server).await;
            provided::provided(&server).await;
            bad_days(&server).await;
            show(&MySqlRuntime::new());
        });
    });
    let metrics = format!("{:?}", snapshotter.snapshot().into_vec());
    provider.force_flush().expect("the metrics are exported");
    let exported = exporter.get_finished_metrics().expect("they are in memory");
    let exported = format!("{exported:?}");
    // Both have the metrics of all pools, with their labels.
    for metrics in [&metrics, &exported] {
        for words in [
            "db.client.connection.pool.name",
            "orders",
            "reason",
            "class",
            "auth",
            "db.client.connection.timeouts",
        ] {
            assert!(metrics.contains(words), "{words:?} was not exported");
        }
    }
    let mut shown = SHOWN.lock().unwrap();
    shown.push_str(&format!("\n{metrics}\n{exported}\n"));
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
        "the breaker has opened: the next connect is tried in ",
        " does not connect for ",
        "not serving: no connection is open, and the last connect failed ",
        "CannotConnect {",
        "Settings {",
        "ShutdownReport {",
        "; still held: connection 1 ",
        "the credentials provider failed: the vault is sealed",
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
