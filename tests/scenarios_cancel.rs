//! Cancellation, lost permits and lost places: what broke in other pools, group 1.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pool_core::{CheckPolicy, Error, Phase, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, at_rest, closed_for_good, full_capacity};
use support::{FakePool, Gate, Probe, Stage, Step, Verb, hold};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What the holder does with its connection, so that the waiter has something to wait for.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    AConnection,
    AFreePlace,
}

/// P01: the waiter that was woken is dropped before its poll; what it was given goes to the next one.
#[test]
fn a_woken_waiter_that_is_dropped_before_its_poll_passes_on_what_it_was_given() {
    for leaves in [Leaves::AConnection, Leaves::AFreePlace] {
        Stage::each(|stage| {
            println!("{leaves:?}");
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            let mut first = Probe::pending(pool.acquire());
            let mut second = Probe::pending(pool.acquire());
            match leaves {
                Leaves::AConnection => drop(conn),
                Leaves::AFreePlace => PooledConnection::discard(conn),
            }
            stage.settle();
            assert!(first.is_woken(), "the head waiter is woken");
            first.cancel();
            assert!(second.poll_until_stalled(stage), "HANG: {}", pool.status());
            drop(hold(second.take().unwrap()));
            drop(hold(acquire_now(stage, &pool)));
            drop((first, second));
            all_is_well(stage, pool, &control);
        });
    }
}

/// P02: the head of three waiters is dropped before the wake, after it, and with its output untouched.
#[test]
fn a_dropped_head_waiter_never_blocks_those_behind_it() {
    enum When {
        BeforeTheWake,
        BetweenWakeAndPoll,
        WithItsOutput,
    }
    for when in [
        When::BeforeTheWake,
        When::BetweenWakeAndPoll,
        When::WithItsOutput,
    ] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            let mut waiters = [(); 3].map(|()| Probe::pending(pool.acquire()));
            if matches!(when, When::BeforeTheWake) {
                waiters[0].cancel();
            }
            drop(conn);
            stage.settle();
            match when {
                When::BeforeTheWake => {}
                When::BetweenWakeAndPoll => assert!(waiters[0].is_woken()),
                When::WithItsOutput => assert!(waiters[0].poll_until_stalled(stage)),
            }
            waiters[0].cancel();
            assert!(
                waiters[1].poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            assert!(
                !waiters[2].poll_until_stalled(stage),
                "one connection, one holder"
            );
            drop(hold(waiters[1].take().unwrap()));
            assert!(
                waiters[2].poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            drop(hold(waiters[2].take().unwrap()));
            drop(waiters);
            all_is_well(stage, pool, &control);
        });
    }
}

/// P02: a waiter in the middle is dropped; the order of the others stays.
#[test]
fn a_waiter_dropped_in_the_middle_leaves_no_gap() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut waiters = [(); 5].map(|()| Probe::pending(pool.acquire()));
        waiters[1].cancel();
        waiters[3].cancel();
        assert_eq!(pool.status().waiting(), 3);
        drop(conn);
        for place in [0, 2, 4] {
            assert!(
                waiters[place].poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            drop(hold(waiters[place].take().unwrap()));
        }
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

/// P03: a check is cancelled; the connection is closed or idle again, never neither.
#[test]
fn a_cancelled_check_costs_no_place() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        stage.run(PooledConnection::release(conn)).unwrap();
        for _ in 0..3 {
            control.next(Verb::Check, Step::Pend);
            let mut acquire = Probe::new(pool.acquire());
            assert!(!acquire.poll_until_stalled(stage));
            assert_eq!(pool.status().checking(), 1);
            acquire.cancel();
            stage.settle();
            assert_eq!(control.live(), pool.freesize(), "closed or idle");
            drop(acquire);
            at_rest(stage, &pool, &control);
        }
        all_is_well(stage, pool, &control);
    });
}

/// P05: an acquire with a deadline was cancelled; close still comes to its end.
#[test]
fn wait_closed_returns_after_a_timed_acquire_was_cancelled() {
    Stage::each_virtual(|stage| {
        for step in [Step::Ok, Step::Pend] {
            let (builder, control) = stage.pool(1);
            let pool = builder.connect_timeout(SECOND).build_lazy().unwrap();
            control.next(Verb::Connect, step);
            let mut acquire = Probe::new(pool.acquire().timeout(3600 * SECOND));
            acquire.poll();
            acquire.cancel();
            drop(acquire);
            pool.close();
            stage.clock().block_on(pool.wait_closed()).unwrap();
            closed_for_good(stage, pool, &control);
        }
    });
}

/// P07: ten times maxsize cancelled acquires, at each of their awaits, with an idle connection there.
#[test]
fn no_number_of_cancelled_acquires_lowers_the_capacity() {
    const MAXSIZE: usize = 3;
    Stage::each(|stage| {
        let (builder, control) = stage.pool(MAXSIZE);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        full_capacity(stage, &pool, &control);
        let mut gates = Vec::new();
        for round in 0..10 * MAXSIZE {
            let gate = Gate::new();
            gates.push(gate.clone());
            control.next(Verb::Check, Step::gate(&gate));
            let mut acquire = Probe::new(pool.acquire());
            for _ in 0..round % 3 {
                acquire.poll();
                stage.settle();
            }
            if round % 2 == 0 {
                gate.open();
            }
            acquire.cancel();
            control.all_goes_well();
            stage.settle();
        }
        gates.iter().for_each(Gate::open);
        all_is_well(stage, pool, &control);
    });
}

/// P08: two hundred acquires whose deadlines strike in the middle of everything.
#[test]
fn two_hundred_acquires_with_tiny_deadlines_leave_the_books_true() {
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

/// P10: more waiters than the connects can serve before the deadlines; connects are finished and kept, not thrown
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

/// P12: the way back hangs (a dead network); at its deadline the place is free, and the bound was kept meanwhile.
#[test]
fn a_way_back_that_hangs_gives_its_place_back_at_its_deadline() {
    for verb in [Verb::Recycle, Verb::Close] {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(1);
            let builder = builder.recycle_timeout(SECOND).close_timeout(SECOND);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            control.next(verb, Step::Pend);
            if verb == Verb::Close {
                control.next_verdict(Verdict::Discard);
            }
            drop(conn);
            let mut next = Probe::new(pool.acquire());
            if !next.poll_until_stalled(stage) {
                stage.advance(SECOND * 99 / 100);
                assert!(
                    !next.poll_until_stalled(stage),
                    "the stuck one still counts"
                );
                assert_eq!(control.live(), 1);
                stage.advance(SECOND / 100);
                assert!(next.poll_until_stalled(stage), "HANG: {}", pool.status());
            } else {
                // Without a spawner a departure is not waited for: it is dropped without goodbye.
                assert!(verb == Verb::Close && !stage.spawns());
            }
            let conn = hold(next.take().unwrap());
            assert_eq!((conn.id(), control.live()), (2, 1));
            drop(conn);
            drop(next);
            control.all_goes_well();
            all_is_well(stage, pool, &control);
        });
    }
}

/// P13: an awaited release returns within its deadline and says what happened.
#[test]
fn an_awaited_release_returns_within_its_deadline() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.recycle_timeout(SECOND).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        control.next(Verb::Recycle, Step::Pend);
        let mut release = Probe::new(PooledConnection::release(conn));
        assert!(!release.poll_until_stalled(stage));
        stage.advance(SECOND);
        assert!(release.poll_until_stalled(stage), "HANG: {}", pool.status());
        match release.take() {
            Err(Error::Timeout { phase, after, .. }) => {
                assert_eq!((phase, after), (Phase::Recycle, SECOND));
            }
            other => panic!("it must be a Timeout: {other:?}"),
        }
        drop(release);
        all_is_well(stage, pool, &control);
    });
}

/// Quirk 13: a wait_closed that is dropped while connections say goodbye strands none of them.
#[test]
fn a_cancelled_wait_closed_strands_no_connection() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = stage.run(builder.minsize(3).build()).unwrap();
        let gate = Gate::new();
        control.always(Verb::Close, Step::gate(&gate));
        pool.close();
        for _ in 0..3 {
            let mut closed = Probe::new(pool.wait_closed());
            closed.poll_until_stalled(stage);
            closed.cancel();
        }
        gate.open();
        closed_for_good(stage, pool, &control);
    });
}

/// P10: a connect whose waiter has left is kept for the next one, not thrown away.
#[test]
fn a_connect_whose_waiter_left_serves_the_next() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut leaves = Probe::pending(pool.acquire());
        stage.settle();
        leaves.cancel();
        assert_eq!(control.in_connect(), 1, "the connect belongs to the pool");
        gate.open();
        stage.settle();
        let conn = hold(acquire_now(stage, &pool));
        assert_eq!((conn.id(), control.connects()), (1, 1));
        drop(conn);
        drop(leaves);
        all_is_well(stage, pool, &control);
    });
}

/// P17: every combination of fates of the four steps and of the verdict, under deadlines; the bound holds at every
/// instant, and when all goes well again the pool is as new.
#[test]
fn a_thousand_combinations_of_fates_keep_the_bound_and_the_books() {
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
