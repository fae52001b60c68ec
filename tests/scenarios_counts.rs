//! Size accounting that drifts, and more connections than maxsize: what broke in other pools.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use pool_core::{CheckPolicy, Pool, PooledConnection, ThreadTimer, Verdict};
use support::invariants::{
    acquire_now, all_is_well, at_rest, counts_add_up, counts_true, full_capacity,
};
use support::watchdog::MINUTE;
use support::{
    FakeControl, FakeGuard, FakeManager, FakePool, Gate, Probe, Stage, Step, Verb, hold, within,
    yield_now,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

/// A reader on another thread never sees counts that wrap, do not add up or exceed maxsize.
#[test]
fn counts_read_in_the_middle_of_a_storm_add_up() {
    within(2 * MINUTE, "storm", || {
        let pool = Pool::builder(FakeManager::bounded(2))
            .maxsize(2)
            .runtime(ThreadTimer::new())
            .build_lazy()
            .unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let reader = {
            let (pool, over) = (pool.clone(), over.clone());
            std::thread::spawn(move || {
                let mut readings = 0_u64;
                while !over.load(Ordering::SeqCst) {
                    counts_add_up(&pool);
                    readings += 1;
                }
                readings
            })
        };
        let users = [(); 3].map(|()| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                for round in 0..2_000 {
                    let mut held = hold(block_on(pool.acquire()).unwrap());
                    if round % 7 == 0 {
                        held.close();
                    }
                }
            })
        });
        for user in users {
            user.join().unwrap();
        }
        over.store(true, Ordering::SeqCst);
        assert!(reader.join().unwrap() > 0);
        counts_add_up(&pool);
    });
}

/// Failing recycles and checks in a random mix; the size never exceeds maxsize, and nothing drifts.
#[test]
fn a_random_mix_of_failures_drifts_nowhere() {
    const MAXSIZE: usize = 24;
    Stage::each(|stage| {
        let (builder, control) = stage.pool(MAXSIZE);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        let mut dice = Dice(24);
        for verb in [Verb::Connect, Verb::Check, Verb::Recycle, Verb::Close] {
            for _ in 0..300 {
                let step = match (dice.roll(8), verb) {
                    (0, _) => Step::Err,
                    (1, _) => Step::Panic,
                    _ => Step::Ok,
                };
                control.next(verb, step);
            }
        }
        let mut users: Vec<Probe<'_, ()>> = (0..72)
            .map(|_| {
                let pool = &pool;
                Probe::new(async move {
                    for _ in 0..4 {
                        if let Ok(guard) = pool.acquire().await {
                            let held = hold(guard);
                            yield_now().await;
                            drop(held);
                        }
                        counts_add_up(pool);
                    }
                })
            })
            .collect();
        assert!(stage.drive(&mut users), "HANG: {}", pool.status());
        drop(users);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

type Leave = fn(&Stage, &FakePool, &FakeControl);

/// Whichever way a connection leaves, its place comes back.
#[test]
fn each_way_to_leave_gives_the_place_back() {
    const MAXSIZE: usize = 3;
    let ways: [(&str, Leave); 14] = [
        ("released", |stage, pool, _| drop(acquire_now(stage, pool))),
        ("released, awaited", |stage, pool, _| {
            stage
                .run(PooledConnection::release(acquire_now(stage, pool)))
                .unwrap();
        }),
        ("closed by its user", |stage, pool, _| {
            acquire_now(stage, pool).close()
        }),
        ("refused", |stage, pool, control| {
            control.next_verdict(Verdict::Discard);
            drop(acquire_now(stage, pool));
        }),
        ("refused, awaited", |stage, pool, control| {
            control.next_verdict(Verdict::Discard);
            let release = PooledConnection::release(acquire_now(stage, pool));
            assert!(stage.run(release).is_err());
        }),
        ("detached", |stage, pool, _| {
            drop(PooledConnection::detach(acquire_now(stage, pool)));
        }),
        ("discarded", |stage, pool, _| {
            PooledConnection::discard(acquire_now(stage, pool));
        }),
        ("dropped by a panic", |stage, pool, _| {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                let _guard = acquire_now(stage, pool);
                panic!("scripted: the user panics");
            }));
            assert!(panic.is_err());
        }),
        ("cleared", |stage, pool, _| {
            drop(acquire_now(stage, pool));
            stage.settle();
            stage.run(pool.clear());
        }),
        ("killed while idle", |stage, pool, control| {
            drop(acquire_now(stage, pool));
            stage.settle();
            control.break_all();
            drop(hold(acquire_now(stage, pool)));
        }),
        ("recycle fails", |stage, pool, control| {
            control.next(Verb::Recycle, Step::Err);
            drop(acquire_now(stage, pool));
        }),
        ("recycle panics", |stage, pool, control| {
            control.next(Verb::Recycle, Step::Panic);
            drop(acquire_now(stage, pool));
        }),
        ("recycle cancelled", |stage, pool, control| {
            let gate = Gate::new();
            control.next(Verb::Recycle, Step::gate(&gate));
            let mut release = Probe::new(PooledConnection::release(acquire_now(stage, pool)));
            assert!(!release.poll_until_stalled(stage));
            drop(release);
            gate.open();
        }),
        ("its close panics", |stage, pool, control| {
            control.next(Verb::Close, Step::Panic);
            PooledConnection::discard(acquire_now(stage, pool));
        }),
    ];
    for (way, leave) in ways {
        Stage::each(|stage| {
            println!("{way}");
            // A detached connection lives beside the pool's own: the bound is watched by the counts.
            let (manager, control) = stage.fake(0);
            let builder = stage.builder(manager).minsize(0).maxsize(MAXSIZE);
            let builder = builder.check_policy(CheckPolicy::Always);
            let pool = builder.build_lazy().unwrap();
            for _ in 0..2 * MAXSIZE {
                leave(stage, &pool, &control);
                stage.settle();
                counts_true(&pool, &control, 0);
            }
            all_is_well(stage, pool, &control);
        });
    }
}

/// The same, for a connection that leaves because a step ran into its deadline or because it expired.
#[test]
fn each_way_to_leave_in_time_gives_the_place_back() {
    const MAXSIZE: usize = 3;
    for verb in [
        Verb::Connect,
        Verb::Check,
        Verb::Recycle,
        Verb::Close,
        Verb::Drop,
    ] {
        Stage::each_virtual(|stage| {
            println!("{verb:?}");
            let (builder, control) = stage.pool(MAXSIZE);
            let pool = builder
                .check_policy(CheckPolicy::Always)
                .pool_recycle(10 * SECOND)
                .connect_timeout(SECOND)
                .check_timeout(SECOND)
                .recycle_timeout(SECOND)
                .close_timeout(SECOND)
                .build_lazy()
                .unwrap();
            for _ in 0..2 * MAXSIZE {
                control.next(verb, Step::Pend);
                for _ in 0..2 {
                    if let Ok(mut guard) = stage.clock().block_on(pool.acquire())
                        && verb == Verb::Close
                    {
                        guard.close();
                    }
                    stage.advance(2 * SECOND);
                }
                if verb == Verb::Drop {
                    stage.advance(11 * SECOND);
                }
                control.all_goes_well();
                at_rest(stage, &pool, &control);
            }
            all_is_well(stage, pool, &control);
        });
    }
}

/// Ten times maxsize acquires in one tick.
#[test]
fn a_burst_opens_maxsize_connections_and_no_more() {
    for maxsize in [1, 2, 5] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder.build_lazy().unwrap();
            let gate = Gate::new();
            control.always(Verb::Connect, Step::gate(&gate));
            let mut burst: Vec<Probe<'_, FakeGuard>> = (0..10 * maxsize)
                .map(|_| {
                    let pool = &pool;
                    Probe::pending(async move { pool.acquire().await.unwrap() })
                })
                .collect();
            stage.settle();
            assert_eq!(pool.size(), maxsize);
            assert_eq!(control.in_connect(), maxsize, "all of them at once");
            gate.open();
            stage.drive(&mut burst);
            let ready = burst.iter().filter(|acquire| acquire.is_ready()).count();
            assert_eq!(ready, maxsize);
            while burst.iter().any(Probe::is_ready) {
                burst.retain(|acquire| !acquire.is_ready());
                stage.drive(&mut burst);
            }
            assert!(burst.is_empty(), "HANG: {}", pool.status());
            drop(burst);
            assert_eq!((control.peak(), control.made()), (maxsize, maxsize));
            all_is_well(stage, pool, &control);
        });
    }
}

/// Filling up to minsize races acquires at one below maxsize.
#[test]
fn filling_beside_acquires_never_exceeds_maxsize() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.minsize(3).upkeep(false).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        stage.run(pool.clear());
        let gate = Gate::new();
        control.always(Verb::Connect, Step::gate(&gate));
        let mut fill = Probe::new(pool.fill());
        fill.poll();
        let mut acquires: Vec<Probe<'_, FakeGuard>> = (0..5)
            .map(|_| {
                let pool = &pool;
                Probe::pending(async move { pool.acquire().await.unwrap() })
            })
            .collect();
        let mut again = Probe::new(pool.fill());
        again.poll();
        stage.settle();
        assert_eq!(pool.size(), 3, "{}", pool.status());
        gate.open();
        while !(fill.poll_until_stalled(stage) && again.poll_until_stalled(stage)) {
            assert!(
                fill.wants_poll() || again.wants_poll(),
                "HANG: {}",
                pool.status()
            );
        }
        drop(conn);
        while !acquires.is_empty() {
            stage.drive(&mut acquires);
            let waiting = acquires.len();
            acquires.retain(|acquire| !acquire.is_ready());
            assert!(acquires.len() < waiting, "HANG: {}", pool.status());
        }
        assert_eq!(control.peak(), 3);
        drop((fill, again, acquires));
        all_is_well(stage, pool, &control);
    });
}

/// One caller tries again and again while the database is away; when it is back, the pool does not leap to its
/// maximum.
#[test]
fn recovery_after_an_outage_opens_what_is_needed_and_no_more() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(50);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        stage.settle();
        control.break_all();
        control.always(Verb::Connect, Step::Err);
        let served = Arc::new(AtomicUsize::new(0));
        {
            let (pool, served, clock) = (pool.clone(), served.clone(), stage.clock().clone());
            stage.spawn(async move {
                use pool_core::Runtime;
                while served.load(Ordering::SeqCst) < 10 {
                    if let Ok(guard) = pool.acquire().timeout(SECOND).await {
                        drop(hold(guard));
                        served.fetch_add(1, Ordering::SeqCst);
                    }
                    clock.sleep_until(clock.now() + 100 * MS).await;
                }
            });
        }
        stage.advance(10 * SECOND);
        assert_eq!((served.load(Ordering::SeqCst), control.made()), (0, 1));
        control.all_goes_well();
        stage.advance(10 * SECOND);
        assert_eq!(served.load(Ordering::SeqCst), 10, "HANG: {}", pool.status());
        assert!(
            control.made() - 1 <= 2,
            "{} after the outage",
            control.made() - 1
        );
        all_is_well(stage, pool, &control);
    });
}

/// Counts of a pool that was used in every way and came to rest equal what there really is.
#[test]
fn a_used_pool_at_rest_counts_what_is_there() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(5);
        let pool = stage.run(builder.minsize(2).build()).unwrap();
        full_capacity(stage, &pool, &control);
        let mut guards: Vec<FakeGuard> = (0..4).map(|_| acquire_now(stage, &pool)).collect();
        drop(PooledConnection::detach(guards.remove(0)));
        PooledConnection::discard(guards.remove(0));
        stage.settle();
        assert_eq!(pool.status().held(), 2);
        assert_eq!(pool.used(), 2);
        counts_true(&pool, &control, 2);
        drop(guards);
        all_is_well(stage, pool, &control);
    });
}
