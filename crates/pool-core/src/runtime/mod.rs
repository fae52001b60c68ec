//! What the pool asks of an executor: to run a future, to keep time. Adapters for the known ones.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

#[cfg(feature = "async-std")]
mod async_std;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "timer")]
mod thread_timer;
#[cfg(feature = "tokio")]
mod tokio;
#[cfg(feature = "test-util")]
mod virtual_time;

#[cfg(feature = "async-std")]
pub use self::async_std::AsyncStdRuntime;
#[cfg(feature = "smol")]
pub use self::smol::SmolRuntime;
#[cfg(feature = "timer")]
pub use self::thread_timer::ThreadTimer;
#[cfg(feature = "tokio")]
pub use self::tokio::TokioRuntime;
#[cfg(feature = "test-util")]
pub use self::virtual_time::VirtualRuntime;

/// A boxed future that can be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Says that a runtime cannot run tasks of its own; the pool then does its work in the next acquire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSpawner;

impl fmt::Display for NoSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this runtime cannot spawn tasks")
    }
}

impl std::error::Error for NoSpawner {}

/// An executor and a clock, as far as the pool needs them.
///
/// The adapters `TokioRuntime`, `SmolRuntime` and `AsyncStdRuntime` are behind the features
/// of the same names; write your own for another executor and pass it to
/// [`Builder::runtime`](crate::Builder::runtime).
///
/// # Examples
///
/// A clock without tasks, with a timer that the program already has:
///
/// ```
/// use std::time::Instant;
/// use pool_core::{BoxFuture, NoSpawner, Runtime};
///
/// struct ClockOnly;
///
/// impl Runtime for ClockOnly {
///     fn spawn(&self, _task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
///         Err(NoSpawner)
///     }
///     fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
///         # let my_timer = |_: Instant| std::future::ready(());
///         Box::pin(my_timer(at))
///     }
///     fn now(&self) -> Instant {
///         Instant::now()
///     }
/// }
/// ```
pub trait Runtime: Send + Sync + 'static {
    /// Runs a task to its end in the background. It must not need an ambient context, and must not poll the task before
    /// it returns.
    ///
    /// # Errors
    ///
    /// [`NoSpawner`] if the runtime cannot run tasks. The task is dropped.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner>;

    /// Completes at the given instant, or at once if it is in the past.
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;

    /// The present; virtual in tests. If it panics, the pool reads the real clock instead.
    fn now(&self) -> Instant;

    /// Whether [`sleep_until`](Runtime::sleep_until) may be called, and its future polled, by a waker that this runtime's
    /// timer calls; default `false`.
    ///
    /// Return `true` if the timer holds no lock while it wakes. The pool then sets its timer again by itself. With
    /// `false`, the next caller that is polled sets it, and nothing of this trait is called by such a waker. One thing
    /// is left to the executor: where a task is dropped inside its own waker and owns the pool's last handle, the pool's
    /// timer is dropped there too.
    fn is_reentrant(&self) -> bool {
        false
    }

    /// Whether [`now`](Runtime::now) is always `Instant::now`; default `false`.
    ///
    /// With `true`, the built-in timer keeps the pool's time and measures idle time in ticks, so that an acquire or a
    /// release of a connection in constant use reads no clock. Return `false` for a clock that a test can stop.
    fn is_real_time(&self) -> bool {
        false
    }
}

impl<R: Runtime + ?Sized> Runtime for Arc<R> {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        (**self).spawn(task)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        (**self).sleep_until(at)
    }
    fn now(&self) -> Instant {
        (**self).now()
    }
    fn is_reentrant(&self) -> bool {
        (**self).is_reentrant()
    }
    fn is_real_time(&self) -> bool {
        (**self).is_real_time()
    }
}

/// The runtime of a pool whose builder names none: an adapter that is current, else the built-in timer.
///
/// smol is not among them. Its executor is current everywhere, so the feature `smol` would change the runtime of every
/// pool in the program. `None`: there is no timer at all (`default-features = false`, and no adapter is current).
pub(crate) fn detect() -> Option<Arc<dyn Runtime>> {
    #[cfg(feature = "tokio")]
    if let Some(runtime) = TokioRuntime::try_current() {
        return Some(Arc::new(runtime));
    }
    #[cfg(feature = "async-std")]
    if let Some(runtime) = AsyncStdRuntime::try_current() {
        return Some(Arc::new(runtime));
    }
    #[cfg(feature = "timer")]
    return Some(Arc::new(ThreadTimer::new()));
    #[cfg(not(feature = "timer"))]
    None
}

/// A runtime without timers and tasks, for pools without a time-out in a build without a timer.
#[derive(Debug)]
pub(crate) struct NoTimer;

impl Runtime for NoTimer {
    fn spawn(&self, _task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        Err(NoSpawner)
    }
    fn sleep_until(&self, _at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
    fn now(&self) -> Instant {
        Instant::now()
    }
}
