//! The lock over the books.

use std::hint::spin_loop;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// How often a taken lock is looked at before the thread parks; a few microseconds.
const LOOKS: u32 = 200;

/// A mutex that is held for a few lines of arithmetic and never longer.
///
/// Whoever finds it taken looks again for a while: by the time a thread has parked the lock has long been free, and once
/// one thread has parked each unlock pays for a wake-up. Where the holder itself was put to sleep, it parks after all.
///
/// It begins with a cache line, so that what lies first in `T` comes along with the lock.
#[repr(align(128))]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// A panic under the lock is a bug of ours and is not made worse by refusing everybody else.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        match self.0.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(guard)) => guard.into_inner(),
            Err(TryLockError::WouldBlock) => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> MutexGuard<'_, T> {
        for _ in 0..LOOKS {
            spin_loop();
            match self.0.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(guard)) => return guard.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
