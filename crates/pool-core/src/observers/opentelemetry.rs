//! Events as metrics of OpenTelemetry.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, Meter};

use super::names;
use super::series::{Counts, Pools, SeriesByName};
use crate::event::{Event, ObservedPool, Observer};

/// Keeps the `db.client.connection.*` metrics of the OpenTelemetry semantic conventions for a pool: their names, units and
/// attributes.
///
/// Several pools with names of their own can share one, in an [`Arc`]. Pools of one name have their numbers added up.
/// Counts are read when the metrics are collected, all from one snapshot; counters and times follow
/// the events, without those that are [dropped](Event::Lagged). `docs/observability.md` says what each number means.
///
/// A meter never gives its callbacks back. When a pool is gone, five small ones stay with the meter; they hold the pool's
/// name and report nothing. A program that opens and drops pools for ever should give each a meter provider of its own, and
/// drop that too.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{OpenTelemetryObserver, Pool};
///
/// # futures_lite::future::block_on(async {
/// let meter = opentelemetry::global::meter("orders-service");
/// let pool = Pool::builder(Numbers)
///     .name("orders")
///     .observer(OpenTelemetryObserver::new(&meter))
///     .build()
///     .await?;
/// # drop(pool);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct OpenTelemetryObserver {
    meter: Meter,
    timeouts: Counter<u64>,
    closed: Counter<u64>,
    create_failures: Counter<u64>,
    acquire_failures: Counter<u64>,
    create_time: Histogram<f64>,
    wait_time: Histogram<f64>,
    use_time: Histogram<f64>,
    series: SeriesByName<Registered>,
}

/// What is registered for the pools of one name.
struct Registered {
    /// The attribute of each metric.
    name: [KeyValue; 1],
    /// The callbacks, which the meter keeps for ever, find it as long as one of the pools has this observer.
    _snapshot: Arc<Snapshot>,
}

/// For how long a snapshot serves: the instruments of one collection are read one after the other.
const SNAPSHOT_LIFE: Duration = Duration::from_millis(5);

/// The counts of the pools of one name, taken once for each collection.
struct Snapshot {
    pools: Arc<Pools>,
    last: Mutex<Option<(Instant, Counts)>>,
}

impl Snapshot {
    /// `None`: the pools are gone.
    fn counts(&self) -> Option<Counts> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((at, counts)) = *last {
            if now.saturating_duration_since(at) < SNAPSHOT_LIFE {
                return Some(counts);
            }
        }
        let counts = self.pools.counts()?;
        *last = Some((now, counts));
        Some(counts)
    }
}

impl OpenTelemetryObserver {
    /// Makes one that registers its instruments with this meter.
    pub fn new(meter: &Meter) -> Self {
        // In seconds. The SDK's own boundaries are for milliseconds.
        let boundaries = vec![
            0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0,
        ];
        let seconds = |name: &'static str, description: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(boundaries.clone())
                .build()
        };
        let count = |name: &'static str, unit: &'static str, description: &'static str| {
            meter
                .u64_counter(name)
                .with_unit(unit)
                .with_description(description)
                .build()
        };
        Self {
            timeouts: count(names::TIMEOUTS, "{timeout}", names::OF_TIMEOUTS),
            closed: count(names::CLOSED, "{connection}", names::OF_CLOSED),
            create_failures: count(
                names::CREATE_FAILURES,
                "{connection}",
                names::OF_CREATE_FAILURES,
            ),
            acquire_failures: count(
                names::ACQUIRE_FAILURES,
                "{request}",
                names::OF_ACQUIRE_FAILURES,
            ),
            create_time: seconds(names::CREATE_TIME, names::OF_CREATE_TIME),
            wait_time: seconds(names::WAIT_TIME, names::OF_WAIT_TIME),
            use_time: seconds(names::USE_TIME, names::OF_USE_TIME),
            meter: meter.clone(),
            series: SeriesByName::new(),
        }
    }

    /// Registers a count that is read at each collection.
    fn observe(
        &self,
        (name, unit, description): (&'static str, &'static str, &'static str),
        snapshot: &Arc<Snapshot>,
        read: impl Fn(Counts, &dyn AsyncInstrument<i64>) + Send + Sync + 'static,
    ) {
        let snapshot = Arc::downgrade(snapshot);
        // The meter keeps the callback, and has no way to take it away again.
        let _ = self
            .meter
            .i64_observable_up_down_counter(name)
            .with_unit(unit)
            .with_description(description)
            .with_callback(move |observer| {
                let counts = snapshot.upgrade().and_then(|snapshot| snapshot.counts());
                if let Some(counts) = counts {
                    read(counts, observer);
                }
            })
            .build();
    }

    fn register(&self, name: &Arc<str>, pools: &Arc<Pools>) -> Registered {
        let name = KeyValue::new(names::POOL_NAME, Arc::clone(name));
        let snapshot = Arc::new(Snapshot {
            pools: Arc::clone(pools),
            last: Mutex::new(None),
        });
        let of_pool = name.clone();
        let count = (names::COUNT, "{connection}", names::OF_COUNT);
        self.observe(count, &snapshot, move |counts, observer| {
            let states = [("idle", counts.idle), ("used", counts.used)];
            for (state, number) in states {
                let attributes = [of_pool.clone(), KeyValue::new(names::STATE, state)];
                observer.observe(as_i64(number), &attributes);
            }
        });
        type Read = fn(Counts) -> usize;
        let connection = "{connection}";
        let counts: [((_, _, _), Read); 4] = [
            ((names::MAX, connection, names::OF_MAX), |counts| counts.max),
            (
                (names::IDLE_MAX, connection, names::OF_IDLE_MAX),
                |counts| counts.idle_max,
            ),
            (
                (names::IDLE_MIN, connection, names::OF_IDLE_MIN),
                |counts| counts.idle_min,
            ),
            (
                (names::PENDING_REQUESTS, "{request}", names::OF_PENDING),
                |counts| counts.pending,
            ),
        ];
        for (instrument, read) in counts {
            let of_pool = [name.clone()];
            self.observe(instrument, &snapshot, move |counts, observer| {
                observer.observe(as_i64(read(counts)), &of_pool);
            });
        }
        // A rate needs the zero before the first one.
        self.timeouts.add(0, std::slice::from_ref(&name));
        Registered {
            name: [name],
            _snapshot: snapshot,
        }
    }
}

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Observer for OpenTelemetryObserver {
    fn on_build(&self, pool: &ObservedPool) {
        self.series
            .add(pool, |name, pools| self.register(name, pools));
    }

    fn on_event(&self, event: &Event<'_>) {
        let Some(registered) = self.series.of(event.pool()) else {
            return;
        };
        let of_pool = &registered.name;
        let with = |key: &'static str, value: &'static str| {
            let [name] = of_pool;
            [name.clone(), KeyValue::new(key, value)]
        };
        match event {
            Event::Connected { took, .. } => self.create_time.record(took.as_secs_f64(), of_pool),
            Event::Acquired { waited, .. } => self.wait_time.record(waited.as_secs_f64(), of_pool),
            Event::Released { held, .. } | Event::Detached { held, .. } => {
                self.use_time.record(held.as_secs_f64(), of_pool);
            }
            Event::TimedOut { .. } => self.timeouts.add(1, of_pool),
            Event::ConnectFailed { class, .. } => {
                let attributes = with(names::CLASS, class.as_str());
                self.create_failures.add(1, &attributes);
            }
            Event::AcquireFailed { reason, .. } | Event::Rejected { reason, .. } => {
                let attributes = with(names::ERROR_TYPE, reason.as_str());
                self.acquire_failures.add(1, &attributes);
            }
            Event::Closed { reason, .. } => {
                let attributes = with(names::REASON, reason.as_str());
                self.closed.add(1, &attributes);
            }
            _ => {}
        }
    }
}
