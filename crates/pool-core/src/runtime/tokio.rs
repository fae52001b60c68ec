//! The adapter for tokio, both flavours.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use ::tokio::runtime::Handle;
use ::tokio::task::unconstrained;
use ::tokio::time;

use super::{BoxFuture, NoSpawner, Runtime, ThreadTimer};

/// Runs the pool's tasks and timers on a tokio runtime; it follows tokio's paused clock in tests.
///
/// Pause the clock (`start_paused`, `tokio::time::pause`) before the pool is built: the pool asks once whether time is
/// virtual.
///
/// The adapter keeps the handle, so nothing later needs an ambient context. After the runtime was shut down, the
/// built-in [`ThreadTimer`] keeps the time, and what background tasks would have done happens in the next acquire. A
/// paused clock then runs on in real time.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let runtime = pool_core::TokioRuntime::current();
/// # drop(runtime);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct TokioRuntime {
    handle: Handle,
    /// Set when tokio's timer is found to be gone.
    takeover: Arc<OnceLock<Takeover>>,
}

/// The instant at which the built-in timer took over from tokio's, by both clocks.
#[derive(Clone, Copy, Debug)]
struct Takeover {
    tokio: Instant,
    real: Instant,
}

impl TokioRuntime {
    /// The runtime of the current context.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn current() -> Self {
        Self::new(Handle::current())
    }

    /// The runtime of the current context, if there is one.
    pub fn try_current() -> Option<Self> {
        Handle::try_current().ok().map(Self::new)
    }

    /// A runtime by its handle; where its timer is not enabled the built-in [`ThreadTimer`] serves instead.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pool_core::doc_manager::Numbers;
    /// use pool_core::{Pool, TokioRuntime};
    ///
    /// let executor = tokio::runtime::Builder::new_current_thread().build()?;
    /// let pool = Pool::builder(Numbers)
    ///     .runtime(TokioRuntime::new(executor.handle().clone()))
    ///     .build_lazy()
    ///     .expect("the settings are usable");
    /// executor.block_on(async {
    ///     assert_eq!(*pool.acquire().await.unwrap(), 7);
    /// });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(handle: Handle) -> Self {
        Self {
            handle,
            takeover: Arc::default(),
        }
    }

    fn tokio_now(&self) -> Instant {
        // No context can be entered while the thread's local data is being destroyed.
        let now = catch_unwind(AssertUnwindSafe(|| {
            let _context = self.handle.enter();
            time::Instant::now().into_std()
        }));
        now.unwrap_or_else(|_| Instant::now())
    }

    /// The sleep of the built-in timer. From here on it keeps the time, and [`now`](Runtime::now) agrees with it.
    fn take_over(&self, at: Instant) -> BoxFuture<'static, ()> {
        let takeover = self.takeover.get_or_init(|| {
            let real = Instant::now();
            let tokio = self.tokio_now();
            let is_real = is_between(real, tokio, Instant::now());
            Takeover {
                tokio: if is_real { real } else { tokio },
                real,
            }
        });
        let left = at.saturating_duration_since(takeover.tokio);
        // What lies beyond the clock never comes.
        match takeover.real.checked_add(left) {
            Some(at) => ThreadTimer::new().sleep_until(at),
            None => Box::pin(std::future::pending()),
        }
    }
}

impl Runtime for TokioRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        self.handle.spawn(task);
        Ok(())
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let _context = self.handle.enter();
        // tokio panics here if the timer of its runtime is not enabled: then the built-in timer serves.
        match catch_unwind(AssertUnwindSafe(|| {
            Box::pin(unconstrained(time::sleep_until(at.into())))
        })) {
            Ok(sleep) => Box::pin(Sleep {
                runtime: self.clone(),
                tokio: Some(sleep),
                thread: None,
                at,
            }),
            Err(_) => self.take_over(at),
        }
    }

    fn now(&self) -> Instant {
        match self.takeover.get() {
            Some(takeover) => takeover.tokio + takeover.real.elapsed(),
            None => self.tokio_now(),
        }
    }

    fn is_reentrant(&self) -> bool {
        true
    }

    fn is_real_time(&self) -> bool {
        // A paused clock stands still at an earlier instant, or was advanced to a later one.
        let before = Instant::now();
        is_between(before, self.now(), Instant::now())
    }
}

fn is_between(before: Instant, now: Instant, after: Instant) -> bool {
    before <= now && now <= after
}

/// tokio's sleep, and the built-in one after tokio's runtime is gone.
struct Sleep<S> {
    runtime: TokioRuntime,
    tokio: Option<S>,
    thread: Option<BoxFuture<'static, ()>>,
    at: Instant,
}

impl<S: Future<Output = ()> + Unpin> Future for Sleep<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(sleep) = &mut self.tokio {
            match catch_unwind(AssertUnwindSafe(|| Pin::new(sleep).poll(cx))) {
                Ok(poll) => return poll,
                Err(_) => self.tokio = None,
            }
        }
        let this = &mut *self;
        this.thread
            .get_or_insert_with(|| this.runtime.take_over(this.at))
            .as_mut()
            .poll(cx)
    }
}
