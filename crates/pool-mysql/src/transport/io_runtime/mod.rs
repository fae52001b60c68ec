//! Tokio runtimes for the driver's sockets. No other file knows that the driver needs tokio.
//!
//! A socket belongs to the tokio runtime in whose context it was opened, as long as it lives. It can be read and written
//! from any executor. So a connect needs a tokio runtime, and something must drive that runtime as long as the connection
//! lives.

mod my_sql_runtime;

use std::future::{Future, pending};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use pool_core::Runtime;
use tokio::runtime::{Builder, Handle, RuntimeFlavor};
use tokio::task::{Id, JoinHandle, try_id, unconstrained};

pub use self::my_sql_runtime::MySqlRuntime;
use crate::IoRuntime;

/// The runtime of the thread `pool-mysql-io`, which all background I/O, timers and tasks share. It is started once and never
/// ends.
fn background() -> io::Result<&'static Handle> {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let handle = start(|drive| {
        let thread = thread::Builder::new().name("pool-mysql-io".into());
        thread.spawn(drive).map(drop)
    })?;
    Ok(HANDLE.get_or_init(|| handle))
}

/// Makes a runtime, and drives it on the thread that `start_thread` starts.
fn start(
    start_thread: impl FnOnce(Box<dyn FnOnce() + Send>) -> io::Result<()>,
) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let handle = runtime.handle().clone();
    let (sender, receiver) = mpsc::channel::<tokio::runtime::Runtime>();
    let drive = move || {
        let Ok(runtime) = receiver.recv() else { return };
        loop {
            // A waker is somebody else's code, and its panic must not end the I/O of all connections.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(pending::<()>());
            }));
        }
    };
    let started = start_thread(Box::new(drive));
    let unused = match &started {
        Ok(()) => sender.send(runtime).err().map(|unsent| unsent.0),
        Err(_) => Some(runtime),
    };
    if let Some(runtime) = unused {
        // Dropping a runtime inside another one panics, and this may run in the drop of a command.
        runtime.shutdown_background();
    }
    started.map(|()| handle)
}

/// The current tokio runtime, if it is a multi-threaded one.
fn current_multi_thread() -> Option<Handle> {
    Handle::try_current()
        .ok()
        .filter(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread)
}

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

/// Where the sockets of some connections are opened.
pub(crate) struct IoPlacement {
    choice: IoRuntime,
    /// The multi-threaded runtime that was current last. It is kept because pool-core also opens connections from its own
    /// tasks, where it is not current.
    seen: Mutex<Option<Handle>>,
    /// A multi-threaded runtime could not open a socket: it has no I/O driver.
    unfit: AtomicBool,
}

impl IoPlacement {
    pub(crate) fn new(choice: IoRuntime) -> Self {
        Self {
            choice,
            seen: Mutex::new(current_multi_thread()),
            unfit: AtomicBool::new(false),
        }
    }

    fn multi_thread(&self) -> Option<Handle> {
        if self.choice == IoRuntime::Background || self.unfit.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(current) = current_multi_thread() {
            self.set_seen(Some(current));
        }
        self.seen().clone()
    }

    fn set_seen(&self, handle: Option<Handle>) {
        // The last handle of a runtime drops what its user gave to it, so that is done outside the lock.
        let old = std::mem::replace(&mut *self.seen(), handle);
        drop(old);
    }

    fn seen(&self) -> MutexGuard<'_, Option<Handle>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a future that opens a socket, in the context of the right runtime. Dropping the returned future ends it.
    ///
    /// On the runtime that is current it is polled by the caller; a task of its own would have to be woken, and to wake the
    /// caller. If the multi-threaded runtime has ended, or has no I/O driver, the background thread runs it.
    pub(crate) async fn open<T, F>(&self, open: impl Fn(RuntimeWatch) -> F + Send) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        if let Some(handle) = self.multi_thread() {
            let watch = RuntimeWatch::over(&handle);
            let opening = open(watch.clone());
            let opened = match current_multi_thread() {
                Some(_) => Within(handle, Box::pin(opening)).await,
                None => Spawned(handle.spawn(opening)).await,
            };
            // It may have ended while the caller did not poll.
            let opened = match watch.has_ended() {
                true => Err(None),
                false => opened,
            };
            match opened {
                Ok(opened) => return Ok(opened),
                Err(Some(_)) => self.unfit.store(true, Ordering::Relaxed),
                Err(None) => self.set_seen(None),
            }
        }
        match Spawned(background()?.spawn(open(RuntimeWatch(None)))).await {
            Ok(opened) => Ok(opened),
            Err(Some(panic)) => resume_unwind(panic),
            Err(None) => unreachable!("the background runtime never shuts down"),
        }
    }
}

/// Tells whether the runtime of a socket has ended. It holds a task of that runtime, which ends with the runtime.
#[derive(Clone)]
pub(crate) struct RuntimeWatch(Option<Arc<Spawned<()>>>);

impl RuntimeWatch {
    fn over(runtime: &Handle) -> Self {
        Self(Some(Arc::new(Spawned(runtime.spawn(pending())))))
    }

    /// Takes it from a connection that is being closed, for the connection that replaces it.
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.as_ref().is_some_and(|task| task.0.is_finished())
    }
}

/// A future that is polled in the context of a runtime, whoever polls it. Its error is its panic.
struct Within<F>(Handle, Pin<Box<F>>);

impl<F: Future> Future for Within<F> {
    type Output = Result<F::Output, Option<Box<dyn std::any::Any + Send>>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(handle, future) = &mut *self;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let _context = handle.enter();
            future.as_mut().poll(cx)
        }));
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(Some(panic))),
        }
    }
}

/// A task that is aborted when this is dropped. Its error is its panic, or `None` if its runtime has ended.
struct Spawned<T>(JoinHandle<T>);

impl<T> Future for Spawned<T> {
    type Output = Result<T, Option<Box<dyn std::any::Any + Send>>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map_err(|error| error.try_into_panic().ok())
    }
}

impl<T> Drop for Spawned<T> {
    fn drop(&mut self) {
        self.0.abort();
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
    use std::sync::atomic::AtomicUsize;

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

    #[test]
    fn a_task_ends_with_the_future_that_waits_for_it() {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let place = IoPlacement::new(IoRuntime::Background);
        let waiting = place.open(move |_| {
            let sender = sender.clone();
            async move {
                std::future::pending::<()>().await;
                drop(sender);
            }
        });
        assert!(poll_once(waiting).is_none());
        let error = receiver.recv_timeout(Duration::from_secs(60));
        assert_eq!(error, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
    }

    fn two_threads() -> tokio::runtime::Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    }

    /// Opens something on a runtime that is current for the first poll only. `end`: the runtime ends before the second one.
    /// How often it was opened comes out, and whether that was on the thread that polled.
    fn opened(end: bool) -> (usize, bool) {
        let ambient = two_threads();
        let here = thread::current().id();
        let (count, go_on) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let open = |_| {
            let (count, go_on) = (Arc::clone(&count), Arc::clone(&go_on));
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                std::future::poll_fn(|_| match go_on.load(Ordering::SeqCst) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                })
                .await;
                thread::current().id() == here
            }
        };
        let context = ambient.enter();
        let place = IoPlacement::new(IoRuntime::Auto);
        let mut opening = Box::pin(place.open(open));
        let first = opening
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(first.is_pending());
        drop(context);
        go_on.store(true, Ordering::SeqCst);
        if end {
            drop(ambient);
        }
        let is_here = futures::executor::block_on(opening).unwrap();
        (count.load(Ordering::SeqCst), is_here)
    }

    #[test]
    fn what_is_opened_on_the_current_runtime_is_polled_by_the_caller() {
        assert_eq!(opened(false), (1, true));
    }

    #[test]
    fn what_was_opened_on_a_runtime_that_has_ended_is_opened_anew_in_the_background() {
        assert_eq!(opened(true), (2, false));
    }

    #[test]
    fn a_thread_that_cannot_be_started_is_an_error_also_inside_a_runtime() {
        let ambient = Builder::new_current_thread().build().unwrap();
        let started = ambient.block_on(async { start(|_| Err(io::ErrorKind::OutOfMemory.into())) });
        assert_eq!(started.unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }
}
