//! The operations of a script.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use pool_core::{BoxFuture, Error, Pool, PooledConnection, Priority, labelled};

use crate::held::Holding;
use crate::runtime::pick;
use crate::script::{Op, Verb};
use crate::simulated::{Guard, Simulated};
use crate::task::Task;
use crate::world::{Acquiring, Call, Done, Kind, World};

impl<M: Simulated> World<M> {
    /// One operation. Where it has nothing to work on, nothing happens.
    pub(crate) fn perform(&mut self, Op { verb, number }: Op) -> Result<(), String> {
        let did = match verb {
            Verb::Acquire => self.start_acquire(number, Priority::Normal),
            Verb::AcquireHigh => self.start_acquire(number, Priority::High),
            Verb::AcquireLow => self.start_acquire(number, Priority::Low),
            Verb::TryAcquire => return self.try_acquire(number),
            Verb::Ping => self.start_ping(),
            Verb::Fill => {
                self.record.page().fills += 1;
                self.start(number, |pool| {
                    Box::pin(async move { Done::Filled(pool.fill().await) })
                })
            }
            Verb::Clear => self.start_clear(number),
            Verb::ClearAll => self.start_clear_all(number),
            Verb::RecycleAll => self.recycle_all(number),
            Verb::WaitClosed => {
                let did = self.start(number, |pool| {
                    Box::pin(async move { Done::Closed(pool.wait_closed().await) })
                });
                self.last_call_is(did, Kind::WaitClosed);
                did
            }
            Verb::AwaitRelease => self.pick_held(number).is_some_and(|leaving| {
                let release = async move {
                    let guard = leaving.let_go();
                    let (record, id) = (Arc::clone(&guard.record), guard.id);
                    let uses = guard.mark(|mark| mark.uses);
                    let (clears, resizes) = record.page().discards();
                    let released = PooledConnection::release(guard).await;
                    match &released {
                        Ok(()) => record.is_released(id, uses),
                        Err(Error::Discarded) => record.is_discarded(id, (clears, resizes)),
                        Err(_) => {}
                    }
                    Done::Released(released)
                };
                self.push(Box::pin(release), None);
                true
            }),
            Verb::Poll => {
                let woken: Vec<usize> = self.calls_where(Task::is_woken);
                pick(&woken, number).is_some_and(|index| self.poll(*index))
            }
            Verb::PollAny => {
                let all = self.calls_where(|_| true);
                pick(&all, number).is_some_and(|index| self.poll(*index))
            }
            Verb::Drop => self.drop_call(number),
            Verb::Inline => {
                let call = pick(&self.calls, number);
                call.is_some_and(|call| {
                    call.task.poll_inline();
                    true
                })
            }
            Verb::Background => {
                let woken = self.runtime.woken();
                let task = pick(&woken, number).cloned();
                return task.map_or(Ok(()), |task| self.run_background(&task));
            }
            Verb::BackgroundAny => {
                let task = self.runtime.any_task(number);
                return task.map_or(Ok(()), |task| self.run_background(&task));
            }
            Verb::InlineBackground => {
                let task = self.runtime.any_task(number);
                task.is_some_and(|task| {
                    task.poll_inline();
                    true
                })
            }
            Verb::DropBackground => return no_panic(self.runtime.drop_task(number)),
            Verb::Die => {
                self.runtime.refuse();
                while self.runtime.tasks() > 0 {
                    no_panic(self.runtime.drop_task(0))?;
                }
                true
            }
            Verb::DropGuard => self.take_held(number).map(drop).is_some(),
            Verb::Release => match (self.take_held(number), self.handles.first()) {
                (Some(guard), Some(pool)) => {
                    pool.release(guard);
                    true
                }
                (guard, _) => guard.is_some(),
            },
            Verb::Detach => self.take_held(number).is_some_and(|guard| {
                guard.mark(|mark| mark.is_off_books = true);
                // The drop of a connection may panic, and here nobody contains that.
                let conn = PooledConnection::detach(guard);
                let _ = catch_unwind(AssertUnwindSafe(|| drop(conn)));
                true
            }),
            Verb::Discard => self
                .take_held(number)
                .map(PooledConnection::discard)
                .is_some(),
            Verb::Unwind => self.take_held(number).map(unwind_with).is_some(),
            Verb::Break => self.break_one(number),
            Verb::OpenGate => self.record.open_gate(number),
            Verb::Advance => {
                self.runtime.advance(Duration::from_millis(number.into()));
                true
            }
            Verb::Strike => self.runtime.strike(number),
            Verb::Close => self.close(number, Pool::close),
            Verb::Terminate => {
                let record = Arc::clone(&self.record);
                let did = self.close(number, |pool| {
                    record.page().terminates();
                    pool.terminate();
                });
                self.is_terminated |= did;
                did
            }
            Verb::Shutdown => self.start_shutdown(number),
            Verb::Closing => self.start_closing(number),
            Verb::Suspend => self.suspend(number),
            Verb::Resume => self.resume(number),
            Verb::Resize => return self.resize(number),
            Verb::Reconfigure => return self.reconfigure(number),
            Verb::Run => {
                self.has_run = true;
                self.start_run(number)
            }
            Verb::Retain => return self.retain(number),
            Verb::Add => return self.add(number),
            Verb::CloneHandle => {
                let clone = pick(&self.handles, number).map(|pool| clone(pool, number));
                self.handles.extend(clone);
                true
            }
            Verb::DropHandle => self.drop_handle(number),
            Verb::Settle => return self.settle(),
            Verb::Outlast => return self.outlast(),
        };
        self.coverage.ops += u64::from(did);
        Ok(())
    }

    pub(crate) fn start(
        &mut self,
        number: u16,
        future: impl FnOnce(Pool<M>) -> BoxFuture<'static, Done<M>>,
    ) -> bool {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return false;
        };
        self.push(future(pool), None);
        true
    }

    pub(crate) fn push(&mut self, future: BoxFuture<'static, Done<M>>, acquire: Option<Acquiring>) {
        self.calls.push(Call {
            task: Task::new(future, self.settings.polls_per_waker),
            acquire,
            kind: Kind::Other,
        });
    }

    pub(crate) fn last_call_is(&mut self, did: bool, kind: Kind) {
        if let (true, Some(call)) = (did, self.calls.last_mut()) {
            call.kind = kind;
        }
    }

    pub(crate) fn start_acquire(&mut self, timeout: u16, priority: Priority) -> bool {
        let Some(pool) = self.handles.last().cloned() else {
            return false;
        };
        let own = time(timeout);
        let acquiring = self.acquiring(own, priority);
        let labels = self.settings.labels;
        let acquire = async move {
            let mut acquire = pool.acquire().priority(priority);
            if labels == 1 {
                acquire = acquire.label("an acquire");
            }
            if own.is_some() {
                acquire = acquire.timeout(own);
            }
            Done::Acquired(match labels {
                2 => labelled("a task", acquire).await,
                _ => acquire.await,
            })
        };
        self.push(Box::pin(acquire), Some(acquiring));
        true
    }

    /// An acquire that begins, with a time-out of its own or that of the pool.
    pub(crate) fn acquiring(&self, own: Option<Duration>, priority: Priority) -> Acquiring {
        Acquiring {
            arrival: None,
            since: self.now(),
            waiting: 0,
            own_timeout: own,
            timeout: own.or(time(self.settings.acquire_timeout)),
            priority,
            changes: 0,
            came_too_late: false,
            is_of_ping: false,
        }
    }

    fn calls_where(&self, wanted: impl Fn(&Task<Done<M>>) -> bool) -> Vec<usize> {
        let calls = self.calls.iter().enumerate();
        calls
            .filter(|(_, call)| wanted(&call.task))
            .map(|(index, _)| index)
            .collect()
    }

    /// Polls a call.
    pub(crate) fn poll(&mut self, index: usize) -> bool {
        let now = self.now();
        let is_closing = self.is_closing;
        let of_pool = match self.settings.acquire_timeout {
            0 => None,
            limit => Some(Duration::from_millis(limit.into())),
        };
        let pool = self.handles.first();
        let waiting = pool.map_or(0, |pool| pool.status().waiting());
        let call = &mut self.calls[index];
        if let Some(acquire) = &mut call.acquire
            && acquire.arrival.is_none()
        {
            acquire.arrival = Some(self.arrivals);
            self.arrivals += 1;
            acquire.since = now;
            acquire.waiting = waiting;
            acquire.came_too_late = is_closing;
            acquire.changes = self.changes;
            acquire.timeout = acquire.own_timeout.or(of_pool);
        }
        if let Kind::Shutdown { within, ends: None } = call.kind {
            call.kind = Kind::Shutdown {
                within,
                ends: now.checked_add(within),
            };
            self.shutdown_begins();
        }
        let call = &self.calls[index];
        let priority = call.acquire.as_ref().map(|acquire| acquire.priority);
        let task = Arc::clone(&call.task);
        let begins_to_close = matches!(call.kind, Kind::Shutdown { .. });
        task.poll();
        self.record.page().is_closed |= begins_to_close;
        if task.is_alive() && priority.is_some_and(|priority| priority != Priority::Normal) {
            self.ranked_since.get_or_insert(now);
        }
        true
    }

    pub(crate) fn run_background(&mut self, task: &Arc<Task<()>>) -> Result<(), String> {
        self.coverage.ops += 1;
        no_panic(self.runtime.poll(task))
    }

    fn drop_call(&mut self, number: u16) -> bool {
        if self.calls.is_empty() {
            return false;
        }
        let index = usize::from(number) % self.calls.len();
        let task = Arc::clone(&self.calls[index].task);
        if task.has_output() {
            return false;
        }
        self.calls.remove(index);
        // Its guard is nobody's from now on.
        self.coverage.cancelled += u64::from(task.cancel());
        if let Some(words) = task.take_panic() {
            self.record
                .blame(format!("I9: the drop of a future panicked: {words}"));
        }
        // It may have been served by its own waker while it was being dropped.
        let output = task.take_output();
        if let Err(why) = self.compare_error(output.as_ref()) {
            self.record.blame(why);
        }
        drop(output);
        true
    }

    /// Takes a guard out of the hands of its holder.
    pub(crate) fn take_held(&mut self, number: u16) -> Option<Guard<M>> {
        self.pick_held(number).map(Holding::let_go)
    }

    fn pick_held(&mut self, number: u16) -> Option<Holding<M>> {
        match self.held.len() {
            0 => None,
            held => Some(self.held.remove(usize::from(number) % held)),
        }
    }

    fn break_one(&mut self, number: u16) -> bool {
        let mut page = self.record.page();
        let ids: Vec<u64> = page.connections.keys().copied().collect();
        let mark = pick(&ids, number).and_then(|id| page.connections.get_mut(id));
        mark.is_some_and(|mark| {
            mark.is_broken = true;
            true
        })
    }

    fn close(&mut self, number: u16, close: impl FnOnce(&Pool<M>)) -> bool {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return false;
        };
        self.is_closing = true;
        self.is_suspended = false;
        let mut page = self.record.page();
        page.pool_is_open = false;
        page.is_suspended = false;
        drop(page);
        close(&pool);
        self.record.page().is_closed = true;
        true
    }

    fn drop_handle(&mut self, number: u16) -> bool {
        // A manager that calls its pool has a handle, too.
        let kept = usize::from(self.settings.reenter != 0);
        // A call has a handle of its own, and could not resume the pool.
        let kept = kept + usize::from(self.is_suspended && !self.calls.is_empty());
        if self.handles.len() <= kept {
            return false;
        }
        let index = usize::from(number) % self.handles.len();
        let handle = self.handles.remove(index);
        self.record.page().pool_is_open &= !self.handles.is_empty();
        // Calls under way have handles of their own.
        let mut calls = self.calls.iter();
        if self.handles.is_empty() && calls.all(|call| call.kind == Kind::Closing) {
            self.is_closing = true;
            self.is_suspended = false;
            self.record.page().is_suspended = false;
            let weak = handle.downgrade();
            drop(handle);
            if weak.clone().upgrade().is_some() {
                self.record.blame("a pool outlives its last handle".into());
            }
            self.record.page().is_closed = true;
        }
        true
    }
}

/// A time of a script.
fn time(value: u16) -> Option<Duration> {
    (value != 0).then(|| Duration::from_millis(value.into()))
}

/// The pool contains the panics of the manager; nothing of them comes out of a task.
pub(crate) fn no_panic(words: Option<String>) -> Result<(), String> {
    match words {
        None => Ok(()),
        Some(words) => Err(format!("I9: a background task panicked: {words}")),
    }
}

/// Clones a handle, with an odd number through a weak one.
fn clone<M: Simulated>(pool: &Pool<M>, number: u16) -> Pool<M> {
    match number % 2 {
        0 => pool.clone(),
        _ => pool.downgrade().upgrade().expect("there is a handle"),
    }
}

/// Drops a guard while its thread unwinds.
fn unwind_with<M: Simulated>(guard: Guard<M>) {
    let unwinding = catch_unwind(AssertUnwindSafe(move || {
        let _guard = guard;
        panic!("scripted");
    }));
    drop(unwinding);
}
