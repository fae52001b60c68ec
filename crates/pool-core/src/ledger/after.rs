//! What is to be done once the lock is gone.

use std::task::Waker;

use super::Stock;
use crate::AbortHandle;
use crate::jobs::{Kind, Work};
use crate::keys::{JobKey, Ticket};

/// What a change of the books asks of the world; carried out without the lock, for all of it can call foreign code.
pub(crate) struct After<S: Stock> {
    /// Whose poll this is: that waiter looks again by itself and need not be woken.
    pub(crate) current: Option<Ticket>,
    first: Option<Waker>,
    more: Vec<Waker>,
    /// An entry waits for its recycle and wants a background task.
    pub(crate) recycle: bool,
    /// Those who wait for the end must look again.
    pub(crate) closing: bool,
    chores: Option<Box<Chores<S>>>,
}

/// What is rarely to be done; apart, so that a plain hand-over carries nothing but a waker.
pub(crate) struct Chores<S: Stock> {
    /// Wakers that nobody needs any more.
    pub(crate) stale: Vec<Waker>,
    /// Broken entries: their places count as closing until they are dropped.
    pub(crate) broken: Vec<S::Entry>,
    /// Jobs that were called off: their places count until they are dropped.
    pub(crate) called_off: Vec<CalledOff<S>>,
    /// Entries that the books know nothing of any more.
    pub(crate) written_off: Vec<S::Entry>,
    /// Connections to be aborted.
    pub(crate) aborts: Vec<AbortHandle>,
    /// Abort handles that nobody needs any more.
    pub(crate) handles: Vec<AbortHandle>,
    /// Jobs that want a background task.
    pub(crate) tend: Vec<JobKey>,
}

/// A job that was called off, to be dropped.
pub(crate) struct CalledOff<S: Stock> {
    pub(crate) kind: Kind,
    /// The entry's id, where there is an entry.
    pub(crate) id: Option<u64>,
    pub(crate) work: Work<S::Entry, S::Job>,
}

impl<S: Stock> After<S> {
    pub(crate) fn new(current: Option<Ticket>) -> Self {
        Self {
            current,
            first: None,
            more: Vec::new(),
            recycle: false,
            closing: false,
            chores: None,
        }
    }

    /// Somebody is to be woken; the first one costs no allocation.
    pub(crate) fn wake(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }

    /// Those to be woken.
    pub(crate) fn take_wakers(&mut self) -> impl Iterator<Item = Waker> + use<S> {
        self.first
            .take()
            .into_iter()
            .chain(std::mem::take(&mut self.more))
    }

    /// What is rarely to be done, to be added to.
    pub(crate) fn chores(&mut self) -> &mut Chores<S> {
        self.chores.get_or_insert_with(|| {
            Box::new(Chores {
                stale: Vec::new(),
                broken: Vec::new(),
                called_off: Vec::new(),
                written_off: Vec::new(),
                aborts: Vec::new(),
                handles: Vec::new(),
                tend: Vec::new(),
            })
        })
    }

    pub(crate) fn has_chores(&self) -> bool {
        self.chores.is_some()
    }

    pub(crate) fn take_chores(&mut self) -> Option<Box<Chores<S>>> {
        self.chores.take()
    }

    /// A waker that nobody needs any more, if there is one.
    pub(crate) fn forget(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.chores().stale.push(waker);
        }
    }

    /// A job wants a background task.
    pub(crate) fn tend(&mut self, key: JobKey) {
        self.chores().tend.push(key);
    }
}
