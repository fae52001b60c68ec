//! Events come in the order of the changes, whatever happens between two locks.

use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use pool_core::{BoxFuture, CheckPolicy, Event, Pool, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeManager, Gate, Probe, Stage, Step, Told, Verb};

#[test]
fn a_terminate_after_the_check_of_a_try_acquire_finds_its_connection_in_use() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let seat: Arc<Mutex<Option<Pool<FakeManager>>>> = Arc::default();
    let own = Arc::clone(&seat);
    let builder = builder.check_policy(CheckPolicy::Always);
    let builder = builder.observer(move |event: &Event<'_>| {
        let pool = own.lock().unwrap().clone();
        if let (Event::Checked { .. }, Some(pool)) = (event, pool) {
            pool.terminate();
        }
    });
    let (builder, told) = Told::by(builder);
    control.always_verdict(Verdict::Reuse);
    let pool = builder.build_lazy().unwrap();
    drop(acquire_now(stage, &pool));
    *seat.lock().unwrap() = Some(pool.clone());
    told.take();
    let conn = pool.try_acquire().expect("its check has passed");
    assert!(pool.borrowed().is_empty(), "it was written off");
    let stats = pool.stats();
    assert_eq!((stats.acquires(), stats.closes()), (2, 1));
    let sentences = told.take();
    let begins = [
        "connection 1 passed its check",
        "connection 1 was acquired",
        "the pool was terminated while 1 connections were held",
        "the pool closes",
        "connection 1 was closed: the pool was terminated",
        "the pool is closed",
    ];
    assert_eq!(sentences.len(), begins.len(), "{sentences:#?}");
    for (sentence, begin) in sentences.iter().zip(begins) {
        assert!(sentence.starts_with(begin), "{sentences:#?}");
    }
    *seat.lock().unwrap() = None;
    drop(conn);
    drop(pool);
}

/// A future that its own waker polls.
struct PolledByWake(Mutex<Option<BoxFuture<'static, ()>>>);

impl PolledByWake {
    fn poll(self: &Arc<Self>, waker: &Waker) {
        let mut future = self.0.lock().unwrap();
        let polled = future.as_mut().expect("it is not over");
        if polled
            .as_mut()
            .poll(&mut Context::from_waker(waker))
            .is_ready()
        {
            *future = None;
        }
    }
}

impl Wake for PolledByWake {
    fn wake(self: Arc<Self>) {
        self.poll(Waker::noop());
    }
}

#[test]
fn a_waiter_that_is_dropped_is_told_before_what_its_successor_does() {
    let stage = &Stage::bare();
    let (builder, control) = stage.pool(1);
    let (builder, told) = Told::by(builder);
    let pool = builder.build_lazy().unwrap();
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let mut first = Probe::pending(pool.acquire());
    let (own, guards) = (pool.clone(), Arc::new(Mutex::new(Vec::new())));
    let served = Arc::clone(&guards);
    let second = Arc::new(PolledByWake(Mutex::new(Some(Box::pin(async move {
        let guard = own.acquire().await.expect("the pool is open");
        served.lock().unwrap().push(guard);
    })))));
    second.poll(&Waker::from(Arc::clone(&second)));
    told.take();
    gate.open();
    // The second one takes the connect over, is woken and goes on at once.
    first.cancel();
    let sentences = told.take();
    let begins = [
        "acquire 1 was dropped after 0ns",
        "connection 1 was opened",
        "connection 1 was acquired",
    ];
    assert_eq!(sentences.len(), begins.len(), "{sentences:#?}");
    for (sentence, begin) in sentences.iter().zip(begins) {
        assert!(sentence.starts_with(begin), "{sentences:#?}");
    }
    drop(first);
    let guards: Vec<PooledConnection<FakeManager>> = std::mem::take(&mut guards.lock().unwrap());
    drop((guards, second));
    all_is_well(stage, pool, &control);
}
