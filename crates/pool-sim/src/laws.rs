//! What must hold at every instant.

use pool_core::Status;

use crate::world::World;

impl World {
    /// The counts are true at every instant, and nobody has seen anything that must not be.
    pub(crate) fn check_instant(&mut self) -> Result<(), String> {
        if let Some(violation) = self.runtime.take_violation() {
            return Err(violation);
        }
        if let Some(violation) = self.record.page().violations.pop() {
            return Err(violation);
        }
        let Some(pool) = self.handles.first() else {
            return Ok(());
        };
        let status = pool.status();
        let parts = [
            status.freesize(),
            status.held(),
            status.checking(),
            status.recycling(),
            status.closing(),
            status.connecting(),
        ];
        let sum: usize = parts.iter().sum();
        let used = status.held() + status.checking() + status.recycling() + status.closing();
        if sum != status.size() || used != status.used() {
            return Err(format!("I3: the parts do not make the whole; {status}"));
        }
        if (pool.size(), pool.freesize(), pool.used()) != (sum, status.freesize(), used) {
            return Err(format!(
                "I3: the accessors differ from the status; {status}"
            ));
        }
        let maxsize = usize::from(self.settings.maxsize);
        if maxsize != 0 && sum > maxsize {
            return Err(format!("I1: size exceeds maxsize; {status}"));
        }
        let held = self.record.page().held();
        if !self.is_terminated && status.held() < held {
            return Err(format!("I3: {held} connections are held; {status}"));
        }
        let bounds = (usize::from(self.settings.minsize), maxsize);
        if (pool.minsize(), pool.maxsize()) != bounds || pool.echo() {
            return Err(format!("the settings have changed; {status}"));
        }
        if pool.is_closed() && (!pool.is_closing() || sum > 0) {
            return Err(format!("is_closed() is true; {status}"));
        }
        if pool.is_closing() != self.is_closing {
            return Err(format!("is_closing() is {}", pool.is_closing()));
        }
        let readiness = pool.readiness();
        let expected = (!self.is_closing).then_some(status);
        let open = status.size() - status.connecting() - status.closing();
        if readiness.status() != expected
            || readiness.is_serving() && self.is_closing
            || !readiness.is_serving() && !self.is_closing && open > 0
            || readiness.is_busy() && status.freesize() > 0 && status.waiting() == 0
        {
            return Err(format!("readiness() says: {readiness}; {status}"));
        }
        let page = self.record.page();
        if page.in_connect > status.connecting() {
            return Err(format!(
                "I3: {} connects are under way; {status}",
                page.in_connect
            ));
        }
        let begun = self.calls.iter().filter(|call| {
            let acquire = call.acquire.as_ref();
            acquire.is_some_and(|acquire| acquire.arrival.is_some())
        });
        let begun = begun.count();
        if status.waiting() > begun {
            return Err(format!("I3: {begun} acquires wait; {status}"));
        }
        Ok(())
    }

    /// What must hold when everything has run that can.
    pub(crate) fn check_rest(&mut self) -> Result<(), String> {
        self.coverage.rests += 1;
        let Some(pool) = self.handles.first() else {
            return Ok(());
        };
        let status = pool.status();
        if self.is_closing {
            return match status.waiting() {
                0 => Ok(()),
                _ => Err(format!("an acquire waits in a closed pool; {status}")),
            };
        }
        let held = self.record.page().held();
        if status.held() != held {
            return Err(format!("I3: {held} connections are held; {status}"));
        }
        let live = self.record.page().live();
        let without_connects = status.size() - status.connecting();
        if live != without_connects {
            return Err(format!("I3: {live} connections are open; {status}"));
        }
        // A waiter may drive a step; the others must have nothing that they could start.
        let steps = status.connecting() + status.checking() + status.recycling();
        let has_room = pool.maxsize() == 0 || status.size() < pool.maxsize();
        if status.waiting() > steps && (status.freesize() > 0 || has_room) {
            return Err(format!("I4: an acquire waits for what is there; {status}"));
        }
        self.check_unbegun(status, pool.minsize())?;
        let now = self.now();
        let is_late = self.calls.iter().any(|call| {
            let acquire = call.acquire.as_ref();
            let limit = acquire.and_then(|acquire| Some(acquire.since + acquire.timeout?));
            limit.is_some_and(|limit| limit <= now)
        });
        match is_late {
            true => Err(format!("I10: an acquire is past its time-out; {status}")),
            false => Ok(()),
        }
    }

    /// Where nobody waits, no step is left that has not begun: it would keep a connection from those who only look.
    fn check_unbegun(&self, status: Status, minsize: usize) -> Result<(), String> {
        let page = self.record.page();
        let connects = status.connecting() - page.in_connect;
        let steps = status.checking() + status.recycling() - page.in_step;
        // What is missing for minsize may wait for the next caller, where nobody else would connect.
        let is_surplus = status.size() - status.closing() > minsize;
        if status.waiting() == 0 && (steps > 0 || (connects > 0 && is_surplus)) {
            return Err(format!(
                "I11: a step has not begun, and nobody waits; {status}"
            ));
        }
        Ok(())
    }
}
