//! Every acquire that fails is counted and told once, with its reason.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pool_core::{Builder, CheckPolicy, Error, ErrorClass, Event, FailureReason, Shedding};
use support::invariants::{acquire_now, all_is_well, closed_for_good};
use support::{FakeError, FakeManager, FakePool, Probe, Stage, Step, Verb};

const SECOND: Duration = Duration::from_secs(1);

/// Why acquires failed, by the events: those that had waited, and those that were refused at once.
#[derive(Clone, Default)]
struct Failures(Arc<Mutex<[Vec<FailureReason>; 2]>>);

impl Failures {
    fn told_by(builder: Builder<FakeManager>) -> (Builder<FakeManager>, Self) {
        let failures = Self::default();
        let told = failures.clone();
        let builder = builder.observer(move |event: &Event<'_>| {
            let mut told = told.0.lock().unwrap();
            match event {
                Event::AcquireFailed { reason, .. } => told[0].push(*reason),
                Event::Rejected { reason, .. } => told[1].push(*reason),
                _ => {}
            }
        });
        (builder, failures)
    }

    /// Those since the last call.
    fn take(&self) -> [Vec<FailureReason>; 2] {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The reasons that were counted, and how often.
fn counted(pool: &FakePool) -> Vec<(&'static str, u64)> {
    let stats = pool.stats();
    let counted: Vec<_> = stats
        .failures_by_reason()
        .filter(|(_, count)| *count > 0)
        .collect();
    let sum: u64 = counted.iter().map(|(_, count)| count).sum();
    assert_eq!(sum, stats.failures());
    counted
}

/// The error of an acquire that fails.
#[track_caller]
fn fails(stage: &Stage, pool: &FakePool) -> Error<FakeError> {
    stage.run(pool.acquire()).expect_err("it ought to fail")
}

#[test]
fn a_connect_fails_takes_too_long_or_panics_and_a_breaker_is_open() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let (builder, told) = Failures::told_by(builder.connect_timeout(SECOND));
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Connect, Step::Err);
        assert!(matches!(fails(stage, &pool), Error::Connect(_)));
        control.next(Verb::Connect, Step::Panic);
        assert!(matches!(fails(stage, &pool), Error::Panicked { .. }));
        control.next(Verb::Connect, Step::Pend);
        let mut late = Probe::pending(pool.acquire());
        stage.advance(SECOND);
        assert!(late.poll_until_stalled(stage));
        assert!(matches!(late.take(), Err(Error::Timeout { .. })));
        drop(late);
        stage.advance(20 * SECOND);
        control.next(Verb::Connect, Step::Fail(ErrorClass::Auth));
        assert!(matches!(fails(stage, &pool), Error::Connect(_)));
        assert!(matches!(fails(stage, &pool), Error::BreakerOpen { .. }));
        let [waited, refused] = told.take();
        assert_eq!(
            waited,
            [
                FailureReason::Connect,
                FailureReason::Panicked,
                FailureReason::ConnectTimeout,
                FailureReason::Connect,
                FailureReason::BreakerOpen,
            ]
        );
        assert!(refused.is_empty(), "{refused:?}");
        assert_eq!(
            counted(&pool),
            [
                ("connect", 2),
                ("connect_timeout", 1),
                ("breaker_open", 1),
                ("panicked", 1)
            ]
        );
        assert_eq!(pool.stats().timeouts(), 0);
        stage.advance(20 * SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_check_panics_and_an_interceptor_refuses_a_new_connection() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder
            .check_policy(CheckPolicy::Always)
            .check_timeout(SECOND)
            .interceptor(control.interceptor());
        let (builder, told) = Failures::told_by(builder);
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::BeforeAcquire, Step::Err);
        assert!(matches!(fails(stage, &pool), Error::Check(_)));
        control.next(Verb::BeforeAcquire, Step::Pend);
        let mut late = Probe::pending(pool.acquire());
        stage.advance(SECOND);
        assert!(late.poll_until_stalled(stage));
        assert!(matches!(late.take(), Err(Error::Timeout { .. })));
        drop(late);
        drop(acquire_now(stage, &pool));
        stage.settle();
        control.next(Verb::Check, Step::Panic);
        assert!(matches!(fails(stage, &pool), Error::Panicked { .. }));
        let expected = [
            FailureReason::Check,
            FailureReason::CheckTimeout,
            FailureReason::Panicked,
        ];
        assert_eq!(told.take(), [expected.to_vec(), Vec::new()]);
        let expected = [("check", 1), ("check_timeout", 1), ("panicked", 1)];
        assert_eq!(counted(&pool), expected);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_full_queue_and_a_slow_one_refuse_and_a_dry_run_is_counted_apart() {
    for is_dry_run in [false, true] {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(1);
            let shedding = Shedding::new(SECOND / 10, SECOND).dry_run(is_dry_run);
            let (builder, told) = Failures::told_by(builder.max_waiters(3).shedding(shedding));
            let pool = builder.build_lazy().unwrap();
            let held = acquire_now(stage, &pool);
            let mut waiters = vec![Probe::pending(pool.acquire())];
            stage.advance(SECOND);
            waiters.push(Probe::pending(pool.acquire()));
            stage.advance(SECOND);
            let mut third = Probe::new(pool.acquire());
            assert_eq!(third.poll(), !is_dry_run);
            waiters.push(third);
            let mut fourth = Probe::new(pool.acquire());
            assert!(fourth.poll());
            let (reasons, counts): (_, &[_]) = match is_dry_run {
                false => (vec![FailureReason::Shed; 2], &[("shed", 2)]),
                true => (vec![FailureReason::QueueFull], &[("queue_full", 1)]),
            };
            assert_eq!(told.take(), [Vec::new(), reasons]);
            assert_eq!(counted(&pool), counts);
            let stats = pool.stats();
            let seen = (stats.rejected(), stats.shed(), stats.would_shed());
            let expected = if is_dry_run { (1, 0, 1) } else { (0, 2, 0) };
            assert_eq!(seen, expected);
            drop((waiters, fourth, held));
            stage.settle();
            let stats = pool.stats();
            let waits = if is_dry_run { 4 } else { 3 };
            assert_eq!((stats.waits(), stats.cancelled()), (waits, waits - 1));
            stage.advance(20 * SECOND);
            drop(pool);
            stage.settle();
            assert_eq!(control.live(), 0);
        });
    }
}

#[test]
fn a_closed_pool_tells_those_that_waited_and_those_that_come_later() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let (builder, told) = Failures::told_by(builder);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        let mut waits = Probe::pending(pool.acquire());
        let dropped = Probe::pending(pool.acquire());
        pool.close();
        // It has its answer, and nobody takes it.
        drop(dropped);
        assert!(waits.poll_until_stalled(stage));
        assert!(matches!(waits.take(), Err(Error::Closed)));
        assert!(matches!(fails(stage, &pool), Error::Closed));
        assert!(matches!(pool.try_acquire(), Err(Error::Closed)));
        let closed = FailureReason::Closed;
        assert_eq!(told.take(), [vec![closed], vec![closed; 2]]);
        assert_eq!(counted(&pool), [("closed", 3)]);
        let stats = pool.stats();
        assert_eq!((stats.waits(), stats.cancelled()), (3, 1));
        drop((waits, held));
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn what_try_acquire_answers_is_no_failure() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let (builder, told) = Failures::told_by(builder);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        pool.suspend();
        assert!(matches!(pool.try_acquire(), Err(Error::Suspended)));
        pool.resume();
        assert_eq!(told.take(), [Vec::new(), Vec::new()]);
        assert_eq!(pool.stats().failures(), 0);
        drop(held);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_refusal_says_the_counts_and_the_limit() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let (builder, told) = support::Told::by(builder.max_waiters(1));
    let pool = builder.build_lazy().unwrap();
    let held = acquire_now(stage, &pool);
    let waits = Probe::pending(pool.acquire());
    told.take();
    let mut refused = Probe::new(pool.acquire().label("checkout"));
    assert!(refused.poll());
    let place = format!("{}:{}", file!(), line!() - 2);
    assert_eq!(
        told.take(),
        [format!(
            "an acquire at {place} (checkout) was refused: as many acquires wait as max_waiters allows: try again later, \
             or raise it; size 1 (free 0, held 1, checking 0, recycling 0, closing 0, connecting 0), waiting 1, maxsize 1, \
             max_waiters 1"
        )]
    );
    drop((refused, waits, held));
    let shedding = Shedding::new(SECOND, SECOND);
    pool.reconfigure(|knobs| {
        knobs.max_waiters(None);
        knobs.shedding(shedding);
    })
    .unwrap();
    let held = acquire_now(stage, &pool);
    let waiters = [(), ()].map(|()| {
        let waits = Probe::pending(pool.acquire());
        stage.advance(2 * SECOND);
        waits
    });
    told.take();
    let mut refused = Probe::new(pool.acquire());
    assert!(refused.poll());
    let sentences = told.take();
    assert!(
        sentences[0].contains("was refused: acquires are refused while")
            && sentences[0].ends_with(", waiting 2, maxsize 1, target 1s"),
        "{sentences:?}"
    );
    drop((refused, waiters, held));
    control.all_goes_well();
    all_is_well_without_shedding(stage, pool, &control);
}

fn all_is_well_without_shedding(stage: &Stage, pool: FakePool, control: &support::FakeControl) {
    pool.reconfigure(|knobs| {
        knobs.shedding(None);
    })
    .unwrap();
    all_is_well(stage, pool, control);
}
