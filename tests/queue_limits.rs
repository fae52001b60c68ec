//! Who may wait: `max_waiters` and shedding.

use std::time::Duration;

use pool_core::{CheckPolicy, Error, Priority, Shedding, Verdict};
use support::invariants::{acquire_now, all_is_well, counts_add_up, full_and_closed};
use support::{FakeGuard, FakePool, Gate, Probe, Stage, Step, Told, Verb};

const MAXSIZES: [usize; 3] = [1, 2, 5];
const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn hold_all(stage: &Stage, pool: &FakePool) -> Vec<FakeGuard> {
    (0..pool.maxsize())
        .map(|_| acquire_now(stage, pool))
        .collect()
}

/// An acquire that must be refused at its first poll.
#[track_caller]
fn refused(pool: &FakePool) -> Error<support::FakeError> {
    let mut acquire = Probe::new(pool.acquire());
    assert!(acquire.poll(), "it ought to be refused at once");
    acquire.take().expect_err("it ought to be refused")
}

#[test]
fn so_many_wait_and_the_next_is_refused_at_once() {
    Stage::each(|stage| {
        for maxsize in MAXSIZES {
            for most in [0, 1, 3] {
                let (builder, control) = stage.pool(maxsize);
                let builder = builder.upkeep(false).max_waiters(most);
                let (builder, told) = Told::by(builder);
                let pool = builder.build_lazy().unwrap();
                let guards = hold_all(stage, &pool);
                let waiters: Vec<_> = (0..most).map(|_| Probe::pending(pool.acquire())).collect();
                told.take();
                for times in 1..=3 {
                    let error = refused(&pool);
                    assert!(matches!(error, Error::QueueFull), "{error:?}");
                    assert_eq!(pool.stats().rejected(), times);
                }
                assert_eq!(pool.status().waiting(), most);
                let sentences = told.take();
                let words = "was refused: as many acquires wait as max_waiters allows";
                assert_eq!(sentences.len(), 3, "{sentences:?}");
                assert!(sentences.iter().all(|text| text.contains(words)));
                assert!(waiters.iter().all(|waiter| !waiter.wants_poll()), "no wake");
                let waits = pool.stats().waits();
                drop(guards);
                one_by_one(stage, waiters);
                assert_eq!(pool.stats().waits(), waits);
                all_is_well_with_limit(stage, pool, &control);
            }
        }
    });
}

/// Each is served in turn, and lets go.
fn one_by_one<'a>(
    stage: &Stage,
    waiters: impl IntoIterator<Item = Probe<'a, Result<FakeGuard, Error<support::FakeError>>>>,
) {
    for mut waiter in waiters {
        assert!(waiter.poll_until_stalled(stage), "HANG");
        drop(waiter.take().expect("it is served"));
    }
}

/// The invariants, without one acquire more than maxsize, which would be refused.
fn all_is_well_with_limit(stage: &Stage, pool: FakePool, control: &support::FakeControl) {
    stage.settle();
    counts_add_up(&pool);
    let guards = hold_all(stage, &pool);
    full_and_closed(stage, pool, control, guards);
}

#[test]
fn with_no_waiters_an_acquire_gets_what_is_idle_or_can_be_opened() {
    Stage::each(|stage| {
        for maxsize in MAXSIZES {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder.upkeep(false).max_waiters(0).build_lazy().unwrap();
            let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
            for gate in &gates {
                control.next(Verb::Connect, Step::gate(gate));
            }
            let mut acquires: Vec<_> = (0..maxsize)
                .map(|_| Probe::pending(pool.acquire()))
                .collect();
            assert!(matches!(refused(&pool), Error::QueueFull));
            gates.iter().for_each(Gate::open);
            assert!(stage.drive(&mut acquires), "HANG: {}", pool.status());
            let mut guards: Vec<_> = acquires
                .iter_mut()
                .map(|acquire| acquire.take().unwrap())
                .collect();
            assert!(matches!(refused(&pool), Error::QueueFull));
            // One that has to be recycled is there, too.
            drop(guards.pop());
            guards.push(acquire_now(stage, &pool));
            control.next_verdict(Verdict::Reuse);
            drop(guards.pop());
            guards.push(acquire_now(stage, &pool));
            drop(acquires);
            drop(guards);
            all_is_well_with_limit(stage, pool, &control);
        }
    });
}

#[test]
fn a_refused_acquire_leaves_no_deadline_behind() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder
            .upkeep(false)
            .max_waiters(1)
            .acquire_timeout(2 * SECOND)
            .build_lazy()
            .unwrap();
        let held = acquire_now(stage, &pool);
        let mut waiter = Probe::pending(pool.acquire());
        stage.advance(SECOND);
        let mut early = Probe::new(pool.acquire().timeout(MILLI));
        assert!(early.poll() && matches!(early.take(), Err(Error::QueueFull)));
        stage.advance(999 * MILLI);
        assert!(!waiter.poll_until_stalled(stage));
        stage.advance(MILLI);
        assert!(waiter.poll_until_stalled(stage));
        assert!(matches!(waiter.take(), Err(Error::Timeout { .. })));
        drop((waiter, early, held));
        all_is_well_with_limit(stage, pool, &control);
    });
}

#[test]
fn a_waiter_that_leaves_makes_room_for_the_next() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.upkeep(false).max_waiters(1).build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        let waiter = Probe::pending(pool.acquire());
        assert!(matches!(refused(&pool), Error::QueueFull));
        drop(waiter);
        let mut waiter = Probe::pending(pool.acquire());
        drop(held);
        assert!(waiter.poll_until_stalled(stage));
        drop(waiter.take().unwrap());
        drop(waiter);
        all_is_well_with_limit(stage, pool, &control);
    });
}

/// A pool that sheds after 100 ms above 10 ms, whose one connection is held.
fn shedding(stage: &Stage, is_dry: bool) -> (FakePool, support::FakeControl, FakeGuard) {
    let (builder, control) = stage.pool(1);
    let shedding = Shedding::new(10 * MILLI, 100 * MILLI).dry_run(is_dry);
    let pool = builder
        .upkeep(false)
        .check_policy(CheckPolicy::Never)
        .shedding(shedding)
        .build_lazy()
        .unwrap();
    let held = acquire_now(stage, &pool);
    (pool, control, held)
}

#[test]
fn who_comes_is_refused_after_the_queue_was_too_slow_for_a_whole_interval() {
    Stage::each_virtual(|stage| {
        let (pool, control, held) = shedding(stage, false);
        let mut waiters = vec![Probe::pending(pool.acquire())];
        // 20, 40, … 100 ms: the first of these finds that the head waits for too long.
        for _ in 0..5 {
            stage.advance(20 * MILLI);
            waiters.push(Probe::pending(pool.acquire()));
        }
        stage.advance(20 * MILLI);
        let error = refused(&pool);
        assert!(matches!(error, Error::Shed), "{error:?}");
        assert_eq!((pool.stats().shed(), pool.stats().rejected()), (1, 0));
        // One of high priority is let in.
        waiters.push(Probe::pending(pool.acquire().priority(Priority::High)));
        assert_eq!(pool.status().waiting(), 7);
        // Those that wait keep their turn.
        control.always_verdict(Verdict::Reuse);
        drop(held);
        let urgent = waiters.pop().into_iter();
        one_by_one(stage, urgent.chain(waiters));
        // The queue was empty: it begins anew.
        let held = acquire_now(stage, &pool);
        stage.advance(SECOND);
        let waiter = Probe::pending(pool.acquire());
        drop((waiter, held));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_queue_that_is_fast_in_between_refuses_nobody() {
    Stage::each_virtual(|stage| {
        let (pool, control, held) = shedding(stage, false);
        control.always_verdict(Verdict::Reuse);
        let mut held = Some(held);
        for _ in 0..20 {
            let mut waiter = Probe::pending(pool.acquire());
            stage.advance(40 * MILLI);
            let mut next = Probe::pending(pool.acquire());
            drop(held.take());
            assert!(waiter.poll_until_stalled(stage));
            let got = waiter.take().unwrap();
            drop(waiter);
            drop(got);
            assert!(next.poll_until_stalled(stage));
            held = Some(next.take().unwrap());
            drop(next);
        }
        assert_eq!(pool.stats().shed(), 0);
        drop(held);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_dry_run_counts_and_refuses_nobody() {
    Stage::each_virtual(|stage| {
        let (pool, control, held) = shedding(stage, true);
        let mut waiters = vec![Probe::pending(pool.acquire())];
        for _ in 0..10 {
            stage.advance(20 * MILLI);
            waiters.push(Probe::pending(pool.acquire()));
        }
        assert_eq!((pool.stats().would_shed(), pool.stats().shed()), (5, 0));
        drop(held);
        one_by_one(stage, waiters);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn who_can_be_served_is_not_refused() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(12);
        let pool = builder
            .upkeep(false)
            .shedding(Shedding::new(10 * MILLI, 100 * MILLI))
            .build_lazy()
            .unwrap();
        let gate = Gate::new();
        control.always(Verb::Connect, Step::gate(&gate));
        let mut acquires = Vec::new();
        for _ in 0..12 {
            // The first one waits for its connect for too long, and a place is free.
            acquires.push(Probe::pending(pool.acquire()));
            stage.advance(50 * MILLI);
        }
        assert_eq!(pool.stats().shed(), 0);
        let mut refused = Probe::new(pool.acquire());
        assert!(refused.poll() && matches!(refused.take(), Err(Error::Shed)));
        gate.open();
        one_by_one(stage, acquires);
        drop(refused);
        all_is_well(stage, pool, &control);
    });
}
