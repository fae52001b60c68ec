//! Observers that pass a pool's events on to the libraries in which operators look.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod series;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
#[cfg(feature = "opentelemetry")]
pub use self::opentelemetry::OpenTelemetryObserver;
#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;

/// The names of the OpenTelemetry semantic conventions for database clients, which both metrics observers use.
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod names {
    pub(super) const COUNT: &str = "db.client.connection.count";
    pub(super) const IDLE_MAX: &str = "db.client.connection.idle.max";
    pub(super) const IDLE_MIN: &str = "db.client.connection.idle.min";
    pub(super) const MAX: &str = "db.client.connection.max";
    pub(super) const PENDING_REQUESTS: &str = "db.client.connection.pending_requests";
    pub(super) const TIMEOUTS: &str = "db.client.connection.timeouts";
    pub(super) const CREATE_TIME: &str = "db.client.connection.create_time";
    pub(super) const WAIT_TIME: &str = "db.client.connection.wait_time";
    pub(super) const USE_TIME: &str = "db.client.connection.use_time";
    /// Not one of the conventions, which have none for it: connections that were closed, by reason.
    pub(super) const CLOSED: &str = "db.client.connection.closed";
    /// Not one of the conventions: connects that failed, by class.
    pub(super) const CREATE_FAILURES: &str = "db.client.connection.create_failures";
    /// Not one of the conventions: acquires that failed, by reason.
    pub(super) const ACQUIRE_FAILURES: &str = "db.client.connection.acquire_failures";

    pub(super) const POOL_NAME: &str = "db.client.connection.pool.name";
    pub(super) const STATE: &str = "db.client.connection.state";
    pub(super) const REASON: &str = "reason";
    pub(super) const CLASS: &str = "class";
    pub(super) const ERROR_TYPE: &str = "error.type";

    pub(super) const OF_COUNT: &str = "Connections that are open, by state.";
    pub(super) const OF_IDLE_MAX: &str = "The largest number of idle connections.";
    pub(super) const OF_IDLE_MIN: &str = "The number of connections that the pool keeps open.";
    pub(super) const OF_MAX: &str = "The largest number of connections.";
    pub(super) const OF_PENDING: &str = "Acquires that wait for a connection.";
    pub(super) const OF_TIMEOUTS: &str = "Acquires that ran into their time-out.";
    pub(super) const OF_CREATE_TIME: &str = "The time to open a connection.";
    pub(super) const OF_WAIT_TIME: &str = "The time to obtain a connection from the pool.";
    pub(super) const OF_USE_TIME: &str = "The time between an acquire and the return.";
    pub(super) const OF_CLOSED: &str = "Connections that were closed, by reason.";
    pub(super) const OF_CREATE_FAILURES: &str = "Connects that failed, by class.";
    pub(super) const OF_ACQUIRE_FAILURES: &str =
        "Acquires that failed, and not by their time-out, by reason.";
}
