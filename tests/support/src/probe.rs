//! Futures polled by hand: one poll at a time, with every wake counted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::Stage;

/// A waker that counts how often it is woken.
#[derive(Debug, Default)]
pub struct CountingWaker {
    wakes: AtomicUsize,
}

impl CountingWaker {
    /// A waker that was never woken.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// How often it was woken.
    pub fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }

    /// As the waker that a context wants.
    pub fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker that panics when it is woken.
pub fn panicking_waker() -> Waker {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("scripted: the waker panics");
        }
    }
    Waker::from(Arc::new(Panics))
}

/// Polls once, with a waker that does nothing.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

/// Polls once with the given waker.
pub fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// When a future is dropped, seen from its last await.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has just answered pending; nothing else has run since.
    AtOnce,
    /// It is pending, the pool's own tasks have run as far as they could, and nothing has woken it.
    BeforeWake,
    /// It was woken and not polled since.
    AfterWake,
    /// It is complete; its output is dropped untouched.
    Ready,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AtOnce, Self::BeforeWake, Self::AfterWake, Self::Ready];
}

/// What goes on around a future that is dropped half-way.
pub trait Surroundings {
    /// Called once, right after the future's first poll (or before it is dropped unpolled).
    fn after_first_poll(&mut self) {}

    /// Does the next thing that brings the future forward; says whether there was one.
    fn poll_others(&mut self) -> bool;
}

impl<F: FnMut() -> bool> Surroundings for F {
    fn poll_others(&mut self) -> bool {
        self()
    }
}

/// A future that the test polls by hand.
pub struct Probe<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    waker: Arc<CountingWaker>,
    seen: usize,
    polls: usize,
    output: Option<T>,
}

impl<'a, T> Probe<'a, T> {
    /// A future that was not polled yet.
    pub fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self {
            future: Some(Box::pin(future)),
            waker: CountingWaker::new(),
            seen: 0,
            polls: 0,
            output: None,
        }
    }

    /// A future that was polled once and must be pending.
    ///
    /// # Panics
    ///
    /// When it is ready at once.
    #[track_caller]
    pub fn pending(future: impl Future<Output = T> + 'a) -> Self {
        let mut probe = Self::new(future);
        assert!(!probe.poll(), "the future ought to wait, and it is ready");
        probe
    }

    /// A future that was polled once.
    pub fn polled(future: impl Future<Output = T> + 'a) -> Self {
        let mut probe = Self::new(future);
        probe.poll();
        probe
    }

    /// Polls once; says whether the future is complete.
    ///
    /// # Panics
    ///
    /// When the future was dropped.
    pub fn poll(&mut self) -> bool {
        if self.output.is_some() {
            return true;
        }
        let future = self.future.as_mut().expect("the future was not dropped");
        let waker = self.waker.waker();
        self.seen = self.waker.wakes();
        self.polls += 1;
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => {
                self.future = None;
                self.output = Some(output);
                true
            }
            Poll::Pending => false,
        }
    }

    /// Whether an executor would poll it: it was never polled, or was woken since its last poll.
    pub fn wants_poll(&self) -> bool {
        self.future.is_some() && (self.polls == 0 || self.is_woken())
    }

    /// Whether it was woken since its last poll.
    pub fn is_woken(&self) -> bool {
        self.waker.wakes() > self.seen
    }

    /// Whether its future is still there, pending or not yet polled.
    pub fn is_parked(&self) -> bool {
        self.future.is_some()
    }

    /// How often it was woken.
    pub fn wakes(&self) -> usize {
        self.waker.wakes()
    }

    /// How often it was polled.
    pub fn polls(&self) -> usize {
        self.polls
    }

    /// Whether it is complete.
    pub fn is_ready(&self) -> bool {
        self.output.is_some()
    }

    /// Drops the future where it stands, and its output if it has one.
    pub fn cancel(&mut self) {
        self.future = None;
        self.output = None;
    }

    /// Polls as an executor would, together with the pool's own tasks, until it is complete or asleep.
    pub fn poll_until_stalled(&mut self, stage: &Stage) -> bool {
        stage.settle();
        while self.wants_poll() {
            self.poll();
            stage.settle();
        }
        self.is_ready()
    }

    /// The output of a complete future.
    ///
    /// # Panics
    ///
    /// When it is not complete.
    #[track_caller]
    pub fn take(&mut self) -> T {
        self.output
            .take()
            .expect("HANG: the future is not complete")
    }

    /// Drives the future to its `number`-th pending poll (0: it is not polled at all) and drops it there at the given
    /// moment. The answer says whether that place exists.
    pub fn cancel_at(
        &mut self,
        stage: &Stage,
        number: usize,
        moment: Moment,
        around: &mut dyn Surroundings,
    ) -> bool {
        let reached = self.drive_to(stage, number, moment, around);
        if self.polls == 0 {
            around.after_first_poll();
        }
        self.cancel();
        reached
    }

    fn drive_to(
        &mut self,
        stage: &Stage,
        number: usize,
        moment: Moment,
        around: &mut dyn Surroundings,
    ) -> bool {
        let mut pendings = 0;
        loop {
            let here = pendings == number;
            if here && moment == Moment::AtOnce {
                return true;
            }
            stage.settle();
            if here && moment == Moment::BeforeWake {
                return !self.is_woken();
            }
            while !self.wants_poll() {
                if !around.poll_others() {
                    return false;
                }
                stage.settle();
            }
            if here && moment == Moment::AfterWake {
                return self.is_woken();
            }
            let ready = self.poll();
            if self.polls == 1 {
                around.after_first_poll();
            }
            if ready {
                return here && moment == Moment::Ready;
            }
            pendings += 1;
        }
    }
}
