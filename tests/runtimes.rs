//! One body on five runtimes, executors that nobody drives, runtimes that are gone, and a runtime of one's own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures_lite::future::poll_once;
use pool_core::{
    AsyncStdRuntime, BoxFuture, Builder, Error, NoSpawner, Pool, PooledConnection, Runtime,
    SmolRuntime, ThreadTimer, TokioRuntime,
};
use support::invariants::counts_add_up;
use support::watchdog::MINUTE;
use support::{
    FakeControl, FakeManager, FakePool, Flavour, Gate, Probe, Stage, Step, Verb, hold,
    on_every_runtime, settle_until, within, yield_now,
};

#[path = "runtimes/choice.rs"]
mod choice;

const MS: Duration = Duration::from_millis(1);

fn fake(maxsize: usize) -> (Builder<FakeManager>, FakeControl) {
    let manager = FakeManager::bounded(maxsize);
    let control = manager.control();
    (Pool::builder(manager).maxsize(maxsize), control)
}

/// Everything that the seed's user does, and a little contention.
async fn one_body(builder: Builder<FakeManager>, control: FakeControl) {
    let pool = builder.minsize(2).build().await.unwrap();
    assert_eq!(pool.freesize(), 2);
    let mut conn = hold(pool.acquire().await.unwrap());
    conn.begin();
    drop(conn);
    settle_until(&pool, (2, 0), || (pool.size(), pool.status().held())).await;

    let users = (0..30).map(|_| async {
        let mut held = hold(pool.acquire().await.unwrap());
        held.scribble("mine");
        yield_now().await;
        counts_add_up(&pool);
    });
    futures::future::join_all(users).await;
    assert!(control.peak() <= 3);

    let mut conn = pool.acquire().await.unwrap();
    conn.begin();
    PooledConnection::release(conn).await.unwrap();
    let closed = control.closed();
    pool.clear().await;
    assert!(control.closed() > closed);
    pool.fill().await.unwrap();

    let guards = futures::future::join_all((0..3).map(|_| pool.acquire())).await;
    let waits = pool.acquire().timeout(MS).await;
    assert!(matches!(waits, Err(Error::Timeout { .. })));
    pool.close();
    let mut closed = std::pin::pin!(pool.wait_closed());
    assert!(poll_once(&mut closed).await.is_none());
    drop(guards);
    closed.await.unwrap();
    assert_eq!((pool.size(), control.live()), (0, 0));
}

#[test]
fn one_body_runs_on_every_runtime() {
    on_every_runtime(|_| {
        let (builder, control) = fake(3);
        one_body(builder, control)
    });
}

#[test]
fn one_body_runs_on_every_runtime_with_the_built_in_timer() {
    on_every_runtime(|_| {
        let (builder, control) = fake(3);
        one_body(builder.runtime(ThreadTimer::new()), control)
    });
}

#[test]
fn a_pool_of_one_runtime_is_used_from_another() {
    on_every_runtime(|flavour| async move {
        let tokio = Arc::new(tokio_threads());
        let handle = tokio.handle().clone();
        let runtimes: [Arc<dyn Runtime>; 4] = [
            Arc::new(TokioRuntime::new(handle)),
            Arc::new(SmolRuntime::new()),
            Arc::new(AsyncStdRuntime::new()),
            Arc::new(ThreadTimer::new()),
        ];
        for runtime in runtimes {
            let (builder, control) = fake(3);
            one_body(builder.runtime(runtime), control).await;
        }
        // A tokio runtime must not be dropped inside another one.
        thread::spawn(move || drop(tokio)).join().unwrap();
        println!("{flavour:?}");
    });
}

#[test]
fn several_pools_live_side_by_side() {
    on_every_runtime(|_| async {
        let bodies = (0..4).map(|_| {
            let (builder, control) = fake(3);
            one_body(builder, control)
        });
        futures::future::join_all(bodies).await;
    });
}

fn tokio_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

fn runtimes(tokio: &tokio::runtime::Runtime) -> [Arc<dyn Runtime>; 4] {
    [
        Arc::new(TokioRuntime::new(tokio.handle().clone())),
        Arc::new(SmolRuntime::new()),
        Arc::new(AsyncStdRuntime::new()),
        Arc::new(ThreadTimer::new()),
    ]
}

#[test]
fn deadlines_strike_on_every_adapter() {
    let tokio = tokio_threads();
    for runtime in runtimes(&tokio) {
        within(MINUTE, "deadlines", move || {
            block_on(async {
                let (builder, control) = fake(1);
                let pool = builder.runtime(runtime).build().await.unwrap();
                let conn = pool.acquire().await.unwrap();
                let start = Instant::now();
                let outcome = pool.acquire().timeout(20 * MS).await;
                assert!(matches!(outcome, Err(Error::Timeout { .. })));
                assert!(start.elapsed() >= 20 * MS, "too early");
                control.next(Verb::Recycle, Step::Pend);
                drop(conn);
            });
        });
    }
}

#[test]
fn steps_that_hang_are_cut_off_on_every_adapter() {
    let tokio = tokio_threads();
    for runtime in runtimes(&tokio) {
        within(MINUTE, "steps", move || {
            block_on(async {
                let (builder, control) = fake(1);
                let builder = builder.runtime(runtime).minsize(0).upkeep(false);
                let builder = builder.connect_timeout(5 * MS).recycle_timeout(5 * MS);
                let pool = builder.close_timeout(5 * MS).build().await.unwrap();
                control.next(Verb::Connect, Step::Pend);
                assert!(matches!(pool.acquire().await, Err(Error::Timeout { .. })));
                let conn = pool.acquire().await.unwrap();
                control.next(Verb::Recycle, Step::Pend);
                drop(conn);
                let conn = hold(pool.acquire().await.unwrap());
                assert_eq!(conn.id(), 2);
                control.always(Verb::Close, Step::Pend);
                drop(conn);
                pool.close();
                pool.wait_closed().await.unwrap();
                assert_eq!((pool.size(), control.live()), (0, 0));
            });
        });
    }
}

#[test]
fn a_tokio_pool_goes_on_when_its_runtime_is_gone() {
    for flavour in [Flavour::TokioThreads, Flavour::TokioCurrent] {
        within(MINUTE, "runtime gone", move || {
            let (builder, control) = fake(2);
            let builder = builder.connect_timeout(MINUTE).recycle_timeout(MINUTE);
            // The runtime ends when its future does; the pool that was built in it lives on.
            let pool: FakePool = flavour.run(async move { builder.build().await.unwrap() });
            block_on(async {
                for _ in 0..3 {
                    let one = hold(pool.acquire().await.unwrap());
                    let two = hold(pool.acquire().await.unwrap());
                    let late = pool.acquire().timeout(5 * MS).await;
                    assert!(matches!(late, Err(Error::Timeout { .. })));
                    drop((one, two));
                    counts_add_up(&pool);
                    assert_eq!(pool.size(), 2);
                }
                pool.clear().await;
                drop(hold(pool.acquire().await.unwrap()));
                pool.close();
                pool.wait_closed().await.unwrap();
            });
            assert_eq!((pool.size(), control.live()), (0, 0));
        });
    }
}

#[test]
fn a_waiter_outlives_the_runtime_of_its_pool() {
    within(MINUTE, "waiter", || {
        let tokio = tokio_threads();
        let (builder, control) = fake(1);
        let builder = builder.runtime(TokioRuntime::new(tokio.handle().clone()));
        let pool = builder.minsize(0).build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut waiter = Probe::pending(pool.acquire());
        let mut timed = Probe::pending(pool.acquire().timeout(20 * MS));
        drop(tokio);
        gate.open();
        let user = pool.clone();
        let served = thread::spawn(move || drop(hold(block_on(user.acquire()).unwrap())));
        // Polled as an executor would, until the connect and the deadline have been.
        while !(waiter.is_ready() && timed.is_ready()) {
            if waiter.wants_poll() && waiter.poll() {
                drop(hold(waiter.take().unwrap()));
                break;
            }
            if timed.wants_poll() && timed.poll() {
                break;
            }
            thread::yield_now();
        }
        drop((waiter, timed));
        served.join().unwrap();
        assert_eq!(pool.size(), 1);
    });
}

/// Executors that are there, but that nobody drives.
#[test]
fn executors_that_nobody_drives_lose_nothing() {
    within(MINUTE, "nobody drives", || {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let (builder, control) = fake(2);
        let builder = builder.runtime(TokioRuntime::new(tokio.handle().clone()));
        // Built under its runtime; from then on no task of it runs any more.
        let pool = tokio.block_on(builder.minsize(2).build()).unwrap();
        for _ in 0..50 {
            let one = hold(block_on(pool.acquire()).unwrap());
            let two = hold(block_on(pool.acquire()).unwrap());
            drop((one, two));
            assert_eq!(pool.size(), 2);
        }
        assert_eq!(control.made(), 2);
        block_on(async {
            let mut conn = pool.acquire().await.unwrap();
            conn.begin();
            PooledConnection::release(conn).await.unwrap();
            pool.close();
            pool.wait_closed().await.unwrap();
        });
        assert_eq!((pool.size(), control.live()), (0, 0));
    });
}

/// A runtime that is gone is no runtime: what comes back waits for the next acquire, and counts as free until then.
#[test]
fn what_comes_back_to_a_pool_whose_runtime_is_gone_counts_as_free() {
    let tokio = tokio_threads();
    let (builder, control) = fake(2);
    let builder = builder.runtime(TokioRuntime::new(tokio.handle().clone()));
    let pool = tokio.block_on(builder.minsize(2).build()).unwrap();
    let conn = tokio.block_on(pool.acquire()).unwrap();
    drop(tokio);
    drop(conn);
    let status = pool.status();
    assert_eq!(
        (status.size(), status.freesize(), status.used()),
        (2, 2, 0),
        "{status}"
    );
    assert_eq!(control.recycles(), 0);
}

/// A runtime of one's own: one thread that polls what it is given, and the built-in timer.
struct OwnThread {
    tasks: mpsc::Sender<BoxFuture<'static, ()>>,
    spawned: Arc<AtomicUsize>,
}

impl OwnThread {
    fn start() -> Self {
        let (tasks, inbox) = mpsc::channel::<BoxFuture<'static, ()>>();
        thread::spawn(move || {
            use futures::task::SpawnExt;
            let mut executor = futures::executor::LocalPool::new();
            let spawner = executor.spawner();
            loop {
                match inbox.recv_timeout(MS) {
                    Ok(task) => spawner.spawn(task).expect("the executor is there"),
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                }
                executor.run_until_stalled();
            }
        });
        Self {
            tasks,
            spawned: Arc::default(),
        }
    }
}

impl Runtime for OwnThread {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        self.spawned.fetch_add(1, Ordering::SeqCst);
        self.tasks.send(task).map_err(|_| NoSpawner)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        ThreadTimer::new().sleep_until(at)
    }
    fn now(&self) -> Instant {
        Instant::now()
    }
}
