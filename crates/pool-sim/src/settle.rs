//! Runs what can run, and the end of a run.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use pool_core::{Priority, Readiness};

use crate::calls::Method;
use crate::script::{Op, Verb};
use crate::simulated::Simulated;
use crate::steps::limit;
use crate::world::{Call, Kind, World};

/// More steps than any run needs to come to rest.
const ENDLESS: usize = 20_000;

/// How far the time goes on at the end, for what waits for a timer.
const LONG: Duration = Duration::from_secs(120);

/// Longer than the longest pause of a breaker.
const PERIOD: Duration = Duration::from_secs(12);

impl<M: Simulated> World<M> {
    /// Lets all timers strike that are due and runs all that was woken, until nothing is left to run.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        for _ in 0..ENDLESS {
            if self.step()? {
                continue;
            }
            return self.check_rest();
        }
        Err("it never comes to rest".into())
    }

    /// The same, and time goes on from timer to timer until every deadline of a step is over. No gate is opened.
    pub(crate) fn outlast(&mut self) -> Result<(), String> {
        let end = self.now() + self.longest_step();
        loop {
            self.settle()?;
            match self.runtime.next_timer().filter(|at| *at <= end) {
                Some(at) => self.go_on_to(at),
                None => return Ok(()),
            }
        }
    }

    fn longest_step(&self) -> Duration {
        let methods = [
            Method::Connect,
            Method::Check,
            Method::Recycle,
            Method::Close,
        ];
        let limits = methods
            .into_iter()
            .filter_map(|method| limit(&self.settings, method));
        limits.max().unwrap_or_default()
    }

    fn go_on_to(&self, at: Instant) {
        let left = at.saturating_duration_since(self.now());
        self.runtime.advance(left);
    }

    /// One thing that can run. Returns whether there was one.
    fn step(&mut self) -> Result<bool, String> {
        if let Some(task) = self.runtime.woken().first().cloned() {
            self.guarded(|world| world.run_background(&task))?;
            return Ok(true);
        }
        if let Some(index) = self.calls.iter().position(|call| call.task.is_woken()) {
            self.guarded(|world| {
                world.poll(index);
                Ok(())
            })?;
            return Ok(true);
        }
        let mut struck = false;
        self.guarded(|world| {
            struck = world.runtime.strike(0);
            Ok(())
        })?;
        Ok(struck)
    }

    /// The same, and time goes on from timer to timer as long as somebody waits for `done`.
    fn settle_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), String> {
        let end = self.now() + LONG;
        loop {
            while self.record.open_gate(0) {
                self.guarded(|_| Ok(()))?;
            }
            self.settle()?;
            if done(self) {
                return Ok(());
            }
            match self.runtime.next_timer().filter(|at| *at <= end) {
                Some(at) => self.go_on_to(at),
                None => return Err(format!("HANG: {what}; {}", self.situation())),
            }
        }
    }

    pub(crate) fn situation(&self) -> String {
        match self.handles.first() {
            Some(pool) => pool.status().to_string(),
            None => "no handle is left".into(),
        }
    }

    /// The end: all goes well from now on, everybody gives back what he holds, and then every call must end, the capacity
    /// must be whole, and a close must leave nothing.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.record.page().all_goes_well = true;
        let of_manager = self.record.pool.lock();
        let of_manager = of_manager.unwrap_or_else(PoisonError::into_inner).take();
        drop(of_manager);
        while !self.held.is_empty() {
            self.guarded(|world| {
                drop(world.take_held(0));
                Ok(())
            })?;
        }
        if self.is_suspended {
            self.guarded(|world| {
                world.resume(0);
                Ok(())
            })?;
        }
        // They end with the pool.
        let is_listener = |call: &mut Call<M>| call.kind == Kind::Closing;
        let listeners: Vec<Call<M>> = self.calls.extract_if(.., is_listener).collect();
        self.all_calls_end()?;
        if !self.is_closing && !self.handles.is_empty() {
            self.check_capacity()?;
        }
        self.calls.extend(listeners);
        self.check_close()
    }

    /// Every call ends. Those who get a connection meanwhile give it back.
    fn all_calls_end(&mut self) -> Result<(), String> {
        loop {
            self.settle_until("a call does not end", |world| {
                !world.held.is_empty() || world.calls.is_empty()
            })?;
            if self.held.is_empty() {
                return Ok(());
            }
            self.guarded(|world| {
                drop(world.take_held(0));
                Ok(())
            })?;
        }
    }

    /// As many fresh acquires as there are places succeed, and not one more.
    fn check_capacity(&mut self) -> Result<(), String> {
        self.settings.order = 0;
        let places = match self.settings.maxsize {
            0 => 4,
            places => usize::from(places),
        };
        // The longest pause of the breaker.
        self.runtime.advance(PERIOD);
        // A connect that had begun before all went well may have failed since.
        let mut excuses = 5;
        while self.held.len() < places {
            let place = self.held.len() + 1;
            self.start_acquire(60_000, Priority::High);
            let what = format!("I5: fresh acquire {place} of {places} does not end");
            self.settle_until(&what, |world| world.calls.is_empty())?;
            if self.held.len() == place {
                continue;
            }
            let readiness = self.handles[0].readiness();
            let is_refused = matches!(
                readiness,
                Readiness::Busy {
                    retry_after: Some(_),
                    ..
                } | Readiness::CannotConnect {
                    retry_after: Some(_),
                    ..
                }
            );
            if !is_refused || excuses == 0 {
                return Err(format!("I5: fresh acquire {place} of {places} failed"));
            }
            excuses -= 1;
            self.runtime.advance(PERIOD);
        }
        if self.settings.maxsize != 0 {
            self.start_acquire(60_000, Priority::High);
            self.settle()?;
            if self.held.len() > places {
                return Err("I1: one more than maxsize was had".into());
            }
            self.guarded(|world| {
                world.perform(Op {
                    verb: Verb::Drop,
                    number: 0,
                })
            })?;
        }
        while !self.held.is_empty() {
            self.guarded(|world| {
                drop(world.take_held(0));
                Ok(())
            })?;
        }
        self.settle()
    }

    /// After a close nothing is left: no connection, no task, no manager.
    fn check_close(&mut self) -> Result<(), String> {
        if !self.handles.is_empty() {
            for verb in [Verb::Close, Verb::WaitClosed] {
                self.guarded(|world| world.perform(Op { verb, number: 0 }))?;
            }
            self.settle_until("wait_closed does not return", |world| {
                world.calls.is_empty()
            })?;
            let status = self.handles[0].status();
            if (status.size(), status.waiting()) != (0, 0) || !self.handles[0].is_closed() {
                return Err(format!("I6: something is left after the close; {status}"));
            }
        }
        self.is_closing = true;
        self.record.page().pool_is_open = false;
        let handles = std::mem::take(&mut self.handles);
        self.guarded(|_| {
            drop(handles);
            Ok(())
        })?;
        self.settle_until("a task outlives its pool", |world| {
            world.runtime.tasks() == 0 && world.calls.is_empty()
        })?;
        let page = self.record.page();
        let left = page.connections.len() + page.steps.count(Method::Connect);
        drop(page);
        if left > 0 {
            return Err(format!(
                "I6: {left} connections or connects outlive their pool"
            ));
        }
        if self.manager.strong_count() > 0 {
            return Err("I6: the manager outlives its pool".into());
        }
        match self.settings.observed {
            0 => Ok(()),
            _ => self.history.check_end(),
        }
    }
}
