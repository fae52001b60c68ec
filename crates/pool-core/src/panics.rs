//! Calls of foreign code whose panics must not stop the pool.

use std::any::Any;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message of a panic in a `Drop` inside of a step.
pub(crate) const DROP_PANICKED: &str = "a future or a connection panicked when it was dropped";

/// Calls foreign code; `None` if it panicked.
#[inline]
pub(crate) fn ignore_panic<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_panic(call).ok()
}

/// Calls foreign code.
///
/// # Errors
///
/// The message of its panic.
#[inline]
pub(crate) fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(take_message)
}

#[cold]
fn take_message(panic: Box<dyn Any + Send>) -> String {
    let text = message(&*panic);
    // The drop of the panic's payload is foreign code too.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
    text
}

/// A value of foreign code. The panic of its drop is contained, wherever its last owner goes.
pub(crate) struct DropsQuietly<T>(Option<T>);

impl<T> DropsQuietly<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for DropsQuietly<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.0.as_ref().expect("the value is there until its drop")
    }
}

impl<T> Drop for DropsQuietly<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        ignore_panic(|| drop(value));
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without a message".to_owned(),
    }
}
