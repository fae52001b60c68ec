//! Polls a future by hand: only when it was woken, and at most a given number of times.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Notes that the future was woken, and wakes the task that polls it.
struct Signal {
    woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Signal {
    fn set_task(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        *task = Some(waker.clone());
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let task = task.take();
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// A future that polls another one only when that was woken. After the last of its polls it answers `None`.
pub(crate) struct Polls<F> {
    future: Pin<Box<F>>,
    signal: Arc<Signal>,
    left: usize,
}

impl<F: Future> Polls<F> {
    /// At most `most` polls.
    pub(crate) fn at_most(most: usize, future: F) -> Self {
        Self {
            future: Box::pin(future),
            signal: Arc::new(Signal {
                woken: AtomicBool::new(true),
                task: Mutex::new(None),
            }),
            left: most,
        }
    }
}

impl<F: Future> Future for Polls<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        // The task is stored before the flag is read, so no wake is lost in between.
        self.signal.set_task(context.waker());
        if !self.signal.woken.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        self.left -= 1;
        let waker = Waker::from(Arc::clone(&self.signal));
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&waker));
        match polled {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_lite::future::{block_on, or, pending, poll_fn, yield_now};

    use super::*;

    #[test]
    fn it_stops_after_the_last_poll() {
        let polls = Cell::new(0);
        let restless = poll_fn(|context| {
            polls.set(polls.get() + 1);
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(block_on(Polls::at_most(3, restless)).is_none());
        assert_eq!(polls.get(), 3);
    }

    #[test]
    fn it_does_not_poll_what_was_not_woken() {
        let polls = Cell::new(0);
        let asleep = poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        });
        let others = async {
            for _ in 0..5 {
                yield_now().await;
            }
            None
        };
        assert!(block_on(or(Polls::at_most(9, asleep), others)).is_none());
        assert_eq!(polls.get(), 1);
        assert!(block_on(or(Polls::at_most(1, pending::<()>()), pending())).is_none());
    }
}
