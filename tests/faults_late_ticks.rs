//! Fault tests: a tick of the idle clock that comes late still tells that a connection was idle for too long.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use pool_core::{
    BoxFuture, Builder, CheckPolicy, Manager, Pool, Runtime, ThreadTimer, TokioRuntime, Verdict,
};
use support::watchdog::{MINUTE, Watchdog};
use support::{FakeControl, FakeGuard, FakeManager, FakePool};

/// The shortest idle time that a setting names here.
const IDLE: Duration = Duration::from_millis(50);

/// Holds up the thread that calls it until the test lets it go.
struct Blocks {
    reached: SyncSender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Wake for Blocks {
    fn wake(self: Arc<Self>) {
        // Either end is gone only when the test has ended.
        let _ = self.reached.send(());
        let _ = self.go_on.lock().map(|go_on| go_on.recv());
    }
}

/// The built-in timer's thread, held up inside a waker until this is dropped.
///
/// A process that is stopped for a while looks the same to the pool: time passes and no tick comes.
struct NoTicks {
    go_on: SyncSender<()>,
    _sleep: BoxFuture<'static, ()>,
    _alone: MutexGuard<'static, ()>,
    _watchdog: Watchdog,
}

impl NoTicks {
    fn begin() -> Self {
        // The thread is one for the whole process, so these tests run one at a time.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let watchdog = Watchdog::new(MINUTE);
        let timer = ThreadTimer::new();
        loop {
            let (reached, is_reached) = mpsc::sync_channel(1);
            let (go_on, told) = mpsc::sync_channel(1);
            let waker = Waker::from(Arc::new(Blocks {
                reached,
                go_on: Mutex::new(told),
            }));
            let mut sleep = timer.sleep_until(timer.now() + Duration::from_millis(5));
            // Where this thread was put to sleep meanwhile, the time is over before the timer knows of it.
            if sleep
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
            {
                is_reached.recv().expect("the timer calls the waker");
                return Self {
                    go_on,
                    _sleep: sleep,
                    _alone: alone,
                    _watchdog: watchdog,
                };
            }
        }
    }
}

impl NoTicks {
    /// Lets the thread go on, and returns when the tick that was due has come.
    fn end(self) {
        drop(self.go_on);
        let timer = ThreadTimer::new();
        // The thread serves its sleepers in the order of their instants, and the tick's is earlier than this one.
        block_on(timer.sleep_until(timer.now() + Duration::from_millis(1)));
    }
}

/// Lets real time pass until the connection that came back at `since` has been idle for too long.
fn pass_the_idle_time(since: Instant) {
    while since.elapsed() < IDLE {
        thread::yield_now();
    }
}

/// How a connection is taken from a pool in which one is idle.
type Take = (&'static str, fn(&FakePool) -> FakeGuard);

const TAKES: [Take; 2] = [
    ("acquire", |pool| block_on(pool.acquire()).unwrap()),
    ("try_acquire", |pool| {
        pool.try_acquire()
            .expect("one is idle, and its check ends at once")
    }),
];

fn tokio_of_nobody() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("tokio starts")
}

/// Runs a body on each runtime that tells the real time, with each way to take a connection.
fn each_way(body: impl Fn(Builder<FakeManager>, &FakeControl, fn(&FakePool) -> FakeGuard)) {
    let tokio = tokio_of_nobody();
    let runtimes: [(&str, Arc<dyn Runtime>); 2] = [
        ("the built-in timer", Arc::new(ThreadTimer::new())),
        ("tokio", Arc::new(TokioRuntime::new(tokio.handle().clone()))),
    ];
    for (runtime_name, runtime) in runtimes {
        for (name, take) in TAKES {
            println!("{name} on {runtime_name}");
            let manager = FakeManager::bounded(1);
            let control = manager.control();
            control.always_verdict(Verdict::Reuse);
            let builder = Pool::builder(manager).runtime(Arc::clone(&runtime));
            body(builder.minsize(0).maxsize(1).upkeep(false), &control, take);
            control.assert_no_violation();
        }
    }
}

/// Takes the connection and gives it back a few times, so that its last return is one of many; says when that was.
fn use_it<M: Manager>(pool: &Pool<M>) -> Instant {
    for _ in 0..3 {
        drop(block_on(pool.acquire()).unwrap_or_else(|_| panic!("it can be had")));
    }
    Instant::now()
}

#[test]
fn a_connection_that_was_idle_for_too_long_is_checked_when_the_tick_comes_late() {
    each_way(|builder, control, take| {
        let builder = builder.check_policy(CheckPolicy::IdleFor(IDLE));
        let pool = builder.build_lazy().unwrap();
        let no_ticks = NoTicks::begin();
        let returned = use_it(&pool);
        let before = control.checks();
        pass_the_idle_time(returned);
        no_ticks.end();
        drop(take(&pool));
        assert_eq!(control.checks(), before + 1, "it goes out unchecked");
    });
}

#[test]
fn a_connection_that_was_idle_for_too_long_is_replaced_when_the_tick_comes_late() {
    each_way(|builder, control, _| {
        let builder = builder.check_policy(CheckPolicy::Never);
        let pool = builder.pool_recycle(IDLE).build_lazy().unwrap();
        let no_ticks = NoTicks::begin();
        let returned = use_it(&pool);
        let before = control.made();
        pass_the_idle_time(returned);
        no_ticks.end();
        drop(block_on(pool.acquire()).unwrap());
        assert_eq!(control.made(), before + 1, "the expired one goes out");
    });
}

#[test]
fn a_connection_with_an_idle_limit_of_its_own_is_replaced_when_the_tick_comes_late() {
    /// Its connections may be idle for so long.
    struct Limited;

    impl Manager for Limited {
        type Connection = ();
        type Error = std::convert::Infallible;

        async fn connect(&self) -> Result<(), Self::Error> {
            Ok(())
        }
        async fn check(&self, (): &mut ()) -> Result<(), Self::Error> {
            Ok(())
        }
        async fn recycle(&self, (): &mut ()) -> Result<(), Self::Error> {
            Ok(())
        }
        fn on_release(&self, (): &mut ()) -> Verdict {
            Verdict::Reuse
        }
        fn idle_limit(&self, (): &()) -> Option<Duration> {
            Some(IDLE)
        }
    }

    let builder = Pool::builder(Limited).runtime(ThreadTimer::new());
    let builder = builder.check_policy(CheckPolicy::IdleFor(100 * IDLE));
    let pool = builder.minsize(0).maxsize(1).build_lazy().unwrap();
    let no_ticks = NoTicks::begin();
    let returned = use_it(&pool);
    let last = block_on(pool.acquire()).unwrap();
    let old = pool_core::PooledConnection::id(&last);
    drop(last);
    pass_the_idle_time(returned.max(Instant::now()));
    no_ticks.end();
    let next = block_on(pool.acquire()).unwrap();
    assert_ne!(
        pool_core::PooledConnection::id(&next),
        old,
        "the expired one goes out"
    );
}
