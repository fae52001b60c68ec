//! A gate that a test opens: the way to stop a step of the manager exactly where the test wants it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A gate; clones are the same gate. Closed at first.
#[derive(Clone, Default)]
pub struct Gate {
    leaf: Arc<Mutex<Leaf>>,
}

#[derive(Default)]
struct Leaf {
    open: bool,
    next: u64,
    waiting: Vec<(u64, Waker)>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the gate for good (until [`close`](Gate::close)) and wakes whoever waits.
    pub fn open(&self) {
        let mut leaf = self.leaf();
        leaf.open = true;
        let waiting = std::mem::take(&mut leaf.waiting);
        drop(leaf);
        for (_, waker) in waiting {
            waker.wake();
        }
    }

    /// Shuts the gate for those who come later.
    pub fn close(&self) {
        self.leaf().open = false;
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.leaf().open
    }

    /// How many wait before it.
    pub fn waiting(&self) -> usize {
        self.leaf().waiting.len()
    }

    /// Completes when the gate is open.
    pub fn wait(&self) -> Wait {
        Wait {
            gate: self.clone(),
            number: None,
        }
    }

    fn leaf(&self) -> MutexGuard<'_, Leaf> {
        self.leaf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The future of [`Gate::wait`].
pub struct Wait {
    gate: Gate,
    number: Option<u64>,
}

impl Wait {
    /// Takes this waiter's place out of the queue; the waker is dropped by the caller, outside the lock.
    fn leave(&mut self) -> Option<Waker> {
        let number = self.number.take()?;
        let mut leaf = self.gate.leaf();
        let place = leaf.waiting.iter().position(|(n, _)| *n == number)?;
        Some(leaf.waiting.swap_remove(place).1)
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        drop(self.leave());
        let gate = self.gate.clone();
        let mut leaf = gate.leaf();
        if leaf.open {
            return Poll::Ready(());
        }
        let number = leaf.next;
        leaf.next += 1;
        leaf.waiting.push((number, cx.waker().clone()));
        self.number = Some(number);
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        drop(self.leave());
    }
}
