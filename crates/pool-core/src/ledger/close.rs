//! Closing: `clear`, `close`, `terminate`, and who waits for the end.

use std::collections::HashSet;
use std::task::Waker;

use super::driving::WaitClosed;
use super::job::Job;
use super::{
    Answer, CloseWaiter, ClosingWaiter, Effects, JobKey, Kind, Ledger, LedgerTypes, Note, Stage,
};
use crate::CloseReason;
use crate::borrowed::Borrowed;

impl<T: LedgerTypes> Ledger<T> {
    /// Closes every idle connection; the caller drives that.
    pub(crate) fn clear(&mut self, effects: &mut Effects<T>) -> Vec<JobKey> {
        self.lifecycle.clear();
        let idle = self.idle.take_all();
        let keys = idle.map(|entry| self.insert_owned_close(entry, CloseReason::Cleared));
        let keys = keys.collect();
        self.supply(effects);
        keys
    }

    /// Ends all acquires, lets the waiters fail, closes what is idle.
    pub(crate) fn close(&mut self, effects: &mut Effects<T>) {
        if self.lifecycle.advance(Stage::Closing) {
            self.end_acquires(effects);
            self.note_closed();
        }
    }

    /// The pool has begun to close.
    fn end_acquires(&mut self, effects: &mut Effects<T>) {
        self.fill.stop();
        self.lifetimes.stop();
        self.forget_breaker(effects);
        let status = self.status();
        self.history.note(|| Note::PoolClosing(status));
        for ticket in self.queue.tickets() {
            let answer = match self.queue.revoke(ticket) {
                Some(Answer::Entry(entry)) => {
                    self.pass_on(entry, effects);
                    Answer::Closed
                }
                Some(failed) => failed,
                None => Answer::Closed,
            };
            self.answer(ticket, answer, effects);
        }
        for entry in self.idle.take_all() {
            self.start_close(entry, CloseReason::PoolClosed, effects);
        }
        self.cancel_all(Job::is_unbegun_connect, CloseReason::PoolClosed, effects);
        self.wake_upkeep(effects);
        effects.wake_all(self.lifecycle.take_closing_wakers());
        self.notify_closed(effects);
    }

    /// As [`close`](Self::close); what runs is cancelled, and what is held is written off and aborted.
    pub(crate) fn terminate(&mut self, effects: &mut Effects<T>) {
        if self.lifecycle.stage() == Stage::Terminated {
            return;
        }
        if !self.is_closed() {
            self.forget_returned();
            let held = self.connections.lent().count();
            self.history.note(|| Note::PoolTerminated(held));
        }
        if self.lifecycle.advance(Stage::Closing) {
            self.end_acquires(effects);
        }
        // A close goes on: nobody holds that connection.
        let is_no_close = |job: &Job<T>| job.kind != Kind::Close;
        self.cancel_all(is_no_close, CloseReason::Terminated, effects);
        // What waiters had been given is back in the ledger. What is still held is in guards.
        self.lifecycle.advance(Stage::Terminated);
        self.held = 0;
        let jobs = self.jobs.iter();
        let in_jobs: HashSet<u64> = jobs
            .filter_map(|(_, job)| job.connection.map(|key| key.id))
            .collect();
        let aborts = self.connections.take_aborts(|id| in_jobs.contains(&id));
        effects.rare().aborts.extend(aborts);
        self.forget_returned();
        for id in self.connections.write_off() {
            let untold = self.history.closed(id, CloseReason::Terminated, None);
            effects.drop_note(untold);
        }
        self.notify_closed(effects);
        self.note_closed();
    }

    /// As [`terminate`](Self::terminate); the closes that have not ended are given up, too. Who held a connection comes
    /// out, and how many steps and closes were cut off.
    pub(crate) fn write_off(&mut self, effects: &mut Effects<T>) -> (Vec<Borrowed>, usize) {
        let left = self.borrowed(effects.now());
        let cut_off = self.jobs.len() + self.departing;
        self.terminate(effects);
        self.cancel_all(|_| true, CloseReason::Terminated, effects);
        (left, cut_off)
    }

    /// Stores how to wake somebody who waits until the pool begins to close. `None`: it closes already, and the waker
    /// comes back. Otherwise his number comes out, and his old waker.
    pub(crate) fn wait_for_closing(
        &mut self,
        key: Option<ClosingWaiter>,
        waker: Waker,
    ) -> (Option<ClosingWaiter>, Option<Waker>) {
        if !self.lifecycle.is_open() {
            return (None, Some(waker));
        }
        let (key, stale) = self.lifecycle.store_closing_waker(key, waker);
        (Some(key), stale)
    }

    /// Somebody does not wait any more until the pool begins to close. His waker comes out.
    pub(crate) fn stop_waiting_for_closing(&mut self, key: ClosingWaiter) -> Option<Waker> {
        self.lifecycle.remove_closing_waiter(key)
    }

    /// The last `Pool` is gone. Nobody can wait any more, so what no background task drives is dropped.
    pub(crate) fn last_handle_dropped(&mut self, effects: &mut Effects<T>) {
        self.lifecycle.drop_last_handle();
        self.close(effects);
        // The pool is closed now, so the answer is the same for every kind of job.
        if self.nobody_will_drive(Kind::Close, WaitClosed::Possible) {
            // An awaited release holds no `Pool` and still drives its job.
            let is_left = |job: &Job<T>| !job.is_owned && !job.is_polled();
            self.cancel_all(is_left, CloseReason::PoolClosed, effects);
        }
    }

    pub(super) fn cancel_all(
        &mut self,
        which: impl Fn(&Job<T>) -> bool,
        reason: CloseReason,
        effects: &mut Effects<T>,
    ) {
        let all = self.jobs.iter().filter(|(_, job)| which(job));
        let keys: Vec<JobKey> = all.map(|(key, _)| key).collect();
        for key in keys {
            self.cancel(key, reason.clone(), effects);
        }
    }

    /// A `wait_closed` begins.
    pub(crate) fn add_close_waiter(&mut self) -> CloseWaiter {
        self.lifecycle.add_close_waiter()
    }

    /// A `wait_closed` is over. Its waker comes out.
    pub(crate) fn remove_close_waiter(&mut self, key: CloseWaiter) -> Option<Waker> {
        self.lifecycle.remove_close_waiter(key)
    }

    /// Stores how to wake a `wait_closed`. The old waker comes out.
    pub(crate) fn store_close_waker(&mut self, key: CloseWaiter, waker: Waker) -> Option<Waker> {
        self.lifecycle.store_close_waker(key, waker)
    }

    /// Wakes every `wait_closed`: there may be something to drive, or nothing left.
    pub(super) fn notify_closed(&mut self, effects: &mut Effects<T>) {
        effects.wake_all(self.lifecycle.take_close_wakers());
    }

    /// Whether the pool is closed and empty.
    pub(crate) fn is_closed(&self) -> bool {
        !self.lifecycle.is_open() && self.size() == 0
    }
}
