//! Where the sockets of some connections are opened.

use std::future::{Future, pending};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::threads::{background, current_multi_thread};
use crate::IoRuntime;

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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Waker;
    use std::thread;
    use std::time::Duration;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_task_ends_with_the_future_that_waits_for_it() {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let place = IoPlacement::new(IoRuntime::Background);
        let mut waiting = Box::pin(place.open(move |_| {
            let sender = sender.clone();
            async move {
                std::future::pending::<()>().await;
                drop(sender);
            }
        }));
        let polled = waiting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(waiting);
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
}
