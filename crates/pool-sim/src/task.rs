//! A future with its waker, which the world polls by hand.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};

use pool_core::BoxFuture;

use crate::steps::nothing_follows;

/// How deep wakers may poll inside wakers.
const DEPTH: u32 = 6;

thread_local! {
    static DEEP: Cell<u32> = const { Cell::new(0) };
    /// The task that is being polled.
    static CURRENT: Cell<Option<u64>> = const { Cell::new(None) };
    /// Whether wakers only take note at the moment: a timer that holds its lock is calling them.
    static ONLY_NOTE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `action`, in which no waker polls its task.
pub(crate) fn without_inline_polls(action: impl FnOnce()) {
    ONLY_NOTE.set(true);
    action();
    ONLY_NOTE.set(false);
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The task that is being polled now, if its waker is what the pool gets.
pub(crate) fn current() -> Option<u64> {
    CURRENT.get()
}

/// Runs `action`, whose polls know no waker of a task.
pub(crate) fn outside_of_tasks(action: impl FnOnce()) {
    as_task(None, action);
}

fn as_task<T>(current: Option<u64>, action: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(current);
    let result = action();
    CURRENT.set(before);
    result
}

/// A future, what came out of it, and whether it was woken.
pub(crate) struct Task<T> {
    pub(crate) number: u64,
    future: Mutex<Option<BoxFuture<'static, T>>>,
    output: Mutex<Option<T>>,
    /// What a poll or the drop of the future has panicked with.
    panic: Mutex<Option<String>>,
    /// So many polls in a row have the same waker.
    polls_per_waker: u64,
    polls: AtomicU64,
    /// The waker of the last poll.
    kept: Mutex<Option<Waker>>,
    /// Its number. Only that one counts.
    waker: AtomicU64,
    is_woken: AtomicBool,
    is_inline: AtomicBool,
}

impl<T: Send + 'static> Task<T> {
    pub(crate) fn new(future: BoxFuture<'static, T>, polls_per_waker: u16) -> Arc<Self> {
        Arc::new(Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            future: Mutex::new(Some(future)),
            output: Mutex::new(None),
            panic: Mutex::new(None),
            polls_per_waker: u64::from(polls_per_waker.max(1)),
            polls: AtomicU64::new(0),
            kept: Mutex::new(None),
            waker: AtomicU64::new(0),
            is_woken: AtomicBool::new(true),
            is_inline: AtomicBool::new(false),
        })
    }

    /// Polls the future, with a new waker or with that of the last poll. Nothing happens while it is being polled already,
    /// or when it is over.
    pub(crate) fn poll(self: &Arc<Self>) {
        let mut future = match self.future.try_lock() {
            Ok(future) => future,
            Err(TryLockError::Poisoned(future)) => future.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let Some(polled) = future.as_mut() else {
            return;
        };
        self.is_woken.store(false, Ordering::Relaxed);
        nothing_follows();
        let waker = self.next_waker();
        let mut context = Context::from_waker(&waker);
        let step = as_task(Some(self.number), || {
            catch_unwind(AssertUnwindSafe(|| polled.as_mut().poll(&mut context)))
        });
        match step {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(output)) => *lock(&self.output) = Some(output),
            Err(payload) => self.panicked(payload),
        }
        let over = future.take();
        drop(future);
        self.drop_future(over);
    }

    fn next_waker(self: &Arc<Self>) -> Waker {
        let polls = self.polls.fetch_add(1, Ordering::Relaxed);
        let kept = lock(&self.kept).clone();
        if let Some(kept) = kept.filter(|_| !polls.is_multiple_of(self.polls_per_waker)) {
            return kept;
        }
        let number = self.waker.fetch_add(1, Ordering::Relaxed) + 1;
        let task = Arc::clone(self);
        let waker = Waker::from(Arc::new(Numbered { task, number }));
        let old = lock(&self.kept).replace(waker.clone());
        drop(old);
        waker
    }

    /// Drops the future, wherever it is. Returns whether there was one.
    pub(crate) fn cancel(&self) -> bool {
        let future = match self.future.try_lock() {
            Ok(mut future) => future.take(),
            _ => None,
        };
        let was_there = future.is_some();
        self.drop_future(future);
        was_there
    }

    fn drop_future(&self, future: Option<BoxFuture<'static, T>>) {
        if future.is_some() {
            // It keeps this task alive.
            drop(lock(&self.kept).take());
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
            self.panicked(payload);
        }
    }

    fn panicked(&self, payload: Box<dyn Any + Send>) {
        *lock(&self.panic) = Some(words_of(&*payload));
    }

    pub(crate) fn take_panic(&self) -> Option<String> {
        lock(&self.panic).take()
    }

    pub(crate) fn take_output(&self) -> Option<T> {
        lock(&self.output).take()
    }

    pub(crate) fn has_output(&self) -> bool {
        lock(&self.output).is_some()
    }

    /// Whether the future is neither done nor dropped.
    pub(crate) fn is_alive(&self) -> bool {
        match self.future.try_lock() {
            Ok(future) => future.is_some(),
            Err(TryLockError::Poisoned(future)) => future.into_inner().is_some(),
            Err(TryLockError::WouldBlock) => true,
        }
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.is_woken.load(Ordering::Relaxed)
    }

    /// From now on its waker polls it at once.
    pub(crate) fn poll_inline(&self) {
        self.is_inline.store(true, Ordering::Relaxed);
    }
}

/// The text of a panic.
pub(crate) fn words_of(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The waker of one poll.
struct Numbered<T> {
    task: Arc<Task<T>>,
    number: u64,
}

impl<T: Send + 'static> Wake for Numbered<T> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let task = &self.task;
        if task.waker.load(Ordering::Relaxed) != self.number {
            return;
        }
        task.is_woken.store(true, Ordering::Relaxed);
        let depth = DEEP.get();
        if task.is_inline.load(Ordering::Relaxed) && depth < DEPTH && !ONLY_NOTE.get() {
            DEEP.set(depth + 1);
            task.poll();
            DEEP.set(depth);
        }
    }
}
