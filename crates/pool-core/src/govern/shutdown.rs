//! The verb `shutdown`: closes a pool in time, whatever happens.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::backend::poll_timer;
use crate::close::Closer;
use crate::panics::ignore_panic;
use crate::pool::Pool;
use crate::words::Rounded;
use crate::{Borrowed, BoxFuture, Manager};

/// How a [`Pool::shutdown`] has ended. Its `Display` names who still held a connection and where it was acquired.
///
/// # Examples
///
/// See [`Pool::shutdown`].
#[derive(Clone, Debug)]
pub struct ShutdownReport {
    took: Duration,
    closed: usize,
    left: Vec<Borrowed>,
    cut_off: usize,
}

impl ShutdownReport {
    /// How long it took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// How many connections were closed in time.
    pub fn closed(&self) -> usize {
        self.closed
    }

    /// Who still held a connection at the deadline, the one that was held longest first. These connections were aborted.
    pub fn left(&self) -> &[Borrowed] {
        &self.left
    }

    /// How many connects, checks, recycles and closes had not ended at the deadline. They were dropped.
    pub fn cut_off(&self) -> usize {
        self.cut_off
    }

    /// Whether everything came back and was closed in time.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty() && self.cut_off == 0
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.closed + self.left.len() + self.cut_off;
        write!(
            f,
            "{} of {total} connections were closed in {}",
            self.closed,
            Rounded(self.took)
        )?;
        if self.cut_off > 0 {
            write!(f, "; {} steps had not ended", self.cut_off)?;
        }
        for (number, left) in self.left.iter().enumerate() {
            let before = match number {
                0 => "; still held: ",
                _ => ", ",
            };
            write!(f, "{before}{left}")?;
        }
        Ok(())
    }
}

impl<M: Manager> Pool<M> {
    /// Closes the pool and waits until everything has come back and is closed; after this time at the latest it
    /// [terminates](Self::terminate) the pool and returns.
    ///
    /// It returns in time also where a close hangs, a holder never gives back, or nothing can be spawned: what has not
    /// ended by then is dropped. Then the pool is closed; only a step that is being polled at that moment goes when its
    /// poll returns. Zero closes what can be closed at once. In a build without a timer, nothing can tell when the
    /// time is over, and every time is zero.
    ///
    /// [`PooledConnection::closing`](crate::PooledConnection::closing) tells holders that the pool closes. It may be called
    /// several times and beside [`wait_closed`](Self::wait_closed). A holder whose connection another `terminate` has
    /// aborted is not in the report.
    ///
    /// # Cancel safety
    ///
    /// The pool closes from the first poll on. If the future is dropped, the pool is not terminated.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// # use pool_core::Pool;
    /// use std::time::Duration;
    ///
    /// # futures_lite::future::block_on(async {
    /// let pool = Pool::builder(Numbers).build().await?;
    /// let held = pool.acquire().label("a report").await?;
    ///
    /// let report = pool.shutdown(Duration::from_millis(1)).await;
    /// assert!(pool.is_closed());
    /// assert_eq!(report.left()[0].label(), Some("a report"));
    /// assert!(report.to_string().contains("(a report)")); // and the place of the acquire
    /// # drop(held);
    /// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
    /// # }).unwrap();
    /// ```
    pub async fn shutdown(&self, within: Duration) -> ShutdownReport {
        let shared = self.shared();
        let began = shared.now();
        let size = shared.change_at(began, None, |ledger, effects| {
            // From now on it is known for how long each connection has been held at least.
            ledger.borrowed(began);
            let size = ledger.size();
            ledger.close(effects);
            size
        });
        let mut closer = Closer::new(shared);
        let mut deadline = Deadline {
            at: began.checked_add(within),
            sleep: None,
        };
        let is_in_time = poll_fn(|cx| {
            if closer.poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            deadline.poll(self, cx).map(|()| false)
        })
        .await;
        drop(closer);
        let now = shared.now();
        let (left, cut_off) = match is_in_time {
            true => (Vec::new(), 0),
            false => shared.change_at(now, None, |ledger, effects| ledger.write_off(effects)),
        };
        let gone = left.len() + cut_off;
        ShutdownReport {
            took: now.saturating_duration_since(began),
            closed: size.saturating_sub(gone),
            left,
            cut_off,
        }
    }
}

/// The end of a shutdown.
struct Deadline {
    /// `None`: beyond what the clock can tell.
    at: Option<Instant>,
    sleep: Option<BoxFuture<'static, ()>>,
}

impl Deadline {
    fn poll<M: Manager>(&mut self, pool: &Pool<M>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        let shared = pool.shared();
        if shared.now() >= at {
            return Poll::Ready(());
        }
        let sleep = match &mut self.sleep {
            Some(sleep) => sleep,
            // Without a timer, the time is over.
            None => match shared.backend.sleep_until(at) {
                Ok(sleep) if shared.has_timer => self.sleep.insert(sleep),
                _ => return Poll::Ready(()),
            },
        };
        match poll_timer(sleep, cx) {
            Ok(Poll::Pending) => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let sleep = self.sleep.take();
        ignore_panic(|| drop(sleep));
    }
}
