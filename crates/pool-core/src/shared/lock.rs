//! The lock over the ledger.

use std::hint::spin_loop;

use parking_lot::{Mutex, MutexGuard};

/// How often a thread looks at a taken lock before it parks.
const LOOKS: u32 = 16;

/// The pause before each look, in spin hints: about a microsecond, which is longer than the lock is mostly held.
///
/// Meanwhile the core that holds the lock takes and releases it many times with everything in its own cache. To look
/// more often moves the cache lines between the cores at each step: measured, a crowd on two cores then gets half as
/// much done.
const PAUSE: u32 = 64;

/// A mutex that is held for a few lines of arithmetic.
///
/// A thread that finds it taken looks again a few times: when a thread has parked, the lock has long been free, and
/// each unlock has to wake that thread. If the holder itself was suspended, the thread parks after all. The lock is not
/// poisoned: a panic under it is a fault of this crate, and to refuse every other caller would make it worse.
///
/// It begins with a cache line, so that the first fields of `T` come along with the lock.
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
