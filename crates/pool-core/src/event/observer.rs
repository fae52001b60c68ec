//! The trait of those who hear of a pool's events.

use std::sync::Arc;

use super::{Event, ObservedPool};

/// Hears of every change in the life of a pool's connections and waiters; see [`Builder::observer`].
///
/// It is called after the change, in the order of the changes, without a lock, on the thread that made the change or on
/// another one that uses the pool at the time. It may call the pool: what that changes is told after the present event.
/// It must return soon, because a caller of the pool waits for it: one call of the pool tells a thousand events at most, and
/// leaves the rest to the pool's background task or to the next call. A pool keeps at most 65,536 events that were not told.
/// Those that come while there is no room are dropped, and [`Event::Lagged`] says in their place how many there were.
///
/// If it panics, the pool goes on. It is never called by a timer: what a timer finds (a slow acquire, a suspected leak) is
/// told by the pool's background task or, where nothing can be spawned, by the next call of the pool.
///
/// Every `Fn(&Event<'_>)` is an observer, and so is the [`Arc`] of one: several pools can share it.
///
/// [`Builder::observer`]: crate::Builder::observer
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{Event, Pool};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers)
///     .name("orders")
///     .observer(|event: &Event<'_>| {
///         if let Event::Closed { .. } = event {
///             eprintln!("{event}"); // pool "orders": connection 1 was closed: …
///         }
///     })
///     .build()
///     .await?;
/// # drop(pool);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Takes note of an event.
    fn on_event(&self, event: &Event<'_>);

    /// The pool was built. It is called once, before the first event. The default does nothing.
    ///
    /// An observer that shows counts, such as a gauge, keeps the [`ObservedPool`] and asks it when the counts are read.
    fn on_build(&self, pool: &ObservedPool) {
        let _ = pool;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_event(&self, event: &Event<'_>) {
        (**self).on_event(event);
    }

    fn on_build(&self, pool: &ObservedPool) {
        (**self).on_build(pool);
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}
