//! The verb `try_acquire`: what can be had without waiting.

use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Waker};

use crate::Manager;
use crate::borrowed::Borrower;
use crate::error::Error;
use crate::ledger::{Poller, Settled, Tried};
use crate::panics::ignore_panic;
use crate::pool::Pool;
use crate::pooled::PooledConnection;
use crate::shared::{JobSet, poll_undriven};

impl<M: Manager> Pool<M> {
    /// Takes an idle connection if that is possible without waiting.
    ///
    /// Where the connection has to be recycled or checked first, that step is polled once; if it does not end at once,
    /// it goes on for the next acquire. Nobody who waits is overtaken, and nothing is connected.
    ///
    /// # Errors
    ///
    /// [`Error::Exhausted`] where there is none, [`Error::Suspended`] while the pool is suspended, and [`Error::Closed`].
    /// The first two are answers: [`Stats::failures`](crate::Stats::failures) counts only the last, and no event tells them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use pool_core::{Error, Pool};
    ///
    /// let pool = Pool::builder(Numbers).minsize(0).build_lazy().unwrap();
    /// assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
    /// ```
    #[track_caller]
    pub fn try_acquire(&self) -> Result<PooledConnection<M>, Error<M::Error>> {
        let shared = self.shared();
        let mut borrower = Borrower::new(Location::caller());
        borrower.take_label_of_task();
        if let Some(entry) = shared.take_ready(&mut borrower) {
            return Ok(PooledConnection::new(entry, Arc::clone(shared)));
        }
        let mut cx = Context::from_waker(Waker::noop());
        poll_undriven(shared, None, &mut cx);
        loop {
            let tried = shared.change(None, |ledger, effects| {
                ledger.try_take(&mut borrower, effects)
            });
            let key = match tried {
                Tried::Entry(entry) => {
                    shared.watch_hand_out();
                    return Ok(PooledConnection::new(entry, Arc::clone(shared)));
                }
                Tried::Exhausted => return Err(Error::Exhausted),
                Tried::Suspended => return Err(Error::Suspended),
                Tried::Closed => {
                    shared.tell_rejected(&borrower, &Error::Closed);
                    return Err(Error::Closed);
                }
                Tried::Job(key) => key,
            };
            let mut jobs = JobSet::new(shared, vec![key], Poller::TryAcquire);
            let mut taken = None;
            let done = jobs.poll_for(Some(&mut borrower), &mut cx, |settled| match settled {
                Settled::Taken(entry) => taken = Some(entry),
                // The drop of the manager's error is foreign code.
                other => drop(ignore_panic(|| drop(other))),
            });
            if let Some(entry) = taken {
                shared.watch_hand_out();
                return Ok(PooledConnection::new(entry, Arc::clone(shared)));
            }
            if done.is_pending() {
                return Err(Error::Exhausted);
            }
        }
    }
}
