//! A label for all acquires of a task, on any executor.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// Some task of the process has a label. Until then an acquire does not look for one.
static ARE_USED: AtomicBool = AtomicBool::new(false);

static NEXT_TASK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CURRENT: RefCell<Option<Task>> = const { RefCell::new(None) };
}

/// A task that has a label. No other one has its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) number: usize,
    pub(crate) label: Cow<'static, str>,
}

/// Gives every acquire inside of a future this label, unless it has a label of its own.
///
/// Each call makes a task of its future, whatever its label is. A time-out says so if every place is held by tasks that themselves
/// wait in the pool, also where acquires have labels of their own. What the future spawns does not belong to the task.
///
/// # Cancel safety
///
/// As the future inside.
///
/// # Examples
///
/// ```
/// # use pool_core::doc_manager::Numbers;
/// use pool_core::{Pool, labelled};
///
/// # futures_lite::future::block_on(async {
/// let pool = Pool::builder(Numbers).build().await?;
/// let conn = labelled("request 7", pool.acquire()).await?;
/// assert_eq!(pool.borrowed()[0].label(), Some("request 7"));
/// # drop(conn);
/// # Ok::<(), pool_core::Error<std::convert::Infallible>>(())
/// # }).unwrap();
/// ```
pub fn labelled<F: Future>(
    label: impl Into<Cow<'static, str>>,
    future: F,
) -> impl Future<Output = F::Output> {
    ARE_USED.store(true, Ordering::Relaxed);
    Labelled {
        task: Some(Task {
            number: NEXT_TASK.fetch_add(1, Ordering::Relaxed),
            label: label.into(),
        }),
        future: Box::pin(future),
    }
}

struct Labelled<F> {
    /// `None` during a poll: then it is the current one.
    task: Option<Task>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Labelled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _restore = Current::swap(&mut this.task);
        this.future.as_mut().poll(cx)
    }
}

/// The task is current; the one before comes back with its drop.
struct Current<'a> {
    task: &'a mut Option<Task>,
}

impl<'a> Current<'a> {
    fn swap(task: &'a mut Option<Task>) -> Self {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, task));
        Self { task }
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.task));
    }
}

/// Whether there can be a label.
#[inline]
pub(crate) fn are_used() -> bool {
    ARE_USED.load(Ordering::Relaxed)
}

/// The task that is polled on this thread, if it has a label.
#[cold]
pub(crate) fn current() -> Option<Task> {
    CURRENT.with_borrow(Clone::clone)
}
