//! What an operator's tools see: the names, units and attributes of the metrics, and the spans and levels of the log.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use pool_core::{MetricsObserver, OpenTelemetryObserver, PooledConnection, TracingObserver};
use support::invariants::acquire_now;
use support::{FakeGuard, FakePool, Probe, Stage, Step, Verb};

#[path = "exporters/log.rs"]
mod log;

use log::Log;

const SECOND: Duration = Duration::from_secs(1);

/// A pool with a history: two connections of which one is held, a failed connect, a time-out, a connection that was closed,
/// and a waiter.
fn history<'a>(
    stage: &'a Stage,
    pool: &'a FakePool,
    control: &support::FakeControl,
) -> (Vec<FakeGuard>, Probe<'a, ()>) {
    control.next(Verb::Connect, Step::Err);
    assert!(stage.run(pool.acquire()).is_err());
    control.next(Verb::Connect, Step::Delay(2 * SECOND));
    let mut first = Probe::pending(pool.acquire());
    stage.advance(2 * SECOND);
    assert!(first.poll_until_stalled(stage));
    let first = first.take().expect("it is connected");
    stage.advance(3 * SECOND);
    PooledConnection::discard(first);
    let held = vec![acquire_now(stage, pool), acquire_now(stage, pool)];
    let mut late = Probe::pending(pool.acquire());
    stage.advance(5 * SECOND);
    assert!(late.poll_until_stalled(stage));
    drop(late);
    let waits = Probe::pending(async {
        drop(pool.acquire().await);
    });
    (held, waits)
}

/// One line for each point: name, unit, attributes, value.
fn lines(exported: &[ResourceMetrics]) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    let last = exported.last().expect("the metrics were exported");
    let scopes = last.scope_metrics();
    for metric in scopes.flat_map(|scope| scope.metrics()) {
        let mut add = |attributes: Vec<String>, value: String| {
            let unit = metric.unit();
            let key = format!("{} [{unit}] {}", metric.name(), attributes.join(" "));
            assert!(lines.insert(key, value).is_none(), "each point once");
        };
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                for point in sum.data_points() {
                    add(words(point.attributes()), point.value().to_string());
                }
            }
            AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                for point in sum.data_points() {
                    add(words(point.attributes()), point.value().to_string());
                }
            }
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                for point in histogram.data_points() {
                    let value = format!("{} samples, {} s", point.count(), point.sum());
                    add(words(point.attributes()), value);
                }
            }
            other => panic!("{}: {other:?}", metric.name()),
        }
    }
    lines
}

fn words<'a>(attributes: impl Iterator<Item = &'a opentelemetry::KeyValue>) -> Vec<String> {
    let mut words: Vec<_> = attributes
        .map(|kv| format!("{}={}", kv.key, kv.value))
        .collect();
    words.sort();
    words
}

#[test]
fn the_names_units_and_attributes_are_those_of_the_conventions() {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(2);
    let builder = builder.name("orders").acquire_timeout(5 * SECOND);
    let pool = builder
        .observer(OpenTelemetryObserver::new(&provider.meter("test")))
        .build_lazy()
        .unwrap();
    let kept = history(stage, &pool, &control);
    provider.force_flush().expect("the metrics are exported");
    let lines = lines(&exporter.get_finished_metrics().expect("they are in memory"));
    let expected = [
        (
            "closed [{connection}] db.client.connection.pool.name=orders reason=discarded",
            "1",
        ),
        (
            "count [{connection}] db.client.connection.pool.name=orders db.client.connection.state=idle",
            "0",
        ),
        (
            "count [{connection}] db.client.connection.pool.name=orders db.client.connection.state=used",
            "2",
        ),
        (
            "create_failures [{connection}] class=transient db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "create_time [s] db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
        (
            "idle.max [{connection}] db.client.connection.pool.name=orders",
            "2",
        ),
        (
            "idle.min [{connection}] db.client.connection.pool.name=orders",
            "0",
        ),
        (
            "max [{connection}] db.client.connection.pool.name=orders",
            "2",
        ),
        (
            "pending_requests [{request}] db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "timeouts [{timeout}] db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "use_time [s] db.client.connection.pool.name=orders",
            "1 samples, 3 s",
        ),
        (
            "wait_time [s] db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
    ];
    let expected =
        expected.map(|(name, value)| (format!("db.client.connection.{name}"), value.to_owned()));
    assert_eq!(lines, BTreeMap::from(expected));
    drop(kept);
    drop(pool);
    provider.shutdown().expect("it ends");
}

#[test]
fn the_facade_gets_the_same_names() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let lines = metrics::with_local_recorder(&recorder, || {
        let stage = &Stage::spawning();
        let (builder, control) = stage.pool(2);
        let builder = builder.name("orders").acquire_timeout(5 * SECOND);
        let pool = builder
            .observer(MetricsObserver::new())
            .build_lazy()
            .unwrap();
        let _kept = history(stage, &pool, &control);
        let mut lines = BTreeMap::new();
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            let (_, key) = key.into_parts();
            let mut labels: Vec<_> = key
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            labels.sort();
            let value = match value {
                DebugValue::Counter(value) => value.to_string(),
                DebugValue::Gauge(value) => value.to_string(),
                DebugValue::Histogram(samples) => {
                    let sum: f64 = samples.iter().map(|sample| sample.into_inner()).sum();
                    format!("{} samples, {sum} s", samples.len())
                }
            };
            lines.insert(format!("{} {}", key.name(), labels.join(" ")), value);
        }
        lines
    });
    let expected = [
        (
            "closed db.client.connection.pool.name=orders reason=discarded",
            "1",
        ),
        (
            "count db.client.connection.pool.name=orders db.client.connection.state=idle",
            "0",
        ),
        (
            "count db.client.connection.pool.name=orders db.client.connection.state=used",
            "2",
        ),
        (
            "create_failures class=transient db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "create_time db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
        ("idle.max db.client.connection.pool.name=orders", "2"),
        ("idle.min db.client.connection.pool.name=orders", "0"),
        ("max db.client.connection.pool.name=orders", "2"),
        (
            "pending_requests db.client.connection.pool.name=orders",
            "1",
        ),
        ("timeouts db.client.connection.pool.name=orders", "1"),
        (
            "use_time db.client.connection.pool.name=orders",
            "1 samples, 3 s",
        ),
        (
            "wait_time db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
    ];
    let expected =
        expected.map(|(name, value)| (format!("db.client.connection.{name}"), value.to_owned()));
    assert_eq!(lines, BTreeMap::from(expected));
}

#[test]
fn the_log_has_a_span_for_each_step_and_the_level_of_each_event() {
    let log = Log::default();
    // While there is only one subscriber, a span that another thread makes first, which has none, counts as unwanted
    // everywhere. With a second one each subscriber is asked.
    let _second = Log::default().dispatch();
    tracing::dispatcher::with_default(&log.dispatch(), || {
        let stage = &Stage::spawning();
        let (builder, control) = stage.pool(2);
        let builder = builder.name("orders").acquire_timeout(5 * SECOND);
        let builder = builder
            .leak_warning_after(SECOND)
            .slow_acquire_after(SECOND);
        let pool = builder
            .observer(TracingObserver::new())
            .build_lazy()
            .unwrap();
        let kept = history(stage, &pool, &control);
        drop(kept);
        stage.settle();
        pool.close();
        stage.run(pool.wait_closed()).unwrap();
    });
    let spans = log.spans();
    for name in ["pool.acquire", "pool.connect", "pool.recycle", "pool.close"] {
        let span = spans.iter().find(|span| span.starts_with(name));
        let span = span.unwrap_or_else(|| panic!("there is no {name}: {spans:?}"));
        assert!(span.contains("pool.name=\"orders\""), "{span}");
    }
    let connect = "pool.connect pool.name=\"orders\" connection=1 in pool.acquire";
    assert!(spans.iter().any(|span| span == connect), "{spans:?}");
    let warnings = log.events("WARN");
    let words = [
        "failed after",
        "has waited for 1s",
        "timed out after 5s",
        "is it leaked?",
    ];
    for words in words {
        assert!(
            warnings.iter().any(|line| line.contains(words)),
            "{words}: {warnings:?}"
        );
    }
    assert!(
        log.events("ERROR").is_empty(),
        "nothing is lost that is not tried again"
    );
    let debug = log.events("DEBUG");
    let closed = debug
        .iter()
        .find(|line| line.contains("its holder discarded it"));
    let closed = closed.expect("each close is told");
    assert!(closed.contains("reason=\"discarded\""), "{closed}");
}
