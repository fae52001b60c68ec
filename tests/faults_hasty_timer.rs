//! Fault tests: a timer that strikes while it is being set. A thread that keeps the time can be that fast.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pool_core::{BoxFuture, Error, NoSpawner, Pool, Runtime, VirtualRuntime};
use support::{FakeManager, Probe};

const MILLIS: Duration = Duration::from_millis(1);

/// A runtime whose next sleep ends inside of its first poll, which does not know of it.
#[derive(Clone)]
struct Hasty {
    time: VirtualRuntime,
    is_armed: Arc<AtomicBool>,
}

struct Sleep {
    runtime: Hasty,
    at: Instant,
    inner: BoxFuture<'static, ()>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.inner.as_mut().poll(cx);
        if polled.is_pending() && self.runtime.is_armed.swap(false, Ordering::SeqCst) {
            let time = &self.runtime.time;
            time.advance_only(self.at.saturating_duration_since(time.now()));
        }
        polled
    }
}

impl Runtime for Hasty {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        self.time.spawn(task)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(Sleep {
            runtime: self.clone(),
            at,
            inner: self.time.sleep_until(at),
        })
    }
    fn now(&self) -> Instant {
        self.time.now()
    }
    fn is_reentrant(&self) -> bool {
        self.time.is_reentrant()
    }
}

#[test]
fn a_timer_that_strikes_while_it_is_set_is_set_again_for_those_who_wait_for_longer() {
    let time = VirtualRuntime::new().without_spawner();
    let is_armed = Arc::new(AtomicBool::new(false));
    let runtime = Hasty {
        time: time.clone(),
        is_armed: Arc::clone(&is_armed),
    };
    let pool = Pool::builder(FakeManager::new())
        .maxsize(1)
        .runtime(runtime)
        .build_lazy()
        .expect("a good pool");
    let held = time.block_on(pool.acquire()).expect("it connects");
    let mut patient = Probe::pending(pool.acquire().timeout(200 * MILLIS));
    // The time-out of this one is earlier, so the timer is set again, and strikes before that has returned.
    is_armed.store(true, Ordering::SeqCst);
    let mut hasty = Probe::pending(pool.acquire().timeout(100 * MILLIS));
    assert!(!is_armed.load(Ordering::SeqCst), "the timer was set");
    hasty.poll();
    assert!(matches!(hasty.take(), Err(Error::Timeout { .. })));
    time.advance_only(99 * MILLIS);
    assert!(!patient.wants_poll() || !patient.poll());
    time.advance_only(MILLIS);
    assert!(
        patient.wants_poll(),
        "HANG: nobody tells it that its time is over"
    );
    patient.poll();
    assert!(matches!(patient.take(), Err(Error::Timeout { .. })));
    drop(held);
}
