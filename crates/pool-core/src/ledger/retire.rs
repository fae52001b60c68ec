//! Connections that have lived long enough: when each of them goes, and what stands in its place.

use std::time::{Duration, Instant};

use super::idle::look_after;
use super::job::{Driver, Job};
use super::lifetimes::{Fitness, Why};
use super::{ConnectionKey, Effects, JobKey, Kind, Ledger, LedgerEntry, LedgerTypes};
use crate::{CloseReason, Verdict};

impl<T: LedgerTypes> Ledger<T> {
    /// A connection was opened, or has come from outside.
    pub(super) fn born(&mut self, entry: &T::Entry, effects: &Effects<T>) {
        let at = entry.connected_at().unwrap_or(effects.now());
        self.lifetimes.born(entry.key(), at);
    }

    /// A connection is on its way out: it is not to be replaced any more, nor checked.
    pub(super) fn forget_life(&mut self, key: ConnectionKey) {
        self.lifetimes.left(key);
        self.update_returns();
    }

    /// Whether each return has to be looked at, as the lifetimes and `max_idle` want it.
    pub(super) fn update_returns(&mut self) {
        let looks = self.lifetimes.looks_at_returns() || self.idle.max_idle().is_some();
        self.lifecycle.look_at_returns(looks);
    }

    /// Looks whose time has come. An idle connection that is spent will not be handed out from here on.
    #[inline]
    pub(super) fn catch_up(&mut self, now: Instant) {
        if self.lifetimes.next().is_some_and(|at| at <= now) {
            self.strike_lives(now);
        }
    }

    #[inline(never)]
    pub(super) fn strike_lives(&mut self, now: Instant) {
        if self.lifetimes.strike(now) {
            self.mark_idle(now);
        }
        self.update_returns();
    }

    /// The settings have changed: looks at all idle connections.
    pub(super) fn look_at_idle(&mut self, now: Instant) {
        if !self.idle.checks_suspects() {
            self.lifetimes.trust_all();
            self.idle.trust_all();
        }
        self.catch_up(now);
        for entry in self.idle.iter() {
            self.lifetimes.used(entry.key(), entry.uses());
        }
        self.mark_idle(now);
    }

    /// Marks the idle connections that are spent or suspect.
    fn mark_idle(&mut self, now: Instant) {
        let lifetimes = &mut self.lifetimes;
        self.idle.mark(now, |key, marks| lifetimes.mark(key, marks));
    }

    /// A connection is about to become idle: what the pool knows of it is noted in its entry.
    pub(super) fn mark(&mut self, entry: &mut T::Entry, now: Instant) {
        self.catch_up(now);
        self.lifetimes.used(entry.key(), entry.uses());
        self.lifetimes.mark(entry.key(), entry.marks_mut());
        self.idle.stamp_marked(entry, now);
    }

    /// A connection comes out of a step that went well: what the pool knows of it is noted in its entry.
    pub(super) fn note_step(
        &mut self,
        entry: &mut T::Entry,
        is_checked: bool,
        effects: &mut Effects<T>,
    ) {
        let now = effects.now();
        self.mark(entry, now);
        if is_checked {
            let marks = entry.marks_mut();
            (marks.is_suspect, marks.alive_at) = (false, Some(now));
        }
        self.update_returns();
        if self.lifetimes.due() > 0 {
            // One that is due can go when the replacement stands.
            self.wake_upkeep(effects);
        }
    }

    /// A job is over. If it has kept a connection alive, the next one's turn has come.
    pub(super) fn next_keepalive(&mut self, job: &Job<T>, effects: &mut Effects<T>) {
        if job.sequence.is_some() {
            self.wake_upkeep(effects);
        }
    }

    /// Takes note of the idle limit that a connection has brought along.
    pub(super) fn note_limit(&mut self, entry: &T::Entry, effects: &mut Effects<T>) {
        let was_timed = self.idle.is_timed();
        if self.idle.note_limit(entry) {
            self.wake_upkeep(effects);
            if !was_timed && !self.idle.may_tick() {
                self.lifecycle.stamp_all_returns();
            }
        }
    }

    /// A connection comes back that was handed out. If that was its last time, its replacement begins before it goes.
    pub(super) fn note_use(&mut self, entry: &mut T::Entry, effects: &mut Effects<T>) {
        self.catch_up(effects.now());
        if !self.lifetimes.looks_at_returns() {
            return;
        }
        self.mark(entry, effects.now());
        self.update_returns();
        let staying = self.size().saturating_sub(self.leaving());
        if staying < self.fill.minsize() && self.background.can_spawn() {
            self.fill(effects);
        }
    }

    /// Why a connection goes now, if it does. `is_counted`: it counts where it is, which means that nobody holds it.
    ///
    /// One that is due goes when its replacement stands, or nothing could be opened for it. One that is spent also goes where
    /// no replacement is on its way.
    pub(super) fn retires(&self, key: ConnectionKey, is_counted: bool) -> Option<CloseReason> {
        self.retires_if(key, is_counted, || self.has_idle_without_due())
    }

    /// As [`retires`](Self::retires), where it is known, or asked for, whether enough are idle without those that are due.
    fn retires_if(
        &self,
        key: ConnectionKey,
        is_counted: bool,
        has_idle: impl FnOnce() -> bool,
    ) -> Option<CloseReason> {
        let fitness = self.lifetimes.fitness(key);
        if fitness == Fitness::Fit {
            return None;
        }
        let reason = self.lifetimes.reason(key);
        if self.lifetimes.goes_at_once(key) {
            return Some(reason);
        }
        let size = self.size() + usize::from(!is_counted);
        let others = size.saturating_sub(self.leaving());
        let connecting = self.jobs.count(Kind::Connect);
        let is_replaced = others.saturating_sub(connecting) >= self.wanted() && has_idle();
        let is_full =
            size >= self.fill.limit() && self.jobs.count(Kind::Close) + self.departing == 0;
        let goes = is_replaced
            || match fitness {
                // One after the other.
                Fitness::Due => connecting == 0 && is_full && !self.governor.is_open(),
                _ => connecting == 0,
            };
        goes.then_some(reason)
    }

    /// Why a connection that has just come back is not kept although it could be used again, if so.
    pub(super) fn retires_at_return(
        &self,
        key: ConnectionKey,
        verdict: Verdict,
    ) -> Option<CloseReason> {
        let could_stay = self.lifecycle.is_open() && verdict != Verdict::Discard;
        could_stay.then(|| self.retires(key, false)).flatten()
    }

    /// How many of the connections do not stay: they are on their way out, or are to be replaced.
    pub(super) fn leaving(&self) -> usize {
        self.jobs.count(Kind::Close) + self.departing + self.lifetimes.due()
    }

    /// Closes the idle connections whose time has come, those first that are due for longest.
    pub(super) fn retire_idle(&mut self, effects: &mut Effects<T>) {
        if self.lifetimes.due() == 0 || !self.lifecycle.is_open() {
            return;
        }
        // That one of these goes changes nothing about the others.
        let has_idle = self.has_idle_without_due();
        for key in self.lifetimes.all_due() {
            if let Some(reason) = self.retires_if(key, true, || has_idle) {
                if let Some((_, entry)) = self.idle.take_out(key) {
                    self.start_close(entry, reason, effects);
                }
            }
        }
    }

    /// The idle connections that are to be replaced, those first that were opened first.
    pub(super) fn idle_due(&self) -> Vec<ConnectionKey> {
        if self.lifetimes.due() == 0 {
            return Vec::new();
        }
        let idle = self.idle.iter().map(LedgerEntry::key);
        let mut due: Vec<_> = idle.filter(|key| self.lifetimes.is_due(*key)).collect();
        due.sort_unstable();
        due
    }

    /// How many connections are needed that stay: minsize, and as many as are in use while some of them are to be replaced.
    pub(super) fn wanted(&self) -> usize {
        let aged = self.lifetimes.aged();
        if aged == 0 {
            return self.fill.minsize();
        }
        let staying = self.size().saturating_sub(self.leaving());
        // Until those in use come back, their replacements are idle.
        let may_be_idle = self.idle.max_idle().unwrap_or(usize::MAX);
        let soon_idle = self.idle.len() + self.jobs.count(Kind::Connect);
        let room = may_be_idle.saturating_sub(soon_idle).min(aged);
        self.fill.minsize().max(self.held.min(staying + room))
    }

    /// Whether there are as many idle connections as `min_idle` says without those that are to be replaced.
    fn has_idle_without_due(&self) -> bool {
        let least = self.fill.min_idle();
        least == 0 || self.idle.len() - self.idle_due().len() >= least
    }

    /// Why a connection that has expired is closed.
    pub(super) fn expired_by(&self, entry: &T::Entry) -> CloseReason {
        match entry.marks().is_spent {
            true => self.lifetimes.reason(entry.key()),
            false => self.idle.expired_by(entry),
        }
    }

    /// Closes idle connections that are one too many: those first that are to be replaced, then those that have been idle
    /// longest.
    pub(super) fn trim_idle(&mut self, effects: &mut Effects<T>) {
        while self.idle.has_too_many() {
            if let Some(key) = self.idle_due().first().copied() {
                if let Some((_, entry)) = self.idle.take_out(key) {
                    let reason = self.lifetimes.reason(key);
                    self.start_close(entry, reason, effects);
                    continue;
                }
            }
            let Some(entry) = self.idle.take_oldest() else {
                return;
            };
            self.start_close(entry, CloseReason::MaxIdle, effects);
        }
    }

    /// Whether the pool can do without one more idle connection.
    pub(super) fn can_spare_idle(&self) -> bool {
        self.size().saturating_sub(self.leaving()) > self.fill.minsize()
            && self.idle.len() > self.fill.min_idle()
    }

    /// Closes the connections that nobody has needed for `idle_timeout`, as long as the pool is larger than minsize. It says
    /// when the next one will have been idle for so long.
    pub(super) fn close_unneeded(&mut self, effects: &mut Effects<T>) -> Option<Instant> {
        let limit = self.idle.idle_timeout()?;
        let now = effects.now();
        for (since, key) in self.idle.by_idle_time(now) {
            if since.checked_add(limit)? > now {
                return since.checked_add(look_after(limit));
            }
            if !self.can_spare_idle() {
                break;
            }
            if let Some((_, entry)) = self.idle.take_out(key) {
                self.start_close(entry, CloseReason::IdleTimeout, effects);
            }
        }
        // What comes back from now on will not have been idle for so long before.
        now.checked_add(look_after(limit))
    }

    /// Starts the check of the connection that has given no sign of life for longest, if that was `keepalive` ago. One is
    /// checked at a time. It says when the next one has to be.
    pub(super) fn keep_alive(&mut self, effects: &mut Effects<T>) -> Option<Instant> {
        let pause = self.idle.keepalive()?;
        let is_under_way = self.jobs.iter().any(|(_, job)| job.sequence.is_some());
        // Its end wakes upkeep.
        if is_under_way || !self.lifecycle.serves() || !self.background.can_spawn() {
            return None;
        }
        let now = effects.now();
        let Some((key, since)) = self.idle.longest_quiet(now) else {
            return now.checked_add(look_after(pause));
        };
        let at = since.checked_add(look_after(pause))?;
        if at > now {
            return Some(at);
        }
        let (sequence, mut entry) = self.idle.take_out(key)?;
        entry.set_calls_manager(true);
        entry.set_calls_interceptors(false);
        let key = self.insert_job(Kind::Check, Some(entry), Driver::Nobody);
        self.jobs.set_sequence(key, sequence);
        effects.spawn_driver(key);
        None
    }

    /// A connection was lost: whoever took it along may have taken the others, too. Each of them is checked before it is
    /// handed out.
    pub(super) fn suspect_siblings(&mut self, now: Instant) {
        if !self.idle.checks_suspects() {
            return;
        }
        self.lifetimes.suspect_all();
        self.mark_idle(now);
        self.update_returns();
    }

    /// As [`clear`](Self::clear); what is in use is closed when it comes back, and what connects when it is open.
    pub(crate) fn clear_all(&mut self, effects: &mut Effects<T>) -> Vec<JobKey> {
        if self.lifecycle.is_open() {
            // Those who have not looked yet get another one.
            self.take_answers_back(effects.now());
        }
        for key in self.lifetimes.all() {
            self.lifetimes.spend(key, Why::Cleared);
        }
        self.update_returns();
        self.wake_upkeep(effects);
        self.clear(effects)
    }

    /// All connections are to be replaced within this time, those first that are oldest.
    pub(crate) fn replace_all(&mut self, within: Duration, effects: &mut Effects<T>) {
        let now = effects.now();
        self.catch_up(now);
        self.lifetimes.replace_within(within, now);
        self.catch_up(now);
        self.update_returns();
        self.supply(effects);
        self.fill(effects);
        self.retire_idle(effects);
        self.wake_upkeep(effects);
    }
}
