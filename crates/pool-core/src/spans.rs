//! The spans of the feature `tracing`: one around each acquire, connect, check, recycle and close.
//!
//! They are on the level DEBUG and have the target `pool_core`. The span of a step is a child of the span in which the step
//! was polled first; a step may be polled by another task afterwards.

use std::future::Future;

#[cfg(feature = "tracing")]
use tracing::{Instrument as _, Span, debug_span, field};

use crate::error::Phase;

/// The span of an acquire, from its first poll on.
#[cfg(feature = "tracing")]
pub(crate) fn of_acquire(pool: &str) -> Span {
    debug_span!(
        target: "pool_core",
        "pool.acquire",
        pool.name = pool,
        connection = field::Empty
    )
}

/// Runs a step inside of its span.
#[cfg(feature = "tracing")]
pub(crate) fn within<F: Future>(
    step: Phase,
    pool: &str,
    connection: u64,
    future: F,
) -> impl Future<Output = F::Output> {
    macro_rules! span {
        ($name:literal) => {
            debug_span!(target: "pool_core", $name, pool.name = pool, connection)
        };
    }
    let span = match step {
        Phase::Wait => Span::none(),
        Phase::Connect => span!("pool.connect"),
        Phase::Check => span!("pool.check"),
        Phase::Recycle => span!("pool.recycle"),
        Phase::Close => span!("pool.close"),
    };
    future.instrument(span)
}

/// Without the feature there is no span.
#[cfg(not(feature = "tracing"))]
pub(crate) fn within<F: Future>(_step: Phase, _pool: &str, _connection: u64, future: F) -> F {
    future
}
