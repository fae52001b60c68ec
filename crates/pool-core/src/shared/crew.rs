//! The jobs of a verb, driven together.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::Shared;
use super::drive::{Driven, drive};
use crate::Manager;
use crate::error::Error;
use crate::keys::JobKey;
use crate::ledger::{Parked, Settled, Stock, TakenWork};
use crate::steps::Goods;

/// The jobs of one verb: `fill`, `clear`, an awaited release, `wait_closed`. Dropped, it leaves them to whoever comes.
pub(crate) struct Crew<M: Manager> {
    shared: Arc<Shared<M>>,
    keys: Vec<JobKey>,
}

/// What a crew hears of one of its jobs.
pub(crate) enum Report<M: Manager> {
    Kept,
    Taken(<Goods<M> as Stock>::Entry),
    /// The connection is gone, and why, where it is a failure; `None` after `close` and `clear`.
    Lost(Option<Error<M::Error>>),
}

impl<M: Manager> Crew<M> {
    pub(crate) fn new(shared: &Arc<Shared<M>>, keys: Vec<JobKey>) -> Self {
        Self {
            shared: Arc::clone(shared),
            keys,
        }
    }

    pub(crate) fn add(&mut self, keys: Vec<JobKey>) {
        self.keys.extend(keys);
    }

    /// Polls every job once; the reports of those that ended go to `hear`. Ready when none is left.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut hear: impl FnMut(Report<M>),
    ) -> Poll<()> {
        let mut at = 0;
        while let Some(key) = self.keys.get(at).copied() {
            let taken = self.shared.books().take_as_verb(key);
            let driven = match taken {
                TakenWork::Work(kind, work) => drive(&self.shared, key, kind, work, None, true, cx),
                TakenWork::Busy => {
                    at += 1;
                    continue;
                }
                TakenWork::NotYours => {
                    self.keys.swap_remove(at);
                    hear(Report::Lost(None));
                    continue;
                }
            };
            match driven {
                Driven::Pending(Parked::Waiting) => at += 1,
                // Called off meanwhile: the next round finds it gone.
                Driven::Pending(Parked::LookAgain) => {}
                Driven::Settled(settled) => {
                    self.keys.swap_remove(at);
                    match settled {
                        Settled::Kept => hear(Report::Kept),
                        Settled::Taken(entry) => hear(Report::Taken(entry)),
                        Settled::Lost { failure, close } => {
                            self.keys.extend(close);
                            hear(Report::Lost(failure));
                        }
                    }
                }
            }
        }
        if self.keys.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<M: Manager> Drop for Crew<M> {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let now = self.shared.now();
        let keys = std::mem::take(&mut self.keys);
        self.shared.change(None, |books, after| {
            for key in keys {
                books.dismiss(key, after);
            }
            books.supply(now, after);
        });
    }
}
