//! Events as metrics of the `metrics` facade.

use std::sync::{Arc, OnceLock};

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use super::names;
use crate::Status;
use crate::event::{Event, ObservedPool, Observer};

/// Keeps metrics of a pool by the `metrics` facade, under the names of the OpenTelemetry conventions
/// (`db.client.connection.count`, `.wait_time` in seconds, …).
///
/// Use one for each pool. The names and labels are registered with the recorder that is installed when the pool is built.
/// `docs/observability.md` says what each number means.
///
/// Its three gauges are set after each event, because the facade asks nobody when it collects: each event takes the pool's
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
#[derive(Debug, Default)]
pub struct MetricsObserver {
    registered: OnceLock<Registered>,
}

/// What is registered with the recorder.
struct Registered {
    pool: ObservedPool,
    name: Arc<str>,
    idle: Gauge,
    used: Gauge,
    pending: Gauge,
    timeouts: Counter,
    create_time: Histogram,
    wait_time: Histogram,
    use_time: Histogram,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl MetricsObserver {
    /// Makes one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Registered {
    fn new(pool: &ObservedPool) -> Self {
        describe();
        let name: Arc<str> = Arc::from(pool.name());
        let of_state = |state: &'static str| gauge!(names::COUNT, names::POOL_NAME => Arc::clone(&name), names::STATE => state);
        if let Some(status) = pool.status() {
            let bounds = [
                (names::MAX, status.maxsize()),
                (names::IDLE_MAX, status.maxsize()),
                (names::IDLE_MIN, status.minsize()),
            ];
            for (bound, value) in bounds {
                gauge!(bound, names::POOL_NAME => Arc::clone(&name)).set(value as f64);
            }
        }
        Self {
            pool: pool.clone(),
            idle: of_state("idle"),
            used: of_state("used"),
            pending: gauge!(names::PENDING_REQUESTS, names::POOL_NAME => Arc::clone(&name)),
            timeouts: counter!(names::TIMEOUTS, names::POOL_NAME => Arc::clone(&name)),
            create_time: histogram!(names::CREATE_TIME, names::POOL_NAME => Arc::clone(&name)),
            wait_time: histogram!(names::WAIT_TIME, names::POOL_NAME => Arc::clone(&name)),
            use_time: histogram!(names::USE_TIME, names::POOL_NAME => Arc::clone(&name)),
            name,
        }
    }

    fn set_gauges(&self, status: Status) {
        self.idle.set(status.freesize() as f64);
        self.used.set(status.used() as f64);
        self.pending.set(status.waiting() as f64);
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
    describe_histogram!(names::CREATE_TIME, Unit::Seconds, names::OF_CREATE_TIME);
    describe_histogram!(names::WAIT_TIME, Unit::Seconds, names::OF_WAIT_TIME);
    describe_histogram!(names::USE_TIME, Unit::Seconds, names::OF_USE_TIME);
}

impl Observer for MetricsObserver {
    fn on_build(&self, pool: &ObservedPool) {
        self.registered.get_or_init(|| Registered::new(pool));
    }

    fn on_event(&self, event: &Event<'_>) {
        let Some(registered) = self.registered.get() else {
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
            Event::Closed { reason, .. } => counter!(
                names::CLOSED,
                names::POOL_NAME => Arc::clone(&registered.name),
                names::REASON => reason.as_str()
            )
            .increment(1),
            _ => {}
        }
        if let Some(status) = registered.pool.status() {
            registered.set_gauges(status);
        }
    }
}
