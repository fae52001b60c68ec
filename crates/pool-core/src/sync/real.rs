//! The primitives of every normal build.

pub(crate) use std::hint::spin_loop as pause;
pub(crate) use std::sync::atomic::AtomicU8;
pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use parking_lot::{Mutex as LedgerMutex, MutexGuard as LedgerGuard};
