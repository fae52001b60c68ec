//! The jobs' side of the books: how work begins, changes hands and ends.

use std::task::Waker;
use std::time::Instant;

use super::{After, CalledOff, Item, Ledger, Stage, Stock};
use crate::jobs::{Job, Kind, Tender, Work};
use crate::keys::JobKey;

/// What became of work that was put back.
pub(crate) enum Parked {
    /// It waits for its next poll.
    Waiting,
    /// Something happened meanwhile: whoever drives it must look again.
    LookAgain,
}

/// What a visitor or a verb finds when it comes for its job.
pub(crate) enum TakenWork<S: Stock> {
    Work(Kind, Work<S::Entry, S::Job>),
    /// The job is no longer theirs.
    NotYours,
    /// Somebody polls it just now, or it is not to be polled.
    Busy,
}

impl<S: Stock> Ledger<S> {
    /// Notes a new job; its place counts from here on.
    pub(super) fn note(
        &mut self,
        kind: Kind,
        mut entry: Option<S::Entry>,
        tender: Tender,
    ) -> JobKey {
        *self.counts.of(kind) += 1;
        if let Some(entry) = &mut entry {
            self.stamp(entry);
        }
        let id = entry.as_ref().map(Item::id);
        let key = self.jobs.insert(kind, entry, tender, self.clears);
        if let Some(job) = self.jobs.get(key) {
            job.id = id;
        }
        key
    }

    /// Connects that are missing for minsize and that the caller of a verb drives itself.
    pub(crate) fn missing_for_verb(&mut self) -> Vec<JobKey> {
        let mut keys = Vec::new();
        while self.stage == Stage::Open && self.missing() > 0 {
            keys.push(self.note(Kind::Connect, None, Tender::Verb(None)));
        }
        keys
    }

    /// Starts the connects that are missing for minsize, unless the last ones failed just now.
    pub(crate) fn fill(&mut self, now: Instant, after: &mut After<S>) {
        if self.fill_after.is_some_and(|at| now < at) {
            return;
        }
        while self.stage == Stage::Open && self.missing() > 0 {
            let key = self.note(Kind::Connect, None, Tender::Nobody);
            after.tend(key);
        }
    }

    /// A background task comes for the job that it was spawned for.
    pub(crate) fn take_as_visitor(&mut self, key: JobKey, number: u64) -> TakenWork<S> {
        self.take_if(key, |tender| is_visitor(tender, number))
    }

    /// A verb comes for a job of its own.
    pub(crate) fn take_as_verb(&mut self, key: JobKey) -> TakenWork<S> {
        self.take_if(key, |tender| {
            matches!(tender, Tender::Verb(_) | Tender::Taker)
        })
    }

    fn take_if(&mut self, key: JobKey, mine: impl Fn(&Tender) -> bool) -> TakenWork<S> {
        let kind = match self.jobs.get(key) {
            Some(job) if mine(&job.tender) => job.kind,
            _ => return TakenWork::NotYours,
        };
        match self.jobs.take(key) {
            Some(work) => TakenWork::Work(kind, work),
            None => TakenWork::Busy,
        }
    }

    /// The jobs that nobody drives.
    pub(crate) fn unattended(&self) -> Vec<JobKey> {
        if self.jobs.untended() == 0 {
            return Vec::new();
        }
        self.jobs.unattended()
    }

    /// Takes a job that nobody drives, for one poll.
    pub(crate) fn take_unattended(&mut self, key: JobKey) -> TakenWork<S> {
        self.take_if(key, |tender| matches!(tender, Tender::Nobody))
    }

    /// Begins the recycle of the entry that has waited longest for it.
    pub(crate) fn claim_dirty(&mut self, after: &mut After<S>) -> Option<(JobKey, u64)> {
        self.coming = false;
        let (_, entry) = self.dirty.pop_front()?;
        self.call_for_recycle(after);
        self.visitors += 1;
        let tender = Tender::Visitor(self.visitors, None);
        let key = self.note(Kind::Recycle, Some(entry), tender);
        Some((key, self.visitors))
    }

    /// Polled work that is not done; a visitor or a verb leaves word how to wake it.
    pub(crate) fn park(
        &mut self,
        key: JobKey,
        work: S::Job,
        word: Option<Waker>,
        now: Instant,
        after: &mut After<S>,
    ) -> Parked {
        let Some(job) = self.jobs.get(key) else {
            return Parked::LookAgain;
        };
        if job.doomed {
            let (kind, id) = (job.kind, job.id);
            self.jobs.remove(key);
            let work = Work::Parked(work);
            after.chores().called_off.push(CalledOff { kind, id, work });
            return Parked::LookAgain;
        }
        let parked = match &mut job.tender {
            Tender::Visitor(_, slot) | Tender::Verb(slot) => {
                after.forget(std::mem::replace(slot, word));
                Parked::Waiting
            }
            Tender::Nobody => Parked::LookAgain,
            _ => Parked::Waiting,
        };
        self.jobs.park(key, work);
        if matches!(parked, Parked::LookAgain) {
            // Its waiter was served while it was polled: the next one may want it.
            self.supply(now, after);
            after.tend(key);
        }
        parked
    }

    /// A job lost the one who drove it. What has not begun is undone; the rest goes on for whoever needs it next, except
    /// a step whose caller gave up on it and that no deadline would ever end.
    pub(crate) fn orphan(&mut self, key: JobKey, cancelled: bool, after: &mut After<S>) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        let kind = job.kind;
        let begun = !matches!(job.work, Work::Fresh(_));
        if let Some(visitor) = self.jobs.set_tender(key, Tender::Nobody) {
            after.forget(Some(visitor));
        }
        if self.stage == Stage::Open {
            // Where background tasks recycle, one that was begun for a waiter goes on like any other.
            let goes_on = kind == Kind::Connect || (kind == Kind::Recycle && self.spawns);
            let endless = cancelled && begun && !goes_on && !self.limited.contains(&kind);
            let goodbye_is_lost = kind == Kind::Close && !self.spawns;
            if endless || goodbye_is_lost {
                return self.call_off(key, after);
            }
        }
        let wanted =
            kind == Kind::Connect && self.stage == Stage::Open && self.size() <= self.minsize;
        if begun || wanted || kind == Kind::Close {
            after.closing |= self.stage != Stage::Open;
            after.tend(key);
            self.wake_for_unattended(after);
            return;
        }
        *self.counts.of(kind) -= 1;
        let entry = self.jobs.remove(key).and_then(|job| match job.work {
            Work::Fresh(entry) => entry,
            _ => None,
        });
        match (kind, entry) {
            (Kind::Check, Some(entry)) => self.put_next(entry),
            (Kind::Recycle, Some(entry)) => {
                self.dirty.push_front((0, entry));
                self.call_for_recycle(after);
            }
            _ => self.departed(None, after),
        }
    }

    /// A verb that drove the job is dropped.
    pub(crate) fn dismiss(&mut self, key: JobKey, after: &mut After<S>) {
        let mine = |job: &&mut Job<_, _>| matches!(job.tender, Tender::Verb(_) | Tender::Taker);
        if self.jobs.get(key).filter(mine).is_some() {
            self.orphan(key, false, after);
        }
    }

    /// The background task that was to recycle the next entry is gone: whoever needs it takes it.
    pub(crate) fn not_recycled(&mut self, now: Instant, after: &mut After<S>) {
        // A task that was dropped unfinished: its runtime is gone.
        self.spawns = false;
        self.coming = false;
        self.supply(now, after);
    }

    /// A background task is to come for a job that nobody drives: its number; `None`: somebody drives it by now.
    pub(crate) fn hire(&mut self, key: JobKey) -> Option<u64> {
        // One that is polled just now asks again when it is put back.
        let waits = |job: &&mut Job<_, _>| {
            matches!(job.tender, Tender::Nobody) && !matches!(job.work, Work::Polled)
        };
        self.jobs.get(key).filter(waits)?;
        self.visitors += 1;
        self.jobs
            .set_tender(key, Tender::Visitor(self.visitors, None));
        Some(self.visitors)
    }

    /// The background task of a job is gone, or could not be had.
    pub(crate) fn deserted(
        &mut self,
        key: JobKey,
        number: u64,
        now: Instant,
        after: &mut After<S>,
    ) {
        let Some(job) = self.jobs.get(key) else {
            return;
        };
        if !is_visitor(&job.tender, number) {
            return;
        }
        let kind = job.kind;
        self.spawns = false;
        after.forget(self.jobs.set_tender(key, Tender::Nobody));
        let nobody_will_come = match self.stage {
            Stage::Open => kind == Kind::Close,
            Stage::Closing | Stage::Terminated => self.orphaned,
        };
        if nobody_will_come {
            self.call_off(key, after);
        }
        after.closing |= self.stage != Stage::Open;
        self.supply(now, after);
        self.wake_for_unattended(after);
    }
}

fn is_visitor(tender: &Tender, number: u64) -> bool {
    matches!(tender, Tender::Visitor(visitor, _) if *visitor == number)
}
