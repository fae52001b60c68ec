//! What background tasks are asked for: upkeep's rounds, and a recycle for what has come back.

use std::task::Waker;
use std::time::Instant;

use super::job::Driver;
use super::{Effects, JobKey, Kind, Ledger, LedgerEntry, LedgerTypes, Note};

/// The background tasks of a pool.
pub(super) struct Background {
    /// Background tasks can be spawned. The first refusal ends that.
    can_spawn: bool,
    /// So many recycle tasks were spawned and have not claimed a connection yet.
    recycle_tasks: usize,
    /// The number of the last task that drives a job.
    last_task: u64,
    /// The upkeep task, while it sleeps.
    upkeep: Option<Waker>,
}

impl Background {
    pub(super) fn new() -> Self {
        Self {
            can_spawn: true,
            recycle_tasks: 0,
            last_task: 0,
            upkeep: None,
        }
    }

    #[inline]
    pub(super) fn can_spawn(&self) -> bool {
        self.can_spawn
    }

    /// Upkeep sleeps, and can be woken.
    pub(super) fn has_upkeep(&self) -> bool {
        self.upkeep.is_some()
    }

    /// The runtime has refused a task, or dropped one.
    pub(super) fn cannot_spawn(&mut self) {
        self.can_spawn = false;
    }

    /// The number for a new task that drives a job.
    pub(super) fn next_task(&mut self) -> u64 {
        self.last_task += 1;
        self.last_task
    }
}

impl<T: LedgerTypes> Ledger<T> {
    /// The runtime has refused a task.
    pub(crate) fn cannot_spawn(&mut self) {
        self.spawn_failed();
    }

    /// From now on nothing is spawned.
    pub(super) fn spawn_failed(&mut self) {
        if self.background.can_spawn {
            self.background.cannot_spawn();
            self.history.note(|| Note::SpawnFailed);
        }
    }

    /// Asks for a background task if more connections wait for their recycle than tasks are on their way.
    ///
    /// One task for all would not do: a thread that has spawned one may be busy for long before it runs it.
    pub(super) fn request_recycle_task(&mut self, effects: &mut Effects<T>) {
        let background = &mut self.background;
        // One change spawns one task. A task that runs asks for the next.
        let may_ask = background.can_spawn && !effects.spawn_recycle_task;
        if may_ask && background.recycle_tasks < self.idle.dirty_len() {
            background.recycle_tasks += 1;
            effects.spawn_recycle_task = true;
        }
    }

    /// Takes the request for a recycle task back if somebody has taken the connection meanwhile.
    pub(super) fn revoke_recycle_task(&mut self, effects: &mut Effects<T>) {
        if effects.spawn_recycle_task && self.idle.dirty_len() == 0 {
            effects.spawn_recycle_task = false;
            self.background.recycle_tasks -= 1;
        }
    }

    /// A background task begins the recycle of the connection that has waited longest for it.
    pub(crate) fn claim_dirty(&mut self, effects: &mut Effects<T>) -> Option<(JobKey, u64)> {
        self.background.recycle_tasks = self.background.recycle_tasks.saturating_sub(1);
        let entry = self.idle.take_oldest_dirty()?;
        self.request_recycle_task(effects);
        let number = self.background.next_task();
        let key = self.insert_job(Kind::Recycle, Some(entry), Driver::Background(number));
        Some((key, number))
    }

    /// The background task that was to recycle the next connection was dropped: its runtime is gone.
    pub(crate) fn recycle_task_dropped(&mut self, effects: &mut Effects<T>) {
        self.spawn_failed();
        self.background.recycle_tasks = self.background.recycle_tasks.saturating_sub(1);
        self.supply(effects);
    }

    /// Upkeep's round: closes what has expired, starts what is missing, finds a driver for what has none. It says when
    /// the next round is due by the clock; `None` if nothing is left to do or to tell.
    ///
    /// While a pool closes, upkeep stays for the events: what the timer finds, and what one call leaves untold.
    pub(crate) fn upkeep_round(&mut self, effects: &mut Effects<T>) -> Option<Option<Instant>> {
        if !self.lifecycle.is_open() {
            return (!self.is_upkeep_over()).then_some(None);
        }
        let now = effects.now();
        self.catch_up(now);
        let (expired, expiry) = self.idle.take_expired(now);
        for entry in expired {
            let reason = self.idle.expired_by(&entry);
            self.lifetimes.note_end(entry.key(), now);
            self.start_close(entry, reason, effects);
        }
        let unneeded = self.close_unneeded(effects);
        self.fill(effects);
        self.retire_idle(effects);
        let quiet = self.keep_alive(effects);
        self.spawn_drivers(effects);
        let next = [expiry, unneeded, quiet, self.next_fill(now)];
        Some(next.into_iter().flatten().min())
    }

    /// Stores how to wake upkeep. The old waker comes out.
    pub(crate) fn set_upkeep_waker(&mut self, waker: Waker) -> Option<Waker> {
        self.background.upkeep.replace(waker)
    }

    /// Whether upkeep can end: the pool is closed and all was told. Without observers, it ends when the pool begins to
    /// close.
    pub(crate) fn is_upkeep_over(&self) -> bool {
        let history = &self.history;
        !self.lifecycle.is_open()
            && (!history.is_observed() || (self.is_closed() && history.untold.is_empty()))
    }

    /// The waker of upkeep, if nobody tells at the moment, and something is left to be told or upkeep can end.
    pub(crate) fn upkeep_for_notes(&mut self) -> Option<Waker> {
        let untold = &self.history.untold;
        let is_left = !untold.is_telling() && (!untold.is_empty() || self.is_closed());
        is_left.then(|| self.background.upkeep.take()).flatten()
    }

    /// Wakes upkeep.
    pub(super) fn wake_upkeep(&mut self, effects: &mut Effects<T>) {
        effects.wake_all(self.background.upkeep.take());
    }
}
