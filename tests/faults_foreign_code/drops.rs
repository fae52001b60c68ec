//! Errors and futures of a manager whose drop calls the pool, or panics.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use futures_lite::future::block_on;
use pool_core::{CheckPolicy, Error, Manager, Pool, Verdict};
use support::probe::poll_once;
use support::told::Told;
use support::watchdog::{MINUTE, Watchdog};
use support::{Probe, Stage, yield_now};

use super::{DropPanics, unwinds};

const SECOND: Duration = Duration::from_secs(1);

/// What the drop of an error calls, if anything.
type Call = Arc<Mutex<Option<Box<dyn Fn() + Send>>>>;

/// An error whose drop calls somebody.
struct DropCalls(Call);

impl Drop for DropCalls {
    fn drop(&mut self) {
        if let Some(call) = &*self.0.lock().unwrap() {
            call();
        }
    }
}

impl std::fmt::Debug for DropCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DropCalls")
    }
}

impl std::fmt::Display for DropCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("scripted: it fails")
    }
}

impl std::error::Error for DropCalls {}

/// A manager whose checks fail, and whose connects fail from the second on.
struct Fails {
    connects: AtomicUsize,
    call: Call,
}

impl Manager for Fails {
    type Connection = ();
    type Error = DropCalls;

    async fn connect(&self) -> Result<(), DropCalls> {
        match self.connects.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(DropCalls(Arc::clone(&self.call))),
        }
    }
    async fn check(&self, (): &mut ()) -> Result<(), DropCalls> {
        Err(DropCalls(Arc::clone(&self.call)))
    }
    async fn recycle(&self, (): &mut ()) -> Result<(), DropCalls> {
        Ok(())
    }
    fn on_release(&self, (): &mut ()) -> Verdict {
        Verdict::Reuse
    }
}

#[test]
fn an_error_of_a_manager_is_never_dropped_under_the_lock() {
    let _watchdog = Watchdog::new(MINUTE);
    let call: Call = Arc::default();
    let manager = Fails {
        connects: AtomicUsize::new(0),
        call: Arc::clone(&call),
    };
    let builder = Pool::builder(manager).check_policy(CheckPolicy::Always);
    let pool = builder.minsize(0).maxsize(1).build_lazy().unwrap();
    drop(block_on(pool.acquire()).unwrap());
    let (own, calls) = (pool.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    *call.lock().unwrap() = Some(Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = own.status();
    }));
    // The check fails, and then each connect. The error of the last one is kept until the next.
    for _ in 0..3 {
        assert!(block_on(pool.acquire()).is_err());
    }
    assert!(calls.load(Ordering::SeqCst) >= 3);
    *call.lock().unwrap() = None;
}

/// A manager whose future of a check panics when it is dropped.
struct CheckDropPanics {
    drops: Arc<AtomicUsize>,
    waits: AtomicUsize,
}

impl Manager for CheckDropPanics {
    type Connection = ();
    type Error = Infallible;

    async fn connect(&self) -> Result<(), Infallible> {
        Ok(())
    }
    async fn check(&self, (): &mut ()) -> Result<(), Infallible> {
        let _on_drop = DropPanics(Arc::clone(&self.drops));
        if self.waits.load(Ordering::SeqCst) > 0 {
            yield_now().await;
        }
        Ok(())
    }
    async fn recycle(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn a_ping_whose_check_panics_in_its_drop_costs_no_place_and_no_caller() {
    for is_dropped in [false, true] {
        let drops: Arc<AtomicUsize> = Arc::default();
        let builder = Pool::builder(CheckDropPanics {
            drops: Arc::clone(&drops),
            waits: AtomicUsize::new(usize::from(is_dropped)),
        });
        let pool = builder.minsize(0).maxsize(1).build_lazy().unwrap();
        let mut ping = Box::pin(pool.ping());
        let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut ping)));
        let polled = polled.expect("the panic comes out of the poll");
        assert_eq!(polled.is_pending(), is_dropped);
        if let Poll::Ready(result) = polled {
            assert!(matches!(result, Err(Error::Panicked { .. })), "{result:?}");
        }
        assert!(!unwinds(|| drop(ping)), "the panic comes out of the drop");
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        assert_eq!(pool.size(), 0, "its connection is gone");
        assert!(block_on(pool.acquire()).is_ok());
    }
}

/// A manager whose checks and recycles fail with an error whose drop panics.
struct ErrorDropPanics(Arc<AtomicUsize>);

impl Manager for ErrorDropPanics {
    type Connection = ();
    type Error = DropPanics;

    async fn connect(&self) -> Result<(), DropPanics> {
        Ok(())
    }
    async fn check(&self, (): &mut ()) -> Result<(), DropPanics> {
        Err(DropPanics(Arc::clone(&self.0)))
    }
    async fn recycle(&self, (): &mut ()) -> Result<(), DropPanics> {
        Err(DropPanics(Arc::clone(&self.0)))
    }
}

#[test]
fn an_error_whose_drop_panics_is_nothing_to_those_who_do_not_hear_of_it() {
    for check in [CheckPolicy::Always, CheckPolicy::Never] {
        let drops: Arc<AtomicUsize> = Arc::default();
        let builder = Pool::builder(ErrorDropPanics(Arc::clone(&drops)));
        let builder = builder.check_policy(check).minsize(0).maxsize(1);
        let pool = builder.build_lazy().unwrap();
        for number in 1..4 {
            // Its recycle fails in the next acquire, which connects then.
            let acquired = catch_unwind(AssertUnwindSafe(|| block_on(pool.acquire())));
            drop(
                acquired
                    .expect("the panic comes out of the acquire")
                    .unwrap(),
            );
            let tried = catch_unwind(AssertUnwindSafe(|| pool.try_acquire()));
            let tried = tried.expect("the panic comes out of try_acquire");
            assert!(matches!(tried, Err(Error::Exhausted)));
            assert_eq!(drops.load(Ordering::SeqCst), number);
        }
        assert!(!unwinds(|| drop(pool)));
    }
}

/// A manager whose connects hang, and whose future of a connect panics when it is dropped.
struct ConnectDropPanics(Arc<AtomicUsize>);

impl Manager for ConnectDropPanics {
    type Connection = ();
    type Error = Infallible;

    async fn connect(&self) -> Result<(), Infallible> {
        let _on_drop = DropPanics(Arc::clone(&self.0));
        std::future::pending().await
    }
    async fn check(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }
    async fn recycle(&self, (): &mut ()) -> Result<(), Infallible> {
        Ok(())
    }
}

#[test]
fn a_connect_that_panics_in_its_drop_says_how_long_it_took() {
    Stage::each_virtual(|stage| {
        let drops: Arc<AtomicUsize> = Arc::default();
        let builder = stage.builder(ConnectDropPanics(Arc::clone(&drops)));
        let builder = builder.minsize(0).maxsize(1).connect_timeout(3 * SECOND);
        let (builder, told) = Told::by(builder);
        let pool = builder.build_lazy().unwrap();
        let mut acquire = [Probe::new(pool.acquire())];
        assert!(!stage.drive(&mut acquire), "the connect hangs");
        stage.advance(3 * SECOND);
        assert!(stage.drive(&mut acquire), "HANG: {}", pool.status());
        let error = acquire[0].take().unwrap_err();
        assert!(matches!(error, Error::Panicked { .. }), "{error}");
        assert_eq!((drops.load(Ordering::SeqCst), pool.size()), (1, 0));
        let failed = told.take_with("connecting number 1 failed");
        let [failed] = &failed[..] else {
            panic!("it is told once: {failed:?}");
        };
        assert!(failed.contains("failed after 3s"), "{failed}");
    });
}
