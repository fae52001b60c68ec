//! How work ends: to whom a connection goes, who hears of a failure, what is tried next.

use std::time::{Duration, Instant};

use super::{After, Answer, Item, Ledger, Stage, Stock};
use crate::AbortHandle;
use crate::jobs::{Kind, Tender};
use crate::keys::JobKey;

/// The first pause after a failed background connect; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How a job ended.
pub(crate) enum Outcome<S: Stock> {
    /// There is a connection; a new one may bring a way to abort it.
    Ready(S::Entry, Option<AbortHandle>),
    /// It failed.
    Failed {
        /// The connection, where there was one.
        entry: Option<S::Entry>,
        failure: S::Failure,
        /// Whether the connection may still be spoken to.
        goodbye: bool,
        /// Whether trying again soon is pointless or harmful.
        hopeless: bool,
    },
    /// A close is over; so is a job whose future broke and took the connection with it.
    Gone,
}

/// What the end of a job means for whoever drove it.
pub(crate) enum Settled<S: Stock> {
    /// The pool has the connection.
    Kept,
    /// The connection is the taker's.
    Taken(S::Entry),
    /// The connection leaves the pool; where a verb drove the job, it drives the close too.
    Lost {
        failure: Option<S::Failure>,
        close: Option<JobKey>,
    },
}

impl<S: Stock> Ledger<S> {
    /// A job's future is over.
    pub(crate) fn settle(
        &mut self,
        key: JobKey,
        outcome: Outcome<S>,
        now: Instant,
        after: &mut After<S>,
    ) -> Settled<S> {
        let job = self.jobs.remove(key).expect("a job is settled once");
        *self.counts.of(job.kind) -= 1;
        // Whether the waiter for whom it was begun has driven it to its end.
        let mut own = false;
        let driver = match job.tender {
            Tender::Waiter(ticket) => {
                own = !job.inherited;
                self.waiters.set_job(ticket, None);
                Driver::Waiter
            }
            Tender::Visitor(_, waker) => {
                after.forget(waker);
                Driver::Background
            }
            Tender::Nobody => Driver::Background,
            Tender::Verb(waker) => {
                after.forget(waker);
                Driver::Verb
            }
            Tender::Taker => Driver::Taker,
        };
        let settled = match outcome {
            Outcome::Ready(entry, abort) => {
                if let Some(limit) = entry.idle_limit() {
                    self.tick_at_least_for(limit);
                    if !self.has_idle_limits {
                        self.has_idle_limits = true;
                        // Upkeep does not look out for what expires as long as nothing does.
                        self.upkeep_wants_idle = true;
                    }
                }
                if let Some(abort) = abort {
                    self.aborts.insert(entry.id(), abort);
                }
                if job.kind == Kind::Connect {
                    self.fill_after = None;
                    self.fill_failures = 0;
                }
                let cleared = job.kind == Kind::Recycle && job.clears < self.clears;
                if job.doomed || self.stage == Stage::Terminated {
                    self.drop_entry(entry, after);
                    lost()
                } else if self.stage == Stage::Closing || cleared {
                    self.see_off(entry, None, driver, after)
                } else {
                    self.keep(entry, job.kind, driver, now, after)
                }
            }
            Outcome::Failed {
                entry: Some(entry),
                failure,
                goodbye,
                ..
            } => {
                // What was begun for somebody else is not this waiter's to hear of.
                let failure = (driver != Driver::Waiter || own).then_some(failure);
                if goodbye && !job.doomed {
                    self.see_off(entry, failure, driver, after)
                } else {
                    self.drop_entry(entry, after);
                    Settled::Lost {
                        failure,
                        close: None,
                    }
                }
            }
            Outcome::Failed {
                entry: None,
                failure,
                hopeless,
                ..
            } => {
                self.departed(job.id, after);
                if driver == Driver::Background {
                    self.pause_filling(hopeless, now);
                }
                match self.waiters.first() {
                    // One that was begun for somebody who has left, or for the shelf, fails nobody: who needs a
                    // connection begins his own.
                    Some(first) if own && self.stage == Stage::Open => {
                        self.reply(first, Answer::Failed(Box::new(failure)), after);
                        lost()
                    }
                    _ => Settled::Lost {
                        failure: Some(failure),
                        close: None,
                    },
                }
            }
            Outcome::Gone => {
                self.departed(job.id, after);
                lost()
            }
        };
        self.supply(now, after);
        settled
    }

    /// A connection that is fit for use: to whom?
    fn keep(
        &mut self,
        entry: S::Entry,
        kind: Kind,
        driver: Driver,
        now: Instant,
        after: &mut After<S>,
    ) -> Settled<S> {
        // A recycle at the last moment says nothing of how long it had lain there.
        let unchecked = kind == Kind::Recycle && self.is_suspect(&entry, Some(now));
        if unchecked {
            // From the shelf the first who needs it takes it and has it checked.
            match driver {
                Driver::Waiter | Driver::Taker => self.put_next(entry),
                Driver::Background | Driver::Verb => self.shelve_idle(entry, after),
            }
            self.supply(now, after);
            if driver != Driver::Taker {
                self.serve_the_first_sooner(now, after);
            }
            return Settled::Kept;
        }
        if driver == Driver::Taker && self.waiters.queued() == 0 {
            self.counts.held += 1;
            return Settled::Taken(entry);
        }
        self.hand_out(entry, now, after);
        Settled::Kept
    }

    /// A connection is closed in good order, by the verb that wants to hear of it or in the background.
    fn see_off(
        &mut self,
        entry: S::Entry,
        failure: Option<S::Failure>,
        driver: Driver,
        after: &mut After<S>,
    ) -> Settled<S> {
        let close = match driver {
            Driver::Verb => self.start_close(entry, Tender::Verb(None), after),
            _ => self.start_close(entry, Tender::Nobody, after).and(None),
        };
        Settled::Lost { failure, close }
    }

    fn pause_filling(&mut self, hopeless: bool, now: Instant) {
        let pause = if hopeless {
            LONGEST_PAUSE
        } else {
            FIRST_PAUSE * 2_u32.pow(self.fill_failures.min(10))
        };
        self.fill_failures = self.fill_failures.saturating_add(1);
        self.fill_after = now.checked_add(pause.min(LONGEST_PAUSE));
    }
}

fn lost<S: Stock>() -> Settled<S> {
    Settled::Lost {
        failure: None,
        close: None,
    }
}

/// Who drove a job to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driver {
    Waiter,
    Background,
    Verb,
    Taker,
}
