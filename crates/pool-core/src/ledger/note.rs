//! What the observers are told of: notes of what has happened, which own what they tell.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::Kind;
use crate::error::{FailureReason, Phase};
use crate::event::{CloseReason, Event};
use crate::{ErrorClass, Status};

/// An error that is told to observers.
pub(crate) type SharedError = Arc<dyn StdError + Send + Sync>;

/// What the future of a step tells of itself, beside its outcome.
pub(crate) struct StepReport {
    /// `None`: it was not measured.
    pub(crate) took: Option<Duration>,
    /// Why it failed.
    pub(crate) error: Option<SharedError>,
    /// What kind of failure that is, of a connect.
    pub(crate) class: ErrorClass,
    /// The manager was called. Otherwise there is nothing to tell of the step itself.
    pub(crate) is_of_manager: bool,
    /// Why interceptors have refused the connection.
    pub(crate) refusal: Option<SharedError>,
}

impl StepReport {
    /// Of a step that was done, or that has nothing to tell.
    pub(crate) fn of_success(took: Option<Duration>) -> Self {
        Self {
            took,
            error: None,
            class: ErrorClass::Transient,
            is_of_manager: true,
            refusal: None,
        }
    }
}

/// Something that has happened: an [`Event`] that owns what it tells.
pub(crate) enum Note {
    ConnectStarted(u64),
    /// A connect, check or recycle has ended.
    StepEnded(Kind, u64, StepReport),
    ConnectCancelled(u64, CloseReason),
    Waiting(u64),
    Acquired {
        connection: u64,
        waiter: Option<u64>,
        waited: Duration,
        place: &'static Location<'static>,
        label: Option<Cow<'static, str>>,
    },
    AcquireFailed(u64, Duration, FailureReason, SharedError),
    TimedOut {
        waiter: u64,
        waited: Duration,
        phase: Phase,
        status: Status,
        place: &'static Location<'static>,
        label: Option<Cow<'static, str>>,
        error: SharedError,
    },
    Rejected {
        place: &'static Location<'static>,
        label: Option<Cow<'static, str>>,
        reason: FailureReason,
        status: Status,
        max_waiters: Option<usize>,
        target: Option<Duration>,
        error: SharedError,
    },
    Cancelled(u64, Duration),
    SlowAcquire {
        waiter: u64,
        waited: Duration,
        phase: Phase,
        status: Status,
        place: &'static Location<'static>,
        label: Option<Cow<'static, str>>,
    },
    Released(u64, Duration),
    Detached(u64, Duration),
    Leak {
        connection: u64,
        held: Duration,
        place: &'static Location<'static>,
        label: Option<Cow<'static, str>>,
        is_resolved: bool,
    },
    Closed(u64, CloseReason, Option<SharedError>),
    PoolClosing(Status),
    PoolTerminated(usize),
    PoolClosed,
    PoolSuspended(Status),
    PoolResumed(Status),
    Resized(usize, usize),
    Added(u64),
    SpawnFailed,
    /// So many notes found no room here.
    Lagged(u64),
    BreakerOpened(ErrorClass, SharedError, Duration),
    BreakerClosed(Duration),
}

impl Note {
    /// Whether it may be the only owner of an error.
    pub(super) fn has_error(&self) -> bool {
        match self {
            Self::StepEnded(_, _, report) => report.error.is_some(),
            Self::Closed(_, _, error) => error.is_some(),
            _ => false,
        }
    }

    /// What the observers are told.
    pub(crate) fn event<'a>(&'a self, pool: &'a str) -> Event<'a> {
        match self {
            Self::ConnectStarted(connection) => Event::ConnectStarted {
                pool,
                connection: *connection,
            },
            Self::StepEnded(kind, connection, report) => report.event(*kind, pool, *connection),
            Self::ConnectCancelled(connection, reason) => Event::ConnectCancelled {
                pool,
                connection: *connection,
                reason,
            },
            Self::Waiting(waiter) => Event::Waiting {
                pool,
                waiter: *waiter,
            },
            Self::Acquired {
                connection,
                waiter,
                waited,
                place,
                label,
            } => Event::Acquired {
                pool,
                connection: *connection,
                waiter: *waiter,
                waited: *waited,
                place,
                label: label.as_deref(),
            },
            Self::AcquireFailed(waiter, waited, reason, error) => Event::AcquireFailed {
                pool,
                waiter: *waiter,
                waited: *waited,
                reason: *reason,
                error: &**error,
            },
            Self::TimedOut {
                waiter,
                waited,
                phase,
                status,
                place,
                label,
                error,
            } => Event::TimedOut {
                pool,
                waiter: *waiter,
                waited: *waited,
                phase: *phase,
                status: *status,
                place,
                label: label.as_deref(),
                error: &**error,
            },
            Self::Rejected {
                place,
                label,
                reason,
                status,
                max_waiters,
                target,
                error,
            } => Event::Rejected {
                pool,
                place,
                label: label.as_deref(),
                reason: *reason,
                status: *status,
                max_waiters: *max_waiters,
                target: *target,
                error: &**error,
            },
            Self::Cancelled(waiter, waited) => Event::Cancelled {
                pool,
                waiter: *waiter,
                waited: *waited,
            },
            Self::SlowAcquire {
                waiter,
                waited,
                phase,
                status,
                place,
                label,
            } => Event::SlowAcquire {
                pool,
                waiter: *waiter,
                waited: *waited,
                phase: *phase,
                status: *status,
                place,
                label: label.as_deref(),
            },
            Self::Released(connection, held) => Event::Released {
                pool,
                connection: *connection,
                held: *held,
            },
            Self::Detached(connection, held) => Event::Detached {
                pool,
                connection: *connection,
                held: *held,
            },
            Self::Leak {
                connection,
                held,
                place,
                label,
                is_resolved,
            } => {
                let (connection, held) = (*connection, *held);
                let label = label.as_deref();
                match is_resolved {
                    false => Event::LeakSuspected {
                        pool,
                        connection,
                        held,
                        place,
                        label,
                    },
                    true => Event::LeakResolved {
                        pool,
                        connection,
                        held,
                        place,
                        label,
                    },
                }
            }
            Self::Closed(connection, reason, error) => Event::Closed {
                pool,
                connection: *connection,
                reason,
                error: error.as_deref().map(|error| error as _),
            },
            Self::PoolClosing(status) => Event::PoolClosing {
                pool,
                status: *status,
            },
            Self::PoolTerminated(held) => Event::PoolTerminated { pool, held: *held },
            Self::PoolClosed => Event::PoolClosed { pool },
            Self::PoolSuspended(status) => Event::PoolSuspended {
                pool,
                status: *status,
            },
            Self::PoolResumed(status) => Event::PoolResumed {
                pool,
                status: *status,
            },
            Self::Resized(from, to) => Event::Resized {
                pool,
                from: *from,
                to: *to,
            },
            Self::Added(connection) => Event::Added {
                pool,
                connection: *connection,
            },
            Self::SpawnFailed => Event::SpawnFailed { pool },
            Self::Lagged(missed) => Event::Lagged {
                pool,
                missed: *missed,
            },
            Self::BreakerOpened(class, error, retry_after) => Event::BreakerOpened {
                pool,
                class: *class,
                error: &**error,
                retry_after: *retry_after,
            },
            Self::BreakerClosed(open_for) => Event::BreakerClosed {
                pool,
                open_for: *open_for,
            },
        }
    }
}

impl StepReport {
    fn event<'a>(&'a self, kind: Kind, pool: &'a str, connection: u64) -> Event<'a> {
        let took = self.took.unwrap_or_default();
        match (kind, self.error.as_deref()) {
            (Kind::Connect, None) => Event::Connected {
                pool,
                connection,
                took,
            },
            (Kind::Connect, Some(error)) => Event::ConnectFailed {
                pool,
                connection,
                took,
                error,
                class: self.class,
            },
            (Kind::Check, None) => Event::Checked {
                pool,
                connection,
                took,
            },
            (Kind::Check, Some(error)) => Event::CheckFailed {
                pool,
                connection,
                took,
                error,
            },
            (_, None) => Event::Recycled {
                pool,
                connection,
                took,
            },
            (_, Some(error)) => Event::RecycleFailed {
                pool,
                connection,
                took,
                error,
            },
        }
    }
}
