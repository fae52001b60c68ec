//! Drop outside a runtime, and runtimes that are gone: what broke in other pools.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use futures::executor::block_on;
use pool_core::{
    AsyncStdRuntime, Pool, PooledConnection, Runtime, SmolRuntime, ThreadTimer, TokioRuntime,
};
use support::invariants::{acquire_now, all_is_well};
use support::watchdog::MINUTE;
use support::{
    FakeControl, FakeGuard, FakeManager, FakePool, Flavour, Gate, Probe, Stage, Step, Verb, hold,
    within,
};

fn tokio_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

fn pool_on(runtime: impl Runtime) -> (FakePool, FakeControl, FakeGuard) {
    let manager = FakeManager::bounded(1);
    let control = manager.control();
    let builder = Pool::builder(manager).maxsize(1).runtime(runtime);
    let pool = block_on(builder.build()).unwrap();
    let guard = block_on(pool.acquire()).unwrap();
    (pool, control, guard)
}

/// The place is free, or claimable by the first acquire that needs it: no task has to have run before.
fn place_is_there(pool: &FakePool, control: &FakeControl) {
    let (pool, control) = (pool.clone(), control.clone());
    within(MINUTE, "the next acquire", move || {
        for _ in 0..3 {
            let held = hold(block_on(pool.acquire()).unwrap());
            assert_eq!((pool.size(), pool.status().held()), (1, 1));
            assert_eq!(held.query(), Ok(1));
            drop(held);
        }
        control.assert_no_violation();
        pool.close();
        block_on(pool.wait_closed()).unwrap();
        assert_eq!((pool.size(), control.live()), (0, 0));
    });
}

#[test]
fn a_guard_may_be_dropped_on_a_plain_thread() {
    let tokio = tokio_threads();
    let (pool, control, guard) = pool_on(TokioRuntime::new(tokio.handle().clone()));
    thread::spawn(move || drop(guard))
        .join()
        .expect("Drop does not panic");
    place_is_there(&pool, &control);
}

#[test]
fn a_guard_may_be_dropped_after_its_runtime() {
    let tokio = tokio_threads();
    let (pool, control, guard) = pool_on(TokioRuntime::new(tokio.handle().clone()));
    drop(tokio);
    drop(guard);
    place_is_there(&pool, &control);
}

/// The guard is inside a task that dies with the runtime.
#[test]
fn a_guard_may_die_in_a_task_of_a_runtime_that_is_dropped() {
    for background in [false, true] {
        let tokio = tokio_threads();
        let (pool, control, guard) = pool_on(TokioRuntime::new(tokio.handle().clone()));
        let (holds, held) = std::sync::mpsc::channel();
        tokio.spawn(async move {
            let _guard = guard;
            holds.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        held.recv().unwrap();
        if background {
            // The tasks are dropped some time later, on the workers.
            tokio.shutdown_background();
            while control.calls(Verb::OnRelease) == 0 {
                thread::yield_now();
            }
        } else {
            drop(tokio);
        }
        place_is_there(&pool, &control);
    }
}

#[test]
fn a_guard_may_be_dropped_by_the_destructor_of_a_thread_local() {
    thread_local! {
        static KEPT: RefCell<Option<FakeGuard>> = const { RefCell::new(None) };
    }
    let (pool, control, guard) = pool_on(ThreadTimer::new());
    thread::spawn(move || KEPT.with(|kept| *kept.borrow_mut() = Some(guard)))
        .join()
        .expect("Drop does not panic");
    place_is_there(&pool, &control);

    let tokio = tokio_threads();
    let (pool, control, guard) = pool_on(TokioRuntime::new(tokio.handle().clone()));
    thread::spawn(move || KEPT.with(|kept| *kept.borrow_mut() = Some(guard)))
        .join()
        .expect("Drop does not panic");
    drop(tokio);
    place_is_there(&pool, &control);
}

#[test]
fn a_guard_may_be_dropped_while_its_thread_unwinds() {
    let tokio = tokio_threads();
    let (pool, control, guard) = pool_on(TokioRuntime::new(tokio.handle().clone()));
    let id = PooledConnection::id(&guard);
    let panic = thread::spawn(move || {
        let _guard = guard;
        panic!("scripted: the user panics");
    })
    .join();
    assert!(panic.is_err());
    assert_eq!(
        control.calls(Verb::OnRelease),
        0,
        "nobody asks about a connection like that"
    );
    let next = block_on(pool.acquire()).unwrap();
    assert_ne!(
        PooledConnection::id(&next),
        id,
        "it is not handed out again"
    );
    drop(next);
    place_is_there(&pool, &control);
}

/// A pool that lives on one runtime, and a guard that is dropped on another.
#[test]
fn a_guard_may_be_dropped_on_any_executor() {
    for flavour in Flavour::ALL {
        let tokio = tokio_threads();
        let pools = [
            pool_on(TokioRuntime::new(tokio.handle().clone())),
            pool_on(SmolRuntime::new()),
            pool_on(AsyncStdRuntime::new()),
            pool_on(ThreadTimer::new()),
        ];
        for (pool, control, guard) in pools {
            within(MINUTE, "the drop", move || {
                flavour.run(async move { drop(guard) })
            });
            place_is_there(&pool, &control);
        }
    }
}

/// The same for the pool itself; guards and waiters are left behind.
#[test]
fn a_pool_may_be_dropped_anywhere() {
    let tokio = tokio_threads();
    let (pool, control, guard) = pool_on(TokioRuntime::new(tokio.handle().clone()));
    thread::spawn(move || drop(pool))
        .join()
        .expect("Drop does not panic");
    drop(tokio);
    drop(guard);
    assert_eq!(control.live(), 0);
    assert!(!control.manager_is_alive());
}

/// a recycle that was never begun belongs to the ledger, not to a task that nobody runs.
#[test]
fn an_executor_that_nobody_drives_loses_nothing() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(2);
    let pool = stage.run(builder.minsize(2).build()).unwrap();
    for round in 0..20 {
        let mut guards = [(); 2].map(|()| {
            // Not a single task of the pool's runs from here on.
            within_one_poll(&pool, round)
        });
        guards[0].scribble("mine");
        drop(guards);
        let status = pool.status();
        assert_eq!(
            (status.held(), status.size()),
            (0, 2),
            "round {round}; {status}"
        );
    }
    assert_eq!(control.made(), 2);
}

fn within_one_poll(pool: &FakePool, round: usize) -> support::Held {
    match support::poll_once(&mut pool.acquire()) {
        std::task::Poll::Ready(guard) => hold(guard.unwrap()),
        std::task::Poll::Pending => panic!("HANG in round {round}: {}", pool.status()),
    }
}

/// A runtime that is shut down drops the pool's tasks in the middle of their work. No place is lost, and
/// the waiter gets a connection.
#[test]
fn tasks_that_are_dropped_in_the_middle_of_their_work_lose_no_place() {
    for waits_already in [false, true] {
        for verb in [Verb::Connect, Verb::Recycle, Verb::Close] {
            println!("{verb:?}, waits already: {waits_already}");
            let stage = Stage::spawning();
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let guard = (verb != Verb::Connect).then(|| acquire_now(&stage, &pool));
            let gate = Gate::new();
            control.next(verb, Step::gate(&gate));
            match guard {
                Some(guard) if verb == Verb::Close => PooledConnection::discard(guard),
                Some(guard) => drop(guard),
                None => {
                    let mut leaves = Probe::pending(pool.acquire());
                    assert!(!leaves.poll_until_stalled(&stage));
                }
            }
            stage.settle();
            let mut waiter = Probe::new(pool.acquire());
            if waits_already {
                assert!(!waiter.poll_until_stalled(&stage), "{verb:?} is under way");
            }
            stage.clock().shut_down();
            gate.open();
            assert!(waiter.poll_until_stalled(&stage), "HANG: {}", pool.status());
            drop(hold(waiter.take().unwrap()));
            drop(waiter);
            all_is_well(&stage, pool, &control);
        }
    }
}

/// Dropping a guard whose connection panics in its own drop does not panic.
#[test]
fn a_connection_whose_drop_panics_does_not_make_the_guard_panic() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        for _ in 0..3 {
            let mut guard = acquire_now(stage, &pool);
            control.next(Verb::Drop, Step::Panic);
            guard.close();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                drop(guard);
                stage.settle();
            }));
            assert!(outcome.is_ok(), "a panic escaped from Drop");
            assert_eq!((pool.size(), control.live()), (0, 0));
        }
    });
}
