//! A label for all acquires of a task, on any executor.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// Some task of the process has a label. Until then an acquire does not look for one.
static ARE_USED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CURRENT: RefCell<Option<Cow<'static, str>>> = const { RefCell::new(None) };
}

/// Gives every acquire inside of a future this label, unless it has a label of its own.
///
/// Give each task a label of its own, such as `format!("request {id}")`: then a time-out says so if every place is held
/// by tasks that themselves wait in the pool. What the future spawns does not get the label.
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
        label: Some(label.into()),
        future: Box::pin(future),
    }
}

struct Labelled<F> {
    /// `None` during a poll: then it is the current one.
    label: Option<Cow<'static, str>>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Labelled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _restore = Current::swap(&mut this.label);
        this.future.as_mut().poll(cx)
    }
}

/// The label is current; the one before comes back with its drop.
struct Current<'a> {
    label: &'a mut Option<Cow<'static, str>>,
}

impl<'a> Current<'a> {
    fn swap(label: &'a mut Option<Cow<'static, str>>) -> Self {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, label));
        Self { label }
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.label));
    }
}

/// Whether there can be a label.
#[inline]
pub(crate) fn are_used() -> bool {
    ARE_USED.load(Ordering::Relaxed)
}

/// The label of the task that is polled on this thread.
#[cold]
pub(crate) fn current() -> Option<Cow<'static, str>> {
    CURRENT.with_borrow(Clone::clone)
}
