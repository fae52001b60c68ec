//! Tokio runtimes for the driver's sockets. No other file knows that the driver needs tokio.
//!
//! A socket belongs to the tokio runtime in whose context it was opened, as long as it lives. It can be read and written
//! from any executor. So a connect needs a tokio runtime, and something must drive that runtime as long as the connection
//! lives.

mod my_sql_runtime;
mod placement;
mod threads;

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use pool_core::Runtime;
use tokio::runtime::{Builder, Handle};
use tokio::task::{Id, JoinHandle, try_id, unconstrained};

pub use self::my_sql_runtime::MySqlRuntime;
pub(crate) use self::placement::{IoPlacement, RuntimeWatch};
use self::threads::background;

/// Who runs now: a task of tokio, which may move between threads, or else a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    Task(Id),
    Thread(ThreadId),
}

impl Caller {
    pub(crate) fn current() -> Self {
        match try_id() {
            Some(task) => Self::Task(task),
            None => Self::Thread(thread::current().id()),
        }
    }
}

/// Work on a thread where it may block. After a drop of this the work goes on, and its result is lost.
pub(crate) struct Blocking<T>(io::Result<JoinHandle<T>>);

/// Runs work that blocks, on a thread for such work.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Blocking<T> {
    Blocking(background().map(|handle| handle.spawn_blocking(work)))
}

impl<T> Future for Blocking<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(work) => Pin::new(work).poll(cx).map_err(io::Error::other),
            Err(error) => Poll::Ready(Err(error.kind().into())),
        }
    }
}

/// Waits for a future, but not longer than `limit`; `None` means no limit.
///
/// The clock is that of the background thread. So it needs no tokio context, and works in a runtime whose time is paused.
pub(crate) async fn within<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
    let Some(limit) = limit else {
        return Some(future.await);
    };
    let mut future = pin!(future);
    let runtime = MySqlRuntime::new();
    let mut deadline = runtime.sleep_until(runtime.now() + limit);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => deadline.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Drops a connection of the driver, or something that holds one, so that the driver starts no task.
///
/// When a connection of the driver is dropped inside a tokio context, the driver spawns a task that reads everything that
/// the server still sends. Here the context is that of a runtime that has ended: it drops the task at once, and the socket
/// with it.
pub(crate) fn drop_without_driver<T>(thing: T) {
    static ENDED: OnceLock<Option<Handle>> = OnceLock::new();
    if thread::panicking() || Handle::try_current().is_err() {
        // In both cases the driver starts no task. Besides, a thread that is ending cannot enter a context.
        drop(thing);
        return;
    }
    let ended = ENDED.get_or_init(|| {
        let runtime = Builder::new_current_thread().build().ok()?;
        let handle = runtime.handle().clone();
        // Inside another runtime this is allowed; a drop would panic.
        runtime.shutdown_background();
        Some(handle)
    });
    let _context = ended.as_ref().map(Handle::enter);
    drop(thing);
}

/// Polls a future once and drops it; `None` if it was not ready.
pub(crate) fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let future = pin!(unconstrained(future));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_in_time_gives_its_result() {
        let ready = within(Some(Duration::from_secs(60)), std::future::ready(1));
        assert_eq!(poll_once(ready), Some(Some(1)));
        assert_eq!(
            poll_once(within(None, std::future::ready(2))),
            Some(Some(2))
        );
    }

    #[test]
    fn a_future_out_of_time_is_dropped() {
        let late = within(Some(Duration::ZERO), std::future::pending::<()>());
        assert_eq!(poll_once(late), Some(None));
    }
}
