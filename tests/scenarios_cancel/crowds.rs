//! Cancellation in numbers: crowds of impatient users, and every combination of fates.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_lite::future::poll_once;
use pool_core::{CheckPolicy, Error, Pool, ThreadTimer, Verdict};
use support::invariants::all_is_well;
use support::watchdog::MINUTE;
use support::{FakeManager, FakePool, Stage, Step, Verb, hold, within, yield_now};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Two hundred acquires whose deadlines strike in the middle of everything.
#[test]
fn two_hundred_acquires_with_tiny_deadlines_leave_the_counts_true() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(10);
        let pool = builder.build_lazy().unwrap();
        control.always(Verb::Connect, Step::Delay(MS / 10));
        control.always(Verb::Recycle, Step::Delay(MS / 20));
        let served = Arc::new(AtomicUsize::new(0));
        let missed = Arc::new(AtomicUsize::new(0));
        for task in 0..200_u32 {
            let (pool, served, missed) = (pool.clone(), served.clone(), missed.clone());
            let (limit, hold_for) = (MS * (task % 41) / 100 + MS / 1_000, stage.sleep(MS / 10));
            stage.spawn(async move {
                match pool.acquire().timeout(limit).await {
                    Ok(guard) => {
                        let held = hold(guard);
                        hold_for.await;
                        drop(held);
                        served.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(Error::Timeout { .. }) => {
                        missed.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(error) => panic!("nothing else can fail: {error:?}"),
                }
            });
        }
        stage.advance(SECOND);
        let (served, missed) = (served.load(Ordering::SeqCst), missed.load(Ordering::SeqCst));
        assert_eq!(served + missed, 200, "HANG: {}", pool.status());
        assert!(served > 0 && missed > 0, "{served} served, {missed} missed");
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

/// More waiters than the connects can serve before the deadlines; connects are finished and kept, not thrown
/// away with those who waited for them.
#[test]
fn a_crowd_of_impatient_waiters_starts_no_storm_of_connects() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(10);
        let pool = builder.build_lazy().unwrap();
        control.always(Verb::Connect, Step::Delay(50 * MS));
        let served = Arc::new(AtomicUsize::new(0));
        let clock = stage.clock().clone();
        for _ in 0..1_000 {
            let (pool, served, clock) = (pool.clone(), served.clone(), clock.clone());
            stage.spawn(async move {
                if let Ok(guard) = pool.acquire().timeout(60 * MS).await {
                    use pool_core::Runtime;
                    let held = hold(guard);
                    clock.sleep_until(clock.now() + 5 * MS).await;
                    drop(held);
                    served.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        stage.advance(SECOND);
        let served = served.load(Ordering::SeqCst);
        assert!(served >= 10, "{served} served");
        assert!(
            control.made() <= 30,
            "{} connects for ten places",
            control.made()
        );
        assert_eq!(pool.status().waiting(), 0);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

/// Every combination of fates of the four steps and of the verdict, under deadlines; the bound holds at every
/// instant, and when all goes well again the pool is as new.
#[test]
fn a_thousand_combinations_of_fates_keep_the_bound_and_the_counts() {
    let fates = [Step::Ok, Step::Err, Step::Delay(3 * MS), Step::Pend];
    let verdicts = [
        None,
        Some(Verdict::Reuse),
        Some(Verdict::Recycle),
        Some(Verdict::Discard),
    ];
    let mut combinations = 0;
    for number in 0..4_usize.pow(5) {
        let fate = |digit: u32| number / 4_usize.pow(digit) % 4;
        Stage::each_virtual(|stage| {
            println!("combination {number}");
            let (builder, control) = stage.pool(2);
            let pool = builder
                .check_policy(CheckPolicy::Always)
                .acquire_timeout(20 * MS)
                .connect_timeout(7 * MS)
                .check_timeout(5 * MS)
                .recycle_timeout(5 * MS)
                .close_timeout(5 * MS)
                .build_lazy()
                .unwrap();
            for task in 0..4 {
                let pool: FakePool = pool.clone();
                let pause = stage.sleep(MS * task);
                stage.spawn(async move {
                    pause.await;
                    for _ in 0..2 {
                        drop(pool.acquire().await);
                    }
                });
            }
            for (digit, verb) in [Verb::Connect, Verb::Check, Verb::Recycle, Verb::Close]
                .into_iter()
                .enumerate()
            {
                control.next(verb, Step::Ok);
                control.always(verb, fates[fate(digit as u32)].clone());
            }
            if let Some(verdict) = verdicts[fate(4)] {
                control.always_verdict(verdict);
            }
            stage.advance(SECOND);
            control.all_goes_well();
            all_is_well(stage, pool, &control);
        });
        combinations += 1;
    }
    println!("{combinations} combinations");
    assert_eq!(combinations, 1_024);
}

/// Tasks that lose patience after none, one or two polls; afterwards every place is there.
#[test]
fn a_storm_of_cancellations_on_threads_costs_no_place() {
    const MAXSIZE: usize = 4;
    for builtin in [false, true] {
        within(2 * MINUTE, "storm", move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_time()
                .build()
                .unwrap();
            runtime.block_on(async {
                let manager = FakeManager::bounded(MAXSIZE);
                let control = manager.control();
                let mut builder = Pool::builder(manager).minsize(0).maxsize(MAXSIZE);
                if builtin {
                    builder = builder.runtime(ThreadTimer::new());
                }
                let builder = builder.check_policy(CheckPolicy::Always);
                let pool = builder.build_lazy().unwrap();
                let tasks: Vec<_> = (0..16_usize)
                    .map(|task| {
                        let pool = pool.clone();
                        tokio::spawn(async move {
                            for round in 0..300_usize {
                                let patience = (task * 31 + round * 17) % 4;
                                let mut acquire = pool.acquire();
                                let guard = match patience {
                                    3 => Some(acquire.await),
                                    polls => impatient(&mut acquire, polls).await,
                                };
                                if let Some(guard) = guard {
                                    let mut held = hold(guard.unwrap());
                                    held.scribble("mine");
                                    if round % 3 == 0 {
                                        yield_now().await;
                                    }
                                    if round % 11 == 0 {
                                        held.close();
                                    }
                                }
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
                control.assert_no_violation();
                let all = futures::future::join_all((0..MAXSIZE).map(|_| pool.acquire())).await;
                let held: Vec<_> = all.into_iter().map(|guard| hold(guard.unwrap())).collect();
                assert_eq!((pool.size(), pool.status().waiting()), (MAXSIZE, 0));
                drop(held);
                pool.close();
                pool.wait_closed().await.unwrap();
                assert_eq!(
                    (pool.size(), control.live(), control.in_connect()),
                    (0, 0, 0)
                );
            });
        });
    }
}

/// Polls a few times, then gives up.
async fn impatient<F: Future + Unpin>(future: &mut F, polls: usize) -> Option<F::Output> {
    for _ in 0..polls {
        if let Some(output) = poll_once(&mut *future).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}
