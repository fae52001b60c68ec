//! What a change of the ledger gets, and what has to happen after the lock is released.

use std::task::Waker;
use std::time::Instant;

use super::connections::ConnectionKey;
use super::history::FailedConnect;
use super::job::{Job, JobKey};
use super::queue::Ticket;
use super::{LedgerTypes, Note, Settled, SharedError};
use crate::panics::DropsQuietly;
use crate::{AbortHandle, CloseReason};

/// What a change asks for. It is carried out without the lock, because all of it can run foreign code.
pub(crate) struct Effects<T: LedgerTypes> {
    /// The time of the change; `None` for a change that needs none.
    now: Option<Instant>,
    /// The waiter whose poll this is: it looks again by itself and need not be woken.
    pub(crate) current: Option<Ticket>,
    pub(crate) waker: Option<Waker>,
    /// A waker that nobody needs any more, to be dropped.
    pub(crate) stale_waker: Option<Waker>,
    /// A returned connection waits for its recycle and needs a background task.
    pub(crate) spawn_recycle_task: bool,
    /// The pool's timer has to be set: for the next attempt of an open breaker, the end of a life, or the deadline of a step.
    pub(crate) sets_timer: bool,
    pub(crate) rare: Option<Box<RareEffects<T>>>,
}

/// The effects that most changes do not have. They are boxed, so that a plain hand-over carries nothing but a waker.
pub(crate) struct RareEffects<T: LedgerTypes> {
    pub(crate) wakers: Vec<Waker>,
    /// Connections to be aborted.
    pub(crate) aborts: Vec<AbortHandle>,
    /// What nobody needs any more, to be dropped.
    pub(crate) stale: Vec<Stale<T>>,
    /// What has to be dropped before its place is free.
    pub(crate) departing: Vec<Departing<T>>,
    /// Jobs that need a background task.
    pub(crate) spawn_drivers: Vec<JobKey>,
}

/// Something that has to be dropped before its place is free.
pub(crate) struct Departing<T: LedgerTypes> {
    pub(crate) stale: Stale<T>,
    pub(crate) exit: Exit,
}

/// A connection, or a connect, that leaves, and why.
pub(crate) struct Exit {
    /// `None`: a connect that has not begun.
    pub(crate) connection: Option<ConnectionKey>,
    pub(crate) reason: CloseReason,
    /// It was never opened.
    pub(crate) is_connect: bool,
}

/// Something whose drop can run foreign code.
#[expect(dead_code, reason = "the values are only dropped")]
pub(crate) enum Stale<T: LedgerTypes> {
    Waker(Waker),
    Handle(AbortHandle),
    Entry(T::Entry),
    Job(Box<Job<T>>),
    Settled(Settled<T>),
    Note(Note),
    Failed(DropsQuietly<Box<FailedConnect<T::Failure>>>),
    Error(SharedError),
}

impl<T: LedgerTypes> Effects<T> {
    #[inline]
    pub(crate) fn new(now: Option<Instant>, current: Option<Ticket>) -> Self {
        Self {
            now,
            current,
            waker: None,
            stale_waker: None,
            spawn_recycle_task: false,
            sets_timer: false,
            rare: None,
        }
    }

    /// The time of the change.
    #[inline]
    pub(super) fn now(&self) -> Instant {
        self.now.expect("a change that needs the time has it")
    }

    /// Calls a waker. The first one costs no allocation.
    #[inline]
    pub(super) fn wake(&mut self, waker: Waker) {
        match self.waker {
            None => self.waker = Some(waker),
            Some(_) => self.rare().wakers.push(waker),
        }
    }

    pub(super) fn wake_all(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        wakers.into_iter().for_each(|waker| self.wake(waker));
    }

    pub(super) fn drop_waker(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        match self.stale_waker {
            None => self.stale_waker = Some(waker),
            Some(_) => self.drop_later(Stale::Waker(waker)),
        }
    }

    /// Drops a note that nobody will be told, if its error has to be dropped without the lock.
    pub(super) fn drop_note(&mut self, note: Option<Note>) {
        if let Some(note) = note.filter(Note::has_error) {
            self.drop_later(Stale::Note(note));
        }
    }

    pub(super) fn drop_later(&mut self, stale: Stale<T>) {
        self.rare().stale.push(stale);
    }

    /// Asks for a background task that drives the job.
    pub(super) fn spawn_driver(&mut self, key: JobKey) {
        self.rare().spawn_drivers.push(key);
    }

    /// Whether nothing has to happen that may lead to something for the caller: at most one waiter is woken, a waker is dropped,
    /// a task is spawned for the next recycle, and the timer is set.
    pub(crate) fn are_plain(&self) -> bool {
        self.rare.is_none()
    }

    /// How many places are free as soon as this is carried out.
    pub(super) fn places_to_come(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.departing.len())
    }

    #[cold]
    pub(super) fn rare(&mut self) -> &mut RareEffects<T> {
        self.rare.get_or_insert_with(|| {
            Box::new(RareEffects {
                wakers: Vec::new(),
                aborts: Vec::new(),
                stale: Vec::new(),
                departing: Vec::new(),
                spawn_drivers: Vec::new(),
            })
        })
    }
}
