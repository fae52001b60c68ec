//! The operations that govern a pool: shutdown, suspend, resize, reconfigure, run, retain, add.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use pool_core::{BoxFuture, ConnectionInfo, Error, PooledConnection, Runtime, ShutdownReport};

use crate::connection::SimConnection;
use crate::lifetimes::set_limits;
use crate::runtime::pick;
use crate::simulated::{SimError, Simulated};
use crate::world::{Done, Kind, World, check_policy, idle_order};

impl<M: Simulated> World<M> {
    /// A shutdown. Its future says before each poll that it may terminate the pool.
    pub(crate) fn start_shutdown(&mut self, number: u16) -> bool {
        let record = Arc::clone(&self.record);
        let within = Duration::from_millis(number.into());
        let did = self.start(number, |pool| {
            let mut deadline = None;
            let mut shutdown: BoxFuture<'static, ShutdownReport> =
                Box::pin(async move { pool.shutdown(within).await });
            Box::pin(poll_fn(move |cx| {
                let now = record.runtime.now();
                if now >= *deadline.get_or_insert(now + within) {
                    record.page().terminates();
                }
                shutdown.as_mut().poll(cx).map(Done::ShutDown)
            }))
        });
        self.last_call_is(did, Kind::Shutdown { within, ends: None });
        did
    }

    /// A shutdown is polled for the first time.
    pub(crate) fn shutdown_begins(&mut self) {
        self.is_closing = true;
        self.is_suspended = false;
        let mut page = self.record.page();
        page.pool_is_open = false;
        page.is_suspended = false;
    }

    /// A shutdown has returned: the pool is closed, except for a step that is being polled now.
    pub(crate) fn was_shut_down(
        &mut self,
        report: &ShutdownReport,
        kind: Kind,
    ) -> Result<(), String> {
        let words = report.to_string();
        let counts = [report.closed(), report.left().len(), report.cut_off()];
        let Kind::Shutdown {
            within,
            ends: Some(ends),
        } = kind
        else {
            return Err(format!("a shutdown returned that has not begun: {words}"));
        };
        let is_over = self.now() >= ends;
        let is_clean = counts[1] + counts[2] == 0;
        let mut left = report.left().iter();
        let is_told = left.all(|left| {
            let is_here = left.place().file().contains("pool-sim");
            is_here && words.contains(&left.to_string())
        });
        let was_late = report.took() >= within;
        self.coverage.late_shutdowns += u64::from(!is_clean);
        let may_be_unclean = is_over && was_late;
        if report.is_clean() != is_clean || !is_told || !(is_clean || may_be_unclean) {
            return Err(format!("a shutdown within {within:?} says: {words}"));
        }
        match self.handles.first() {
            Some(pool) if !pool.is_closed() => Err(format!(
                "I6: a shutdown returned and the pool is not closed: {words}; {}",
                pool.status()
            )),
            _ => Ok(()),
        }
    }

    /// Everybody who waits for the pool to close hears of it, and no shutdown takes longer than it may.
    pub(crate) fn check_ends(&self) -> Result<(), String> {
        let now = self.now();
        for call in &self.calls {
            if call.kind == Kind::Closing && self.is_closing {
                return Err("somebody has not heard that the pool closes".into());
            }
            if let Kind::Shutdown {
                ends: Some(ends), ..
            } = call.kind
                && ends <= now
            {
                return Err("a shutdown takes longer than it may".into());
            }
        }
        Ok(())
    }

    /// Waits until the pool begins to close.
    pub(crate) fn start_closing(&mut self, number: u16) -> bool {
        let by_guard = pick(&self.held, number).filter(|_| number % 2 == 1);
        let closing = match (by_guard, pick(&self.handles, number)) {
            (Some(held), _) => PooledConnection::closing(held.guard()),
            (None, Some(pool)) => pool.closing(),
            (None, None) => return false,
        };
        let closing = async move {
            closing.await;
            Done::Closing
        };
        self.push(Box::pin(closing), None);
        self.last_call_is(true, Kind::Closing);
        true
    }

    pub(crate) fn suspend(&mut self, number: u16) -> bool {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return false;
        };
        self.is_suspended = !self.is_closing;
        pool.suspend();
        self.record.page().is_suspended = self.is_suspended;
        true
    }

    pub(crate) fn resume(&mut self, number: u16) -> bool {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return false;
        };
        self.is_suspended = false;
        self.record.page().is_suspended = false;
        pool.resume();
        true
    }

    pub(crate) fn resize(&mut self, number: u16) -> Result<(), String> {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return Ok(());
        };
        let maxsize = [1, 2, 3, 5, 0][usize::from(number % 5)];
        let mut wanted = self.settings.clone();
        wanted.maxsize = maxsize;
        let expected = wanted.misfit().map_or(Ok(()), Err);
        if expected.is_ok() && !self.is_closing {
            self.set_maxsize(maxsize);
        }
        let resized = pool.resize(maxsize.into());
        let is_too_large = maxsize != 0 && pool.size() > maxsize.into();
        self.coverage.shrinks += u64::from(is_too_large && resized.is_ok());
        self.changed(resized, expected)
    }

    fn set_maxsize(&mut self, maxsize: u16) {
        let mut page = self.record.page();
        page.resizes += u64::from(maxsize != self.settings.maxsize);
        page.script.settings.maxsize = maxsize;
        self.settings.maxsize = maxsize;
        self.changes += 1;
    }

    /// The settings were changed, or they could not be used: the field that is wrong.
    fn changed(
        &mut self,
        result: Result<(), SimError<M>>,
        expected: Result<(), &str>,
    ) -> Result<(), String> {
        self.coverage.ops += 1;
        match (&result, expected) {
            (Err(Error::Closed), _) if self.is_closing => Ok(()),
            (Ok(()), Ok(())) if !self.is_closing => Ok(()),
            (Err(Error::Config(error)), Err(field)) if error.field() == field => Ok(()),
            _ => Err(format!("the settings: {result:?}; {expected:?} is right")),
        }
    }

    /// Changes some settings together.
    pub(crate) fn reconfigure(&mut self, number: u16) -> Result<(), String> {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return Ok(());
        };
        let value = usize::from(number / 8);
        let mut wanted = self.settings.clone();
        let mut expected = Ok(());
        match number % 8 {
            _ if number >= 96 => wanted.change_queue(number - 96),
            _ if number >= 64 => wanted.change_limits(number - 64),
            0 => wanted.minsize = [0, 1, 2, 4][value % 4],
            1 => wanted.acquire_timeout = [0, 1, 100, 1000][value % 4],
            2 => {
                wanted.connect_timeout = [0, 20, 200][value % 3];
                wanted.check_timeout = [0, 20, 200][value % 3];
            }
            3 => {
                wanted.recycle_timeout = [0, 20, 200][value % 3];
                wanted.close_timeout = [0, 20, 200][value % 3];
            }
            4 => wanted.check_policy = [0, 1, 40, 1000][value % 4],
            5 => {
                wanted.lifo ^= 1;
                wanted.pool_recycle = [0, 50, 400][value % 3];
            }
            6 => {
                wanted.slow_acquire_after = [0, 10, 500][value % 3];
                if wanted.slow_acquire_after != 0 && !self.measures {
                    expected = Err("slow_acquire_after");
                }
            }
            _ => {
                wanted.lifo ^= 1;
                expected = Err("close_timeout");
            }
        }
        let is_refused = number % 8 == 7 && number < 64;
        // The time-outs are looked at before the limits.
        if let (Some(field), Ok(()) | Err("slow_acquire_after")) = (wanted.misfit(), expected) {
            expected = Err(field);
        }
        if is_refused && wanted.maxsize != 0 && wanted.minsize > wanted.maxsize {
            expected = Err("minsize");
        }
        let time = |value: u16| (value != 0).then(|| Duration::from_millis(value.into()));
        if expected.is_ok() && !self.is_closing {
            self.changes += 1;
            self.settings = wanted.clone();
            let mut page = self.record.page();
            page.settings_are(&wanted);
            page.replacements += u64::from((64..96).contains(&number));
        }
        let result = pool.reconfigure(|knobs| {
            knobs.minsize(wanted.minsize.into());
            knobs.acquire_timeout(time(wanted.acquire_timeout));
            knobs.connect_timeout(time(wanted.connect_timeout));
            knobs.check_timeout(time(wanted.check_timeout));
            knobs.recycle_timeout(time(wanted.recycle_timeout));
            knobs.close_timeout(time(wanted.close_timeout));
            knobs.check_policy(check_policy(&wanted));
            knobs.idle_order(idle_order(&wanted));
            knobs.pool_recycle(time(wanted.pool_recycle));
            knobs.slow_acquire_after(time(wanted.slow_acquire_after));
            set_limits(knobs, &wanted);
            if is_refused {
                knobs.close_timeout(Duration::ZERO);
            }
        });
        self.changed(result, expected)?;
        let settings = pool.settings();
        let is_right = settings.check_policy() == check_policy(&self.settings)
            && settings.idle_order() == idle_order(&self.settings)
            && settings.close_timeout() == time(self.settings.close_timeout)
            && settings.max_lifetime() == self.settings.max_lifetime()
            && settings.max_idle() == self.settings.max_idle()
            && settings.max_connecting() == self.settings.max_connecting()
            && settings.shedding() == self.settings.shedding();
        match is_right {
            true => Ok(()),
            false => Err(format!("the settings are {settings:?}")),
        }
    }

    /// Closes every third idle connection.
    pub(crate) fn retain(&mut self, number: u16) -> Result<(), String> {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return Ok(());
        };
        let (free, mut asked, mut refused) = (pool.status(), 0, Vec::new());
        self.record.page().retains += 1;
        let closed = pool.retain(|conn: &ConnectionInfo| {
            asked += 1;
            // It runs without the lock.
            let is_kept = pool.size() > 0 && !(conn.id() + u64::from(number)).is_multiple_of(3);
            if !is_kept {
                refused.push((conn.id(), conn.uses(), conn.age() >= conn.idle_for()));
            }
            is_kept
        });
        self.coverage.ops += 1;
        let idle = free.freesize() + free.recycling();
        if closed != refused.len() || asked > idle || !refused.iter().all(|(.., older)| *older) {
            return Err(format!(
                "retain closed {closed} of {refused:?}; {asked} of {free}"
            ));
        }
        let mut page = self.record.page();
        for mark in page.connections.values_mut() {
            if refused.iter().any(|(id, ..)| *id == mark.id_in_pool) && !mark.is_off_books {
                mark.unfit = Some("it was not to be retained");
            }
        }
        Ok(())
    }

    /// Adds a connection from outside.
    pub(crate) fn add(&mut self, number: u16) -> Result<(), String> {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return Ok(());
        };
        self.coverage.ops += 1;
        let status = pool.status();
        let has_room = status.maxsize() == 0 || status.size() < status.maxsize();
        let is_welcome = has_room && !self.is_closing;
        let conn = SimConnection::open_apart(&self.record);
        if is_welcome {
            conn.joins();
        }
        let refused = pool.add(conn).err();
        let added = refused.is_none();
        // The drop of a connection may panic, and here nobody contains that.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(refused)));
        match added == is_welcome {
            true => Ok(()),
            false => Err(format!("add has taken it: {added}; {status}")),
        }
    }
}
