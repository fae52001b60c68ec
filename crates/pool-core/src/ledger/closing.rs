//! How connections come back and leave, one by one or all together.

use std::collections::HashSet;
use std::task::Waker;
use std::time::Instant;

use super::{After, Answer, CalledOff, Ledger, Stage, Stock};
use crate::Verdict;
use crate::jobs::{Kind, Tender, Work};
use crate::keys::JobKey;

/// What an awaited release has to drive.
pub(crate) enum Returned<S: Stock> {
    /// Nothing: the connection is on the shelf or with a waiter.
    Kept,
    /// Its recycle.
    Recycle(JobKey),
    /// Its close: the manager does not want it back, or the pool is closed.
    Close(JobKey),
    /// The books know nothing of it any more; here it is, to be dropped.
    WrittenOff(S::Entry),
}

impl<S: Stock> Ledger<S> {
    /// A guard is dropped.
    pub(crate) fn give_back(
        &mut self,
        mut entry: S::Entry,
        verdict: Verdict,
        now: Instant,
        after: &mut After<S>,
    ) {
        self.note_return(&mut entry, now);
        if self.stage == Stage::Terminated {
            return after.chores().written_off.push(entry);
        }
        self.counts.held -= 1;
        match (self.stage, verdict) {
            (Stage::Open, Verdict::Reuse) if self.check != crate::CheckPolicy::Always => {
                self.hand_out(entry, now, after);
            }
            (Stage::Open, Verdict::Reuse) => {
                self.shelve_idle(entry, after);
                self.supply(now, after);
                self.serve_the_first_sooner(now, after);
            }
            (Stage::Open, Verdict::Recycle) => {
                self.shelve_dirty(entry, after);
                self.supply(now, after);
                self.serve_the_first_sooner(now, after);
                // Somebody may have taken it at once.
                if after.recycle && self.dirty.is_empty() {
                    after.recycle = false;
                    self.coming = false;
                }
            }
            (Stage::Closing, _) if !self.spawns && self.closers == 0 => {
                self.drop_entry(entry, after);
            }
            _ => {
                self.start_close(entry, Tender::Nobody, after);
                // Where no background task comes, whoever waits for the place closes it.
                self.supply(now, after);
            }
        }
    }

    /// A guard is released by a caller who wants to hear how it ends.
    pub(crate) fn give_back_awaited(
        &mut self,
        mut entry: S::Entry,
        verdict: Verdict,
        now: Instant,
        after: &mut After<S>,
    ) -> Returned<S> {
        self.note_return(&mut entry, now);
        if self.stage == Stage::Terminated {
            return Returned::WrittenOff(entry);
        }
        match (self.stage, verdict) {
            (Stage::Open, Verdict::Reuse) => {
                self.give_back(entry, verdict, now, after);
                Returned::Kept
            }
            (Stage::Open, Verdict::Recycle) => {
                self.counts.held -= 1;
                Returned::Recycle(self.note(Kind::Recycle, Some(entry), Tender::Verb(None)))
            }
            _ => {
                self.counts.held -= 1;
                Returned::Close(self.note(Kind::Close, Some(entry), Tender::Verb(None)))
            }
        }
    }

    /// A guard gives its connection to its holder for good: the place is free at once.
    pub(crate) fn detach(&mut self, id: u64, now: Instant, after: &mut After<S>) {
        if self.stage != Stage::Terminated {
            self.counts.held -= 1;
            self.departed(Some(id), after);
            self.supply(now, after);
        }
    }

    /// A guard is dropped in a way that says nothing good of its connection.
    pub(crate) fn give_back_broken(&mut self, entry: S::Entry, after: &mut After<S>) {
        if self.stage == Stage::Terminated {
            return after.chores().written_off.push(entry);
        }
        self.counts.held -= 1;
        self.drop_entry(entry, after);
    }

    /// Begins to close an entry; the place is free when that is done.
    pub(super) fn start_close(
        &mut self,
        entry: S::Entry,
        tender: Tender,
        after: &mut After<S>,
    ) -> Option<JobKey> {
        let nobody = matches!(tender, Tender::Nobody);
        let will_be_driven = self.spawns || (self.stage != Stage::Open && !self.orphaned);
        if nobody && !will_be_driven {
            self.drop_entry(entry, after);
            return None;
        }
        let key = self.note(Kind::Close, Some(entry), tender);
        if nobody {
            after.tend(key);
            after.closing |= self.stage != Stage::Open;
        }
        Some(key)
    }

    /// An entry leaves without goodbye; it counts as closing until it is dropped.
    pub(super) fn drop_entry(&mut self, entry: S::Entry, after: &mut After<S>) {
        self.counts.closing += 1;
        after.chores().broken.push(entry);
    }

    /// An entry has been dropped.
    pub(crate) fn dropped(&mut self, id: u64, now: Instant, after: &mut After<S>) {
        self.counts.closing -= 1;
        self.departed(Some(id), after);
        self.supply(now, after);
    }

    /// A job that had been called off has been dropped.
    pub(crate) fn called_off(
        &mut self,
        kind: Kind,
        id: Option<u64>,
        now: Instant,
        after: &mut After<S>,
    ) {
        *self.counts.of(kind) -= 1;
        self.departed(id, after);
        self.supply(now, after);
    }

    /// Ends a job where it stands; one that is polled just now ends when its poll returns.
    pub(super) fn call_off(&mut self, key: JobKey, after: &mut After<S>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        if matches!(job.work, Work::Polled) {
            job.doomed = true;
            return;
        }
        if let Tender::Waiter(ticket) = job.tender {
            self.waiters.set_job(ticket, None);
        }
        if let Some(job) = self.jobs.remove(key) {
            if let Tender::Visitor(_, Some(waker)) | Tender::Verb(Some(waker)) = job.tender {
                after.wake(waker);
            }
            after.chores().called_off.push(CalledOff {
                kind: job.kind,
                id: job.id,
                work: job.work,
            });
        }
    }

    /// Closes every idle connection, on behalf of a caller who drives that.
    pub(crate) fn clear(&mut self, after: &mut After<S>) -> Vec<JobKey> {
        self.clears += 1;
        let mut keys = Vec::with_capacity(self.idle.len() + self.dirty.len());
        while let Some((_, entry)) = self.idle.pop_front().or_else(|| self.dirty.pop_front()) {
            keys.extend(self.start_close(entry, Tender::Verb(None), after));
        }
        keys
    }

    /// Closes the idle connections that are too old; says when the next one will be.
    pub(crate) fn expire(&mut self, now: Instant, after: &mut After<S>) -> Option<Instant> {
        if self.recycle_after.is_none() && !self.has_idle_limits {
            return None;
        }
        let mut next = None;
        for dirty in [false, true] {
            let shelf = std::mem::take(if dirty {
                &mut self.dirty
            } else {
                &mut self.idle
            });
            for (turn, entry) in shelf {
                if self.is_expired(&entry, Some(now)) {
                    self.start_close(entry, Tender::Nobody, after);
                    continue;
                }
                let limit = self.idle_limit(&entry);
                let since = self.idle_since(&entry, now);
                if let Some(at) = limit.and_then(|limit| since.checked_add(limit)) {
                    next = Some(next.map_or(at, |next: Instant| next.min(at)));
                }
                let shelf = if dirty {
                    &mut self.dirty
                } else {
                    &mut self.idle
                };
                shelf.push_back((turn, entry));
            }
        }
        next
    }

    /// How to wake upkeep; the old waker comes back, to be dropped without the lock.
    pub(crate) fn upkeep_wakes(&mut self, waker: Waker) -> Option<Waker> {
        self.upkeep.replace(waker)
    }

    /// Upkeep has done its round; without an expiry to wait for it wants to hear of the next idle entry.
    pub(crate) fn upkeep_waits(&mut self, for_expiry: bool) {
        let any_expires = self.recycle_after.is_some() || self.has_idle_limits;
        self.upkeep_wants_idle = any_expires && !for_expiry;
    }

    /// When a background connect may be tried again, if one is missing.
    pub(crate) fn next_fill(&self) -> Option<Instant> {
        if self.missing() > 0 {
            self.fill_after
        } else {
            None
        }
    }

    /// No new acquires; waiters fail; what is idle is closed.
    pub(crate) fn close(&mut self, now: Instant, after: &mut After<S>) {
        if self.stage != Stage::Open {
            return;
        }
        self.stage = Stage::Closing;
        for ticket in self.waiters.tickets() {
            match self.waiters.revoke(ticket) {
                Some(Answer::Entry(entry)) => {
                    self.pass_on(entry, now, after);
                    self.reply(ticket, Answer::Closed, after);
                }
                Some(answer) => self.waiters.answer(ticket, answer),
                None => self.reply(ticket, Answer::Closed, after),
            }
        }
        while let Some((_, entry)) = self.idle.pop_front().or_else(|| self.dirty.pop_front()) {
            self.start_close(entry, Tender::Nobody, after);
        }
        for key in self.jobs.keys() {
            let unstarted_connect = self
                .jobs
                .get(key)
                .is_some_and(|job| job.kind == Kind::Connect && matches!(job.work, Work::Fresh(_)));
            if unstarted_connect {
                self.call_off(key, after);
            }
        }
        self.wake_upkeep(after);
        after.closing = true;
    }

    /// As [`close`](Ledger::close), and what is under way is called off, what is held is written off and aborted.
    pub(crate) fn terminate(&mut self, now: Instant, after: &mut After<S>) {
        if self.stage == Stage::Terminated {
            return;
        }
        // Goodbyes that have begun go on; nobody holds those connections.
        let mut before = self.jobs.keys();
        before.retain(|key| {
            self.jobs
                .get(*key)
                .is_some_and(|job| job.kind != Kind::Close)
        });
        self.close(now, after);
        for key in before {
            self.call_off(key, after);
        }
        // Whatever a waiter had been given went back into the books; what is still held is in guards.
        self.stage = Stage::Terminated;
        self.counts.held = 0;
        let at_rest: HashSet<u64> = self
            .jobs
            .keys()
            .into_iter()
            .filter_map(|key| self.jobs.get(key).and_then(|job| job.id))
            .collect();
        let handles = std::mem::take(&mut self.aborts);
        for (id, handle) in handles {
            if at_rest.contains(&id) {
                self.aborts.insert(id, handle);
            } else {
                after.chores().aborts.push(handle);
            }
        }
        after.closing = true;
    }

    /// The last `Pool` is gone: nobody can wait any more, so what no task drives is dropped.
    pub(crate) fn orphaned(&mut self, now: Instant, after: &mut After<S>) {
        self.orphaned = true;
        self.close(now, after);
        if !self.spawns {
            for key in self.jobs.adoptable() {
                self.call_off(key, after);
            }
        }
    }

    /// A `wait_closed` begins; it takes over what nobody but a background task drives.
    pub(crate) fn take_over(&mut self, after: &mut After<S>) -> Vec<JobKey> {
        let keys = self.jobs.adoptable();
        for key in &keys {
            if let Some(visitor) = self.jobs.set_tender(*key, Tender::Verb(None)) {
                after.wake(visitor);
            }
        }
        keys
    }

    /// Counts the `wait_closed` that are under way.
    pub(crate) fn closer(&mut self, begins: bool) {
        if begins {
            self.closers += 1;
        } else {
            self.closers -= 1;
        }
    }

    /// Whether the pool is closed and empty.
    pub(crate) fn is_closed(&self) -> bool {
        self.stage != Stage::Open && self.size() == 0
    }
}
