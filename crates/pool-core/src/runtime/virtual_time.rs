//! An executor and a clock that a test drives by hand.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::{BoxFuture, NoSpawner, Runtime};

/// A runtime for tests: time stands still until [`advance`](VirtualRuntime::advance), and tasks run only in
/// [`run_until_stalled`](VirtualRuntime::run_until_stalled) and [`block_on`](VirtualRuntime::block_on).
///
/// Clones share one clock and one executor.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pool_core::{Runtime, VirtualRuntime};
///
/// let runtime = VirtualRuntime::new();
/// let start = runtime.now();
/// runtime.advance(Duration::from_secs(3600));
/// assert_eq!(runtime.now() - start, Duration::from_secs(3600));
/// ```
#[derive(Clone)]
pub struct VirtualRuntime {
    world: Arc<Mutex<World>>,
    spawns: bool,
}

struct World {
    now: Instant,
    next: u64,
    sleepers: Vec<(Instant, u64, Waker)>,
    tasks: Vec<Arc<Task>>,
}

struct Task {
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    woken: AtomicBool,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
    }
}

impl VirtualRuntime {
    /// A clock at an arbitrary instant, and an executor without tasks.
    pub fn new() -> Self {
        Self {
            world: Arc::new(Mutex::new(World {
                now: Instant::now(),
                next: 0,
                sleepers: Vec::new(),
                tasks: Vec::new(),
            })),
            spawns: true,
        }
    }

    /// The same clock for a runtime that cannot spawn.
    #[must_use]
    pub fn without_spawner(mut self) -> Self {
        self.spawns = false;
        self
    }

    /// Moves the clock forward, waking what is due in order of its instant, and runs the tasks after each step.
    pub fn advance(&self, by: Duration) {
        let end = self.world().now + by;
        loop {
            self.run_until_stalled();
            let mut world = self.world();
            let next = world
                .sleepers
                .iter()
                .map(|(at, ..)| *at)
                .filter(|at| *at <= end)
                .min();
            let Some(next) = next else {
                world.now = end;
                break;
            };
            world.now = world.now.max(next);
            let due = Self::due(&mut world);
            drop(world);
            due.into_iter().for_each(Waker::wake);
        }
        self.run_until_stalled();
    }

    /// Moves the clock forward and wakes what is due, but runs no task.
    pub fn advance_only(&self, by: Duration) {
        let mut world = self.world();
        world.now += by;
        let due = Self::due(&mut world);
        drop(world);
        due.into_iter().for_each(Waker::wake);
    }

    /// Runs the spawned tasks until none of them is awake.
    ///
    /// A task that panics is dropped, as executors do.
    pub fn run_until_stalled(&self) {
        loop {
            let awake: VecDeque<Arc<Task>> = self
                .world()
                .tasks
                .iter()
                .filter(|task| task.woken.load(Ordering::SeqCst))
                .cloned()
                .collect();
            if awake.is_empty() {
                return;
            }
            for task in awake {
                self.poll_task(&task);
            }
        }
    }

    /// Drives a future together with the spawned tasks; when all of them sleep, time jumps to the next timer.
    ///
    /// # Panics
    ///
    /// When nothing is left that could wake the future: a hang.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let root = Arc::new(Task {
            future: Mutex::new(None),
            woken: AtomicBool::new(true),
        });
        let waker = Waker::from(Arc::clone(&root));
        let mut cx = Context::from_waker(&waker);
        loop {
            if root.woken.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
            }
            self.run_until_stalled();
            if root.woken.load(Ordering::SeqCst) {
                continue;
            }
            let mut world = self.world();
            let next = world.sleepers.iter().map(|(at, ..)| *at).min();
            let next = next.expect("the future waits for something: HANG");
            world.now = world.now.max(next);
            let due = Self::due(&mut world);
            drop(world);
            due.into_iter().for_each(Waker::wake);
        }
    }

    /// How many spawned tasks have not ended.
    pub fn tasks(&self) -> usize {
        self.world().tasks.len()
    }

    /// Drops every spawned task, as a runtime does that is shut down.
    pub fn shut_down(&self) {
        let tasks = std::mem::take(&mut self.world().tasks);
        for task in tasks {
            let future = Self::slot(&task).take();
            drop(future);
        }
    }

    fn poll_task(&self, task: &Arc<Task>) {
        task.woken.store(false, Ordering::SeqCst);
        let Some(mut future) = Self::slot(task).take() else {
            return;
        };
        let waker = Waker::from(Arc::clone(task));
        let mut cx = Context::from_waker(&waker);
        let poll = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx)));
        if matches!(poll, Ok(Poll::Pending)) {
            *Self::slot(task) = Some(future);
        } else {
            self.world().tasks.retain(|other| !Arc::ptr_eq(other, task));
            let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
        }
    }

    fn due(world: &mut World) -> Vec<Waker> {
        let now = world.now;
        let mut due: Vec<_> = world.sleepers.extract_due(now);
        due.sort_by_key(|(at, number, _)| (*at, *number));
        due.into_iter().map(|(.., waker)| waker).collect()
    }

    fn slot(task: &Task) -> MutexGuard<'_, Option<BoxFuture<'static, ()>>> {
        task.future.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

trait ExtractDue {
    fn extract_due(&mut self, now: Instant) -> Self;
}

impl ExtractDue for Vec<(Instant, u64, Waker)> {
    fn extract_due(&mut self, now: Instant) -> Self {
        let (due, later) = std::mem::take(self)
            .into_iter()
            .partition(|(at, ..)| *at <= now);
        *self = later;
        due
    }
}

impl Default for VirtualRuntime {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualRuntime")
            .field("tasks", &self.tasks())
            .field("spawns", &self.spawns)
            .finish_non_exhaustive()
    }
}

impl Runtime for VirtualRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        if !self.spawns {
            return Err(NoSpawner);
        }
        self.world().tasks.push(Arc::new(Task {
            future: Mutex::new(Some(task)),
            woken: AtomicBool::new(true),
        }));
        Ok(())
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(Sleep {
            runtime: self.clone(),
            at,
            number: None,
        })
    }

    fn now(&self) -> Instant {
        self.world().now
    }
    fn is_reentrant(&self) -> bool {
        true
    }
}

struct Sleep {
    runtime: VirtualRuntime,
    at: Instant,
    number: Option<u64>,
}

impl Sleep {
    fn forget(&mut self, world: &mut World) -> Option<Waker> {
        let number = self.number.take()?;
        let place = world.sleepers.iter().position(|(_, n, _)| *n == number)?;
        Some(world.sleepers.swap_remove(place).2)
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let runtime = self.runtime.clone();
        let mut world = runtime.world();
        let old = self.forget(&mut world);
        let poll = if world.now >= self.at {
            Poll::Ready(())
        } else {
            let number = world.next;
            world.next += 1;
            self.number = Some(number);
            world.sleepers.push((self.at, number, waker));
            Poll::Pending
        };
        drop(world);
        drop(old);
        poll
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let runtime = self.runtime.clone();
        let mut world = runtime.world();
        let old = self.forget(&mut world);
        drop(world);
        drop(old);
    }
}
