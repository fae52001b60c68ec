//! What an acquire and a release do not do where nothing asks for it: read a clock, set a timer, spawn, allocate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_lite::future::{block_on, poll_once};
use pool_core::{BoxFuture, CheckPolicy, NoSpawner, Pool, Runtime, ThreadTimer, VirtualRuntime};
use support::Clean;

/// How often each of a runtime's methods was called.
#[derive(Default)]
struct Calls {
    spawn: AtomicUsize,
    sleep: AtomicUsize,
    now: AtomicUsize,
}

impl Calls {
    fn all(&self) -> [usize; 3] {
        [&self.spawn, &self.sleep, &self.now].map(|count| count.load(Ordering::SeqCst))
    }
}

struct Counting {
    runtime: VirtualRuntime,
    calls: Arc<Calls>,
}

impl Runtime for Counting {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        self.calls.spawn.fetch_add(1, Ordering::SeqCst);
        self.runtime.spawn(task)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        self.calls.sleep.fetch_add(1, Ordering::SeqCst);
        self.runtime.sleep_until(at)
    }
    fn now(&self) -> Instant {
        self.calls.now.fetch_add(1, Ordering::SeqCst);
        self.runtime.now()
    }
}

fn cycle(pool: &Pool<Clean>) {
    drop(block_on(pool.acquire()).expect("one is idle"));
}

/// One holds, one waits, the holder lets go, the waiter has it.
fn wait(pool: &Pool<Clean>) {
    block_on(async {
        let held = pool.acquire().await.expect("one is idle");
        let mut waiter = pool.acquire();
        assert!(poll_once(&mut waiter).await.is_none());
        drop(held);
        drop(waiter.await.expect("it was handed over"));
    });
}

#[test]
fn the_fast_case_reads_no_clock_sets_no_timer_and_spawns_nothing() {
    let calls = Arc::new(Calls::default());
    let pool = Pool::builder(Clean)
        .maxsize(1)
        .acquire_timeout(Duration::from_secs(30))
        .check_timeout(Duration::from_secs(5))
        .check_policy(CheckPolicy::Never)
        .runtime(Counting {
            runtime: VirtualRuntime::new(),
            calls: Arc::clone(&calls),
        })
        .build_lazy()
        .expect("the settings are good");
    cycle(&pool);
    let before = calls.all();
    for _ in 0..1000 {
        cycle(&pool);
    }
    assert_eq!(calls.all(), before, "calls of [spawn, sleep, now]");
    // A wait with a time-out does read the clock; so the counting counts.
    wait(&pool);
    assert!(calls.all() > before);
}

#[test]
fn where_a_setting_asks_for_the_idle_time_a_clock_that_a_test_can_stop_is_read() {
    let calls = Arc::new(Calls::default());
    let pool = Pool::builder(Clean)
        .maxsize(1)
        .check_policy(CheckPolicy::IdleFor(Duration::from_secs(1)))
        .runtime(Counting {
            runtime: VirtualRuntime::new(),
            calls: Arc::clone(&calls),
        })
        .build_lazy()
        .expect("the settings are good");
    cycle(&pool);
    let [_, _, before] = calls.all();
    cycle(&pool);
    let [_, _, after] = calls.all();
    assert_eq!(after - before, 2, "once out, once back");
}

#[test]
fn neither_the_fast_case_nor_a_warm_wait_allocates() {
    // Without the idle clock, whose tick can fall into the middle of the count.
    let pool = Pool::builder(Clean)
        .maxsize(1)
        .acquire_timeout(Duration::from_secs(30))
        .check_policy(CheckPolicy::Never)
        .runtime(ThreadTimer::new())
        .build_lazy()
        .expect("the settings are good");
    wait(&pool);
    let cycles = allocation_counter::measure(|| (0..1000).for_each(|_| cycle(&pool)));
    assert_eq!(cycles.count_total, 0);
    let waits = allocation_counter::measure(|| (0..1000).for_each(|_| wait(&pool)));
    assert_eq!(waits.count_total, 0);
}
