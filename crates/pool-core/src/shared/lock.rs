//! The lock over the ledger.

use crate::sync::{LedgerGuard, LedgerMutex, pause};

/// How often a thread looks at a taken lock before it parks. A model checker sees in one look what there is to see.
const LOOKS: u32 = if IS_MODELLED { 1 } else { 16 };

const IS_MODELLED: bool = cfg!(any(loom, shuttle));

/// The pause before each look, in spin hints: about a microsecond, which is longer than the lock is mostly held.
///
/// Meanwhile the core that holds the lock takes and releases it many times with everything in its own cache. To look
/// more often moves the cache lines between the cores at each step: measured, a crowd on two cores then gets half as
/// much done.
const PAUSE: u32 = if IS_MODELLED { 1 } else { 64 };

/// A mutex that is held for a few lines of arithmetic.
///
/// A thread that finds it taken looks again a few times: when a thread has parked, the lock has long been free, and
/// each unlock has to wake that thread. If the holder itself was suspended, the thread parks after all. The lock is not
/// poisoned: a panic under it is a fault of this crate, and to refuse every other caller would make it worse.
///
/// It begins with a cache line, so that the first fields of `T` come along with the lock.
#[repr(align(128))]
pub(crate) struct Lock<T>(LedgerMutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(LedgerMutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> LedgerGuard<'_, T> {
        match self.0.try_lock() {
            Some(guard) => guard,
            None => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> LedgerGuard<'_, T> {
        for _ in 0..LOOKS {
            for _ in 0..PAUSE {
                pause();
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
