//! The adapter for async-std, which is discontinued but still in use.

use std::time::Instant;

use super::{BoxFuture, NoSpawner, Runtime};

/// Runs the pool's tasks and timers on async-std's global executor.
///
/// # Examples
///
/// ```
/// use pool_core::{AsyncStdRuntime, Runtime};
///
/// let runtime = AsyncStdRuntime::new();
/// async_std::task::block_on(runtime.sleep_until(runtime.now()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdRuntime {
    _private: (),
}

impl AsyncStdRuntime {
    /// async-std's global executor.
    pub const fn new() -> Self {
        Self { _private: () }
    }

    /// async-std's executor, if the caller runs in one of its tasks.
    pub fn try_current() -> Option<Self> {
        ::async_std::task::try_current().map(|_| Self::new())
    }
}

impl Runtime for AsyncStdRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        ::async_std::task::spawn(task);
        Ok(())
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            ::async_std::task::sleep(at.saturating_duration_since(Instant::now())).await;
        })
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
