//! The runtime that pool-mysql gives to its pools.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pool_core::{BoxFuture, NoSpawner, Runtime, ThreadTimer};
use tokio::task::unconstrained;

use super::threads::{background, current_multi_thread};
use crate::IoRuntime;

/// The runtime that pool-mysql gives to its pools: their background tasks and timers.
///
/// A task runs on the multi-threaded tokio runtime that is current when it is spawned, otherwise on the thread
/// `pool-mysql-io`. Mostly the socket is there too; each wake-up of another thread would cost more than the task. When such a
/// runtime ends, its tasks go on on that thread. So a pool needs no ambient context, works the same under every executor, and
/// outlives the runtime that it was built in. [`create_pool`](crate::create_pool) with [`IoRuntime::Background`] spawns on that
/// thread only.
///
/// Timers are kept by that thread. Their clock is the real one, also inside a tokio runtime whose time is paused.
///
/// # Examples
///
/// ```
/// use pool_core::Runtime;
/// use pool_mysql::MySqlRuntime;
///
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let task = Box::pin(async move { sender.send(7).unwrap() });
/// MySqlRuntime::new().spawn(task).unwrap();
/// assert_eq!(receiver.recv(), Ok(7));
/// ```
#[derive(Clone, Copy, Default)]
pub struct MySqlRuntime {
    choice: IoRuntime,
}

impl MySqlRuntime {
    /// The runtime. Its thread starts with the first wait, or with the first task outside of a multi-threaded tokio runtime.
    /// The whole process shares the thread.
    pub const fn new() -> Self {
        Self {
            choice: IoRuntime::Auto,
        }
    }

    /// The same, for connections whose sockets live there.
    pub(crate) const fn beside(choice: IoRuntime) -> Self {
        Self { choice }
    }
}

impl fmt::Debug for MySqlRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MySqlRuntime")
    }
}

impl Runtime for MySqlRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        match current_multi_thread().filter(|_| self.choice == IoRuntime::Auto) {
            Some(handle) => drop(handle.spawn(Movable(Some(task)))),
            None => drop(background().map_err(|_| NoSpawner)?.spawn(task)),
        }
        Ok(())
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        if at <= self.now() {
            // tokio rounds up to its next tick.
            return Box::pin(std::future::ready(()));
        }
        match background() {
            Ok(handle) => {
                let _context = handle.enter();
                Box::pin(unconstrained(tokio::time::sleep_until(at.into())))
            }
            // The thread could not be started. The thread of this timer may be running already.
            Err(_) => ThreadTimer::new().sleep_until(at),
        }
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn is_real_time(&self) -> bool {
        true
    }
}

/// A task of somebody's runtime. If that runtime ends before the task, the task goes on on the background thread.
struct Movable(Option<BoxFuture<'static, ()>>);

impl Future for Movable {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A task that panics is dropped here, and is not moved.
        let Some(mut task) = self.0.take() else {
            return Poll::Ready(());
        };
        let poll = task.as_mut().poll(cx);
        if poll.is_pending() {
            self.0 = Some(task);
        }
        poll
    }
}

impl Drop for Movable {
    fn drop(&mut self) {
        if let (Some(task), Ok(handle)) = (self.0.take(), background()) {
            handle.spawn(task);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use tokio::runtime::{Builder, Handle};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn two_threads() -> tokio::runtime::Runtime {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("of the caller");
        runtime.build().unwrap()
    }

    /// Sends the name of the thread that the task runs on.
    fn name_of_thread(runtime: MySqlRuntime) -> mpsc::Receiver<Option<String>> {
        let (sender, receiver) = mpsc::channel();
        let task = async move {
            let name = thread::current().name().map(str::to_owned);
            sender.send(name).unwrap();
        };
        runtime.spawn(Box::pin(task)).unwrap();
        receiver
    }

    #[test]
    fn a_panic_in_a_task_does_not_end_the_thread() {
        let runtime = MySqlRuntime::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        runtime
            .spawn(Box::pin(async { panic!("expected by this test") }))
            .unwrap();
        runtime
            .spawn(Box::pin(async move { sender.send(()).unwrap() }))
            .unwrap();
        assert_eq!(receiver.recv_timeout(Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn a_task_runs_on_the_multi_threaded_runtime_that_is_current() {
        let ambient = two_threads();
        let of = |runtime| {
            let _context = ambient.enter();
            let name = name_of_thread(runtime).recv_timeout(LONG).unwrap();
            name.unwrap()
        };
        assert_eq!(of(MySqlRuntime::new()), "of the caller");
        let beside = MySqlRuntime::beside(IoRuntime::Background);
        assert_eq!(of(beside), "pool-mysql-io");
        drop(ambient);
        let name = name_of_thread(MySqlRuntime::new()).recv_timeout(LONG);
        assert_eq!(name.unwrap().as_deref(), Some("pool-mysql-io"));
    }

    #[test]
    fn a_task_goes_on_when_its_runtime_ends() {
        let ambient = two_threads();
        let (begun, has_begun) = mpsc::channel();
        let (go_on, goes_on) = tokio::sync::oneshot::channel::<()>();
        let (end, has_ended) = mpsc::channel();
        let task = async move {
            begun.send(()).unwrap();
            goes_on.await.unwrap();
            end.send(thread::current().name().map(str::to_owned))
                .unwrap();
        };
        {
            let _context = ambient.enter();
            MySqlRuntime::new().spawn(Box::pin(task)).unwrap();
        }
        has_begun.recv_timeout(LONG).unwrap();
        drop(ambient);
        go_on.send(()).unwrap();
        let name = has_ended.recv_timeout(LONG).unwrap();
        assert_eq!(name.as_deref(), Some("pool-mysql-io"));
    }

    #[test]
    fn a_task_that_is_spawned_in_a_runtime_that_has_ended_runs_all_the_same() {
        let ambient = two_threads();
        let handle: Handle = ambient.handle().clone();
        drop(ambient);
        let _context = handle.enter();
        let name = name_of_thread(MySqlRuntime::new()).recv_timeout(LONG);
        assert_eq!(name.unwrap().as_deref(), Some("pool-mysql-io"));
    }

    #[test]
    fn a_task_that_panics_is_not_moved() {
        let ambient = two_threads();
        let (sender, receiver) = mpsc::channel::<()>();
        let task = async move {
            let _sender = sender;
            panic!("expected by this test");
        };
        {
            let _context = ambient.enter();
            MySqlRuntime::new().spawn(Box::pin(task)).unwrap();
        }
        let error = receiver.recv_timeout(LONG);
        assert_eq!(error, Err(mpsc::RecvTimeoutError::Disconnected));
    }
}
