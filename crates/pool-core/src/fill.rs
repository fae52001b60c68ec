//! The verb `fill`: opens what is missing for minsize.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::Manager;
use crate::error::Error;
use crate::ledger::{FillTurn, Poller, Settled, Stage};
use crate::panics::ignore_panic;
use crate::pool::Pool;
use crate::shared::{JobSet, Shared};

impl<M: Manager> Pool<M> {
    /// Opens the connections that are missing for minsize, in parallel, and waits until they are there. Not more than
    /// [`max_connecting`](crate::Builder::max_connecting) connects run at once.
    ///
    /// The same happens by itself at each acquire and, with upkeep, in the background; this is for a caller who wants to
    /// wait for it. What others have begun to open is not waited for.
    ///
    /// # Errors
    ///
    /// The first failure: [`Error::Connect`], [`Error::Timeout`] or [`Error::Panicked`]; the other connects go on.
    /// [`Error::BreakerOpen`] where the pool does not connect at the moment.
    /// [`Error::Closed`] if the pool is closed or is closed meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Connects that have begun go on in the background, or in the next acquire.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).minsize(3).upkeep(false).build_lazy().unwrap();
    /// pool.fill().await.unwrap();
    /// assert_eq!(pool.freesize(), 3);
    /// # });
    /// ```
    pub async fn fill(&self) -> Result<(), Error<M::Error>> {
        fill(self.shared()).await
    }
}

pub(crate) async fn fill<M: Manager>(shared: &Arc<Shared<M>>) -> Result<(), Error<M::Error>> {
    let begun = {
        let mut ledger = shared.ledger();
        (ledger.stage() == Stage::Open).then(|| ledger.begin_fill())
    };
    let (turn, missing) = begun.ok_or(Error::Closed)?;
    let mut filling = Filling {
        turn,
        missing,
        jobs: JobSet::new(shared, Vec::new(), Poller::Owner),
        shared: Arc::clone(shared),
    };
    poll_fn(|cx| filling.poll(cx)).await
}

/// A `fill` that is under way.
struct Filling<M: Manager> {
    turn: FillTurn,
    /// How many connects it has not started yet.
    missing: usize,
    jobs: JobSet<M>,
    shared: Arc<Shared<M>>,
}

impl<M: Manager> Filling<M> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error<M::Error>>> {
        loop {
            let refusal = self.start(cx);
            let mut ended = 0;
            let mut first = None;
            let poll = self.jobs.poll(cx, |settled| {
                ended += 1;
                if let Settled::Lost { failure, .. } = settled {
                    first.get_or_insert(failure);
                }
            });
            if let Some(failure) = first {
                // A connect that was not begun before the breaker opened has no failure of its own. Nor has one that is
                // not needed any more, because the pool was made smaller.
                let why = failure
                    .map(|failure| *failure)
                    .or_else(|| refusal.clone())
                    .or_else(|| self.refusal());
                if let Some(error) = why {
                    return Poll::Ready(Err(error));
                }
            }
            if self.missing == 0 {
                return poll.map(Ok);
            }
            if ended > 0 {
                continue;
            }
            return match refusal.filter(|_| poll.is_ready()) {
                Some(refusal) => Poll::Ready(Err(refusal)),
                None => Poll::Pending,
            };
        }
    }

    /// Starts as many of the missing connects as may start now. If there are more, this call is woken for the next; what
    /// the breaker says comes out if it is the breaker that does not let them start.
    fn start(&mut self, cx: &mut Context<'_>) -> Option<Error<M::Error>> {
        if self.missing == 0 {
            return None;
        }
        let waker = ignore_panic(|| cx.waker().clone());
        let now = self.shared.now();
        let has_jobs = !self.jobs.is_empty();
        let (keys, refusal, stale) = self.shared.change(None, |ledger, effects| {
            let mut keys = ledger.fill_by_verb(self.missing, now);
            self.missing = ledger.still_missing(self.missing - keys.len());
            if self.missing > 0 && keys.is_empty() && !has_jobs {
                keys.extend(ledger.help_with_connect(effects));
            }
            let stale = waker.and_then(|waker| ledger.store_fill_waker(self.turn, waker));
            let refusal = match ledger.stage() {
                Stage::Open => ledger
                    .refusal(now)
                    .filter(|_| self.missing > 0)
                    .map(|refusal| *refusal),
                _ => Some(Error::Closed),
            };
            (keys, refusal, stale)
        });
        ignore_panic(|| drop(stale));
        self.jobs.add(keys);
        refusal
    }

    /// Why a connect is gone that nobody has begun, if it is missed.
    fn refusal(&self) -> Option<Error<M::Error>> {
        let now = self.shared.now();
        let ledger = self.shared.ledger();
        match ledger.stage() {
            Stage::Open => ledger.refusal(now).map(|refusal| *refusal),
            _ => Some(Error::Closed),
        }
    }
}

impl<M: Manager> Drop for Filling<M> {
    fn drop(&mut self) {
        let waker = self.shared.ledger().end_fill(self.turn);
        ignore_panic(|| drop(waker));
    }
}
