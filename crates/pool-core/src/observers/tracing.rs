//! Events as events of `tracing`.

use std::time::Duration;

use tracing::{debug, info, warn};

use crate::borrowed::PlaceAndLabel;
use crate::error::FailureReason;
use crate::event::{CloseReason, Event, Observer};
use crate::words::OneLine;

/// Passes the events of a pool on as events of `tracing`, with the target `pool_core`.
///
/// The message is the event's sentence. What is in it is in fields, too: `pool.name`, `connection`, `waiter`, `place`,
/// `label`, `reason`, `class`, `phase`, `status`, `max_waiters`, `held`, `from`, `to`, `missed`, `error`, and times in
/// milliseconds (`took_ms`, `waited_ms`, `held_ms`, `retry_after_ms`, `open_for_ms`, `target_ms`). An error of several
/// lines is told in one; only a time-out of an acquire keeps its second line.
///
/// | level | events |
/// |---|---|
/// | WARN | [`ConnectFailed`], [`RecycleFailed`], [`TimedOut`], [`SlowAcquire`], [`LeakSuspected`], [`BreakerOpened`], [`Lagged`]; [`Rejected`], unless the pool is closed; [`AcquireFailed`] after a panic or without a timer; [`Closed`] if somebody panicked, an interceptor refused the connection, or the close itself failed |
/// | INFO | [`CheckFailed`], [`LeakResolved`], [`BreakerClosed`], [`PoolSuspended`], [`PoolResumed`], [`Resized`], [`PoolClosed`]; [`Closed`] as broken or abandoned |
/// | DEBUG | all others |
///
/// [`ConnectFailed`]: Event::ConnectFailed
/// [`RecycleFailed`]: Event::RecycleFailed
/// [`TimedOut`]: Event::TimedOut
/// [`SlowAcquire`]: Event::SlowAcquire
/// [`LeakSuspected`]: Event::LeakSuspected
/// [`BreakerOpened`]: Event::BreakerOpened
/// [`Lagged`]: Event::Lagged
/// [`Rejected`]: Event::Rejected
/// [`AcquireFailed`]: Event::AcquireFailed
/// [`Closed`]: Event::Closed
/// [`CheckFailed`]: Event::CheckFailed
/// [`LeakResolved`]: Event::LeakResolved
/// [`BreakerClosed`]: Event::BreakerClosed
/// [`PoolSuspended`]: Event::PoolSuspended
/// [`PoolResumed`]: Event::PoolResumed
/// [`Resized`]: Event::Resized
/// [`PoolClosed`]: Event::PoolClosed
///
/// The spans `pool.acquire`, `pool.connect`, `pool.check`, `pool.recycle` and `pool.close` do not come from this observer:
/// the feature `tracing` is enough for them.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{Pool, TracingObserver};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).name("orders").observer(TracingObserver::new()).build().await?;
/// # drop(pool);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TracingObserver;

impl TracingObserver {
    /// Makes one. It has no settings: which events are kept is for the subscriber to say.
    pub fn new() -> Self {
        Self
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Observer for TracingObserver {
    fn on_event(&self, event: &Event<'_>) {
        let pool = event.pool();
        macro_rules! emit {
            ($level:ident $(, $($fields:tt)+)?) => {
                $level!(target: "pool_core", { pool.name = pool, $($($fields)+)? }, "{event}")
            };
        }
        match *event {
            Event::ConnectStarted { connection, .. } => emit!(debug, connection),
            Event::Connected {
                connection, took, ..
            }
            | Event::Checked {
                connection, took, ..
            }
            | Event::Recycled {
                connection, took, ..
            } => emit!(debug, connection, took_ms = millis(took)),
            Event::ConnectFailed {
                connection,
                took,
                error,
                class,
                ..
            } => emit!(
                warn,
                connection,
                took_ms = millis(took),
                class = class.as_str(),
                error = %OneLine(error)
            ),
            Event::ConnectCancelled {
                connection, reason, ..
            } => emit!(debug, connection, reason = reason.as_str()),
            Event::CheckFailed {
                connection,
                took,
                error,
                ..
            } => emit!(info, connection, took_ms = millis(took), error = %OneLine(error)),
            Event::RecycleFailed {
                connection,
                took,
                error,
                ..
            } => emit!(warn, connection, took_ms = millis(took), error = %OneLine(error)),
            Event::Waiting { waiter, .. } => emit!(debug, waiter),
            Event::Acquired {
                connection,
                waiter,
                waited,
                place,
                label,
                ..
            } => emit!(
                debug,
                connection,
                waiter,
                waited_ms = millis(waited),
                place = %PlaceAndLabel { place, label: None },
                label
            ),
            Event::AcquireFailed {
                waiter,
                waited,
                reason: reason @ (FailureReason::Panicked | FailureReason::Config),
                error,
                ..
            } => emit!(
                warn,
                waiter,
                waited_ms = millis(waited),
                reason = reason.as_str(),
                error = %OneLine(error)
            ),
            Event::AcquireFailed {
                waiter,
                waited,
                reason,
                error,
                ..
            } => emit!(
                debug,
                waiter,
                waited_ms = millis(waited),
                reason = reason.as_str(),
                error = %OneLine(error)
            ),
            Event::Rejected {
                place,
                label,
                reason: reason @ FailureReason::Closed,
                status,
                error,
                ..
            } => emit!(
                debug,
                place = %PlaceAndLabel { place, label: None },
                label,
                reason = reason.as_str(),
                %status,
                error = %OneLine(error)
            ),
            Event::Rejected {
                place,
                label,
                reason,
                status,
                max_waiters,
                target,
                error,
                ..
            } => emit!(
                warn,
                place = %PlaceAndLabel { place, label: None },
                label,
                reason = reason.as_str(),
                %status,
                max_waiters,
                target_ms = target.map(millis),
                error = %OneLine(error)
            ),
            Event::TimedOut {
                waiter,
                waited,
                phase,
                place,
                label,
                error,
                ..
            } => emit!(
                warn,
                waiter,
                waited_ms = millis(waited),
                %phase,
                place = %PlaceAndLabel { place, label: None },
                label,
                %error
            ),
            Event::Cancelled { waiter, waited, .. } => {
                emit!(debug, waiter, waited_ms = millis(waited));
            }
            Event::SlowAcquire {
                waiter,
                waited,
                phase,
                status,
                place,
                label,
                ..
            } => emit!(
                warn,
                waiter,
                waited_ms = millis(waited),
                %phase,
                %status,
                place = %PlaceAndLabel { place, label: None },
                label
            ),
            Event::Released {
                connection, held, ..
            }
            | Event::Detached {
                connection, held, ..
            } => emit!(debug, connection, held_ms = millis(held)),
            Event::LeakSuspected {
                connection,
                held,
                place,
                label,
                ..
            } => emit!(
                warn,
                connection,
                held_ms = millis(held),
                place = %PlaceAndLabel { place, label: None },
                label
            ),
            Event::LeakResolved {
                connection,
                held,
                place,
                label,
                ..
            } => emit!(
                info,
                connection,
                held_ms = millis(held),
                place = %PlaceAndLabel { place, label: None },
                label
            ),
            Event::Closed {
                connection,
                reason: reason @ (CloseReason::HolderPanicked | CloseReason::ManagerPanicked),
                error: None,
                ..
            } => emit!(warn, connection, reason = reason.as_str()),
            Event::Closed {
                connection,
                reason: reason @ (CloseReason::Broken(_) | CloseReason::Abandoned),
                error: None,
                ..
            } => emit!(info, connection, reason = reason.as_str()),
            Event::Closed {
                connection,
                reason,
                error: None,
                ..
            } => emit!(debug, connection, reason = reason.as_str()),
            Event::Closed {
                connection,
                reason,
                error: Some(error),
                ..
            } => emit!(warn, connection, reason = reason.as_str(), error = %OneLine(error)),
            Event::BreakerOpened {
                class,
                error,
                retry_after,
                ..
            } => emit!(
                warn,
                class = class.as_str(),
                retry_after_ms = millis(retry_after),
                error = %OneLine(error)
            ),
            Event::BreakerClosed { open_for, .. } => emit!(info, open_for_ms = millis(open_for)),
            Event::PoolClosing { status, .. } => emit!(debug, %status),
            Event::PoolTerminated { held, .. } => emit!(debug, held),
            Event::PoolSuspended { status, .. } | Event::PoolResumed { status, .. } => {
                emit!(info, %status);
            }
            Event::Resized { from, to, .. } => emit!(info, from, to),
            Event::Added { connection, .. } => emit!(debug, connection),
            Event::PoolClosed { .. } => emit!(info),
            Event::SpawnFailed { .. } => emit!(debug),
            Event::Lagged { missed, .. } => emit!(warn, missed),
        }
    }
}
