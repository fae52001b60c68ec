//! Priorities: who is served first, that those of low priority progress, and the places that are reserved for those of
//! high priority.

use std::time::Duration;

use pool_core::{CheckPolicy, Error, PooledConnection, Priority, Verdict};
use support::invariants::{acquire_now, all_is_well, counts_add_up, full_and_closed};
use support::{FakeControl, FakeGuard, FakePool, Gate, Probe, Stage, Step, Verb};

const MAXSIZES: [usize; 3] = [1, 2, 5];
const SECOND: Duration = Duration::from_secs(1);

fn exhausted(stage: &Stage, maxsize: usize) -> (FakePool, FakeControl, Vec<FakeGuard>) {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.upkeep(false).check_policy(CheckPolicy::Never);
    let pool = builder.build_lazy().unwrap();
    control.always_verdict(Verdict::Reuse);
    let guards = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    (pool, control, guards)
}

type Acquired = Result<FakeGuard, Error<support::FakeError>>;

fn waiter(pool: &FakePool, priority: Priority) -> Probe<'_, Acquired> {
    Probe::pending(pool.acquire().priority(priority))
}

/// Lets one after the other go on, and tells in which order they were served.
fn order(stage: &Stage, held: FakeGuard, waiters: &mut [Probe<'_, Acquired>]) -> Vec<usize> {
    let mut order = Vec::new();
    let mut held = Some(held);
    while order.len() < waiters.len() {
        drop(held.take());
        let next = (0..waiters.len()).find(|index| {
            !order.contains(index)
                && waiters[*index].wants_poll()
                && waiters[*index].poll_until_stalled(stage)
        });
        let next = next.expect("HANG: nobody is served");
        order.push(next);
        held = Some(waiters[next].take().unwrap());
    }
    order
}

#[test]
fn those_of_high_priority_are_served_first_and_equal_ones_in_order_of_arrival() {
    use Priority::{High, Low, Normal};
    Stage::each(|stage| {
        let (pool, control, mut guards) = exhausted(stage, 1);
        let mut waiters: Vec<_> = [Low, Normal, High, Low, Normal, High]
            .into_iter()
            .map(|priority| waiter(&pool, priority))
            .collect();
        let held = guards.pop().unwrap();
        assert_eq!(order(stage, held, &mut waiters), [2, 5, 1, 4, 0, 3]);
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_priority_is_worth_ten_seconds() {
    use Priority::{High, Low, Normal};
    Stage::each_virtual(|stage| {
        let (pool, control, mut guards) = exhausted(stage, 1);
        let mut waiters = vec![waiter(&pool, Low), waiter(&pool, Normal)];
        stage.advance(9 * SECOND);
        waiters.push(waiter(&pool, High));
        stage.advance(2 * SECOND);
        // The normal one and the low one have waited for longer than the lead of these two.
        waiters.push(waiter(&pool, High));
        waiters.push(waiter(&pool, Normal));
        let held = guards.pop().unwrap();
        assert_eq!(order(stage, held, &mut waiters), [2, 1, 3, 0, 4]);
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn one_of_low_priority_is_served_within_the_leads_under_a_constant_stream_of_high_ones() {
    Stage::each_virtual(|stage| {
        for maxsize in MAXSIZES {
            let (pool, control, mut guards) = exhausted(stage, maxsize);
            let mut low = waiter(&pool, Priority::Low);
            let mut waited = Duration::ZERO;
            let mut high = Vec::new();
            while !low.is_ready() {
                assert!(waited <= 20 * SECOND, "it starves");
                stage.advance(SECOND / 2);
                waited += SECOND / 2;
                high.push(waiter(&pool, Priority::High));
                // One comes back, and one is served.
                drop(guards.pop());
                if low.wants_poll() && low.poll_until_stalled(stage) {
                    break;
                }
                let served = high.iter().position(Probe::wants_poll);
                let mut served = high.remove(served.expect("one is served"));
                assert!(served.poll_until_stalled(stage));
                guards.push(served.take().unwrap());
            }
            assert!(waited >= 18 * SECOND, "it was served after {waited:?}");
            drop(low.take().unwrap());
            drop((low, guards, high));
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn one_that_leaves_or_expires_is_skipped_in_every_lane() {
    Stage::each_virtual(|stage| {
        for priority in [Priority::High, Priority::Normal, Priority::Low] {
            let (pool, control, mut guards) = exhausted(stage, 1);
            let mut late = Probe::pending(pool.acquire().priority(priority).timeout(SECOND));
            let gone = waiter(&pool, priority);
            let mut next = waiter(&pool, priority);
            stage.advance(SECOND);
            drop(gone);
            drop(guards.pop());
            assert!(next.poll_until_stalled(stage), "HANG");
            assert!(late.poll_until_stalled(stage));
            assert!(matches!(late.take(), Err(Error::Timeout { .. })));
            drop(next.take().unwrap());
            drop((late, next));
            all_is_well(stage, pool, &control);
        }
    });
}

/// A pool of which the last places are reserved.
fn reserving(stage: &Stage, maxsize: usize, reserved: usize) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.upkeep(false).reserved(reserved);
    (builder.build_lazy().unwrap(), control)
}

fn high_now(stage: &Stage, pool: &FakePool) -> FakeGuard {
    let mut acquire = Probe::new(pool.acquire().priority(Priority::High));
    assert!(acquire.poll_until_stalled(stage), "HANG; {}", pool.status());
    acquire.take().unwrap()
}

#[test]
fn the_last_places_are_for_those_of_high_priority() {
    Stage::each(|stage| {
        for (maxsize, reserved) in [(2, 1), (5, 1), (5, 2), (5, 4)] {
            let (pool, control) = reserving(stage, maxsize, reserved);
            let mut guards: Vec<_> = (reserved..maxsize)
                .map(|_| acquire_now(stage, &pool))
                .collect();
            let mut normal = waiter(&pool, Priority::Normal);
            let mut low = waiter(&pool, Priority::Low);
            assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
            guards.extend((0..reserved).map(|_| high_now(stage, &pool)));
            assert_eq!(pool.status().held(), maxsize);
            assert!(!normal.wants_poll() && !low.wants_poll());
            // Those of high priority go: their places stay reserved, until one of the others comes back.
            for _ in 0..reserved {
                drop(guards.pop());
                assert!(
                    !normal.poll_until_stalled(stage),
                    "a reserved place was taken"
                );
                assert!(!low.poll_until_stalled(stage), "a reserved place was taken");
                counts_add_up(&pool);
            }
            drop(guards.pop());
            assert!(normal.poll_until_stalled(stage), "HANG; {}", pool.status());
            let held = normal.take().unwrap();
            assert!(!low.poll_until_stalled(stage), "a reserved place was taken");
            drop(held);
            assert!(low.poll_until_stalled(stage), "HANG; {}", pool.status());
            drop(low.take().unwrap());
            drop((normal, low, guards));
            assert_served(stage, pool, &control, maxsize);
        }
    });
}

/// All places can be had, and nothing is left after the close.
fn assert_served(stage: &Stage, pool: FakePool, control: &FakeControl, maxsize: usize) {
    stage.settle();
    let guards = (0..maxsize).map(|_| high_now(stage, &pool)).collect();
    full_and_closed(stage, pool, control, guards);
}

#[test]
fn one_of_high_priority_that_leaves_strands_nobody() {
    Stage::each(|stage| {
        for (maxsize, reserved) in [(2, 1), (5, 2)] {
            for verb in [Verb::Connect, Verb::Recycle, Verb::Check] {
                let (builder, control) = stage.pool(maxsize);
                let pool = builder
                    .upkeep(false)
                    .check_policy(CheckPolicy::Always)
                    .reserved(reserved)
                    .build_lazy()
                    .unwrap();
                let mut guards: Vec<_> = (reserved..maxsize)
                    .map(|_| acquire_now(stage, &pool))
                    .collect();
                if verb != Verb::Connect {
                    drop(high_now(stage, &pool));
                    stage.settle();
                }
                let gate = Gate::new();
                control.next(verb, Step::gate(&gate));
                let mut normal = waiter(&pool, Priority::Normal);
                let high = Probe::polled(pool.acquire().priority(Priority::High));
                drop(high);
                gate.open();
                stage.settle();
                assert!(
                    !normal.poll_until_stalled(stage),
                    "a reserved place was taken"
                );
                PooledConnection::discard(guards.pop().unwrap());
                assert!(normal.poll_until_stalled(stage), "HANG; {}", pool.status());
                drop(normal.take().unwrap());
                drop((normal, guards));
                assert_served(stage, pool, &control, maxsize);
            }
        }
    });
}

#[test]
fn more_wait_than_may_be_served_and_nothing_is_opened_for_the_others() {
    let stage = &Stage::spawning();
    let (pool, control) = reserving(stage, 5, 3);
    let mut waiters: Vec<_> = (0..4).map(|_| Probe::polled(pool.acquire())).collect();
    stage.drive(&mut waiters);
    assert_eq!(control.connects(), 2, "so many of them can be served");
    let mut done = waiters.iter_mut().filter(|waiter| waiter.is_ready());
    let guards: Vec<_> = done.by_ref().map(|waiter| waiter.take().unwrap()).collect();
    assert_eq!(guards.len(), 2);
    drop((guards, waiters));
    assert_served(stage, pool, &control, 5);
}
