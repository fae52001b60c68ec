//! Events as metrics of the `metrics` facade.

use std::sync::Arc;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use super::names;
use super::series::{Pools, SeriesByName};
use crate::event::{Event, ObservedPool, Observer};

/// Keeps metrics of a pool by the `metrics` facade, under the names of the OpenTelemetry conventions
/// (`db.client.connection.count`, `.wait_time` in seconds, …).
///
/// Several pools with names of their own can share one, in an [`Arc`]. Pools of one name have their numbers added up. The
/// names and labels are registered with the recorder that is installed when the first pool of a name is built.
/// `docs/observability.md` says what each number means.
///
/// Its gauges are set after each event, because the facade asks nobody when it collects: each event takes the pool's
/// lock once more to read the counts, which are those of that moment, not of the event. Where that is too much,
/// `OpenTelemetryObserver` (feature `opentelemetry`) reads the counts once for each collection. Counters and times follow the
/// events, without those that are [dropped](Event::Lagged).
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{MetricsObserver, Pool};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).name("orders").observer(MetricsObserver::new()).build().await?;
/// # drop(pool);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct MetricsObserver {
    series: SeriesByName<Registered>,
}

/// What is registered with the recorder for the pools of one name.
struct Registered {
    pools: Arc<Pools>,
    name: Arc<str>,
    idle: Gauge,
    used: Gauge,
    pending: Gauge,
    max: Gauge,
    idle_max: Gauge,
    idle_min: Gauge,
    timeouts: Counter,
    create_time: Histogram,
    wait_time: Histogram,
    use_time: Histogram,
}

impl MetricsObserver {
    /// Makes one.
    pub fn new() -> Self {
        Self {
            series: SeriesByName::new(),
        }
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl Registered {
    fn new(name: &Arc<str>, pools: &Arc<Pools>) -> Self {
        describe();
        let of_state = |state: &'static str| gauge!(names::COUNT, names::POOL_NAME => Arc::clone(name), names::STATE => state);
        let gauge = |metric: &'static str| gauge!(metric, names::POOL_NAME => Arc::clone(name));
        Self {
            pools: Arc::clone(pools),
            idle: of_state("idle"),
            used: of_state("used"),
            pending: gauge(names::PENDING_REQUESTS),
            max: gauge(names::MAX),
            idle_max: gauge(names::IDLE_MAX),
            idle_min: gauge(names::IDLE_MIN),
            timeouts: counter!(names::TIMEOUTS, names::POOL_NAME => Arc::clone(name)),
            create_time: histogram!(names::CREATE_TIME, names::POOL_NAME => Arc::clone(name)),
            wait_time: histogram!(names::WAIT_TIME, names::POOL_NAME => Arc::clone(name)),
            use_time: histogram!(names::USE_TIME, names::POOL_NAME => Arc::clone(name)),
            name: Arc::clone(name),
        }
    }

    fn set_gauges(&self) {
        let Some(counts) = self.pools.counts() else {
            return;
        };
        let gauges = [
            (&self.idle, counts.idle),
            (&self.used, counts.used),
            (&self.pending, counts.pending),
            (&self.max, counts.max),
            (&self.idle_max, counts.idle_max),
            (&self.idle_min, counts.idle_min),
        ];
        for (gauge, count) in gauges {
            gauge.set(count as f64);
        }
    }
}

fn describe() {
    describe_gauge!(names::COUNT, Unit::Count, names::OF_COUNT);
    describe_gauge!(names::IDLE_MAX, Unit::Count, names::OF_IDLE_MAX);
    describe_gauge!(names::IDLE_MIN, Unit::Count, names::OF_IDLE_MIN);
    describe_gauge!(names::MAX, Unit::Count, names::OF_MAX);
    describe_gauge!(names::PENDING_REQUESTS, Unit::Count, names::OF_PENDING);
    describe_counter!(names::TIMEOUTS, Unit::Count, names::OF_TIMEOUTS);
    describe_counter!(names::CLOSED, Unit::Count, names::OF_CLOSED);
    describe_counter!(
        names::CREATE_FAILURES,
        Unit::Count,
        names::OF_CREATE_FAILURES
    );
    describe_counter!(
        names::ACQUIRE_FAILURES,
        Unit::Count,
        names::OF_ACQUIRE_FAILURES
    );
    describe_histogram!(names::CREATE_TIME, Unit::Seconds, names::OF_CREATE_TIME);
    describe_histogram!(names::WAIT_TIME, Unit::Seconds, names::OF_WAIT_TIME);
    describe_histogram!(names::USE_TIME, Unit::Seconds, names::OF_USE_TIME);
}

impl Observer for MetricsObserver {
    fn on_build(&self, pool: &ObservedPool) {
        self.series.add(pool, Registered::new);
        if let Some(registered) = self.series.of(pool.name()) {
            registered.set_gauges();
        }
    }

    fn on_event(&self, event: &Event<'_>) {
        let Some(registered) = self.series.of(event.pool()) else {
            return;
        };
        match event {
            Event::Connected { took, .. } => registered.create_time.record(*took),
            Event::Acquired { waited, .. } => registered.wait_time.record(*waited),
            Event::Released { held, .. } | Event::Detached { held, .. } => {
                registered.use_time.record(*held);
            }
            Event::TimedOut { .. } => registered.timeouts.increment(1),
            Event::ConnectFailed { class, .. } => counter!(
                names::CREATE_FAILURES,
                names::POOL_NAME => Arc::clone(&registered.name),
                names::CLASS => class.as_str()
            )
            .increment(1),
            Event::AcquireFailed { reason, .. } | Event::Rejected { reason, .. } => counter!(
                names::ACQUIRE_FAILURES,
                names::POOL_NAME => Arc::clone(&registered.name),
                names::ERROR_TYPE => reason.as_str()
            )
            .increment(1),
            Event::Closed { reason, .. } => counter!(
                names::CLOSED,
                names::POOL_NAME => Arc::clone(&registered.name),
                names::REASON => reason.as_str()
            )
            .increment(1),
            _ => {}
        }
        registered.set_gauges();
    }
}
