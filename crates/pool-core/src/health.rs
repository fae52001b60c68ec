//! The verbs of a health endpoint: `ping` asks the server, `readiness` asks nobody.

use std::fmt;
use std::future::{Future, poll_fn};
use std::time::Duration;

use crate::error::{Error, Phase};
use crate::ledger::{Poller, Returned, Settled, Stage};
use crate::panics::{DROP_PANICKED, ignore_panic};
use crate::pool::Pool;
use crate::shared::JobSet;
use crate::words::Rounded;
use crate::{ErrorClass, Manager, Status};

/// Whether a pool serves its users; see [`Pool::readiness`]. Its `Display` is one line for people.
///
/// A health endpoint answers 200 if [`is_serving`](Self::is_serving) says so, otherwise 503.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// A connection is idle, or a place is free and the last connect did not fail.
    #[non_exhaustive]
    Ready {
        /// The pool's counts.
        status: Status,
    },
    /// An acquire has to wait until a connection comes back or is opened.
    #[non_exhaustive]
    Busy {
        /// The pool's counts.
        status: Status,
        /// The class of the last connect's failure and its age, if the last connect failed: the pool serves with the
        /// connections that it has, and cannot open more.
        failed_connect: Option<(ErrorClass, Duration)>,
        /// How long it is until the next attempt, if the breaker is open.
        retry_after: Option<Duration>,
    },
    /// No connection is open, and the last connect failed.
    #[non_exhaustive]
    CannotConnect {
        /// The pool's counts.
        status: Status,
        /// What kind of failure it was.
        class: ErrorClass,
        /// How long ago that was.
        age: Duration,
        /// How long it is until the next attempt, if the breaker is open.
        retry_after: Option<Duration>,
    },
    /// The pool is suspended ([`Pool::suspend`](crate::Pool::suspend)): an acquire waits until it is resumed.
    #[non_exhaustive]
    Suspended {
        /// The pool's counts.
        status: Status,
    },
    /// The pool is closed, or closes.
    Closed,
}

impl Readiness {
    /// Whether an acquire can be served: at once, or when a connection comes back.
    pub fn is_serving(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::Busy { .. })
    }

    /// Whether an acquire has to wait for users of the pool. A [`ping`](Pool::ping) would wait too, and keep a connection
    /// from one of them.
    ///
    /// Where a place is free and the last connect has failed, nobody waits for users: an acquire connects, and fails if that
    /// fails. Then this is `false`, and a ping tells.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Busy {
                status,
                failed_connect,
                ..
            } => failed_connect.is_none() || !has_room(status),
            _ => false,
        }
    }

    /// The pool's counts; `None` if it is closed.
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Ready { status }
            | Self::Busy { status, .. }
            | Self::CannotConnect { status, .. }
            | Self::Suspended { status } => Some(*status),
            Self::Closed => None,
        }
    }

    fn of(
        status: Status,
        failed_connect: Option<(ErrorClass, Duration)>,
        retry_after: Option<Duration>,
    ) -> Self {
        let open = status.freesize() + status.held() + status.checking() + status.recycling();
        let can_connect = has_room(&status) && failed_connect.is_none();
        match failed_connect {
            _ if status.is_suspended() => Self::Suspended { status },
            Some((class, age)) if open == 0 => Self::CannotConnect {
                status,
                class,
                age,
                retry_after,
            },
            _ if status.waiting() == 0 && (status.freesize() > 0 || can_connect) => {
                Self::Ready { status }
            }
            _ => Self::Busy {
                status,
                failed_connect,
                retry_after,
            },
        }
    }
}

fn has_room(status: &Status) -> bool {
    status.maxsize() == 0 || status.size() < status.maxsize()
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { status } => write!(f, "ready; {status}"),
            Self::Busy {
                status,
                failed_connect,
                retry_after,
            } => {
                f.write_str("busy: an acquire has to wait")?;
                if let Some((class, age)) = failed_connect {
                    write!(
                        f,
                        ", and the last connect failed {} ago ({})",
                        Rounded(*age),
                        class.as_str()
                    )?;
                }
                next_attempt(f, *retry_after)?;
                write!(f, "; {status}")
            }
            Self::CannotConnect {
                status,
                class,
                age,
                retry_after,
            } => {
                write!(
                    f,
                    "not serving: no connection is open, and the last connect failed {} ago ({})",
                    Rounded(*age),
                    class.as_str()
                )?;
                next_attempt(f, *retry_after)?;
                write!(f, "; {status}")
            }
            Self::Suspended { status } => {
                write!(f, "not serving: the pool is suspended; {status}")
            }
            Self::Closed => f.write_str("not serving: the pool is closed"),
        }
    }
}

/// When an open breaker lets somebody connect.
fn next_attempt(f: &mut fmt::Formatter<'_>, retry_after: Option<Duration>) -> fmt::Result {
    match retry_after {
        // The next acquire tries.
        None | Some(Duration::ZERO) => Ok(()),
        Some(after) => write!(f, "; the next attempt is in {}", Rounded(after)),
    }
}

impl<M: Manager> Pool<M> {
    /// Whether the pool serves its users, by what the pool knows itself.
    ///
    /// It takes no connection, asks the server nothing and does not wait; all that it knows is read in one lock. So a
    /// server that stopped answering while connections are idle is not seen, and a pool whose last connect failed says so
    /// until somebody tries again. A health endpoint therefore lets [`ping`](Self::ping) try, unless the pool is busy: then
    /// the users try, and a ping would only stand in their way.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::{Manager, Pool};
    /// /// The answer of a health endpoint.
    /// async fn health<M: Manager>(pool: &Pool<M>) -> (u16, String) {
    ///     let readiness = pool.readiness();
    ///     if readiness.is_busy() {
    ///         return (200, readiness.to_string());
    ///     }
    ///     match pool.ping().await {
    ///         Ok(()) => (200, pool.readiness().to_string()),
    ///         Err(error) => (503, error.to_string()),
    ///     }
    /// }
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).maxsize(1).build().await?;
    /// assert_eq!(health(&pool).await.0, 200);
    ///
    /// let held = pool.acquire().await?;
    /// let (code, words) = health(&pool).await;
    /// assert_eq!(code, 200);
    /// assert!(words.starts_with("busy: an acquire has to wait; size 1"));
    /// # drop(held);
    ///
    /// pool.close();
    /// assert_eq!(health(&pool).await, (503, "the pool is closed".to_owned()));
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub fn readiness(&self) -> Readiness {
        let now = self.shared().now();
        let ledger = self.shared().ledger();
        if ledger.stage() != Stage::Open {
            return Readiness::Closed;
        }
        let failed_connect = ledger.failed_connect();
        let failed_connect =
            failed_connect.map(|failed| (failed.class, now.saturating_duration_since(failed.at)));
        let retry_after = ledger.breaker(now).map(|(_, retry_after)| retry_after);
        Readiness::of(ledger.status(), failed_connect, retry_after)
    }

    /// Takes a connection, asks its server for a sign of life by [`Manager::check`], and gives it back.
    ///
    /// It queues as every acquire does, so it is for a pool that is not busy; see
    /// [`readiness`](Self::readiness). During the check the connection counts as checking, and an acquire that waits can
    /// drive the check: a ping that is not polled any more holds nobody up. The check is under `check_timeout`; without
    /// one, a server that does not answer keeps the ping waiting. A connection that fails its check is closed; another one
    /// may be alive. Observers hear of the check as of any other.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire). If the check failed, [`Error::Check`]; if it took too long or panicked,
    /// [`Error::Timeout`] or [`Error::Panicked`] with [`Phase::Check`](crate::Phase::Check).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it acquires, see [`Acquire`](crate::Acquire). During the check, the check goes on in
    /// the background or in the next acquire if `check_timeout` is set. Otherwise the connection is dropped, because
    /// nothing would end a check that hangs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// pool.ping().await?;
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn ping(&self) -> impl Future<Output = Result<(), Error<M::Error>>> + Send {
        let acquire = self.acquire();
        async move {
            let (entry, shared) = acquire.await?.into_parts();
            let returned = shared.change(None, |ledger, effects| {
                ledger.give_back_to_check(entry, effects)
            });
            let key = match returned {
                Returned::Job(key) => key,
                // The pool was closed in this moment.
                Returned::Kept => return Err(Error::Closed),
                Returned::WrittenOff(entry) => {
                    ignore_panic(|| drop(entry));
                    return Err(Error::Closed);
                }
            };
            let mut jobs = JobSet::new(&shared, vec![key], Poller::Ping);
            let mut settled = None;
            poll_fn(|cx| jobs.poll(cx, |end| settled = Some(end))).await;
            match settled {
                Some(Settled::Kept | Settled::Taken(_)) => Ok(()),
                // It lives, and is closed for another reason: the pool was made smaller, for example.
                Some(Settled::Lost {
                    succeeded: true, ..
                }) if shared.ledger().stage() == Stage::Open => Ok(()),
                Some(Settled::Lost {
                    failure: Some(error),
                    ..
                }) => Err(*error),
                // Without a failure of its own, it ended with the pool, or panicked in a drop.
                _ if shared.ledger().stage() != Stage::Open => Err(Error::Closed),
                _ => Err(Error::Panicked {
                    phase: Phase::Check,
                    message: DROP_PANICKED.to_owned(),
                }),
            }
        }
    }
}
