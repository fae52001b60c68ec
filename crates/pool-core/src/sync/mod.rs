//! The locks and atomics of everything that several threads share.
//!
//! They are those of `std` and parking_lot. Under `--cfg loom` or `--cfg shuttle` they are those of that model checker,
//! which decides at each of their operations which thread goes on. `Arc` and `Weak` are std's in any case, because a
//! `Waker` is made from that `Arc`.

/// For settings, which a step reads once: it makes no difference to the others when a change reaches it. So the model
/// checkers leave it alone.
pub(crate) use std::sync::atomic::AtomicU64;

#[cfg(any(loom, shuttle))]
mod modelled;
#[cfg(not(any(loom, shuttle)))]
mod real;

#[cfg(any(loom, shuttle))]
pub(crate) use self::modelled::{AtomicU8, LedgerGuard, LedgerMutex, Mutex, MutexGuard, pause};
#[cfg(not(any(loom, shuttle)))]
pub(crate) use self::real::{AtomicU8, LedgerGuard, LedgerMutex, Mutex, MutexGuard, pause};
