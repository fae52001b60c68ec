//! The runtime of the models: its tasks run on threads of the model, and its timer strikes when a thread says so.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use pool_core::{BoxFuture, NoSpawner, Runtime};

use crate::block_on::block_on;
use crate::checker::{JoinHandle, Mutex, MutexGuard, spawn};
use crate::setup::Spawner;

/// More than every time-out of a model.
const LONG: Duration = Duration::from_secs(1000);

/// The runtime and the clock of one model.
#[derive(Clone)]
pub struct ModelRuntime {
    parts: Arc<Parts>,
}

struct Parts {
    spawner: Spawner,
    is_reentrant: bool,
    start: Instant,
    /// Written under the lock of the sleepers. It is std's, because reading the clock is no step of what is checked.
    has_struck: AtomicBool,
    /// How often the clock was read since.
    readings: AtomicU32,
    sleepers: Mutex<Vec<(u32, Waker)>>,
    next_sleeper: AtomicU32,
    /// std's: it is locked for a push or a take.
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Parts {
    fn sleepers(&self) -> MutexGuard<'_, Vec<(u32, Waker)>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ModelRuntime {
    pub(crate) fn new(spawner: Spawner, is_reentrant: bool) -> Self {
        Self {
            parts: Arc::new(Parts {
                spawner,
                is_reentrant,
                start: Instant::now(),
                has_struck: AtomicBool::new(false),
                readings: AtomicU32::new(0),
                sleepers: Mutex::new(Vec::new()),
                next_sleeper: AtomicU32::new(0),
                tasks: std::sync::Mutex::new(Vec::new()),
            }),
        }
    }

    /// Lets the clock run, which has stood still so far, and wakes the sleepers: under the timer's lock, unless the runtime
    /// is re-entrant. From now on each reading of the clock is later than all deadlines so far.
    pub fn strike(&self) {
        let mut sleepers = self.parts.sleepers();
        self.parts.has_struck.store(true, Ordering::SeqCst);
        let due = std::mem::take(&mut *sleepers);
        if self.parts.is_reentrant {
            drop(sleepers);
        } else {
            for (_, waker) in &due {
                waker.wake_by_ref();
            }
            drop(sleepers);
            return;
        }
        for (_, waker) in due {
            waker.wake();
        }
    }

    /// Waits until every task has ended.
    pub(crate) fn join_tasks(&self) {
        loop {
            let next = {
                let mut tasks = self
                    .parts
                    .tasks
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                tasks.pop()
            };
            match next {
                Some(task) => task.join().expect("a task does not panic"),
                None => return,
            }
        }
    }
}

impl Runtime for ModelRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        let thread = match self.parts.spawner {
            Spawner::None => return Err(NoSpawner),
            Spawner::Runs => spawn(move || block_on(task)),
            Spawner::Drops => spawn(move || drop(task)),
        };
        let tasks = self.parts.tasks.lock();
        tasks.unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(Sleep {
            parts: Arc::clone(&self.parts),
            at,
            number: self.parts.next_sleeper.fetch_add(1, Ordering::SeqCst),
        })
    }

    fn now(&self) -> Instant {
        self.parts.now()
    }

    fn is_reentrant(&self) -> bool {
        self.parts.is_reentrant
    }
}

impl Parts {
    fn now(&self) -> Instant {
        match self.has_struck.load(Ordering::SeqCst) {
            true => self.start + LONG * (1 + self.readings.fetch_add(1, Ordering::SeqCst)),
            false => self.start,
        }
    }
}

struct Sleep {
    parts: Arc<Parts>,
    at: Instant,
    number: u32,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut sleepers = self.parts.sleepers();
        if self.parts.now() >= self.at {
            return Poll::Ready(());
        }
        sleepers.retain(|(number, _)| *number != self.number);
        sleepers.push((self.number, waker));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut sleepers = self.parts.sleepers();
        let index = sleepers
            .iter()
            .position(|(number, _)| *number == self.number);
        let own = index.map(|index| sleepers.swap_remove(index));
        drop(sleepers);
        drop(own);
    }
}
