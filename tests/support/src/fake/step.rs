//! What a scripted manager does in one call, and how its calls fail.

use std::fmt;
use std::time::Duration;

use pool_core::ErrorClass;

use crate::Gate;

/// What a call of the fake manager does.
#[derive(Clone, Default)]
pub enum Step {
    /// Succeeds; a check or a recycle of a broken connection fails all the same.
    #[default]
    Ok,
    /// Fails with a transient error.
    Err,
    /// Fails with an error of this class.
    Fail(ErrorClass),
    /// Never completes.
    Pend,
    /// Completes when the test opens the gate.
    Gate(Gate),
    /// Panics in its first poll.
    Panic,
    /// Panics before there is a future.
    PanicInCall,
    /// Takes this long on the manager's clock.
    Delay(Duration),
    /// One after the other.
    Then(Box<[Step; 2]>),
}

impl Step {
    /// Waits until the test opens the gate.
    pub fn gate(gate: &Gate) -> Self {
        Self::Gate(gate.clone())
    }

    /// This and then that.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self::Then(Box::new([self, next]))
    }

    /// The steps in order, without nesting.
    pub(super) fn in_order(self) -> Vec<Self> {
        match self {
            Self::Then(steps) => steps.into_iter().flat_map(Self::in_order).collect(),
            step => vec![step],
        }
    }
}

/// A method of the manager or of an interceptor, or the drop of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// `connect`
    Connect,
    /// `check`
    Check,
    /// `recycle`
    Recycle,
    /// `close`
    Close,
    /// `on_release`
    OnRelease,
    /// `abort_handle`
    AbortHandle,
    /// The abort itself.
    Abort,
    /// `classify`
    Classify,
    /// The drop of a connection.
    Drop,
    /// `before_connect`
    BeforeConnect,
    /// `after_connect`
    AfterConnect,
    /// `before_acquire`
    BeforeAcquire,
    /// `after_release`
    AfterRelease,
    /// `before_close`
    BeforeClose,
}

/// How the fake manager fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FakeError {
    /// The script said so, in this call (counted from 1) of this method.
    Scripted {
        /// The method.
        verb: Verb,
        /// Its how-manieth call.
        call: usize,
        /// The class that `classify` answers.
        class: ErrorClass,
    },
    /// The connection of this number is broken.
    Broken(u64),
}

impl fmt::Display for FakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scripted { verb, call, .. } => {
                write!(f, "scripted failure of {verb:?}, call {call}")
            }
            Self::Broken(id) => write!(f, "connection {id} is broken"),
        }
    }
}

impl std::error::Error for FakeError {}
