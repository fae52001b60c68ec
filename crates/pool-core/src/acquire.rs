//! The verb `acquire`: a future that takes, waits in the queue, and drives what was started for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::config::NO_TIMER;
use crate::error::{Error, Phase};
use crate::jobs::Kind;
use crate::keys::Ticket;
use crate::ledger::{Answer, Settled, Visit};
use crate::pool::Pool;
use crate::pooled::PooledConnection;
use crate::shared::{Driven, Shared, drive, nudge};
use crate::steps::{Goods, quietly};
use crate::waiters::Deadline;
use crate::{ConfigError, Manager, Status};

/// The future of [`Pool::acquire`].
///
/// Nothing happens before its first poll. It is `Send` and `Unpin`, and small: what it waits for lies in the pool.
///
/// # Cancel safety
///
/// Dropping it at any point costs nothing: its turn goes to the next waiter, a connection that had been handed over
/// goes on to the next, and a connect that it had begun is finished for whoever comes. So is a recycle, where it can go
/// on in the background or `recycle_timeout` bounds it, and a check that `check_timeout` bounds; else the connection is
/// closed, because nothing would ever end a step that hangs.
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
    state: State,
}

#[derive(Clone, Copy)]
enum Timeout {
    /// As the pool says.
    Pool,
    Own(Option<Duration>),
}

enum State {
    Idle,
    /// It was given a time-out that nothing can keep.
    NoTimer,
    Waiting {
        ticket: Ticket,
        since: Instant,
        deadline: Option<Deadline>,
        /// The step that was driven last, for the account of a time-out.
        kind: Option<Kind>,
    },
    Done,
}

impl<M: Manager> Pool<M> {
    /// Takes a connection: an idle one, else a new one while there are fewer than maxsize, else the next that comes
    /// back.
    ///
    /// Waiters are served strictly in order of arrival by direct hand-over. An idle connection is checked first where
    /// the check policy asks for it; one that fails is discarded and the caller keeps its turn. A failed connect fails
    /// the first waiter. The caller waits for at most `acquire_timeout`, or [`Acquire::timeout`].
    ///
    /// # Errors
    ///
    /// [`Error::Closed`], [`Error::Connect`], [`Error::Timeout`] (which says in which phase, after how long, with
    /// which counts, and the last connect error), [`Error::Panicked`] if the manager's connect or check panicked, and
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
    /// A guard cannot be had without `.await`:
    ///
    /// ```compile_fail
    /// # use pool_core::doc_manager::Numbers;
    /// # let pool = pool_core::Pool::builder(Numbers).build_lazy().unwrap();
    /// let number: u32 = *pool.acquire();
    /// ```
    pub fn acquire(&self) -> Acquire<'_, M> {
        Acquire {
            shared: self.shared(),
            timeout: Timeout::Pool,
            state: State::Idle,
        }
    }
}

impl<M: Manager> Acquire<'_, M> {
    /// Waits for at most this long instead of the pool's `acquire_timeout`; `None` waits without limit.
    ///
    /// Zero takes what can be had at the first poll. Of several time-outs the last counts; after the first poll none does.
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
        // Once it waits it is too late to say so.
        if matches!(self.state, State::Idle | State::NoTimer) {
            self.state = match timeout {
                Some(_) if !self.shared.has_timer => State::NoTimer,
                _ => State::Idle,
            };
            self.timeout = Timeout::Own(timeout);
        }
        self
    }

    /// The first poll that cannot be served on the fast way: joins the queue. `true`: there is nothing to do but wait.
    fn begin(&mut self, cx: &mut Context<'_>) -> Result<bool, Error<M::Error>> {
        let waker = cx.waker().clone();
        let since = self.shared.now();
        let after = |timeout: Duration| since.checked_add(timeout);
        let deadline = match self.timeout {
            Timeout::Pool => {
                let timeout = self.shared.config().acquire_timeout;
                timeout.and_then(after).map(Deadline::Usual)
            }
            Timeout::Own(timeout) => timeout.and_then(after).map(Deadline::Own),
        };
        let queued = self.shared.books().queue_up(waker, deadline, since);
        let queued = match queued {
            Ok(queued) => queued,
            Err(waker) => self
                .shared
                .change(None, |books, after| {
                    books.enqueue(waker, deadline, since, after)
                })
                .map_err(|waker| {
                    drop(waker);
                    Error::Closed
                })?,
        };
        self.shared.crowded(queued.waits);
        self.state = State::Waiting {
            ticket: queued.ticket,
            since,
            deadline,
            kind: None,
        };
        if queued.set_timer {
            self.shared.set_timer();
        }
        Ok(queued.waits)
    }

    /// The way of those who could not be served at once.
    #[inline(never)]
    fn queue_up_and_look(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<PooledConnection<M>, Error<M::Error>>> {
        if matches!(self.state, State::Idle) {
            match self.begin(cx) {
                Ok(true) => return Poll::Pending,
                Ok(false) => {}
                Err(error) => {
                    self.state = State::Done;
                    return Poll::Ready(Err(error));
                }
            }
        }
        if matches!(self.state, State::NoTimer) {
            self.state = State::Done;
            return Poll::Ready(Err(Error::Config(ConfigError::new("timeout", NO_TIMER))));
        }
        self.look(cx)
    }

    /// Looks for the answer and drives the job that was started for this waiter, until there is nothing to do.
    fn look(&mut self, cx: &mut Context<'_>) -> Poll<Result<PooledConnection<M>, Error<M::Error>>> {
        let State::Waiting {
            ticket, deadline, ..
        } = self.state
        else {
            panic!("an acquire is not polled again after it was ready");
        };
        let mut polled = None;
        let mut registered = false;
        loop {
            let waker = (!registered).then(|| cx.waker());
            let visit = self.shared.books().visit(ticket, polled, waker);
            registered = true;
            match visit {
                Visit::Answer {
                    left,
                    untended,
                    set_timer,
                } => {
                    self.state = State::Done;
                    if set_timer {
                        self.shared.set_timer();
                    }
                    if untended {
                        nudge(self.shared, None, cx);
                        // They know this waker now, which nobody will follow: the next waiter takes over.
                        self.shared
                            .change(None, |books, after| books.wake_for_unattended(after));
                    }
                    return Poll::Ready(self.answered(left.answer));
                }
                Visit::Job(key, kind, work) => {
                    if let State::Waiting { kind: last, .. } = &mut self.state {
                        *last = Some(kind);
                    }
                    match drive(self.shared, key, kind, work, Some(ticket), false, cx) {
                        Driven::Pending(_) => polled = Some(key),
                        Driven::Settled(settled) => {
                            if let Some(error) = panic_of_a_check(kind, settled) {
                                return Poll::Ready(self.give_up(ticket, error));
                            }
                        }
                    }
                    continue;
                }
                Visit::OtherWaker => {
                    let waker = cx.waker().clone();
                    let old = self.shared.books().set_waker(ticket, waker);
                    drop(old);
                    continue;
                }
                Visit::Nothing(untended) => {
                    if untended && nudge(self.shared, Some(ticket), cx) {
                        continue;
                    }
                }
            }
            let Some(deadline) = deadline else {
                return Poll::Pending;
            };
            let now = self.shared.now();
            if now >= deadline.at() {
                let error = self.timed_out(now);
                return Poll::Ready(self.give_up(ticket, error));
            }
            let (set, news) = self.shared.change(Some(ticket), |books, after| {
                let news = books.resume(ticket, now, after);
                (books.timer_to_set(), news)
            });
            if set {
                self.shared.set_timer();
            }
            if !news {
                return Poll::Pending;
            }
        }
    }

    fn answered(
        &self,
        answer: Option<Answer<Goods<M>>>,
    ) -> Result<PooledConnection<M>, Error<M::Error>> {
        match answer.expect("an answered waiter has its answer") {
            Answer::Entry(entry) => Ok(PooledConnection::new(entry, Arc::clone(self.shared))),
            Answer::Failed(error) => Err(*error),
            Answer::Closed => Err(Error::Closed),
        }
    }

    /// Leaves the queue with an error, unless the answer came in the last moment.
    fn give_up(
        &mut self,
        ticket: Ticket,
        error: Error<M::Error>,
    ) -> Result<PooledConnection<M>, Error<M::Error>> {
        self.state = State::Done;
        let now = self.shared.now();
        let left = self
            .shared
            .change(Some(ticket), |books, after| books.leave(ticket, now, after));
        let set = self.shared.books().timer_to_set();
        if set {
            self.shared.set_timer();
        }
        match left.answer {
            Some(answer) => self.answered(Some(answer)),
            None => Err(error),
        }
    }

    /// A waiter is dropped: what was meant for it is for the next.
    #[cold]
    fn abandon(&mut self, ticket: Ticket) {
        let now = self.shared.now();
        let left = self.shared.change(Some(ticket), |books, after| {
            let mut left = books.leave(ticket, now, after);
            if let Some(Answer::Entry(entry)) = left.answer.take() {
                books.pass_on(entry, now, after);
            }
            left
        });
        quietly(|| drop(left));
        let set = self.shared.books().timer_to_set();
        if set {
            self.shared.set_timer();
        }
    }

    fn timed_out(&self, now: Instant) -> Error<M::Error> {
        let State::Waiting { since, kind, .. } = self.state else {
            unreachable!("only a waiter times out");
        };
        self.shared.explain(Error::Timeout {
            phase: match kind {
                None => Phase::Wait,
                Some(Kind::Connect) => Phase::Connect,
                Some(Kind::Check) => Phase::Check,
                Some(Kind::Recycle) => Phase::Recycle,
                Some(Kind::Close) => Phase::Close,
            },
            after: now.saturating_duration_since(since),
            status: Status::default(),
            last_connect: None,
        })
    }
}

/// A check that panicked is the caller's to hear of; any other failed step means that the next one is tried.
fn panic_of_a_check<M: Manager>(kind: Kind, settled: Settled<Goods<M>>) -> Option<Error<M::Error>> {
    match settled {
        Settled::Lost {
            failure: Some(error @ Error::Panicked { .. }),
            ..
        } if kind == Kind::Check => Some(error),
        _ => None,
    }
}

impl<M: Manager> Future for Acquire<'_, M> {
    type Output = Result<PooledConnection<M>, Error<M::Error>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let at_once = match this.state {
            State::Idle => this.shared.take_ready(),
            State::Waiting { ticket, .. } => this.shared.collect(ticket),
            State::NoTimer | State::Done => None,
        };
        if let Some(entry) = at_once {
            this.state = State::Done;
            return Poll::Ready(Ok(PooledConnection::new(entry, Arc::clone(this.shared))));
        }
        this.queue_up_and_look(cx)
    }
}

impl<M: Manager> Drop for Acquire<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if let State::Waiting { ticket, .. } = self.state {
            self.abandon(ticket);
        }
    }
}

impl<M: Manager> fmt::Debug for Acquire<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire").finish_non_exhaustive()
    }
}
