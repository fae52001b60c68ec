//! Fault tests: a waker that panics, or that polls its future at once, harms nobody else, whichever call it waits for.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use pool_core::{BoxFuture, NoSpawner, PooledConnection, Runtime, Verdict, VirtualRuntime};
use support::invariants::{acquire_now, closed_for_good};
use support::watchdog::MINUTE;
use support::{FakeGuard, FakePool, Gate, Mode, Probe, Stage, Step, Verb, within};

fn unwinds<T>(body: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(body)).is_err()
}

/// What a waker does that it should not do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Nasty {
    WakePanics,
    DropPanics,
    PollsInline,
}

impl Nasty {
    const ALL: [Self; 3] = [Self::WakePanics, Self::DropPanics, Self::PollsInline];
}

struct WakePanics;

impl Wake for WakePanics {
    fn wake(self: Arc<Self>) {
        panic!("scripted: the waker panics");
    }
}

struct DropPanics;

impl Wake for DropPanics {
    fn wake(self: Arc<Self>) {}
}

impl Drop for DropPanics {
    fn drop(&mut self) {
        // Two panics at once would end the process.
        if !std::thread::panicking() {
            panic!("scripted: the drop of the waker panics");
        }
    }
}

/// Polls the future of a task from inside `wake`.
struct PollsInline(Arc<Task>);

impl Wake for PollsInline {
    fn wake(self: Arc<Self>) {
        self.0.poll(&Waker::from(Arc::clone(&self)));
    }
}

/// A future with a nasty waker.
struct Task {
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    done: AtomicBool,
}

impl Task {
    /// Polls the future once, with a waker of this kind.
    fn start(nasty: Nasty, future: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let task = Arc::new(Self {
            future: Mutex::new(Some(Box::pin(future))),
            done: AtomicBool::new(false),
        });
        let waker = match nasty {
            Nasty::WakePanics => Waker::from(Arc::new(WakePanics)),
            Nasty::DropPanics => Waker::from(Arc::new(DropPanics)),
            Nasty::PollsInline => Waker::from(Arc::new(PollsInline(Arc::clone(&task)))),
        };
        task.poll(&waker);
        assert!(!task.is_done(), "the future has to wait");
        let kept_by_the_pool = !unwinds(|| drop(waker));
        assert!(kept_by_the_pool, "nobody keeps the waker of {nasty:?}");
        task
    }

    fn poll(&self, waker: &Waker) {
        // A wake from inside its own poll finds the future taken.
        let Some(mut future) = self.future.try_lock().ok().and_then(|mut slot| slot.take()) else {
            return;
        };
        match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(()) => self.done.store(true, Ordering::SeqCst),
            Poll::Pending => {
                let mut slot = self.future.lock().expect("nothing panics under the lock");
                *slot = Some(future);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    /// Polls on with a waker that is not nasty; the old waker is dropped by the pool.
    fn poll_quietly(&self) {
        assert!(
            !unwinds(|| self.poll(Waker::noop())),
            "the panic of an old waker escapes from the next poll"
        );
    }
}

/// What makes a closing pool empty.
type LastEvent = (&'static str, fn(&FakePool, FakeGuard));

const LAST_EVENTS: [LastEvent; 5] = [
    ("drop", |_, guard| drop(guard)),
    ("discard", |_, guard| PooledConnection::discard(guard)),
    ("detach", |_, guard| drop(PooledConnection::detach(guard))),
    ("terminate", |pool, guard| {
        pool.terminate();
        drop(guard);
    }),
    ("release", |_, guard| {
        let mut release = Box::pin(PooledConnection::release(guard));
        let _ = release
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
    }),
];

fn wait_closed_with(nasty: Nasty) {
    for (name, last_event) in LAST_EVENTS {
        Stage::each(|stage| {
            println!("{nasty:?}, {name}");
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let guard = acquire_now(stage, &pool);
            pool.close();
            let mut others = vec![Probe::pending(pool.wait_closed())];
            let waits = pool.clone();
            let task = Task::start(nasty, async move {
                waits.wait_closed().await.unwrap();
            });
            others.push(Probe::pending(pool.wait_closed()));

            let escaped = unwinds(|| last_event(&pool, guard));
            assert!(!escaped, "the panic of a waker escapes from {name}");
            stage.settle();
            assert!(
                stage.drive(&mut others),
                "HANG: the other callers of wait_closed sleep; {}",
                pool.status()
            );
            match nasty {
                Nasty::PollsInline => {}
                Nasty::WakePanics | Nasty::DropPanics => task.poll_quietly(),
            }
            assert!(task.is_done(), "its own wait_closed ends as well");
            drop((others, task));
            closed_for_good(stage, pool, &control);
        });
    }
}

#[test]
fn a_waker_of_wait_closed_that_panics_harms_nobody() {
    within(MINUTE, "wake panics", || {
        wait_closed_with(Nasty::WakePanics);
    });
}

#[test]
fn a_waker_of_wait_closed_whose_drop_panics_harms_nobody() {
    within(MINUTE, "drop panics", || {
        wait_closed_with(Nasty::DropPanics);
    });
}

#[test]
fn a_waker_of_wait_closed_that_polls_at_once_ends_its_future() {
    within(MINUTE, "polls inline", || {
        wait_closed_with(Nasty::PollsInline);
    });
}

#[test]
fn a_wait_closed_that_is_dropped_or_polled_anew_drops_its_old_waker_quietly() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let guard = acquire_now(stage, &pool);
        pool.close();
        let start = || {
            let waits = pool.clone();
            Task::start(Nasty::DropPanics, async move {
                waits.wait_closed().await.unwrap();
            })
        };
        let (polled, dropped) = (start(), start());
        polled.poll_quietly();
        assert!(
            !unwinds(|| drop(dropped)),
            "the panic of a waker escapes from the drop of wait_closed"
        );
        drop(guard);
        let mut other = [Probe::new(pool.wait_closed())];
        assert!(stage.drive(&mut other), "HANG: {}", pool.status());
        polled.poll_quietly();
        assert!(polled.is_done());
        drop((polled, other));
        closed_for_good(stage, pool, &control);
    });
}

/// A call that waits: its future, and whether it needs a guard.
type Call = (
    &'static str,
    fn(FakePool, Option<FakeGuard>) -> BoxFuture<'static, ()>,
);

const CALLS: [Call; 4] = [
    ("acquire that connects", |pool, _| {
        Box::pin(async move { drop(pool.acquire().await) })
    }),
    ("acquire that waits", |pool, guard| {
        Box::pin(async move {
            drop(pool.acquire().await);
            drop(guard);
        })
    }),
    ("fill", |pool, _| {
        Box::pin(async move { drop(pool.fill().await) })
    }),
    ("release", |_, guard| {
        let guard = guard.expect("release needs a guard");
        Box::pin(async move { drop(PooledConnection::release(guard).await) })
    }),
];

fn terminate_with(nasty: Nasty) {
    for (name, call) in CALLS {
        Stage::each(|stage| {
            println!("{nasty:?}, {name}");
            let (builder, control) = stage.pool(1);
            let pool = builder.minsize(1).upkeep(false).build_lazy().unwrap();
            let needs_guard = matches!(name, "acquire that waits" | "release");
            let guard = needs_guard.then(|| acquire_now(stage, &pool));
            control.always(Verb::Connect, Step::Pend);
            control.always(Verb::Recycle, Step::Pend);
            let task = Task::start(nasty, call(pool.clone(), guard));

            let escaped = unwinds(|| pool.terminate());
            assert!(!escaped, "the panic of a waker escapes from terminate");
            let mut closed = [Probe::new(pool.wait_closed())];
            assert!(stage.drive(&mut closed), "HANG: {}", pool.status());
            if nasty != Nasty::PollsInline {
                task.poll_quietly();
            }
            assert!(task.is_done(), "{name} ends with the pool");
            drop((closed, task));
            closed_for_good(stage, pool, &control);
        });
    }
}

#[test]
fn a_nasty_waker_of_acquire_fill_or_release_harms_nobody() {
    for nasty in Nasty::ALL {
        within(MINUTE, "terminate", move || terminate_with(nasty));
    }
}

#[test]
fn an_acquire_that_is_dropped_or_polled_anew_drops_its_old_waker_quietly() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let guard = acquire_now(stage, &pool);
        let start = || {
            let waits = pool.clone();
            Task::start(
                Nasty::DropPanics,
                async move { drop(waits.acquire().await) },
            )
        };
        let (polled, dropped) = (start(), start());
        polled.poll_quietly();
        assert!(
            !unwinds(|| drop(dropped)),
            "the panic of a waker escapes from the drop of acquire"
        );
        drop(guard);
        polled.poll_quietly();
        assert!(polled.is_done());
        drop(polled);
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn a_nasty_waker_of_clear_harms_nobody() {
    for nasty in Nasty::ALL {
        Stage::each(|stage| {
            println!("{nasty:?}");
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let guard = acquire_now(stage, &pool);
            control.next_verdict(Verdict::Reuse);
            drop(guard);
            let gate = Gate::new();
            control.next(Verb::Close, Step::gate(&gate));
            let clears = pool.clone();
            let task = Task::start(nasty, async move { clears.clear().await });
            // The gate is the manager's own code: what its wakers do there is not the pool's concern.
            let _ = unwinds(|| gate.open());
            if nasty != Nasty::PollsInline {
                task.poll_quietly();
            }
            assert!(task.is_done(), "clear ends");
            drop(task);
            drop(acquire_now(stage, &pool));
            closed_for_good(stage, pool, &control);
        });
    }
}

/// A runtime whose tasks the test polls itself, with a waker of its choice.
struct ByHand {
    clock: VirtualRuntime,
    tasks: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
}

impl Runtime for ByHand {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        self.tasks.lock().unwrap().push(task);
        Ok(())
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        self.clock.sleep_until(at)
    }
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

#[test]
fn a_nasty_waker_of_the_background_upkeep_does_not_reach_the_guard() {
    for nasty in [Nasty::WakePanics, Nasty::DropPanics] {
        println!("{nasty:?}");
        let stage = Stage::new(Mode::Spawner);
        let tasks = Arc::default();
        let runtime = ByHand {
            clock: stage.clock().clone(),
            tasks: Arc::clone(&tasks),
        };
        let (builder, control) = stage.pool(1);
        let pool = builder.minsize(1).runtime(runtime).build_lazy().unwrap();
        let upkeep: Pin<Box<_>> = tasks.lock().unwrap().remove(0);
        let guard = acquire_now(&stage, &pool);
        let upkeep = Task::start(nasty, upkeep);
        let escaped = unwinds(|| drop(PooledConnection::detach(guard)));
        assert!(!escaped, "the panic of upkeep's waker escapes from detach");
        assert!(!unwinds(|| pool.close()), "it escapes from close");
        drop(upkeep);
        let mut closed = [Probe::new(pool.wait_closed())];
        assert!(stage.drive(&mut closed), "HANG: {}", pool.status());
        control.assert_no_violation();
    }
}
