//! Foreign code that calls the pool it serves: the manager's methods, wakers, upkeep beside a waiter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use pool_core::{CheckPolicy, PooledConnection};
use support::invariants::{acquire_now, all_is_well, counts_add_up};
use support::probe::poll_with;
use support::{FakePool, Gate, Probe, Stage, Step, Verb};

const SECOND: Duration = Duration::from_secs(1);

/// All idle ones expire while somebody waits and minsize is maxsize; neither upkeep nor the waiter gets stuck.
#[test]
fn upkeep_of_expired_connections_serves_a_waiter() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(2);
    let builder = builder.minsize(2).pool_recycle(SECOND);
    let pool = stage.run(builder.build()).unwrap();
    let gate = Gate::new();
    control.always(Verb::Close, Step::gate(&gate));
    stage.advance(5 * SECOND);
    let mut waiter = Probe::new(pool.acquire());
    waiter.poll_until_stalled(&stage);
    gate.open();
    stage.advance(5 * SECOND);
    assert!(waiter.poll_until_stalled(&stage), "HANG: {}", pool.status());
    drop(waiter.take().unwrap());
    drop(waiter);
    control.all_goes_well();
    all_is_well(&stage, pool, &control);
}

/// Manager code runs outside the lock, so it may ask its own pool.
#[test]
fn the_manager_may_call_its_own_pool_from_every_method() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        control.give_abort_handles();
        let pool = builder
            .check_policy(CheckPolicy::Always)
            .build_lazy()
            .unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let verbs = [
            Verb::Connect,
            Verb::Check,
            Verb::Recycle,
            Verb::Close,
            Verb::OnRelease,
            Verb::AbortHandle,
            Verb::Abort,
            Verb::Drop,
        ];
        for verb in verbs {
            println!("{verb:?}");
            let (own, calls) = (pool.clone(), calls.clone());
            // What the hook does calls the manager again, and so for ever: a few times are enough.
            let left = AtomicUsize::new(4);
            control.on_call(verb, move || {
                let more = |left: usize| left.checked_sub(1);
                if left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
                    .is_err()
                {
                    return;
                }
                counts_add_up(&own);
                let mut acquire = own.acquire();
                drop(poll_with(&mut acquire, Waker::noop()));
                drop(acquire);
                drop(own.try_acquire());
                calls.fetch_add(1, Ordering::SeqCst);
            });
            match verb {
                Verb::Close => PooledConnection::discard(acquire_now(stage, &pool)),
                _ => drop(acquire_now(stage, &pool)),
            }
            stage.settle();
            if verb != Verb::Abort {
                drop(acquire_now(stage, &pool));
                stage.settle();
                control.no_hook(verb);
            }
        }
        let conn = acquire_now(stage, &pool);
        pool.terminate();
        drop(conn);
        for verb in verbs {
            control.no_hook(verb);
        }
        stage.run(pool.wait_closed()).unwrap();
        assert!(calls.load(Ordering::SeqCst) > 0);
    });
}

/// Wakers fire outside the lock, so what they wake may ask the pool at once.
#[test]
fn a_waker_may_call_the_pool() {
    struct Asks(FakePool, AtomicUsize);
    impl Wake for Asks {
        fn wake(self: Arc<Self>) {
            counts_add_up(&self.0);
            drop(self.0.try_acquire());
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let asks = Arc::new(Asks(pool.clone(), AtomicUsize::new(0)));
        let waker = Waker::from(asks.clone());
        let mut waiter = pool.acquire();
        assert!(poll_with(&mut waiter, &waker).is_pending());
        drop(conn);
        stage.settle();
        assert!(asks.1.load(Ordering::SeqCst) > 0, "it was woken");
        drop(waiter);
        drop((asks, waker));
        all_is_well(stage, pool, &control);
    });
}
