//! The lock over the books.

use std::hint::spin_loop;

use parking_lot::{Mutex, MutexGuard};

/// How often a taken lock is looked at before the thread parks.
const LOOKS: u32 = 16;

/// The pause before each look: a microsecond or a few, which is longer than the lock is mostly held.
///
/// The core that holds it takes and leaves it many times meanwhile, with everything in its own cache. Looking more often
/// moves the cache lines to and fro for every step: measured, a crowd on two cores gets half as much done.
const PAUSE: u32 = 64;

/// A mutex that is held for a few lines of arithmetic and never longer.
///
/// Whoever finds it taken looks again a few times: by the time a thread has parked the lock has long been free, and once
/// one thread has parked each unlock pays for a wake-up. Where the holder itself was put to sleep, it parks after all.
/// A panic under the lock is a bug of ours and is not made worse by refusing everybody else, so nothing is poisoned.
///
/// It begins with a cache line, so that what lies first in `T` comes along with the lock.
#[repr(align(128))]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        match self.0.try_lock() {
            Some(guard) => guard,
            None => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> MutexGuard<'_, T> {
        for _ in 0..LOOKS {
            for _ in 0..PAUSE {
                spin_loop();
            }
            if self.0.is_locked() {
                continue;
            }
            if let Some(guard) = self.0.try_lock() {
                return guard;
            }
        }
        self.0.lock()
    }
}
