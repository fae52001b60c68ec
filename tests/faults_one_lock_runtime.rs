//! Fault tests: a timer that strikes never leads back into the runtime, which may hold its one lock while it wakes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use pool_core::{
    BoxFuture, CheckPolicy, Error, NoSpawner, Pool, PooledConnection, Runtime, Verdict,
};
use support::watchdog::{MINUTE, Watchdog};
use support::{FakeControl, FakeManager, FakePool, Gate, Probe, Step, Verb, hold};

const SECOND: Duration = Duration::from_secs(1);

/// A runtime with one lock over its clock, its timers and its tasks, which it holds while it wakes those who are due.
///
/// A call that would need the lock while it is held is a dead-lock. It is written down, and goes without the lock.
#[derive(Clone)]
struct OneLock(Arc<World>);

struct World {
    locked: Mutex<Locked>,
    /// A copy for calls that should not come while the lock is held.
    now: Mutex<Instant>,
    dead_locks: Mutex<Vec<&'static str>>,
    spawns: bool,
}

#[derive(Default)]
struct Locked {
    sleepers: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    tasks: Vec<(Arc<Woken>, BoxFuture<'static, ()>)>,
}

/// The waker of a task: it needs no lock.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OneLock {
    fn new(spawns: bool) -> Self {
        Self(Arc::new(World {
            locked: Mutex::default(),
            now: Mutex::new(Instant::now()),
            dead_locks: Mutex::default(),
            spawns,
        }))
    }

    /// The lock; everything happens on one thread, so a taken one would never be free.
    fn enter(&self, call: &'static str) -> Option<MutexGuard<'_, Locked>> {
        match self.0.locked.try_lock() {
            Ok(locked) => Some(locked),
            Err(TryLockError::Poisoned(locked)) => Some(locked.into_inner()),
            Err(TryLockError::WouldBlock) => {
                lock(&self.0.dead_locks).push(call);
                None
            }
        }
    }

    /// Moves the clock, and wakes those who are due under the lock.
    fn advance(&self, by: Duration) {
        let now = *lock(&self.0.now) + by;
        *lock(&self.0.now) = now;
        let mut locked = lock(&self.0.locked);
        while let Some(next) = locked.sleepers.first_entry() {
            if next.key().0 > now {
                break;
            }
            next.remove().wake();
        }
    }

    /// Runs the tasks that are awake until none is.
    fn run(&self) {
        loop {
            let mut locked = lock(&self.0.locked);
            let awake = |(woken, _): &(Arc<Woken>, _)| woken.0.swap(false, Ordering::SeqCst);
            let Some(place) = locked.tasks.iter().position(awake) else {
                return;
            };
            let (woken, mut task) = locked.tasks.swap_remove(place);
            drop(locked);
            let waker = Waker::from(Arc::clone(&woken));
            if task
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
            {
                lock(&self.0.locked).tasks.push((woken, task));
            }
        }
    }

    /// Runs the tasks and polls this future whenever it is woken; says whether it is complete.
    fn drive<T>(&self, probe: &mut Probe<'_, T>) -> bool {
        self.run();
        while probe.wants_poll() {
            probe.poll();
            self.run();
        }
        probe.is_ready()
    }

    #[track_caller]
    fn assert_no_dead_lock(&self) {
        let calls = lock(&self.0.dead_locks);
        assert!(
            calls.is_empty(),
            "DEAD-LOCK: inside the timer's wakers the pool called {calls:?}"
        );
    }
}

impl Runtime for OneLock {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        if !self.0.spawns {
            return Err(NoSpawner);
        }
        let mut locked = self.enter("spawn").ok_or(NoSpawner)?;
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        locked.tasks.push((woken, task));
        Ok(())
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        drop(self.enter("sleep_until"));
        Box::pin(Sleep {
            runtime: self.clone(),
            at,
            key: None,
        })
    }
    fn now(&self) -> Instant {
        drop(self.enter("now"));
        *lock(&self.0.now)
    }
}

struct Sleep {
    runtime: OneLock,
    at: Instant,
    key: Option<(Instant, u64)>,
}

impl Sleep {
    fn forget(&mut self, locked: &mut Locked) -> Option<Waker> {
        locked.sleepers.remove(&self.key.take()?)
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if *lock(&self.runtime.0.now) >= self.at {
            return Poll::Ready(());
        }
        let runtime = self.runtime.clone();
        let Some(mut locked) = runtime.enter("the poll of a sleep") else {
            return Poll::Pending;
        };
        let old = self.forget(&mut locked);
        let key = (self.at, locked.next);
        locked.next += 1;
        locked.sleepers.insert(key, cx.waker().clone());
        self.key = Some(key);
        drop((locked, old));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let runtime = self.runtime.clone();
        let Some(mut locked) = runtime.enter("the drop of a sleep") else {
            return;
        };
        let old = self.forget(&mut locked);
        drop((locked, old));
    }
}

/// A pool of one place.
struct Scene {
    runtime: OneLock,
    pool: FakePool,
    control: FakeControl,
    _watchdog: Watchdog,
}

/// What can differ besides the scenario itself.
#[derive(Clone, Copy, Debug)]
struct Kind {
    spawns: bool,
    upkeep: bool,
    /// Whether the steps have deadlines of their own.
    limits: bool,
}

impl Scene {
    fn new(kind: Kind) -> Self {
        let runtime = OneLock::new(kind.spawns);
        let manager = FakeManager::bounded(1);
        let control = manager.control();
        control.always_verdict(Verdict::Reuse);
        let limit = kind.limits.then_some(10 * SECOND);
        let pool = Pool::builder(manager)
            .runtime(runtime.clone())
            .minsize(0)
            .maxsize(1)
            .upkeep(kind.upkeep)
            .check_policy(CheckPolicy::Always)
            .acquire_timeout(SECOND)
            .connect_timeout(limit)
            .check_timeout(limit)
            .recycle_timeout(limit)
            .close_timeout(limit)
            .build_lazy()
            .unwrap();
        Self {
            runtime,
            pool,
            control,
            _watchdog: Watchdog::new(MINUTE),
        }
    }

    fn each(scenario: impl Fn(&Self)) {
        for spawns in [false, true] {
            for upkeep in [false, true] {
                for limits in [false, true] {
                    let kind = Kind {
                        spawns,
                        upkeep,
                        limits,
                    };
                    println!("{kind:?}");
                    let scene = Self::new(kind);
                    scenario(&scene);
                    scene.runtime.assert_no_dead_lock();
                    scene.control.assert_no_violation();
                }
            }
        }
    }

    /// An acquire that must succeed without anybody's help.
    fn acquire(&self) -> support::Held {
        let mut acquire = Probe::new(self.pool.acquire());
        assert!(
            self.runtime.drive(&mut acquire),
            "HANG: {}",
            self.pool.status()
        );
        hold(acquire.take().unwrap())
    }

    /// The deadline of the only waiter strikes; it hears of it when it is polled.
    fn strike(&self, mut waiter: Probe<'_, Acquired>) {
        self.runtime.run();
        self.runtime.advance(SECOND);
        self.runtime.assert_no_dead_lock();
        assert!(
            self.runtime.drive(&mut waiter),
            "HANG: {}",
            self.pool.status()
        );
        let outcome = waiter.take();
        assert!(matches!(outcome, Err(Error::Timeout { .. })), "{outcome:?}");
    }
}

type Acquired = Result<PooledConnection<FakeManager>, Error<support::FakeError>>;

#[test]
fn a_waiter_that_only_waits_expires_without_a_call_into_the_runtime() {
    Scene::each(|scene| {
        let held = scene.acquire();
        scene.strike(Probe::pending(scene.pool.acquire()));
        drop(held);
        drop(scene.acquire());
    });
}

#[test]
fn a_waiter_that_drives_a_step_expires_without_a_call_into_the_runtime() {
    for verb in [Verb::Connect, Verb::Check, Verb::Recycle, Verb::Close] {
        println!("{verb:?}");
        Scene::each(|scene| {
            let gate = Gate::new();
            match verb {
                Verb::Connect => {}
                Verb::Check => drop(scene.acquire()),
                Verb::Recycle => {
                    let held = scene.acquire();
                    scene.control.next_verdict(Verdict::Recycle);
                    drop(held);
                }
                _ => {
                    let held = scene.acquire();
                    scene.control.next_verdict(Verdict::Discard);
                    drop(held);
                }
            }
            scene.control.next(verb, Step::gate(&gate));
            // Where a discarded connection is closed at once there is nothing to drive.
            let mut waiter = Probe::new(scene.pool.acquire());
            if waiter.poll() {
                drop(waiter);
            } else {
                scene.strike(waiter);
            }
            gate.open();
            drop(scene.acquire());
        });
    }
}

#[test]
fn of_several_waiters_that_drive_steps_all_expire_without_a_call_into_the_runtime() {
    Scene::each(|scene| {
        let gate = Gate::new();
        scene.control.next(Verb::Connect, Step::gate(&gate));
        let driving = Probe::pending(scene.pool.acquire());
        let mut waiting = Probe::pending(scene.pool.acquire());
        let mut later = Probe::pending(scene.pool.acquire().timeout(5 * SECOND));
        scene.strike(driving);
        assert!(scene.runtime.drive(&mut waiting), "HANG: its time is over");
        assert!(!scene.runtime.drive(&mut later), "it has four seconds left");
        gate.open();
        assert!(
            scene.runtime.drive(&mut later),
            "HANG: the connect has ended"
        );
        drop((waiting, later));
        drop(scene.acquire());
    });
}

#[test]
fn a_step_that_hangs_is_cut_off_without_a_call_into_the_runtime() {
    for verb in [Verb::Connect, Verb::Check, Verb::Recycle] {
        println!("{verb:?}");
        Scene::each(|scene| {
            if verb != Verb::Connect {
                let held = scene.acquire();
                if verb == Verb::Recycle {
                    scene.control.next_verdict(Verdict::Recycle);
                }
                drop(held);
            }
            scene.control.next(verb, Step::Pend);
            // It waits for longer than the step may take.
            let mut waiter = Probe::pending(scene.pool.acquire().timeout(60 * SECOND));
            scene.runtime.run();
            scene.runtime.advance(10 * SECOND);
            scene.runtime.assert_no_dead_lock();
            scene.runtime.drive(&mut waiter);
            scene.runtime.advance(50 * SECOND);
            scene.runtime.assert_no_dead_lock();
            assert!(scene.runtime.drive(&mut waiter), "HANG: its time is over");
        });
    }
}

#[test]
fn upkeep_closes_what_expired_without_a_call_into_the_runtime() {
    let runtime = OneLock::new(true);
    let manager = FakeManager::bounded(2);
    let control = manager.control();
    control.always_verdict(Verdict::Reuse);
    let builder = Pool::builder(manager).runtime(runtime.clone());
    let builder = builder.minsize(1).maxsize(2).pool_recycle(SECOND);
    let pool = builder.build_lazy().unwrap();
    let mut acquire = Probe::new(pool.acquire());
    assert!(runtime.drive(&mut acquire));
    drop(acquire);
    runtime.run();
    runtime.advance(SECOND);
    runtime.assert_no_dead_lock();
    runtime.run();
    assert!(control.closed() > 0, "it was idle for a second");
    assert_eq!(pool.freesize(), 1, "minsize is restored");
}
