//! The adapter for smol.

use std::time::Instant;

use super::{BoxFuture, NoSpawner, Runtime};

/// Runs the pool's tasks on smol's global executor and its timers on smol's reactor.
///
/// The global executor has a thread of its own and is there everywhere, so this adapter needs no context.
///
/// # Examples
///
/// ```
/// use pool_core::{Runtime, SmolRuntime};
///
/// let runtime = SmolRuntime::new();
/// smol::block_on(runtime.sleep_until(runtime.now()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolRuntime {
    _private: (),
}

impl SmolRuntime {
    /// smol's global executor.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Runtime for SmolRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        ::smol::spawn(task).detach();
        Ok(())
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            ::smol::Timer::at(at).await;
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
