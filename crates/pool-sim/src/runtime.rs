//! The runtime of a pool in a run: its time stands still, its timers strike when they are told to.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use pool_core::{BoxFuture, NoSpawner, Runtime};

use crate::script::{Settings, Spawner};
use crate::task::{Task, without_inline_polls};

/// More polls of sleeps than any operation needs.
const SPINNING: u32 = 100_000;

/// Clones are the same runtime.
#[derive(Clone)]
pub(crate) struct SimRuntime {
    clockwork: Arc<Mutex<Clockwork>>,
    has_one_lock: bool,
    polls_per_waker: u16,
}

struct Clockwork {
    now: Instant,
    next_timer: u64,
    timers: Vec<Timer>,
    tasks: Vec<Arc<Task<()>>>,
    /// How many more tasks it takes.
    takes: usize,
    /// It has dropped a task before its end.
    has_dropped: bool,
    /// A waker of the timer is being called under the timer's lock.
    is_striking: bool,
    /// How many sleeps were polled since the last look at the violation.
    polls_of_sleeps: u32,
    violation: Option<String>,
}

struct Timer {
    number: u64,
    at: Instant,
    waker: Waker,
}

impl SimRuntime {
    pub(crate) fn new(settings: &Settings) -> Self {
        let takes = match settings.spawner {
            Spawner::Runs => usize::MAX,
            Spawner::None => 0,
            Spawner::RefusesAfter(tasks) => usize::from(tasks),
        };
        Self {
            clockwork: Arc::new(Mutex::new(Clockwork {
                now: Instant::now(),
                next_timer: 0,
                timers: Vec::new(),
                tasks: Vec::new(),
                takes,
                has_dropped: false,
                is_striking: false,
                polls_of_sleeps: 0,
                violation: None,
            })),
            has_one_lock: settings.one_lock != 0,
            polls_per_waker: settings.polls_per_waker,
        }
    }

    fn clockwork(&self) -> MutexGuard<'_, Clockwork> {
        self.clockwork
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for the pool: with one lock, a call from a waker of the timer would wait for ever.
    fn enter(&self, what: &str) -> MutexGuard<'_, Clockwork> {
        let mut clockwork = self.clockwork();
        if clockwork.is_striking && self.has_one_lock {
            clockwork.violation = Some(format!("a waker of the timer called {what}: a deadlock"));
        }
        clockwork
    }

    pub(crate) fn take_violation(&self) -> Option<String> {
        let mut clockwork = self.clockwork();
        clockwork.polls_of_sleeps = 0;
        clockwork.violation.take()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clockwork().now += by;
    }

    /// The instant of the next timer, due or not.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.clockwork().timers.iter().map(|timer| timer.at).min()
    }

    /// One of the timers that are due strikes. Returns whether there was one.
    pub(crate) fn strike(&self, which: u16) -> bool {
        let mut clockwork = self.clockwork();
        let now = clockwork.now;
        let due: Vec<usize> = (0..clockwork.timers.len())
            .filter(|index| clockwork.timers[*index].at <= now)
            .collect();
        let Some(index) = pick(&due, which) else {
            return false;
        };
        let timer = clockwork.timers.swap_remove(*index);
        clockwork.is_striking = true;
        drop(clockwork);
        match self.has_one_lock {
            true => without_inline_polls(|| timer.waker.wake()),
            false => timer.waker.wake(),
        }
        self.clockwork().is_striking = false;
        true
    }

    /// The background tasks that were woken.
    pub(crate) fn woken(&self) -> Vec<Arc<Task<()>>> {
        let clockwork = self.clockwork();
        let woken = clockwork.tasks.iter().filter(|task| task.is_woken());
        woken.cloned().collect()
    }

    /// One of the background tasks, woken or not.
    pub(crate) fn any_task(&self, which: u16) -> Option<Arc<Task<()>>> {
        pick(&self.clockwork().tasks, which).cloned()
    }

    /// Forgets the tasks whose own wakers have polled them to their end. Returns the words of a panic.
    pub(crate) fn forget_done(&self) -> Option<String> {
        let mut clockwork = self.clockwork();
        let tasks = std::mem::take(&mut clockwork.tasks).into_iter();
        let (alive, done): (Vec<_>, Vec<_>) = tasks.partition(|task| task.is_alive());
        clockwork.tasks = alive;
        drop(clockwork);
        done.iter().find_map(|task| task.take_panic())
    }

    /// Polls a task; one that is over is forgotten. Returns the words of a panic.
    pub(crate) fn poll(&self, task: &Arc<Task<()>>) -> Option<String> {
        task.poll();
        if !task.is_alive() {
            self.forget(task);
        }
        task.take_panic()
    }

    /// Drops one of the tasks, or none if there is none. Returns the words of a panic.
    pub(crate) fn drop_task(&self, which: u16) -> Option<String> {
        let task = pick(&self.clockwork().tasks, which).cloned()?;
        self.clockwork().has_dropped = true;
        self.forget(&task);
        task.cancel();
        task.take_panic()
    }

    /// Takes no more tasks.
    pub(crate) fn refuse(&self) {
        self.clockwork().takes = 0;
    }

    pub(crate) fn tasks(&self) -> usize {
        self.clockwork().tasks.len()
    }

    pub(crate) fn has_task(&self, number: u64) -> bool {
        let clockwork = self.clockwork();
        let mut tasks = clockwork.tasks.iter();
        tasks.any(|task| task.number == number && task.is_alive())
    }

    /// Whether it has run all tasks so far, and takes more. A pool may give up hope after one that was not run.
    pub(crate) fn runs_all_tasks(&self) -> bool {
        let clockwork = self.clockwork();
        clockwork.takes > 0 && !clockwork.has_dropped
    }

    /// The time, for those who only watch.
    pub(crate) fn clock(&self) -> Instant {
        self.clockwork().now
    }

    fn forget(&self, task: &Arc<Task<()>>) {
        let mut clockwork = self.clockwork();
        let place = clockwork
            .tasks
            .iter()
            .position(|other| Arc::ptr_eq(other, task));
        let forgotten = place.map(|place| clockwork.tasks.remove(place));
        drop(clockwork);
        drop(forgotten);
    }
}

/// Is pending so many times, and asks for the next poll each time.
pub(crate) async fn pend(times: u16) {
    let mut left = times;
    poll_fn(|cx| match left {
        0 => Poll::Ready(()),
        _ => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// One of several.
pub(crate) fn pick<T>(of: &[T], which: u16) -> Option<&T> {
    match of.is_empty() {
        true => None,
        false => of.get(usize::from(which) % of.len()),
    }
}

impl Runtime for SimRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        let mut clockwork = self.enter("spawn");
        if clockwork.takes == 0 {
            drop(clockwork);
            drop(task);
            return Err(NoSpawner);
        }
        clockwork.takes -= 1;
        clockwork.tasks.push(Task::new(task, self.polls_per_waker));
        Ok(())
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        drop(self.enter("sleep_until"));
        Box::pin(Sleep {
            runtime: self.clone(),
            at,
            number: None,
        })
    }

    fn now(&self) -> Instant {
        self.enter("now").now
    }

    fn is_reentrant(&self) -> bool {
        !self.has_one_lock
    }
}

struct Sleep {
    runtime: SimRuntime,
    at: Instant,
    number: Option<u64>,
}

impl Sleep {
    fn forget(&mut self, clockwork: &mut Clockwork) -> Option<Timer> {
        let number = self.number.take()?;
        let mut timers = clockwork.timers.iter();
        let place = timers.position(|timer| timer.number == number)?;
        Some(clockwork.timers.swap_remove(place))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let runtime = self.runtime.clone();
        let mut clockwork = runtime.enter("the poll of a sleep");
        clockwork.polls_of_sleeps += 1;
        if clockwork.polls_of_sleeps > SPINNING {
            // The run would not end otherwise.
            clockwork.violation = Some("HANG: it polls timers and does not come to an end".into());
            return Poll::Pending;
        }
        let old = self.forget(&mut clockwork);
        let poll = match clockwork.now >= self.at {
            true => Poll::Ready(()),
            false => {
                let number = clockwork.next_timer;
                clockwork.next_timer += 1;
                self.number = Some(number);
                let at = self.at;
                clockwork.timers.push(Timer { number, at, waker });
                Poll::Pending
            }
        };
        drop(clockwork);
        drop(old);
        poll
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let runtime = self.runtime.clone();
        let mut clockwork = runtime.enter("the drop of a sleep");
        let old = self.forget(&mut clockwork);
        drop(clockwork);
        drop(old);
    }
}
