//! A job as plain data: which step of a connection's life runs, how far it is, and who drives it.

use std::task::Waker;
use std::time::{Duration, Instant};

use slotmap::DefaultKey;

use super::connections::ConnectionKey;
use super::queue::Ticket;
use super::{LedgerTypes, Settled};
use crate::CloseReason;

/// The number of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobKey(pub(super) DefaultKey);

/// The step that a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect = 0,
    Check = 1,
    Recycle = 2,
    Close = 3,
}

/// How far a job is.
pub(crate) enum Work<E, J> {
    /// Not started. The connection is inside, except for a connect.
    Fresh(Option<E>),
    /// Between two polls.
    Parked(J),
    /// Somebody polls it now.
    Polled,
}

/// Who is to poll a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Nobody: the job waits for the next caller that needs it.
    Nobody,
    /// The background task with this number.
    Background(u64),
    /// A waiter: the one that the job was started for, or one that took it over.
    Waiter(Ticket),
    /// A verb such as `fill` or `wait_closed`.
    Verb,
}

/// Who polls a job now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poller {
    Waiter(Ticket),
    Background(u64),
    /// The verb that started the job and wants to know how it ends.
    Owner,
    /// `ping`, which started a check, wants to know how it ends, and gives it up when it is dropped.
    Ping,
    /// `try_acquire`, which polls once and wants the connection.
    TryAcquire,
    /// `wait_closed`, which drives the jobs of others.
    WaitClosed,
    /// A waiter, or a caller that does not wait, that polls a job that nobody drives.
    Helper(Option<Ticket>),
}

impl Poller {
    /// The waiter that polls. It looks again by itself and need not be woken.
    pub(crate) fn waiter(self) -> Option<Ticket> {
        match self {
            Self::Waiter(ticket) => Some(ticket),
            Self::Helper(ticket) => ticket,
            _ => None,
        }
    }

    /// Whether the poller hears from the poll itself how the job has ended.
    pub(crate) fn hears_the_end(self) -> bool {
        matches!(self, Self::Owner | Self::Ping | Self::TryAcquire)
    }

    /// Whether the poller can tell somebody why the job has failed.
    pub(crate) fn hears_of_failures(self) -> bool {
        self.hears_the_end() || matches!(self, Self::Waiter(_))
    }

    /// Whether the poller's waker is stored with the job, to be woken when others change the job.
    pub(crate) fn stores_waker(self) -> bool {
        matches!(self, Self::Background(_) | Self::Owner | Self::Ping)
    }
}

/// A job that was taken out of the ledger, to be polled.
pub(crate) struct TakenJob<T: LedgerTypes> {
    pub(crate) key: JobKey,
    pub(crate) kind: Kind,
    pub(crate) connection: Option<ConnectionKey>,
    pub(crate) work: Work<T::Entry, T::Future>,
    pub(crate) poller: Poller,
    /// Others than the poller have to be woken too when the job goes on.
    pub(crate) is_shared: bool,
    /// How long its step may take.
    pub(crate) limit: Option<Duration>,
}

/// What a caller finds when it comes for a job.
pub(crate) enum Take<T: LedgerTypes> {
    Job(TakenJob<T>),
    /// The job has ended in somebody else's poll.
    Ended(Settled<T>),
    /// Somebody else polls it now, or drives it.
    Busy,
    /// The job is gone.
    Gone,
}

/// A job. Only [`Jobs`] changes it.
pub(crate) struct Job<T: LedgerTypes> {
    pub(super) kind: Kind,
    pub(super) work: Work<T::Entry, T::Future>,
    pub(super) driver: Driver,
    /// The waker of the background task that drives the job.
    pub(super) background: Option<Waker>,
    /// The verb that started the job wants to know how it ends.
    pub(super) is_owned: bool,
    /// The waker of that verb.
    pub(super) owner: Option<Waker>,
    /// A waiter has taken the job over.
    pub(super) was_adopted: bool,
    /// The job is dropped as soon as its present poll returns.
    pub(super) is_cancelled: bool,
    /// Its waker was called during its present poll, before the poller's waker was stored.
    pub(super) was_woken: bool,
    /// How long its step may take, since it has begun.
    pub(super) limit: Option<Duration>,
    /// When the pool's timer ends its step, since it waits.
    pub(super) deadline: Option<Instant>,
    /// How often the pool had been cleared when the job began.
    pub(super) clears: u64,
    /// The connection; `None` for a connect that has not begun.
    pub(crate) connection: Option<ConnectionKey>,
    /// For a check that keeps an idle connection alive: its place in the order.
    pub(super) sequence: Option<u64>,
    /// Why the connection is closed, or its step is cancelled.
    pub(super) reason: Option<CloseReason>,
    /// The index in the list of the adoptable jobs.
    pub(super) spot: Option<usize>,
}

impl<T: LedgerTypes> Job<T> {
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.work, Work::Fresh(_))
    }

    /// Whether it is a connect that has not begun.
    pub(super) fn is_unbegun_connect(&self) -> bool {
        self.kind == Kind::Connect && self.is_fresh()
    }

    pub(super) fn is_polled(&self) -> bool {
        matches!(self.work, Work::Polled)
    }

    pub(super) fn is_driven_by_waiter(&self) -> bool {
        matches!(self.driver, Driver::Waiter(_))
    }

    /// Whether the job was started for whoever drives it.
    pub(super) fn is_for_its_driver(&self) -> bool {
        !(self.is_driven_by_waiter() && self.was_adopted)
    }
}
