//! The primitives of a model checker.

use std::sync::PoisonError;

#[cfg(loom)]
use loom as checker;
#[cfg(all(shuttle, not(loom)))]
use shuttle as checker;

pub(crate) use self::checker::sync::atomic::AtomicU8;
pub(crate) use self::checker::sync::{Mutex, MutexGuard, MutexGuard as LedgerGuard};
/// A thread that looks again and again lets the others run first: without that, the model checker would follow it for
/// ever.
pub(crate) use self::checker::thread::yield_now as pause;

/// The mutex of the ledger, with what parking_lot's has and the model checker's has not.
pub(crate) struct LedgerMutex<T>(Mutex<T>);

impl<T> LedgerMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LedgerGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<LedgerGuard<'_, T>> {
        self.0.try_lock().ok()
    }

    /// parking_lot answers this without a write. Here only a `try_lock` can tell, and the caller does that next.
    pub(crate) fn is_locked(&self) -> bool {
        false
    }
}
