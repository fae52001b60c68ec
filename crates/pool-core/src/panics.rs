//! Calls of foreign code whose panics must not stop the pool.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls foreign code; `None` if it panicked.
pub(crate) fn ignore_panic<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_panic(call).ok()
}

/// Calls foreign code.
///
/// # Errors
///
/// The message of its panic.
pub(crate) fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = message(&*panic);
        // The drop of the panic's payload is foreign code too.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
        text
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "a panic without a message".to_owned(),
    }
}
