//! Lost wake-ups, hangs and dead-locks: what broke in other pools.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use pool_core::{CheckPolicy, Error, Pool, Runtime, ThreadTimer, Verdict};
use support::invariants::{acquire_now, all_is_well, counts_true, full_capacity};
use support::watchdog::MINUTE;
use support::{FakeManager, Probe, Stage, Step, Verb, hold, within, yield_now};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

#[path = "scenarios_wakeups/callbacks.rs"]
mod callbacks;

/// A connection comes back in the very middle of an acquire, between its look for an idle one and its wait.
#[test]
fn a_release_in_the_middle_of_an_acquire_is_not_lost() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let returned = Mutex::new(Some(acquire_now(stage, &pool)));
        control.next(Verb::Connect, Step::Pend);
        control.on_call(Verb::Connect, move || {
            drop(returned.lock().unwrap().take());
        });
        let mut acquire = Probe::new(pool.acquire());
        assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
        let conn = hold(acquire.take().unwrap());
        assert_eq!((conn.id(), control.connects()), (1, 2));
        drop(conn);
    });
}

/// Two threads, one connection, nobody else: no later traffic hides a wake-up that was lost.
#[test]
fn acquire_and_release_on_two_threads_never_miss_each_other() {
    within(2 * MINUTE, "two threads", || {
        let pool = Pool::builder(FakeManager::bounded(1))
            .maxsize(1)
            .runtime(ThreadTimer::new())
            .build_lazy()
            .unwrap();
        let threads = [(); 2].map(|()| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                for _ in 0..2_000 {
                    drop(hold(block_on(pool.acquire()).unwrap()));
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!((pool.size(), pool.freesize()), (1, 1));
    });
}

/// The waiter gets a connection, whatever happens to the returned one.
#[test]
fn a_waiter_is_served_whatever_becomes_of_the_returned_connection() {
    type Fate = (&'static str, Option<(Verb, Step)>, Option<Verdict>);
    let fates: [Fate; 9] = [
        ("kept", None, None),
        ("not recycled", None, Some(Verdict::Reuse)),
        ("refused", None, Some(Verdict::Discard)),
        ("the recycle fails", Some((Verb::Recycle, Step::Err)), None),
        (
            "the recycle panics",
            Some((Verb::Recycle, Step::Panic)),
            None,
        ),
        (
            "the recycle panics at the call",
            Some((Verb::Recycle, Step::PanicInCall)),
            None,
        ),
        (
            "on_release panics",
            Some((Verb::OnRelease, Step::Panic)),
            None,
        ),
        (
            "the close panics",
            Some((Verb::Close, Step::Panic)),
            Some(Verdict::Discard),
        ),
        (
            "its drop panics",
            Some((Verb::Drop, Step::Panic)),
            Some(Verdict::Discard),
        ),
    ];
    for (fate, step, verdict) in fates {
        Stage::each(|stage| {
            println!("{fate}");
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            let mut waiter = Probe::pending(pool.acquire());
            if let Some((verb, step)) = step.clone() {
                control.next(verb, step);
            }
            if let Some(verdict) = verdict {
                control.next_verdict(verdict);
            }
            drop(conn);
            assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
            let conn = hold(waiter.take().unwrap());
            let kept = step.is_none() && verdict != Some(Verdict::Discard);
            assert_eq!(conn.id(), if kept { 1 } else { 2 });
            assert_eq!(control.live(), 1);
            drop(conn);
            drop(waiter);
            all_is_well(stage, pool, &control);
        });
    }
}

/// The connection expires while it is in use; the waiter gets another one.
#[test]
fn a_waiter_is_served_when_the_returned_connection_was_held_beyond_pool_recycle() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.pool_recycle(SECOND).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut waiter = Probe::pending(pool.acquire());
        stage.advance(2 * SECOND);
        drop(conn);
        assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(waiter.take().unwrap()));
        drop(waiter);
        all_is_well(stage, pool, &control);
    });
}

/// All idle ones are broken and the database is away for a second; afterwards everybody is served.
#[test]
fn an_outage_ends_for_everybody_when_the_database_is_back() {
    const MAXSIZE: usize = 4;
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(MAXSIZE);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        full_capacity(stage, &pool, &control);
        control.break_all();
        control.always(Verb::Connect, Step::Err);
        let served = Arc::new(AtomicUsize::new(0));
        let failed = Arc::new(AtomicUsize::new(0));
        for _ in 0..5 * MAXSIZE {
            let (pool, served, failed) = (pool.clone(), served.clone(), failed.clone());
            let clock = stage.clock().clone();
            stage.spawn(async move {
                loop {
                    match pool.acquire().await {
                        Ok(guard) => {
                            drop(hold(guard));
                            served.fetch_add(1, Ordering::SeqCst);
                            return;
                        }
                        Err(Error::Connect(_)) => {
                            failed.fetch_add(1, Ordering::SeqCst);
                            clock.sleep_until(clock.now() + 10 * MS).await;
                        }
                        Err(error) => panic!("nothing else can fail: {error:?}"),
                    }
                }
            });
        }
        stage.advance(SECOND);
        assert_eq!(served.load(Ordering::SeqCst), 0);
        assert!(
            failed.load(Ordering::SeqCst) >= 5 * MAXSIZE,
            "HANG: {}",
            pool.status()
        );
        control.all_goes_well();
        stage.advance(SECOND);
        assert_eq!(
            served.load(Ordering::SeqCst),
            5 * MAXSIZE,
            "HANG: {}",
            pool.status()
        );
        all_is_well(stage, pool, &control);
    });
}

/// Every connection comes back broken; ten acquires at maxsize five are all served.
#[test]
fn ten_acquires_are_served_though_every_connection_comes_back_broken() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let pool = builder.build_lazy().unwrap();
        let mut users: Vec<Probe<'_, ()>> = (0..10)
            .map(|_| {
                let pool = &pool;
                Probe::new(async move {
                    let mut held = hold(pool.acquire().await.unwrap());
                    yield_now().await;
                    held.close();
                })
            })
            .collect();
        assert!(stage.drive(&mut users), "HANG: {}", pool.status());
        drop(users);
        assert_eq!(control.made(), 10);
        all_is_well(stage, pool, &control);
    });
}

/// All connections die while they are out; the size is right afterwards, and the next acquire is served.
#[test]
fn connections_that_die_at_the_limit_do_not_stay_counted() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let guards = [(); 3].map(|()| acquire_now(stage, &pool));
        control.break_all();
        drop(guards);
        stage.settle();
        assert_eq!((pool.size(), control.live()), (0, 0));
        drop(hold(acquire_now(stage, &pool)));
        assert_eq!(pool.size(), 1);
        all_is_well(stage, pool, &control);
    });
}

/// Event-listener loses a notification that races the first listener, before 5.3.1.
#[test]
fn event_listener_is_new_enough() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = fs::read_to_string(lock).expect("the workspace has a lock file");
    let mut versions = Vec::new();
    for package in lock.split("[[package]]") {
        if package.contains("name = \"event-listener\"\n") {
            let version = package
                .split("version = \"")
                .nth(1)
                .expect("it has a version");
            let version = version.split('"').next().expect("it ends");
            let numbers: Vec<u32> = version.split('.').map(|n| n.parse().unwrap()).collect();
            versions.push(numbers);
        }
    }
    assert!(
        versions
            .iter()
            .any(|version| version.as_slice() >= [5, 3, 1].as_slice()),
        "{versions:?}"
    );
}

/// The first wait_closed races the close that ends it.
#[test]
fn the_first_wait_closed_never_misses_the_end() {
    within(2 * MINUTE, "first listener", || {
        for _ in 0..500 {
            let pool = Pool::builder(FakeManager::bounded(1))
                .runtime(ThreadTimer::new())
                .maxsize(1)
                .build_lazy()
                .unwrap();
            let guard = block_on(pool.acquire()).unwrap();
            pool.close();
            let releases = std::thread::spawn(move || drop(guard));
            block_on(pool.wait_closed()).unwrap();
            releases.join().unwrap();
        }
    });
}

/// Two releases before the first woken waiter runs wake two waiters.
#[test]
fn two_releases_in_a_row_wake_two_waiters() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let guards = [(); 2].map(|()| acquire_now(stage, &pool));
        let mut waiters = [(); 2].map(|()| Probe::pending(pool.acquire()));
        drop(guards);
        stage.settle();
        assert!(waiters.iter().all(Probe::is_woken));
        assert!(stage.drive(&mut waiters), "HANG: {}", pool.status());
        drop(
            waiters
                .each_mut()
                .map(|waiter| hold(waiter.take().unwrap())),
        );
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

/// A recycle that fails is not tried again on the same connection.
#[test]
fn a_connection_that_cannot_be_cleaned_is_tried_once() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        control.next_times(Verb::Recycle, 3, Step::Err);
        for round in 1..=3 {
            drop(hold(acquire_now(stage, &pool)));
            stage.settle();
            assert!(control.recycles() <= round);
        }
        drop(hold(acquire_now(stage, &pool)));
        assert_eq!(control.made(), 4);
        all_is_well(stage, pool, &control);
    });
}

/// Many tasks on threads that get and drop, at maxsize 1 and 10.
#[test]
fn many_tasks_on_threads_get_and_drop_without_a_hang() {
    for maxsize in [1, 10] {
        within(2 * MINUTE, "get and drop", move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_time()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let manager = FakeManager::bounded(maxsize);
                let control = manager.control();
                let pool = Pool::builder(manager)
                    .maxsize(maxsize)
                    .build()
                    .await
                    .unwrap();
                let tasks: Vec<_> = (0..20)
                    .map(|_| {
                        let pool = pool.clone();
                        tokio::spawn(async move {
                            for _ in 0..500 {
                                drop(hold(pool.acquire().await.unwrap()));
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
                pool.close();
                pool.wait_closed().await.unwrap();
                assert_eq!(control.live(), 0);
            });
        });
    }
}

/// A wake-up that arrives while nobody waits is not needed later; counts tell the truth all along.
#[test]
fn a_connection_that_came_back_unasked_is_found_by_the_next() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        for _ in 0..5 {
            let conn = acquire_now(stage, &pool);
            let mut waiter = Probe::pending(pool.acquire());
            waiter.cancel();
            drop(waiter);
            drop(conn);
            stage.settle();
            counts_true(&pool, &control, 0);
        }
        assert_eq!(control.made(), 1);
        all_is_well(stage, pool, &control);
    });
}
