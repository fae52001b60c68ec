//! Work that is under way, as plain data: which step, how far, and who drives it.
//!
//! A job owns one place of the pool from the moment it is noted until it is settled. It never belongs to the task that
//! happens to poll it: the future lies here between two polls, so whoever drives it may vanish.

use std::task::Waker;

use slotmap::{DefaultKey, SlotMap};

use crate::keys::{JobKey, Ticket};

/// Which step a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect,
    Check,
    Recycle,
    Close,
}

/// How far a job is.
pub(crate) enum Work<E, J> {
    /// Not started; the entry it is about, but for a connect.
    Fresh(Option<E>),
    /// Between two polls.
    Parked(J),
    /// In the hands of somebody who polls it just now.
    Polled,
}

/// Who polls a job.
pub(crate) enum Tender {
    /// Nobody: it waits for the next who needs it.
    Nobody,
    /// A background task by its number, woken when the job is taken from it.
    Visitor(u64, Option<Waker>),
    /// The waiter for whom it was started or who took it over.
    Waiter(Ticket),
    /// A verb such as `fill`, `clear` or an awaited release, which wants to hear how it ends; woken when it is called off.
    Verb(Option<Waker>),
    /// A `try_acquire`, which wants the connection itself.
    Taker,
}

pub(crate) struct Job<E, J> {
    pub(crate) kind: Kind,
    pub(crate) work: Work<E, J>,
    pub(crate) tender: Tender,
    /// How often the pool had been cleared when the job began.
    pub(crate) clears: u64,
    /// It was taken over from whoever began it.
    pub(crate) inherited: bool,
    /// It is to be dropped as soon as its poll returns.
    pub(crate) doomed: bool,
    /// The entry's id, where there is an entry.
    pub(crate) id: Option<u64>,
    /// Where it stands among the adoptable ones.
    spot: Option<usize>,
}

/// The jobs, and among them those that a waiter may take over.
pub(crate) struct Jobs<E, J> {
    slots: SlotMap<DefaultKey, Job<E, J>>,
    /// Connects, and all others, that neither a waiter nor a verb drives.
    adoptable: [Vec<JobKey>; 2],
    untended: usize,
}

fn shelf(kind: Kind) -> usize {
    usize::from(kind != Kind::Connect)
}

impl<E, J> Jobs<E, J> {
    pub(crate) fn new() -> Self {
        Self {
            slots: SlotMap::new(),
            adoptable: [Vec::new(), Vec::new()],
            untended: 0,
        }
    }

    /// Notes a new job.
    pub(crate) fn insert(
        &mut self,
        kind: Kind,
        entry: Option<E>,
        tender: Tender,
        clears: u64,
    ) -> JobKey {
        let key = JobKey(self.slots.insert(Job {
            kind,
            work: Work::Fresh(entry),
            tender: Tender::Verb(None),
            clears,
            inherited: false,
            doomed: false,
            id: None,
            spot: None,
        }));
        self.set_tender(key, tender);
        key
    }

    pub(crate) fn get(&mut self, key: JobKey) -> Option<&mut Job<E, J>> {
        self.slots.get_mut(key.0)
    }

    pub(crate) fn keys(&self) -> Vec<JobKey> {
        self.slots.keys().map(JobKey).collect()
    }

    /// How many jobs nobody drives.
    pub(crate) fn untended(&self) -> usize {
        self.untended
    }

    /// Says who drives the job from now on; a visitor's waker is handed back, to be woken without the lock.
    pub(crate) fn set_tender(&mut self, key: JobKey, tender: Tender) -> Option<Waker> {
        let job = self.slots.get_mut(key.0)?;
        let old = std::mem::replace(&mut job.tender, tender);
        self.untended -= usize::from(matches!(old, Tender::Nobody));
        self.untended += usize::from(matches!(job.tender, Tender::Nobody));
        self.shelve(key);
        match old {
            Tender::Visitor(_, waker) | Tender::Verb(waker) => waker,
            _ => None,
        }
    }

    /// Takes the work out to be polled; `None` if somebody else polls it.
    pub(crate) fn take(&mut self, key: JobKey) -> Option<Work<E, J>> {
        let job = self.slots.get_mut(key.0)?;
        if matches!(job.work, Work::Polled) {
            return None;
        }
        let work = std::mem::replace(&mut job.work, Work::Polled);
        self.shelve(key);
        Some(work)
    }

    /// Puts polled work back.
    pub(crate) fn park(&mut self, key: JobKey, work: J) {
        if let Some(job) = self.slots.get_mut(key.0) {
            job.work = Work::Parked(work);
            self.shelve(key);
        }
    }

    /// The job is over.
    pub(crate) fn remove(&mut self, key: JobKey) -> Option<Job<E, J>> {
        self.unshelve(key);
        let job = self.slots.remove(key.0)?;
        self.untended -= usize::from(matches!(job.tender, Tender::Nobody));
        Some(job)
    }

    /// A connect that a waiter may take over.
    pub(crate) fn adoptable_connect(&self) -> Option<JobKey> {
        self.adoptable[0].last().copied()
    }

    /// Any other job that a waiter may take over.
    pub(crate) fn adoptable_other(&self) -> Option<JobKey> {
        self.adoptable[1].last().copied()
    }

    /// Every job that may be taken over.
    pub(crate) fn adoptable(&self) -> Vec<JobKey> {
        self.adoptable.concat()
    }

    /// Every job that nobody drives.
    pub(crate) fn unattended(&self) -> Vec<JobKey> {
        let nobodys = |key: &JobKey| matches!(self.slots[key.0].tender, Tender::Nobody);
        self.adoptable().into_iter().filter(nobodys).collect()
    }

    /// Puts the job among the adoptable ones, or takes it from them, as its state says.
    fn shelve(&mut self, key: JobKey) {
        let job = &mut self.slots[key.0];
        let open = matches!(job.tender, Tender::Nobody | Tender::Visitor(..));
        let adoptable = open && !matches!(job.work, Work::Polled);
        if adoptable == job.spot.is_some() {
            return;
        }
        if adoptable {
            let shelf = &mut self.adoptable[shelf(job.kind)];
            job.spot = Some(shelf.len());
            shelf.push(key);
        } else {
            self.unshelve(key);
        }
    }

    fn unshelve(&mut self, key: JobKey) {
        let Some(job) = self.slots.get_mut(key.0) else {
            return;
        };
        let Some(spot) = job.spot.take() else { return };
        let shelf = &mut self.adoptable[shelf(job.kind)];
        shelf.swap_remove(spot);
        if let Some(moved) = shelf.get(spot).copied() {
            self.slots[moved.0].spot = Some(spot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_jobs_that_nobody_needs_can_be_taken_over() {
        let mut jobs = Jobs::<u8, ()>::new();
        let connect = jobs.insert(Kind::Connect, None, Tender::Nobody, 0);
        let close = jobs.insert(Kind::Close, Some(1), Tender::Visitor(1, None), 0);
        jobs.insert(Kind::Check, Some(2), Tender::Verb(None), 0);
        assert_eq!(jobs.adoptable_connect(), Some(connect));
        assert_eq!(jobs.adoptable_other(), Some(close));
        assert_eq!(jobs.untended(), 1);
        jobs.set_tender(connect, Tender::Verb(None));
        assert_eq!((jobs.adoptable_connect(), jobs.untended()), (None, 0));
    }

    #[test]
    fn a_job_that_is_polled_cannot_be_taken_over_until_it_is_put_back() {
        let mut jobs = Jobs::<u8, ()>::new();
        let keys = [(); 3].map(|()| jobs.insert(Kind::Recycle, Some(1), Tender::Nobody, 0));
        assert!(matches!(jobs.take(keys[0]), Some(Work::Fresh(Some(1)))));
        assert!(jobs.take(keys[0]).is_none());
        assert_eq!(jobs.adoptable().len(), 2);
        jobs.park(keys[0], ());
        assert_eq!(jobs.adoptable().len(), 3);
        jobs.remove(keys[1]);
        assert_eq!(jobs.unattended().len(), 2);
    }
}
