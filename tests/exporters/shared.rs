//! One observer for several pools, and what the gauges show after the pool or its settings have changed.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::thread;

use metrics_util::debugging::DebuggingRecorder;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use pool_core::{MetricsObserver, Observer, OpenTelemetryObserver};
use support::invariants::acquire_now;
use support::{FakePool, Probe, Stage};

use super::{SECOND, facade_lines, lines};

type Lines = BTreeMap<String, String>;

/// A pool of this name that has the observer, and whose acquires wait for a second at most.
fn pool(stage: &Stage, name: &str, maxsize: usize, observer: impl Observer) -> FakePool {
    let (builder, _) = stage.pool(maxsize);
    let builder = builder.name(name).acquire_timeout(SECOND);
    builder.observer(observer).build_lazy().unwrap()
}

/// An acquire runs into its time-out.
fn times_out(stage: &Stage, pool: &FakePool) {
    let mut late = Probe::pending(pool.acquire());
    stage.advance(SECOND);
    assert!(late.poll_until_stalled(stage));
    assert!(late.take().is_err());
}

/// What a metric says of this pool.
fn number(lines: &Lines, metric: &str, of: &str) -> f64 {
    let metric = format!(" db.client.connection.{metric} ");
    let of = format!("db.client.connection.pool.name={of}");
    let mut keys = lines
        .iter()
        .filter(|(key, _)| key.contains(&metric) && key.ends_with(&of));
    let value = keys.next().map(|(_, value)| value);
    let value = value.unwrap_or_else(|| panic!("{metric} of {of} is not there"));
    assert!(keys.next().is_none(), "{metric} of {of} is there twice");
    value.parse().expect("a number")
}

/// The numbers of connections in use, by the pools' names.
fn used(lines: &Lines) -> Vec<(&str, &str)> {
    let used = lines.iter().filter_map(|(key, value)| {
        let (_, attributes) = key.split_once("pool.name=")?;
        let name = attributes.strip_suffix(" db.client.connection.state=used")?;
        Some((name, value.as_str()))
    });
    used.collect()
}

/// Pool "a" has two places and "b" has one; only "b" has a time-out. Then there is a second pool "b".
fn several_pools(observer: &Arc<impl Observer + Debug>, show: impl Fn() -> Lines) {
    let stage = &Stage::spawning();
    let a = pool(stage, "a", 2, Arc::clone(observer));
    let b = pool(stage, "b", 1, Arc::clone(observer));
    let held = (acquire_now(stage, &a), acquire_now(stage, &b));
    times_out(stage, &b);
    let seen = show();
    assert_eq!(number(&seen, "timeouts", "a"), 0.0);
    assert_eq!(number(&seen, "timeouts", "b"), 1.0);
    assert_eq!(number(&seen, "max", "a"), 2.0);
    assert_eq!(number(&seen, "max", "b"), 1.0);
    assert_eq!(used(&seen), [("a", "1"), ("b", "1")]);

    let second = pool(stage, "b", 3, Arc::clone(observer));
    let more = [acquire_now(stage, &second), acquire_now(stage, &second)];
    // In real time: the counts of a collection are those of a few milliseconds.
    thread::sleep(SECOND / 100);
    let seen = show();
    assert_eq!(number(&seen, "max", "b"), 4.0, "their numbers are added up");
    assert!(used(&seen).contains(&("b", "3")), "{seen:?}");

    drop((held, more, a, second));
    stage.settle();
    let _c = pool(stage, "c", 1, Arc::clone(observer));
    let names = format!("{observer:?}");
    let has = |name: &str| names.contains(&format!("{name:?}"));
    assert!(
        !has("a") && has("b") && has("c"),
        "what is gone is kept: {names}"
    );
    drop(b);
}

/// The gauges follow the pool, and the settings that it has by then.
fn follows(observer: Arc<dyn Observer>, show: impl Fn() -> Lines) {
    let stage = &Stage::spawning();
    let pool = pool(stage, "a", 1, observer);
    let held = acquire_now(stage, &pool);
    let waits = Probe::pending(pool.acquire());
    let seen = show();
    let bounds = |seen: &Lines| ["max", "idle.max", "idle.min"].map(|name| number(seen, name, "a"));
    assert_eq!(bounds(&seen), [1.0, 1.0, 0.0]);
    assert_eq!(number(&seen, "pending_requests", "a"), 1.0);
    assert_eq!(used(&seen), [("a", "1")]);
    drop(waits);
    drop(held);
    stage.settle();
    pool.reconfigure(|knobs| {
        knobs.minsize(1);
        knobs.maxsize(5);
    })
    .unwrap();
    thread::sleep(SECOND / 100);
    let seen = show();
    assert_eq!(bounds(&seen), [5.0, 5.0, 1.0]);
    assert_eq!(number(&seen, "pending_requests", "a"), 0.0);
    assert_eq!(used(&seen), [("a", "0")]);
}

/// Runs a test with the two observers.
fn facade(test: impl Fn(&Arc<MetricsObserver>, &dyn Fn() -> Lines)) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        test(&Arc::default(), &|| facade_lines(&snapshotter));
    });
}

fn opentelemetry(test: impl Fn(&Arc<OpenTelemetryObserver>, &dyn Fn() -> Lines)) {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let observer = OpenTelemetryObserver::new(&provider.meter("test"));
    test(&Arc::new(observer), &|| {
        provider.force_flush().expect("the metrics are exported");
        lines(&exporter.get_finished_metrics().expect("they are in memory"))
    });
    provider.shutdown().expect("it ends");
}

#[test]
fn pools_that_share_an_observer_have_numbers_of_their_own_by_their_names() {
    facade(|observer, show| several_pools(observer, show));
    opentelemetry(|observer, show| several_pools(observer, show));
}

#[test]
fn a_later_collection_shows_the_pool_and_its_settings_as_they_are_by_then() {
    facade(|observer, show| follows(observer.clone(), show));
    opentelemetry(|observer, show| follows(observer.clone(), show));
}
