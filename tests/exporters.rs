//! What an operator's tools see: the names, units and attributes of the metrics, and the spans and levels of the log.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use pool_core::{MetricsObserver, OpenTelemetryObserver, PooledConnection};
use support::invariants::acquire_now;
use support::{FakeGuard, FakePool, Probe, Stage, Step, Verb};

#[path = "exporters/levels.rs"]
mod levels;
#[path = "exporters/lines.rs"]
mod lines;
#[path = "exporters/log.rs"]
mod log;
#[path = "exporters/shared.rs"]
mod shared;

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

/// One line for each point: kind, name, unit, attributes, value.
fn lines(exported: &[ResourceMetrics]) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    let last = exported.last().expect("the metrics were exported");
    let scopes = last.scope_metrics();
    for metric in scopes.flat_map(|scope| scope.metrics()) {
        let mut add = |kind: &str, attributes: Vec<String>, value: String| {
            let (name, unit) = (metric.name(), metric.unit());
            let key = format!("{kind} {name} [{unit}] {}", attributes.join(" "));
            assert!(lines.insert(key, value).is_none(), "each point once");
        };
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) if sum.is_monotonic() => {
                for point in sum.data_points() {
                    let value = point.value().to_string();
                    add("counter", words(point.attributes()), value);
                }
            }
            AggregatedMetrics::I64(MetricData::Sum(sum)) if !sum.is_monotonic() => {
                for point in sum.data_points() {
                    let value = point.value().to_string();
                    add("up-down", words(point.attributes()), value);
                }
            }
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                for point in histogram.data_points() {
                    let value = format!("{} samples, {} s", point.count(), point.sum());
                    add("histogram", words(point.attributes()), value);
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
            "counter db.client.connection.acquire_failures [{request}] db.client.connection.pool.name=orders error.type=connect",
            "1",
        ),
        (
            "counter db.client.connection.closed [{connection}] db.client.connection.pool.name=orders reason=discarded",
            "1",
        ),
        (
            "up-down db.client.connection.count [{connection}] db.client.connection.pool.name=orders db.client.connection.state=idle",
            "0",
        ),
        (
            "up-down db.client.connection.count [{connection}] db.client.connection.pool.name=orders db.client.connection.state=used",
            "2",
        ),
        (
            "counter db.client.connection.create_failures [{connection}] class=transient db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "histogram db.client.connection.create_time [s] db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
        (
            "up-down db.client.connection.idle.max [{connection}] db.client.connection.pool.name=orders",
            "2",
        ),
        (
            "up-down db.client.connection.idle.min [{connection}] db.client.connection.pool.name=orders",
            "0",
        ),
        (
            "up-down db.client.connection.max [{connection}] db.client.connection.pool.name=orders",
            "2",
        ),
        (
            "up-down db.client.connection.pending_requests [{request}] db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "counter db.client.connection.timeouts [{timeout}] db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "histogram db.client.connection.use_time [s] db.client.connection.pool.name=orders",
            "1 samples, 3 s",
        ),
        (
            "histogram db.client.connection.wait_time [s] db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(lines, BTreeMap::from(expected));
    drop(kept);
    drop(pool);
    provider.shutdown().expect("it ends");
}

/// One line for each metric since the last call: kind, name, unit, labels, value.
fn facade_lines(snapshotter: &Snapshotter) -> BTreeMap<String, String> {
    let snapshot = snapshotter.snapshot().into_vec().into_iter();
    let lines = snapshot.map(|(key, unit, _, value)| {
        let (_, key) = key.into_parts();
        let labels = key.labels();
        let mut labels: Vec<_> = labels
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        labels.sort();
        let (kind, value) = match value {
            DebugValue::Counter(value) => ("counter", value.to_string()),
            DebugValue::Gauge(value) => ("gauge", value.to_string()),
            DebugValue::Histogram(samples) => {
                let sum: f64 = samples.iter().map(|sample| sample.into_inner()).sum();
                ("histogram", format!("{} samples, {sum} s", samples.len()))
            }
        };
        let unit = unit.map_or("", |unit| unit.as_str());
        let (name, labels) = (key.name(), labels.join(" "));
        (format!("{kind} {name} [{unit}] {labels}"), value)
    });
    lines.collect()
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
        facade_lines(&snapshotter)
    });
    let expected = [
        (
            "counter db.client.connection.acquire_failures [count] db.client.connection.pool.name=orders error.type=connect",
            "1",
        ),
        (
            "counter db.client.connection.closed [count] db.client.connection.pool.name=orders reason=discarded",
            "1",
        ),
        (
            "gauge db.client.connection.count [count] db.client.connection.pool.name=orders db.client.connection.state=idle",
            "0",
        ),
        (
            "gauge db.client.connection.count [count] db.client.connection.pool.name=orders db.client.connection.state=used",
            "2",
        ),
        (
            "counter db.client.connection.create_failures [count] class=transient db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "histogram db.client.connection.create_time [seconds] db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
        (
            "gauge db.client.connection.idle.max [count] db.client.connection.pool.name=orders",
            "2",
        ),
        (
            "gauge db.client.connection.idle.min [count] db.client.connection.pool.name=orders",
            "0",
        ),
        (
            "gauge db.client.connection.max [count] db.client.connection.pool.name=orders",
            "2",
        ),
        (
            "gauge db.client.connection.pending_requests [count] db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "counter db.client.connection.timeouts [count] db.client.connection.pool.name=orders",
            "1",
        ),
        (
            "histogram db.client.connection.use_time [seconds] db.client.connection.pool.name=orders",
            "1 samples, 3 s",
        ),
        (
            "histogram db.client.connection.wait_time [seconds] db.client.connection.pool.name=orders",
            "3 samples, 2 s",
        ),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(lines, BTreeMap::from(expected));
}
