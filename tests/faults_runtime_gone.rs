//! Fault tests: a guard that comes back when the runtime of its pool is gone gives its place to somebody else.

use pool_core::{Pool, PooledConnection, TokioRuntime, Verdict};
use support::invariants::{acquire_now, closed_for_good};
use support::probe::Probe;
use support::{FakeControl, FakeGuard, FakeManager, FakePool, Gate, Stage, Step, Verb, hold};

/// How a guard comes back; what is kept of that, unpolled.
type Return = fn(FakeGuard) -> Option<Probe<'static, ()>>;

const DROPS: [Return; 3] = [
    |guard| {
        drop(guard);
        None
    },
    |guard| {
        PooledConnection::discard(guard);
        None
    },
    |guard| {
        drop(PooledConnection::detach(guard));
        None
    },
];

fn kept_release(guard: FakeGuard) -> Option<Probe<'static, ()>> {
    Some(Probe::polled(async {
        drop(PooledConnection::release(guard).await);
    }))
}

/// A pool of one place on a tokio runtime, and that runtime.
fn on_tokio() -> (FakePool, FakeControl, tokio::runtime::Runtime) {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("tokio starts");
    let manager = FakeManager::bounded(1);
    let control = manager.control();
    let runtime = TokioRuntime::new(tokio.handle().clone());
    let builder = Pool::builder(manager).runtime(runtime);
    let pool = builder.minsize(0).maxsize(1).build_lazy().unwrap();
    (pool, control, tokio)
}

/// Every way a connection can come back, with one acquire that waits and one that comes later; the stage drives
/// nothing of the pool.
fn gives_its_place_to_another(give_back: Return) {
    for verdict in [Verdict::Reuse, Verdict::Recycle, Verdict::Discard] {
        for step in [Verb::Recycle, Verb::Close] {
            println!("{verdict:?}, {step:?}");
            let stage = Stage::bare();
            let (pool, control, tokio) = on_tokio();
            let guard = acquire_now(&stage, &pool);
            let mut waiter = Probe::pending(pool.acquire());
            drop(tokio);
            let gate = Gate::new();
            control.next_verdict(verdict);
            control.next(step, Step::gate(&gate));
            let kept = give_back(guard);
            gate.open();
            assert!(
                waiter.poll_until_stalled(&stage),
                "HANG: the place does not come back; {}",
                pool.status()
            );
            drop(hold(waiter.take().unwrap()));
            drop(waiter);
            drop(hold(acquire_now(&stage, &pool)));
            drop(kept);
            closed_for_good(&stage, pool, &control);
        }
    }
}

#[test]
fn a_guard_that_is_dropped_when_the_runtime_is_gone_gives_its_place_to_another() {
    for give_back in DROPS {
        gives_its_place_to_another(give_back);
    }
}

#[test]
fn a_release_that_is_kept_when_the_runtime_is_gone_gives_its_place_to_another() {
    gives_its_place_to_another(kept_release);
}

#[test]
fn the_last_guard_of_a_closing_pool_whose_runtime_is_gone_ends_wait_closed() {
    for give_back in DROPS.into_iter().chain([kept_release as Return]) {
        let stage = Stage::bare();
        let (pool, control, tokio) = on_tokio();
        let guard = acquire_now(&stage, &pool);
        pool.close();
        let mut closed = Probe::pending(pool.wait_closed());
        drop(tokio);
        let gate = Gate::new();
        control.next(Verb::Close, Step::gate(&gate));
        let kept = give_back(guard);
        gate.open();
        assert!(
            closed.poll_until_stalled(&stage),
            "HANG: nobody closes the last connection; {}",
            pool.status()
        );
        drop((closed, kept));
        closed_for_good(&stage, pool, &control);
    }
}
