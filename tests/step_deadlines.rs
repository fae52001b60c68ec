//! The deadlines of steps on real clocks, where the pool's one timer keeps them.
//!
//! Nothing here says how long anything takes: a deadline that does not strike hangs, and the watchdog ends the test.

use std::time::Duration;

use futures_lite::future::poll_once;
use pool_core::{Builder, Error, Phase, Pool, PooledConnection, ThreadTimer, Verdict};
use support::{
    FakeControl, FakeError, FakeManager, Flavour, Gate, Step, Verb, hold, on_every_runtime,
    settle_until, yield_now,
};

/// What does not hang is done in its first poll, before its time begins.
const SOON: Duration = Duration::from_millis(50);
const FAR: Duration = Duration::from_secs(3600);

/// Two builders: one with the runtime that is there, and one whose pool can spawn nothing.
fn fakes(maxsize: usize) -> [(Builder<FakeManager>, FakeControl); 2] {
    [false, true].map(|is_alone| {
        let manager = FakeManager::bounded(maxsize);
        let control = manager.control();
        let builder = Pool::builder(manager).maxsize(maxsize).minsize(0);
        let builder = match is_alone {
            true => builder.runtime(ThreadTimer::new()),
            false => builder,
        };
        (builder, control)
    })
}

#[track_caller]
fn phase<T: std::fmt::Debug>(result: Result<T, Error<FakeError>>) -> Phase {
    match result {
        Err(Error::Timeout { phase, .. }) => phase,
        other => panic!("it must be a time-out: {other:?}"),
    }
}

#[test]
fn a_recycle_that_hangs_ends_for_the_waiter_that_drives_it() {
    on_every_runtime(|_| async {
        for (builder, control) in fakes(1) {
            let pool = builder.recycle_timeout(SOON).build_lazy().unwrap();
            let held = pool.acquire().await.unwrap();
            control.next(Verb::Recycle, Step::Pend);
            let waiters = futures::future::join(pool.acquire(), async { drop(held) });
            let (next, ()) = waiters.await;
            assert_eq!(hold(next.unwrap()).id(), 2);
        }
    });
}

#[test]
fn a_recycle_that_hangs_ends_where_nobody_waits() {
    on_every_runtime(|_| async {
        let [(builder, control), _] = fakes(1);
        let pool = builder.recycle_timeout(SOON).build_lazy().unwrap();
        control.next(Verb::Recycle, Step::Pend);
        drop(pool.acquire().await.unwrap());
        if pool.status().recycling() == 1 {
            // A background task drives it.
            settle_until(&pool, 0, || pool.size()).await;
        }
        // Where nothing can be spawned, the next acquire does.
        let next = pool.acquire().await.unwrap();
        assert_eq!(hold(next).id(), 2);
    });
}

#[test]
fn a_step_that_hangs_ends_for_the_verb_that_has_started_it() {
    on_every_runtime(|_| async {
        for (builder, control) in fakes(2) {
            let builder = builder.recycle_timeout(SOON).check_timeout(SOON);
            let builder = builder.connect_timeout(SOON).close_timeout(SOON);
            let pool = builder.build_lazy().unwrap();

            control.next(Verb::Connect, Step::Pend);
            assert_eq!(phase(pool.acquire().await), Phase::Connect);

            let held = pool.acquire().await.unwrap();
            control.next(Verb::Recycle, Step::Pend);
            let released = PooledConnection::release(held).await;
            assert_eq!(phase(released), Phase::Recycle);

            control.next(Verb::Check, Step::Pend);
            assert_eq!(phase(pool.ping().await), Phase::Check);

            let held = pool.acquire().await.unwrap();
            control.next_verdict(Verdict::Discard);
            control.next(Verb::Close, Step::Pend);
            let released = PooledConnection::release(held).await;
            assert!(matches!(released, Err(Error::Discarded)), "{released:?}");

            let held = pool.acquire().await.unwrap();
            PooledConnection::release(held).await.unwrap();
            control.next(Verb::Close, Step::Pend);
            pool.clear().await;

            let held = pool.acquire().await.unwrap();
            pool.close();
            control.next(Verb::Close, Step::Pend);
            drop(held);
            pool.wait_closed().await.unwrap();
            assert_eq!((pool.size(), control.live()), (0, 0));
        }
    });
}

#[test]
fn the_deadline_of_a_later_step_may_be_the_earlier_one() {
    on_every_runtime(|_| async {
        for (builder, control) in fakes(2) {
            let pool = builder.recycle_timeout(FAR).build_lazy().unwrap();
            let (one, other) = futures::future::join(pool.acquire(), pool.acquire()).await;
            let (one, other) = (one.unwrap(), other.unwrap());
            control.next(Verb::Recycle, Step::Pend);
            let mut far = Box::pin(PooledConnection::release(one));
            assert!(poll_once(&mut far).await.is_none());

            pool.reconfigure(|knobs| knobs.recycle_timeout(SOON))
                .unwrap();
            control.next(Verb::Recycle, Step::Pend);
            let released = PooledConnection::release(other).await;
            assert_eq!(phase(released), Phase::Recycle);
            assert!(poll_once(&mut far).await.is_none(), "it keeps its own");
            pool.terminate();
            assert!(matches!(far.await, Err(Error::Closed)));
        }
    });
}

#[test]
fn a_step_that_ends_in_time_leaves_the_next_one_its_own_deadline() {
    on_every_runtime(|_| async {
        for (builder, control) in fakes(1) {
            let pool = builder.recycle_timeout(SOON).build_lazy().unwrap();
            // The timer is set for the first of them, and strikes in vain.
            for _ in 0..3 {
                let held = pool.acquire().await.unwrap();
                let gate = Gate::new();
                control.next(Verb::Recycle, Step::gate(&gate));
                let mut release = Box::pin(PooledConnection::release(held));
                assert!(poll_once(&mut release).await.is_none());
                gate.open();
                // On a busy machine its time may be over before.
                let _ = release.await;
            }
            let held = pool.acquire().await.unwrap();
            control.next(Verb::Recycle, Step::Pend);
            assert_eq!(phase(PooledConnection::release(held).await), Phase::Recycle);
        }
    });
}

/// Waits until the manager has no connection left. The pool is gone, so nobody else can be asked.
async fn until_all_are_gone(control: &FakeControl) {
    while control.live() > 0 {
        std::thread::yield_now();
        yield_now().await;
    }
}

#[test]
fn steps_that_hang_end_after_the_last_handle_of_the_pool_is_gone() {
    on_every_runtime(|flavour| async move {
        // Elsewhere the pool has no tasks of its own, and leaves nothing under way.
        if !matches!(flavour, Flavour::TokioThreads | Flavour::TokioCurrent) {
            return;
        }
        let [(builder, control), _] = fakes(2);
        let builder = builder.recycle_timeout(SOON).close_timeout(SOON);
        let pool = builder.acquire_timeout(FAR).build_lazy().unwrap();
        let (one, other) = futures::future::join(pool.acquire(), pool.acquire()).await;
        let (one, other) = (one.unwrap(), other.unwrap());
        // The timer is set for it.
        let mut waits = Box::pin(pool.acquire());
        assert!(poll_once(&mut waits).await.is_none());
        drop(waits);
        control.next(Verb::Recycle, Step::Pend);
        drop(one);
        settle_until(&pool, 1, || control.calls(Verb::Recycle)).await;
        drop(pool);
        control.next(Verb::Close, Step::Pend);
        drop(other);
        until_all_are_gone(&control).await;
    });
}
