//! What a step of the manager does: succeed, fail, or wait.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::checker::Mutex;

/// How one method of the manager behaves.
#[derive(Clone, Default)]
pub enum Step {
    /// Succeeds at its first poll.
    #[default]
    Succeeds,
    /// Fails at its first poll.
    Fails,
    /// Wakes itself, waits, and succeeds at its second poll.
    Yields,
    /// Waits until another thread opens the gate.
    Waits(Gate),
}

impl Step {
    pub(crate) async fn run(&self) -> Result<(), Refused> {
        match self {
            Self::Succeeds => Ok(()),
            Self::Fails => Err(Refused),
            Self::Yields => {
                yield_once().await;
                Ok(())
            }
            Self::Waits(gate) => {
                Passage { gate }.await;
                Ok(())
            }
        }
    }
}

/// The error of a step that fails.
#[derive(Debug)]
pub struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the step was told to fail")
    }
}

impl std::error::Error for Refused {}

async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A gate that is shut until somebody opens it. One step of a model waits at it, so only the last waker is called.
#[derive(Clone)]
pub struct Gate {
    waits: Arc<Mutex<Waits>>,
}

struct Waits {
    is_open: bool,
    waker: Option<Waker>,
}

impl Gate {
    /// A gate that is shut.
    pub fn new() -> Self {
        Self {
            waits: Arc::new(Mutex::new(Waits {
                is_open: false,
                waker: None,
            })),
        }
    }

    /// Opens it for good and wakes who waits.
    pub fn open(&self) {
        let waker = {
            let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
            waits.is_open = true;
            waits.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

struct Passage<'a> {
    gate: &'a Gate,
}

impl Future for Passage<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let new = cx.waker().clone();
        let mut waits = self
            .gate
            .waits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if waits.is_open {
            return Poll::Ready(());
        }
        let old = waits.waker.replace(new);
        drop(waits);
        drop(old);
        Poll::Pending
    }
}
