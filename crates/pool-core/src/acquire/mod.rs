//! The verb `acquire`: its future and its time-out. How it waits is in `waiting`.

mod observed;
mod waiting;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::borrowed::{Borrower, LabelText};
use crate::error::Error;
use crate::ledger::{Kind, Ticket};
use crate::pool::Pool;
use crate::pooled::PooledConnection;
use crate::shared::Shared;
use crate::{Manager, Priority};

/// The future of [`Pool::acquire`].
///
/// Nothing happens before its first poll. It is `Send` and `Unpin`. It is small, because the future of its connect or
/// check is stored in the pool.
///
/// # Cancel safety
///
/// It can be dropped at any point. Its turn goes to the next waiter, and so does a connection that was handed to it. A
/// connect that it has started goes on for the next caller. A recycle goes on too if it can run in the background or
/// `recycle_timeout` is set, and so does a check if `check_timeout` is set. Otherwise the connection is dropped, without
/// [`Manager::close`], because nothing would end a step that hangs.
///
/// # Panics
///
/// When it is polled again after it was ready.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use futures_lite::future::poll_once;
/// use pool_core::{Acquire, Pool};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).maxsize(1).build().await?;
/// let held = pool.acquire().await?;
///
/// let mut acquire: Acquire<'_, Numbers> = pool.acquire();
/// assert!(poll_once(&mut acquire).await.is_none());
/// assert_eq!(pool.status().waiting(), 1);
///
/// drop(acquire); // gives up
/// assert_eq!(pool.status().waiting(), 0);
/// # drop(held);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Acquire<'a, M: Manager> {
    shared: &'a Arc<Shared<M>>,
    timeout: Timeout,
    progress: Progress,
    borrower: Borrower,
    priority: Priority,
    /// Its span, from the first poll on.
    #[cfg(feature = "tracing")]
    span: Option<tracing::Span>,
}

#[derive(Clone, Copy)]
enum Timeout {
    /// The pool's `acquire_timeout`.
    OfPool,
    /// The caller's own.
    OfCaller(Option<Duration>),
}

enum Progress {
    NotStarted,
    /// It was given a time-out that no timer can keep.
    NoTimer,
    Waiting(Waiting),
    Done,
}

/// What an acquire knows while it is in the queue.
struct Waiting {
    ticket: Ticket,
    since: Instant,
    /// In a pool that measures, which waiter it is; elsewhere, the number of the last hand-out before it came.
    mark: u64,
    deadline: Option<Instant>,
    /// The step that it drives; the error of a time-out says it.
    step: Option<Kind>,
}

impl<M: Manager> Pool<M> {
    /// Takes a connection: an idle one, otherwise a new one while there are fewer than maxsize, otherwise the next one
    /// that comes back.
    ///
    /// Waiters are served strictly in order of arrival by direct hand-over. An idle connection is checked first where
    /// the check policy asks for it; one that fails is discarded and the caller keeps its turn. A failed connect fails
    /// the first waiter, unless [`connect_retry`](crate::Builder::connect_retry) is set or the server has no room and
    /// connections of the pool are in use: see [`ErrorClass`](crate::ErrorClass). The caller waits for at most `acquire_timeout`, or [`Acquire::timeout`].
    ///
    /// # Errors
    ///
    /// [`Error::Closed`], [`Error::Connect`], [`Error::BreakerOpen`], [`Error::Timeout`] (which says in which phase, after
    /// how long, with which counts, and the last connect error), [`Error::QueueFull`] and [`Error::Shed`] where the settings
    /// limit who may wait, [`Error::Check`] if an [`Interceptor`](crate::Interceptor) refused a new connection,
    /// [`Error::Panicked`] if the manager's connect or check panicked, and
    /// [`Error::Config`] for a time-out in a build without a timer.
    ///
    /// # Cancel safety
    ///
    /// See [`Acquire`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().await?;
    /// assert_eq!(*conn, 7);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// There is no guard without `.await`:
    ///
    /// ```compile_fail
    /// # use pool_core::doc_manager::Numbers;
    /// # let pool = pool_core::Pool::builder(Numbers).build_lazy().unwrap();
    /// let number: u32 = *pool.acquire();
    /// ```
    #[track_caller]
    pub fn acquire(&self) -> Acquire<'_, M> {
        self.acquire_at(Location::caller())
    }

    /// An acquire that was called at this place.
    #[inline]
    pub(crate) fn acquire_at(&self, place: &'static Location<'static>) -> Acquire<'_, M> {
        Acquire {
            shared: self.shared(),
            timeout: Timeout::OfPool,
            progress: Progress::NotStarted,
            borrower: Borrower::new(place),
            priority: Priority::Normal,
            #[cfg(feature = "tracing")]
            span: None,
        }
    }
}

impl<M: Manager> Acquire<'_, M> {
    /// Waits for at most this long instead of the pool's `acquire_timeout`; `None` waits without limit.
    ///
    /// Zero takes what is there at the first poll. The last of several calls counts. A call after the first poll has no
    /// effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// # #[cfg(feature = "timer")]
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().timeout(Duration::from_secs(1)).await?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        let timeout = timeout.into();
        // After the first poll it is too late to change the time-out.
        if matches!(self.progress, Progress::NotStarted | Progress::NoTimer) {
            self.progress = match timeout {
                Some(_) if !self.shared.has_timer => Progress::NoTimer,
                _ => Progress::NotStarted,
            };
            self.timeout = Timeout::OfCaller(timeout);
        }
        self
    }

    /// How soon it is served if it has to wait; default [`Priority::Normal`]. A call after the first poll has no effect.
    ///
    /// # Examples
    ///
    /// See [`Priority`].
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// A word for what the connection is for. Time-outs, leak warnings, events and
    /// [`Pool::borrowed`](crate::Pool::borrowed) show it beside the place of the acquire.
    ///
    /// [`labelled`](crate::labelled) gives all acquires of a task one label. Then a time-out also says when every place is held by
    /// a task that itself waits for another connection of the pool. A call after the first poll has no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let conn = pool.acquire().label("checkout").await?;
    /// assert_eq!(pool.borrowed()[0].label(), Some("checkout"));
    /// # drop(conn);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.borrower.label = Some(LabelText::own(label.into()));
        self
    }
}

impl<M: Manager> Future for Acquire<'_, M> {
    type Output = Result<PooledConnection<M>, Error<M::Error>>;

    #[cfg(not(feature = "tracing"))]
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_now(cx)
    }

    #[cfg(feature = "tracing")]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let new = || crate::spans::of_acquire(&this.shared.config().name);
        let span = this.span.take().unwrap_or_else(new);
        let poll = span.in_scope(|| this.poll_now(cx));
        match &poll {
            Poll::Pending => this.span = Some(span),
            Poll::Ready(Ok(conn)) => {
                span.record("connection", PooledConnection::id(conn));
            }
            Poll::Ready(Err(_)) => {}
        }
        poll
    }
}

impl<M: Manager> Acquire<'_, M> {
    #[inline(always)]
    fn poll_now(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<PooledConnection<M>, Error<M::Error>>> {
        if !matches!(self.progress, Progress::NotStarted) {
            return self.look(cx);
        }
        self.borrower.take_label_of_task();
        if let Some(entry) = self.shared.take_ready(&mut self.borrower) {
            self.progress = Progress::Done;
            return Poll::Ready(Ok(PooledConnection::new(entry, Arc::clone(self.shared))));
        }
        self.begin(cx)
    }
}

impl<M: Manager> Drop for Acquire<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if let Progress::Waiting(Waiting { ticket, .. }) = self.progress {
            self.acquire_dropped(ticket);
        }
    }
}

impl<M: Manager> fmt::Debug for Acquire<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_lite::future::{block_on, poll_once};

    use crate::Pool;
    use crate::doc_manager::Numbers;

    #[cfg(not(feature = "timer"))]
    #[test]
    fn without_a_timer_an_acquire_runs_if_its_time_out_was_removed_again() {
        let pool = Pool::builder(Numbers).build_lazy().expect("no time-out");
        let acquire = pool.acquire().timeout(Duration::from_secs(1)).timeout(None);
        assert!(block_on(acquire).is_ok());
    }

    #[cfg(not(feature = "timer"))]
    #[test]
    fn without_a_timer_an_acquire_with_a_time_out_is_refused_counted_and_told() {
        use std::sync::{Arc, Mutex};

        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = Arc::clone(&told);
        let pool = Pool::builder(Numbers).observer(move |event: &crate::Event<'_>| {
            listener.lock().expect("no panic").push(event.to_string());
        });
        let pool = pool.build_lazy().expect("no time-out");
        assert!(block_on(pool.acquire().timeout(Duration::from_secs(1))).is_err());
        let stats = pool.stats();
        let mut failed = stats.failures_by_reason().filter(|(_, count)| *count > 0);
        assert_eq!((failed.next(), failed.next()), (Some(("config", 1)), None));
        let told = told.lock().expect("no panic");
        let refused = |text: &&String| text.contains("was refused: ");
        assert_eq!(told.iter().filter(refused).count(), 1, "{told:?}");
    }

    /// The pool is built outside every runtime, so no background task can hold the connection when the test looks.
    #[test]
    fn a_waiting_acquire_that_gets_a_time_out_and_is_dropped_leaves_the_queue() {
        let pool = Pool::builder(Numbers).maxsize(1);
        let pool = pool.build_lazy().expect("no time-out");
        block_on(async {
            let held = pool.acquire().await.expect("a place is free");
            let mut waiting = pool.acquire();
            assert!(poll_once(&mut waiting).await.is_none());
            drop(waiting.timeout(Duration::from_secs(1)));
            assert_eq!(pool.status().waiting(), 0);
            drop(held);
            assert!(poll_once(pool.acquire()).await.is_some());
        });
    }
}
