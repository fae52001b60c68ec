//! Fault tests: a drop, a clock or a timer of foreign code that panics harms nobody.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use futures_lite::future::block_on;
use pool_core::{
    BoxFuture, Error, Manager, NoSpawner, Pool, PooledConnection, Runtime, ThreadTimer, Verdict,
};
use support::Told;
use support::probe::poll_once;
use support::watchdog::MINUTE;

#[path = "faults_foreign_code/drops.rs"]
mod drops;

fn unwinds<T>(body: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(body)).is_err()
}

/// Counts its drops and panics in each.
struct DropPanics(Arc<AtomicUsize>);

impl Drop for DropPanics {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        // Two panics at once would end the process.
        if !std::thread::panicking() {
            panic!("scripted: the drop panics");
        }
    }
}

impl std::fmt::Debug for DropPanics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DropPanics")
    }
}

impl std::fmt::Display for DropPanics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("scripted: the connect fails")
    }
}

impl std::error::Error for DropPanics {}

impl Wake for DropPanics {
    fn wake(self: Arc<Self>) {}
}

/// A manager whose drop panics. Every second connect fails, with an error whose drop panics.
struct Nasty {
    _on_drop: DropPanics,
    errors: Arc<AtomicUsize>,
    connects: AtomicUsize,
}

impl Manager for Nasty {
    type Connection = ();
    type Error = DropPanics;

    async fn connect(&self) -> Result<(), DropPanics> {
        match self.connects.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => Ok(()),
            _ => Err(DropPanics(Arc::clone(&self.errors))),
        }
    }
    async fn check(&self, (): &mut ()) -> Result<(), DropPanics> {
        Ok(())
    }
    async fn recycle(&self, (): &mut ()) -> Result<(), DropPanics> {
        Ok(())
    }
}

/// A runtime whose drop panics.
struct NastyRuntime {
    _on_drop: DropPanics,
}

impl Runtime for NastyRuntime {
    fn spawn(&self, _task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        Err(NoSpawner)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        ThreadTimer::new().sleep_until(at)
    }
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// The call that is the last to own the pool.
type LastOwner = (
    &'static str,
    fn(Pool<Nasty>, PooledConnection<Nasty>) -> bool,
);

const LAST_OWNERS: [LastOwner; 5] = [
    ("the pool", |pool, guard| {
        unwinds(|| drop(guard)) || unwinds(|| drop(pool))
    }),
    ("a guard", |pool, guard| {
        unwinds(|| drop(pool)) || unwinds(|| drop(guard))
    }),
    ("a guard that is discarded", |pool, guard| {
        unwinds(|| drop(pool)) || unwinds(|| PooledConnection::discard(guard))
    }),
    ("a guard that is detached", |pool, guard| {
        unwinds(|| drop(pool)) || unwinds(|| PooledConnection::detach(guard))
    }),
    ("a release", |pool, guard| {
        let release = PooledConnection::release(guard);
        unwinds(|| drop(pool)) || unwinds(|| drop(block_on(release)))
    }),
];

#[test]
fn a_manager_a_runtime_or_an_error_whose_drop_panics_does_not_reach_the_last_owner() {
    for (name, drop_all) in LAST_OWNERS {
        println!("{name}");
        let dropped: [Arc<AtomicUsize>; 3] = std::array::from_fn(|_| Arc::default());
        let [manager, runtime, errors] = dropped.each_ref().map(Arc::clone);
        let pool = Pool::builder(Nasty {
            _on_drop: DropPanics(manager),
            errors,
            connects: AtomicUsize::new(0),
        });
        let pool = pool.runtime(NastyRuntime {
            _on_drop: DropPanics(runtime),
        });
        let pool = pool.minsize(0).build_lazy().unwrap();
        let guard = block_on(pool.acquire()).unwrap();
        let failed = block_on(pool.acquire());
        assert!(matches!(&failed, Err(Error::Connect(_))), "{failed:?}");
        drop(failed);
        let escaped = drop_all(pool, guard);
        assert!(!escaped, "{name}: the panic of a drop escapes");
        let dropped = dropped.map(|drops| drops.load(Ordering::SeqCst));
        assert_eq!(dropped, [1, 1, 1], "manager, runtime, error");
    }
}

/// A manager whose connect never ends, if that is asked for.
struct Plain {
    connects_never: bool,
}

impl Manager for Plain {
    type Connection = ();
    type Error = Infallible;

    async fn connect(&self) -> Result<(), Infallible> {
        if self.connects_never {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    async fn check(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }
    async fn recycle(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }
    fn on_release(&self, (): &mut ()) -> Verdict {
        Verdict::Reuse
    }
}

/// A runtime whose clock or timer panics.
struct Broken {
    clock: bool,
}

impl Runtime for Broken {
    fn spawn(&self, _task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        Err(NoSpawner)
    }
    fn sleep_until(&self, _at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(std::future::poll_fn(|_| panic!("scripted: the timer")))
    }
    fn now(&self) -> Instant {
        assert!(!self.clock, "scripted: the clock");
        Instant::now()
    }
}

#[test]
fn a_timer_that_panics_is_the_error_of_the_step_that_it_should_have_limited() {
    let manager = Plain {
        connects_never: true,
    };
    let pool = Pool::builder(manager).runtime(Broken { clock: false });
    let pool = pool.minsize(0).connect_timeout(MINUTE).build_lazy();
    let error = block_on(pool.unwrap().acquire()).unwrap_err();
    let Error::Config(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.field(), "connect_timeout");
    assert!(
        error.to_string().contains("the runtime's timer panicked"),
        "{error}"
    );
}

#[test]
fn an_acquire_whose_time_out_no_timer_can_keep_is_told_as_failed_and_not_as_dropped() {
    for waits_for_connect in [false, true] {
        let manager = Plain {
            connects_never: waits_for_connect,
        };
        let pool = Pool::builder(manager).runtime(Broken { clock: false });
        let (builder, told) = Told::by(pool.minsize(0).maxsize(1));
        let pool = builder.build_lazy().unwrap();
        let held = (!waits_for_connect).then(|| block_on(pool.acquire()).unwrap());
        told.take();
        let error = block_on(pool.acquire().timeout(MINUTE)).unwrap_err();
        let Error::Config(error) = error else {
            panic!("{error}");
        };
        assert_eq!(error.field(), "timeout");
        let sentences = told.take_with("acquire");
        assert_eq!(sentences.len(), 2, "{sentences:#?}");
        assert!(sentences[0].ends_with("waits"), "{sentences:#?}");
        let (failed, cause) = (" failed after ", "the runtime's timer panicked");
        let is_told = sentences[1].contains(failed) && sentences[1].contains(cause);
        assert!(is_told, "{sentences:#?}");
        let stats = pool.stats();
        assert_eq!(stats.cancelled(), 0, "nobody has dropped it");
        let mut failed = stats.failures_by_reason().filter(|(_, count)| *count > 0);
        assert_eq!((failed.next(), failed.next()), (Some(("config", 1)), None));
        drop(held);
    }
}

#[test]
fn a_clock_that_panics_loses_no_place() {
    let manager = Plain {
        connects_never: false,
    };
    let pool = Pool::builder(manager).runtime(Broken { clock: true });
    let pool = pool.minsize(0).maxsize(1).build_lazy().unwrap();
    for _ in 0..3 {
        let guard = block_on(pool.acquire()).unwrap();
        assert!(!unwinds(|| drop(guard)), "the panic of the clock escapes");
        assert_eq!((pool.size(), pool.freesize()), (1, 1));
    }
}

#[test]
fn an_acquire_that_is_polled_anew_keeps_its_connect_although_its_old_waker_panics() {
    let manager = Plain {
        connects_never: true,
    };
    let pool = Pool::builder(manager).runtime(ThreadTimer::new());
    let pool = pool.minsize(0).connect_timeout(MINUTE);
    let pool = pool.build_lazy().unwrap();
    let mut acquire = Box::pin(pool.acquire());
    let waker = Waker::from(Arc::new(DropPanics(Arc::default())));
    let mut cx = Context::from_waker(&waker);
    assert!(acquire.as_mut().poll(&mut cx).is_pending());
    drop(waker);
    let polled = poll_once(&mut acquire);
    assert!(
        polled.is_pending(),
        "the panic of an old waker ends the connect: {polled:?}"
    );
    assert_eq!(pool.status().connecting(), 1);
}

/// A timer that counts the sleeps that are still there.
#[derive(Clone, Default)]
struct CountsSleeps(Arc<Mutex<usize>>);

struct Sleep(CountsSleeps);

impl Runtime for CountsSleeps {
    fn spawn(&self, _task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        Err(NoSpawner)
    }
    fn sleep_until(&self, _at: Instant) -> BoxFuture<'static, ()> {
        *self.0.lock().unwrap() += 1;
        Box::pin(Sleep(self.clone()))
    }
    fn now(&self) -> Instant {
        Instant::now()
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap() -= 1;
    }
}

/// Otherwise the waker of the timer could be the last owner of the pool, and would drop it inside the runtime's timer.
#[test]
fn with_its_last_handle_a_pool_drops_its_timer_although_a_guard_lives_on() {
    let runtime = CountsSleeps::default();
    let manager = Plain {
        connects_never: false,
    };
    let pool = Pool::builder(manager).runtime(runtime.clone());
    let pool = pool.minsize(0).maxsize(1).acquire_timeout(MINUTE);
    let pool = pool.build_lazy().unwrap();
    let guard = block_on(pool.acquire()).unwrap();
    let mut waiting = Box::pin(pool.acquire());
    assert!(poll_once(&mut waiting).is_pending());
    drop(waiting);
    assert_eq!(*runtime.0.lock().unwrap(), 1, "the timer of the pool");
    drop(pool);
    assert_eq!(*runtime.0.lock().unwrap(), 0);
    drop(guard);
    assert_eq!(*runtime.0.lock().unwrap(), 0);
}
