//! Ends a command from outside while somebody waits for it.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use crate::error::closed_because::ClosedBecause;
use crate::transport::kill_queue::Victim;

/// A flag that ends the command under way, and makes all later commands fail.
#[derive(Default)]
pub(crate) struct Signal {
    /// The flag is set once there is a reason.
    because: OnceLock<ClosedBecause>,
    /// The waker of the task that waits for the command under way, or of the last one.
    waiting: Mutex<Option<Waker>>,
    victim: Mutex<Option<Victim>>,
}

impl Signal {
    /// Sets the flag and wakes the task that waits for a command.
    pub(crate) fn abort(&self, because: ClosedBecause) {
        self.abort_after(because, || ());
    }

    /// Sets the flag, then calls `before_wake`, then wakes the task that waits for a command.
    pub(crate) fn abort_after(&self, because: ClosedBecause, before_wake: impl FnOnce()) {
        // The first reason stays.
        let _ = self.because.set(because);
        let waiting = self.waiting().take();
        before_wake();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// What to tell the server to KILL; `None` where the server did not say enough about itself.
    pub(crate) fn victim(&self) -> Option<Victim> {
        self.lock_victim().clone()
    }

    /// Called when the connection was opened, and when it was opened anew, perhaps at another server.
    pub(crate) fn is_about(&self, victim: Option<Victim>) {
        *self.lock_victim() = victim;
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.because().is_some()
    }

    /// Why the flag is set.
    pub(crate) fn because(&self) -> Option<ClosedBecause> {
        self.because.get().copied()
    }

    /// Waits for a command; returns `None` when the flag is set.
    pub(crate) async fn guard<F: Future>(&self, command: F) -> Option<F::Output> {
        let mut command = pin!(command);
        std::future::poll_fn(|cx| {
            if self.is_aborted() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(output) = command.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let is_known = self
                .waiting()
                .as_ref()
                .is_some_and(|waker| waker.will_wake(cx.waker()));
            if !is_known {
                // Cloning and dropping a waker can run somebody else's code, so both are done outside the lock.
                let new = cx.waker().clone();
                let old = self.waiting().replace(new);
                drop(old);
            }
            // The flag may have been set after the first look and before the waker was stored.
            match self.is_aborted() {
                true => Poll::Ready(None),
                false => Poll::Pending,
            }
        })
        .await
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_victim(&self) -> MutexGuard<'_, Option<Victim>> {
        self.victim.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;
    use crate::transport::io_runtime::poll_once;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_command_that_is_ready_gives_its_result() {
        let signal = Signal::default();
        assert_eq!(
            poll_once(signal.guard(std::future::ready(3))),
            Some(Some(3))
        );
    }

    #[test]
    fn a_waiting_command_is_woken_and_ended() {
        let signal = Signal::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut command = pin!(signal.guard(std::future::pending::<()>()));
        assert!(command.as_mut().poll(&mut cx).is_pending());
        assert!(command.as_mut().poll(&mut cx).is_pending());
        signal.abort(ClosedBecause::Terminated);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(command.as_mut().poll(&mut cx), Poll::Ready(None));
    }

    #[test]
    fn no_command_starts_after_the_flag() {
        let signal = Signal::default();
        signal.abort(ClosedBecause::Terminated);
        let mut started = false;
        let command = signal.guard(std::future::poll_fn(|_| {
            started = true;
            Poll::<()>::Pending
        }));
        assert_eq!(poll_once(command), Some(None));
        assert!(!started);
    }

    #[test]
    fn a_flag_set_during_the_poll_is_seen() {
        let signal = Signal::default();
        let command = signal.guard(std::future::poll_fn(|_| {
            signal.abort(ClosedBecause::Terminated);
            Poll::<()>::Pending
        }));
        assert_eq!(poll_once(command), Some(None));
    }

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("expected by this test");
        }
    }

    #[test]
    fn a_waker_that_panics_does_not_keep_the_server_from_being_told() {
        let signal = Signal::default();
        let waker = Waker::from(Arc::new(Panics));
        let mut command = pin!(signal.guard(std::future::pending::<()>()));
        let polled = command.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        let mut told = false;
        let abort = std::panic::AssertUnwindSafe(|| {
            signal.abort_after(ClosedBecause::Terminated, || told = true)
        });
        assert!(std::panic::catch_unwind(abort).is_err());
        assert!(told && signal.is_aborted());
    }
}
