//! How long connections live, how many are idle, and the operations that end many of them.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use pool_core::{Builder, CloseReason, Knobs, Shedding, Status};

use crate::calls::{Mark, Method, Page, Record};
use crate::connection::SimConnection;
use crate::runtime::pick;
use crate::script::Settings;
use crate::simulated::Simulated;
use crate::world::{Done, World};

fn time(value: u16) -> Option<Duration> {
    (value != 0).then(|| Duration::from_millis(value.into()))
}

impl Settings {
    /// Whether connections are closed when they come back although they could be used.
    pub(crate) fn retires(&self) -> bool {
        self.max_lifetime != 0 || self.max_uses != 0
    }

    pub(crate) fn max_lifetime(&self) -> Option<Duration> {
        time(self.max_lifetime)
    }

    pub(crate) fn jitter(&self) -> Option<Duration> {
        match self.jitter {
            1 => self.max_lifetime().map(|_| Duration::ZERO),
            2 => self.max_lifetime(),
            _ => None,
        }
    }

    pub(crate) fn max_uses(&self) -> Option<u64> {
        (self.max_uses != 0).then(|| self.max_uses.into())
    }

    pub(crate) fn max_idle(&self) -> Option<usize> {
        self.max_idle.checked_sub(1).map(usize::from)
    }

    /// Changes some of them: the number chooses which, and to what.
    pub(crate) fn change_limits(&mut self, number: u16) {
        let value = usize::from(number / 4);
        match number % 4 {
            0 => self.max_lifetime = [0, 1, 70, 600][value % 4],
            1 => self.max_uses = [0, 1, 3][value % 3],
            2 => {
                self.idle_timeout = [0, 20, 300][value % 3];
                self.keepalive = [0, 200, 15][value % 3];
            }
            _ => {
                self.min_idle = [0, 1, 2][value % 3];
                self.max_idle = [0, 3, 1, 2][value % 4];
            }
        }
    }

    /// Changes how the pool connects, or who may wait: the number chooses which, and to what.
    pub(crate) fn change_queue(&mut self, number: u16) {
        let value = usize::from(number / 4);
        match number % 4 {
            0 => self.max_connecting = [0, 1, 2][value % 3],
            1 => self.connect_retry = [300, 0, 10][value % 3],
            2 => self.max_waiters = [0, 1, 2, 4][value % 4],
            _ => self.shedding = [50, 0, 1][value % 3],
        }
    }

    pub(crate) fn max_connecting(&self) -> Option<usize> {
        (self.max_connecting != 0).then(|| self.max_connecting.into())
    }

    pub(crate) fn connect_retry(&self) -> Option<Duration> {
        time(self.connect_retry)
    }

    pub(crate) fn max_waiters(&self) -> Option<usize> {
        self.max_waiters.checked_sub(1).map(usize::from)
    }

    pub(crate) fn shedding(&self) -> Option<Shedding> {
        let shedding = time(self.shedding).map(|target| Shedding::new(target, 2 * target));
        shedding.map(|shedding| shedding.dry_run(self.dry_run != 0))
    }

    /// Makes those fit each other that a script gives as they come.
    pub(crate) fn make_fit(&mut self) {
        let most = match self.maxsize {
            0 => u16::MAX,
            most => most,
        };
        self.min_idle = self.min_idle.min(most);
        if self.max_idle != 0 {
            self.max_idle = self.max_idle.max(self.minsize.max(self.min_idle) + 1);
        }
    }

    /// The setting that does not fit the others.
    pub(crate) fn misfit(&self) -> Option<&'static str> {
        if self.maxsize != 0 && self.minsize > self.maxsize {
            return Some("minsize");
        }
        if self.maxsize != 0 && self.min_idle > self.maxsize {
            return Some("min_idle");
        }
        let least = self.minsize.max(self.min_idle);
        if self.max_idle != 0 && self.max_idle - 1 < least {
            return Some("max_idle");
        }
        let is_reserved = self.reserved > 0 && self.reserved >= self.maxsize;
        is_reserved.then_some("reserved")
    }
}

/// The limits that there are, or were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) max_lifetime: bool,
    pub(crate) max_uses: bool,
    pub(crate) idle_timeout: bool,
    pub(crate) max_idle: bool,
    /// `recycle_all` was called.
    pub(crate) recycle_all: bool,
    pub(crate) connect_retry: bool,
}

impl Limits {
    pub(crate) fn note(&mut self, settings: &Settings) {
        self.max_lifetime |= settings.max_lifetime > 0;
        self.max_uses |= settings.max_uses > 0;
        self.idle_timeout |= settings.idle_timeout > 0;
        self.max_idle |= settings.max_idle > 0;
        self.connect_retry |= settings.connect_retry > 0;
    }

    /// Whether a connection may be closed for this reason that could be used; `None`: the reason is another one.
    pub(crate) fn may_close(&self, reason: &CloseReason) -> Option<bool> {
        Some(match reason {
            CloseReason::MaxLifetime => self.max_lifetime,
            CloseReason::MaxUses => self.max_uses,
            CloseReason::IdleTimeout => self.idle_timeout,
            CloseReason::MaxIdle => self.max_idle,
            CloseReason::Replaced => self.recycle_all,
            _ => return None,
        })
    }
}

/// Gives these settings to the builder.
pub(crate) fn limited<M: Simulated>(builder: Builder<M>, settings: &Settings) -> Builder<M> {
    builder
        .max_lifetime(settings.max_lifetime())
        .max_lifetime_jitter(settings.jitter())
        .max_uses(settings.max_uses())
        .idle_timeout(time(settings.idle_timeout))
        .min_idle(settings.min_idle.into())
        .max_idle(settings.max_idle())
        .keepalive(time(settings.keepalive))
}

/// Changes the settings of a pool to these.
pub(crate) fn set_limits(knobs: &mut Knobs, settings: &Settings) {
    knobs.max_lifetime(settings.max_lifetime());
    knobs.max_lifetime_jitter(settings.jitter());
    knobs.max_uses(settings.max_uses());
    knobs.idle_timeout(time(settings.idle_timeout));
    knobs.min_idle(settings.min_idle.into());
    knobs.max_idle(settings.max_idle());
    knobs.keepalive(time(settings.keepalive));
    knobs.max_connecting(settings.max_connecting());
    knobs.connect_retry(settings.connect_retry());
    knobs.max_waiters(settings.max_waiters());
    knobs.shedding(settings.shedding());
}

/// Why a connection must not be handed out that somebody asked for at `since`, as far as its life tells.
pub(crate) fn outlived(settings: &Settings, mark: &Mark, since: Instant) -> Option<&'static str> {
    let age = since.saturating_duration_since(mark.opened);
    // A new one is handed out once, however short its life is.
    if mark.uses > 1 && settings.max_lifetime().is_some_and(|most| age >= most) {
        return Some("it is too old");
    }
    if settings.max_uses().is_some_and(|most| mark.uses > most) {
        return Some("it was handed out too often");
    }
    let is_over = mark.leaves.is_some_and(|at| since >= at);
    is_over.then_some("it was to be replaced before")
}

/// What was said of all connections at once. What is being opened then is meant, too.
#[derive(Default)]
pub(crate) struct Ended {
    clears: u64,
    /// Until when each `recycle_all` wants them to be gone.
    replaced: Vec<Instant>,
}

/// How much of that had been said when a connect began.
pub(crate) struct Begun {
    clears: u64,
    replaced: usize,
}

impl Ended {
    /// A connect begins.
    pub(crate) fn now(&self) -> Begun {
        Begun {
            clears: self.clears,
            replaced: self.replaced.len(),
        }
    }

    /// Whether `clear_all` was called since, and when `recycle_all` wants the connection to be gone.
    pub(crate) fn since(&self, begun: Begun) -> (bool, Option<Instant>) {
        let ends = self.replaced.iter().skip(begun.replaced);
        (self.clears > begun.clears, ends.copied().min())
    }
}

impl Page {
    /// The settings have changed: no connection is suspect any more unless they check those.
    pub(crate) fn trust_all(&mut self) {
        let checks = self.script.settings.check_policy > 1;
        for mark in self.connections.values_mut() {
            mark.is_suspect &= checks;
        }
    }
}

impl Record {
    /// A connection was lost that has just come back: the others have to be checked before they are handed out, where it
    /// can be told which those are.
    pub(crate) fn was_lost(&self, lost: &SimConnection) {
        let pool = self.pool.lock();
        let pool = pool.unwrap_or_else(PoisonError::into_inner).clone();
        let Some(status) = pool.map(|pool| pool.counts()) else {
            return;
        };
        let mut page = self.page();
        let is_held = page
            .connections
            .get(&lost.id)
            .is_some_and(|mark| mark.is_held);
        let held_otherwise = page.held() - usize::from(is_held);
        let is_checking = status.checking() + page.steps.count_calls(Method::AfterConnect) > 0;
        let checks = page.script.settings.check_policy > 1 && page.pool_is_open;
        if !checks || is_checking || status.held() != held_otherwise + 1 {
            return;
        }
        for mark in page.connections.values_mut() {
            mark.is_suspect = true;
        }
    }

    /// `clear` is called: what is idle now is handed out to nobody.
    pub(crate) fn is_cleared(&self, status: Status) {
        let mut page = self.page();
        page.clears += 1;
        let steps = status.checking() + status.recycling() + status.closing();
        // Otherwise it cannot be told which of them are idle.
        if steps > 0 || status.held() != page.held() {
            return;
        }
        let marks = page.connections.values_mut();
        for mark in marks.filter(|mark| !mark.is_held && !mark.is_off_books) {
            mark.unfit = Some("it was idle when the pool was cleared");
        }
    }
}

/// What is open now is not handed out any more.
fn all_is_cleared(record: &Record) {
    let mut page = record.page();
    page.clears += 1;
    page.replacements += 1;
    page.ended.clears += 1;
    for mark in page.connections.values_mut() {
        mark.is_cleared |= !mark.is_off_books;
    }
}

impl<M: Simulated> World<M> {
    pub(crate) fn start_clear(&mut self, number: u16) -> bool {
        let record = Arc::clone(&self.record);
        self.start(number, |pool| {
            Box::pin(async move {
                record.is_cleared(pool.status());
                pool.clear().await;
                Done::Cleared
            })
        })
    }

    /// Starts a `clear_all`: what is open when it is polled first is not handed out any more.
    pub(crate) fn start_clear_all(&mut self, number: u16) -> bool {
        let record = Arc::clone(&self.record);
        self.start(number, |pool| {
            Box::pin(async move {
                all_is_cleared(&record);
                pool.clear_all().await;
                Done::Cleared
            })
        })
    }

    pub(crate) fn recycle_all(&mut self, number: u16) -> bool {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return false;
        };
        let within = Duration::from_millis(number.into());
        let end = self.now() + within;
        let mut page = self.record.page();
        page.replacements += 1;
        page.limits.recycle_all = true;
        page.ended.replaced.push(end);
        for mark in page.connections.values_mut() {
            mark.leaves = mark.leaves.into_iter().chain([end]).min();
        }
        drop(page);
        pool.recycle_all(within);
        true
    }

    /// Not more are idle than may be, where nobody waits.
    pub(crate) fn check_idle(&self, status: Status) -> Result<(), String> {
        let limits = (status.min_idle(), status.max_idle());
        let expected = (self.settings.min_idle.into(), self.settings.max_idle());
        if limits != expected {
            return Err(format!("the limits of idle ones are {limits:?}; {status}"));
        }
        let most = self.settings.max_idle().unwrap_or(usize::MAX);
        let is_over = status.freesize() > most && status.waiting() == 0;
        match is_over && !self.is_closing {
            true => Err(format!("more than {most} are idle; {status}")),
            false => Ok(()),
        }
    }
}
