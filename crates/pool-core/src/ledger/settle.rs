//! How jobs end: to whom a connection goes, who hears of a failure, what is tried next.

use super::attempts::FailedAttempt;
use super::effects::{Exit, Stale};
use super::job::{Driver, Job};
use super::{
    Answer, Effects, FailedConnect, JobKey, Kind, Ledger, LedgerEntry, LedgerTypes, Poller, Stage,
    StepReport,
};
use crate::{AbortHandle, CloseReason, ErrorClass};

/// What a job's future has returned.
pub(crate) enum Outcome<T: LedgerTypes> {
    /// There is a connection that can be used. A new one may bring its abort handle.
    Ready(T::Entry, Option<AbortHandle>),
    /// A connect has failed.
    NotConnected {
        failure: T::Failure,
        /// What kind of failure it is.
        class: ErrorClass,
        /// It may be tried again for its waiter, if the class allows that.
        may_repeat: bool,
    },
    /// A check or a recycle has failed.
    Broken {
        entry: T::Entry,
        failure: T::Failure,
        /// The connection may still be spoken to, so it is closed and not only dropped.
        can_close: bool,
    },
    /// A close is over, or the future broke and took the connection with it.
    Gone,
}

/// What the end of a job means for whoever polled it, or started it.
pub(crate) enum Settled<T: LedgerTypes> {
    /// The connection is still the pool's: it is idle, or with a waiter.
    Kept,
    /// The connection belongs to the `try_acquire` that polled the job. It counts as held, and is lent in the same lock.
    Taken(T::Entry),
    /// The connection has left the pool, and why if something failed. `close` is the job that closes it, if the same
    /// verb is to drive that.
    Lost {
        failure: Option<T::Failure>,
        close: Option<JobKey>,
        /// The step itself was a success: the connection was not to be kept in any case.
        succeeded: bool,
    },
}

impl<T: LedgerTypes> Settled<T> {
    /// The same, where the step was a success.
    fn of_success(mut self) -> Self {
        if let Self::Lost { succeeded, .. } = &mut self {
            *succeeded = true;
        }
        self
    }
}

pub(super) fn lost<T: LedgerTypes>(failure: Option<T::Failure>) -> Settled<T> {
    Settled::Lost {
        failure,
        close: None,
        succeeded: false,
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// A job has ended in the poll of `poller`, who gets what it means.
    ///
    /// If the verb that started the job did not poll it, that is kept for this verb, and the poller gets a plain answer.
    pub(crate) fn settle(
        &mut self,
        key: JobKey,
        poller: Poller,
        outcome: Outcome<T>,
        mut report: StepReport,
        effects: &mut Effects<T>,
    ) -> Settled<T> {
        let mut job = self.jobs.remove(key).expect("a job is settled once");
        if let Driver::Waiter(ticket) = job.driver {
            self.queue.set_job(ticket, None);
        }
        effects.drop_waker(job.background.take());
        self.next_keepalive(&job, effects);
        let is_checked = job.kind == Kind::Check && report.is_of_manager;
        let refusal = report.refusal.take();
        let close_error = match job.kind {
            Kind::Close => report.error.take(),
            _ => None,
        };
        let told = report.error.clone();
        if let Some(key) = job.connection.filter(|_| job.kind != Kind::Close) {
            let untold = self.history.step_ended(job.kind, key.id, report);
            effects.drop_note(untold);
        }
        let settled = match outcome {
            Outcome::Ready(entry, abort) => {
                let settled = self.ready(entry, abort, &job, is_checked, poller, effects);
                settled.of_success()
            }
            Outcome::NotConnected {
                failure,
                class,
                may_repeat,
            } => {
                let last = FailedConnect {
                    failure: failure.clone(),
                    class,
                    at: effects.now(),
                };
                self.connect_ended(Some(last), effects);
                self.departed(job.connection, effects);
                let failed = FailedAttempt {
                    failure,
                    class,
                    may_repeat,
                    told,
                };
                self.connect_failed(key, failed, &job, effects)
            }
            Outcome::Broken {
                entry,
                failure,
                can_close,
            } => {
                let mut failure = Some(failure);
                if !job.is_owned && !job.is_for_its_driver() {
                    // A waiter does not hear of a job that was started for somebody else.
                    effects.drop_later(Stale::Settled(lost(failure.take())));
                }
                let reason = match job.kind {
                    _ if refusal.is_some() => CloseReason::Intercepted,
                    Kind::Check => CloseReason::CheckFailed,
                    _ => CloseReason::RecycleFailed,
                };
                if refusal.is_none() && self.lifecycle.is_open() {
                    self.suspect_siblings(effects.now());
                }
                let head = refusal
                    .as_ref()
                    .and_then(|_| self.head_that_fails(&entry, &job));
                let for_head = head.and_then(|head| Some((head, failure.take()?)));
                if let Some(why) = refusal {
                    self.refused(entry.key(), why, effects);
                }
                let settled = if can_close && !job.is_cancelled {
                    self.close_gracefully(entry, failure, reason, poller, effects)
                } else {
                    self.drop_entry(entry, reason, effects);
                    lost(failure)
                };
                // Only now, because the job that the head has driven may go to another one, and the place counts again.
                if let Some((head, failure)) = for_head {
                    self.answer(head, Answer::Failed(failure), effects);
                }
                settled
            }
            Outcome::Gone => {
                let reason = job.reason.take();
                let exit = Exit {
                    connection: job.connection,
                    reason: reason.unwrap_or(CloseReason::ManagerPanicked),
                    is_connect: false,
                };
                self.left(exit, close_error, effects);
                lost(None)
            }
        };
        let owner = job.owner.take();
        let settled = if job.is_owned && !poller.hears_the_end() {
            self.jobs.keep_end(key, settled);
            effects.wake_all(owner);
            lost(None)
        } else {
            effects.drop_waker(owner);
            match settled {
                Settled::Lost {
                    failure: failure @ Some(_),
                    close,
                    succeeded,
                } if !poller.hears_of_failures() => {
                    effects.drop_later(Stale::Settled(lost(failure)));
                    Settled::Lost {
                        failure: None,
                        close,
                        succeeded,
                    }
                }
                settled => settled,
            }
        };
        self.supply(effects);
        settled
    }

    fn ready(
        &mut self,
        mut entry: T::Entry,
        abort: Option<AbortHandle>,
        job: &Job<T>,
        is_checked: bool,
        poller: Poller,
        effects: &mut Effects<T>,
    ) -> Settled<T> {
        self.note_limit(&entry, effects);
        if let Some(abort) = abort {
            self.connections.set_abort(entry.key(), abort);
        }
        if job.kind == Kind::Connect {
            self.connect_ended(None, effects);
            self.connect_succeeded(effects);
            self.born(&entry, effects);
        }
        self.note_step(&mut entry, is_checked, effects);
        let is_new = job.kind == Kind::Connect || entry.is_new();
        let is_for_waiter = is_new && self.lifecycle.serves() && self.next_served().is_some();
        let is_first = is_for_waiter && self.lifetimes.is_good_for_one(entry.key(), effects.now());
        entry.marks_mut().is_spent &= !is_first;
        // A check of an idle connection that nobody waited for counts as idle.
        let was_idle = job.kind == Kind::Recycle || job.sequence.is_some();
        let was_cleared = was_idle && job.clears < self.lifecycle.clears();
        let retires = match is_first {
            true => None,
            false => self.retires(entry.key(), false),
        };
        if job.is_cancelled || self.lifecycle.stage() == Stage::Terminated {
            let reason = job.reason.clone().unwrap_or(CloseReason::Terminated);
            self.drop_entry(entry, reason, effects);
            lost(None)
        } else if !self.lifecycle.is_open() {
            self.close_gracefully(entry, None, CloseReason::PoolClosed, poller, effects)
        } else if was_cleared {
            self.close_gracefully(entry, None, CloseReason::Cleared, poller, effects)
        } else if self.is_one_too_many() {
            self.close_gracefully(entry, None, CloseReason::Resized, poller, effects)
        } else if let Some(reason) = retires {
            self.close_gracefully(entry, None, reason, poller, effects)
        } else {
            self.keep(entry, job, poller, effects)
        }
    }

    /// A connection that can be used: to whom?
    fn keep(
        &mut self,
        mut entry: T::Entry,
        job: &Job<T>,
        poller: Poller,
        effects: &mut Effects<T>,
    ) -> Settled<T> {
        let wants_it = poller == Poller::TryAcquire;
        if job.kind == Kind::Connect && job.is_driven_by_waiter() {
            entry.set_new(true);
        }
        // A recycle at the last moment does not tell for how long the connection was idle before.
        let is_suspect = match job.kind {
            Kind::Recycle => self.idle.is_suspect(&entry, effects.now()),
            // One like it was lost while the interceptors alone were asked.
            Kind::Check => entry.marks().is_suspect && self.idle.checks_suspects(),
            _ => false,
        };
        let is_for_handout = job.kind == Kind::Check && job.sequence.is_none();
        if let Some(sequence) = job.sequence.filter(|_| !job.is_driven_by_waiter()) {
            self.idle.put_back(sequence, entry);
            self.supply_head_too(effects);
            return Settled::Kept;
        }
        if is_suspect || entry.marks().is_spent || (self.idle.intercepts() && !is_for_handout) {
            // From the idle list the first caller that needs it takes it and has it checked.
            if wants_it || job.is_driven_by_waiter() {
                self.idle.put_next(entry, false);
            } else {
                self.idle.push(entry, false);
            }
            match wants_it {
                true => self.supply(effects),
                false => self.supply_head_too(effects),
            }
            return Settled::Kept;
        }
        if wants_it && self.queue.is_empty() && self.lifecycle.serves() {
            self.held += 1;
            self.refill(effects);
            return Settled::Taken(entry);
        }
        // The pool is open and not too large, and `supply` follows.
        self.hand_out_clean(entry, effects);
        Settled::Kept
    }

    /// Closes a connection: the verb that wants to know how its job ended drives that too, otherwise the background does.
    fn close_gracefully(
        &mut self,
        entry: T::Entry,
        failure: Option<T::Failure>,
        reason: CloseReason,
        poller: Poller,
        effects: &mut Effects<T>,
    ) -> Settled<T> {
        if poller != Poller::Owner {
            self.start_close(entry, reason, effects);
            return lost(failure);
        }
        let close = Some(self.insert_owned_close(entry, reason));
        Settled::Lost {
            failure,
            close,
            succeeded: false,
        }
    }
}
