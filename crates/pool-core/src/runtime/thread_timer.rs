//! The built-in timer: one thread for the whole process, started by the first wait, that only wakes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use super::{BoxFuture, NoSpawner, Runtime};
use crate::panics::ignore_panic;

/// The default runtime: a timer on a lazily started thread, and no spawner.
///
/// It works under every executor, a bare `block_on` included. The thread never polls a future; it only wakes.
///
/// # Panics
///
/// A future of [`sleep_until`](Runtime::sleep_until) panics at its first poll if the system refuses to start the
/// thread. A pool does not: its time-outs are then an [`Error::Config`](crate::Error::Config).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pool_core::{Runtime, ThreadTimer};
///
/// let timer = ThreadTimer::new();
/// futures_lite::future::block_on(timer.sleep_until(timer.now() + Duration::from_millis(1)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadTimer {
    _private: (),
}

impl ThreadTimer {
    /// The timer. Its thread starts with the first wait and is shared by the process.
    pub const fn new() -> Self {
        Self { _private: () }
    }

    /// Starts the thread, unless it runs already.
    ///
    /// # Errors
    ///
    /// What to tell the user: the system starts no more threads. The next call tries again.
    pub(crate) fn start() -> Result<(), String> {
        clock().map(drop)
    }
}

impl Runtime for ThreadTimer {
    fn spawn(&self, _task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        Err(NoSpawner)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(Sleep { at, key: None })
    }
    fn now(&self) -> Instant {
        Instant::now()
    }
    fn is_reentrant(&self) -> bool {
        true
    }
    fn is_real_time(&self) -> bool {
        true
    }
}

struct Sleepers {
    /// The wakers by their instant. The number distinguishes sleepers of the same instant.
    wakers: BTreeMap<(Instant, u64), Waker>,
    /// When the thread looks again by itself. A sleeper with a later instant need not notify it.
    looks_at: Option<Instant>,
}

struct Clock {
    sleepers: Mutex<Sleepers>,
    changed: Condvar,
}

impl Clock {
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_time(&self) {
        let mut sleepers = self.sleepers();
        loop {
            let now = Instant::now();
            let Some(next) = sleepers.wakers.first_entry() else {
                sleepers.looks_at = None;
                sleepers = self
                    .changed
                    .wait(sleepers)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let at = next.key().0;
            if at <= now {
                let waker = next.remove();
                drop(sleepers);
                // A waker is foreign code: its panic must not end the clock of the process.
                ignore_panic(|| waker.wake());
                sleepers = self.sleepers();
            } else {
                let wait = at.saturating_duration_since(now);
                sleepers.looks_at = Some(at);
                sleepers = self
                    .changed
                    .wait_timeout(sleepers, wait)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
    }
}

/// The clock of the process, with its thread.
fn clock() -> Result<&'static Clock, String> {
    static CLOCK: Clock = Clock {
        sleepers: Mutex::new(Sleepers {
            wakers: BTreeMap::new(),
            looks_at: None,
        }),
        changed: Condvar::new(),
    };
    static IS_RUNNING: OnceLock<()> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if IS_RUNNING.get().is_none() {
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if IS_RUNNING.get().is_none() {
            let thread = thread::Builder::new().name("pool-core-timer".into());
            thread.spawn(|| CLOCK.keep_time()).map_err(|error| {
                format!("the timer thread cannot be started ({error}): raise the limit of threads, or pass a runtime with a timer to Builder::runtime")
            })?;
            // Only this call sets it, because it holds the lock.
            let _ = IS_RUNNING.set(());
        }
    }
    Ok(&CLOCK)
}

struct Sleep {
    at: Instant,
    key: Option<(Instant, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);

        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        let at = self.at;
        let again = self.key.is_some();
        let key = *self
            .key
            .get_or_insert_with(|| (at, NEXT.fetch_add(1, Ordering::Relaxed)));
        let clock = clock().unwrap_or_else(|why| panic!("{why}"));
        let known = |sleepers: &Sleepers| {
            let known = sleepers.wakers.get(&key);
            known.is_some_and(|waker| waker.will_wake(cx.waker()))
        };
        if again && known(&clock.sleepers()) {
            return Poll::Pending;
        }
        let waker = cx.waker().clone();
        let mut sleepers = clock.sleepers();
        let old = sleepers.wakers.insert(key, waker);
        let looks_too_late = sleepers.looks_at.is_none_or(|looks| at < looks);
        drop(sleepers);
        // The drop of a waker is foreign code too.
        ignore_panic(|| drop(old));
        if looks_too_late {
            clock.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // Without a key it was never polled to wait.
        let Some(key) = self.key else { return };
        if let Ok(clock) = clock() {
            let waker = clock.sleepers().wakers.remove(&key);
            ignore_panic(|| drop(waker));
        }
    }
}
