//! A suspended pool hands out nothing, keeps what comes back, and serves those who wait in their order when it is resumed.

use std::time::Duration;

use pool_core::{CheckPolicy, Error, Phase};
use support::invariants::{acquire_now, all_is_well, closed_for_good, counts_add_up};
use support::{FakeGuard, Gate, Probe, Stage, Step, Verb, hold};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn nothing_is_handed_out_until_the_pool_is_resumed_and_then_in_order() {
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(maxsize);
            let pool = stage.run(builder.minsize(maxsize).build()).unwrap();
            let guards: Vec<FakeGuard> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
            pool.suspend();
            assert!(pool.is_suspended() && pool.status().to_string().ends_with(", suspended"));
            let mut waiting: Vec<_> = (0..maxsize + 1)
                .map(|_| Probe::polled(pool.acquire()))
                .collect();
            drop(guards);
            stage.settle();
            assert!(waiting.iter().all(|acquire| acquire.is_parked()));
            assert_eq!(pool.freesize(), maxsize, "what comes back is kept");
            assert!(matches!(pool.try_acquire(), Err(Error::Suspended)));
            counts_add_up(&pool);

            pool.resume();
            let mut held: Vec<FakeGuard> = Vec::new();
            for acquire in &mut waiting[..maxsize] {
                assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
                held.push(acquire.take().unwrap());
            }
            let mut last = waiting.pop().unwrap();
            assert!(!last.poll_until_stalled(stage), "there is no more");
            held.pop();
            assert!(last.poll_until_stalled(stage), "HANG");
            drop((held, last, waiting));
            assert_eq!(control.made(), maxsize, "nothing was connected anew");
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_connect_that_runs_ends_in_the_idle_list_and_none_begins() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut first = Probe::polled(pool.acquire());
        assert_eq!(control.in_connect(), 1);
        pool.suspend();
        let mut second = Probe::polled(pool.acquire());
        second.poll_until_stalled(stage);
        gate.open();
        assert!(!first.poll_until_stalled(stage) && !second.poll_until_stalled(stage));
        assert_eq!((pool.freesize(), pool.status().connecting()), (1, 0));
        assert_eq!(control.connects(), 1);
        pool.resume();
        assert!(first.poll_until_stalled(stage), "HANG");
        assert!(second.poll_until_stalled(stage), "HANG");
        assert_eq!(control.connects(), 2);
        drop((first, second));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_connection_that_lay_ready_for_a_waiter_is_taken_back() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.acquire_timeout(10 * SECOND).build_lazy().unwrap();
        let guard = acquire_now(stage, &pool);
        let mut waiting = Probe::polled(pool.acquire());
        control.always_verdict(pool_core::Verdict::Reuse);
        drop(guard);
        assert!(waiting.is_woken());
        pool.suspend();
        assert!(!waiting.poll_until_stalled(stage));
        assert_eq!((pool.freesize(), pool.status().held()), (1, 0));
        // Its time-out still strikes.
        stage.advance(10 * SECOND);
        assert!(waiting.poll_until_stalled(stage), "HANG");
        let Err(Error::Timeout {
            phase,
            after,
            status,
            ..
        }) = waiting.take()
        else {
            panic!("its time is over");
        };
        assert_eq!((phase, after), (Phase::Wait, 10 * SECOND));
        assert!(status.is_suspended(), "and it says why");
        pool.resume();
        drop(waiting);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_check_that_has_not_begun_is_undone() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        stage.settle();
        pool.suspend();
        let checks = control.checks();
        let mut waiting = Probe::polled(pool.acquire());
        waiting.poll_until_stalled(stage);
        assert_eq!(control.checks(), checks, "nothing is checked for nobody");
        pool.resume();
        assert!(waiting.poll_until_stalled(stage), "HANG");
        drop(waiting);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_suspended_pool_does_not_fill_itself_and_does_when_it_is_resumed() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(5);
    let pool = stage.run(builder.minsize(3).build()).unwrap();
    pool.suspend();
    stage.run(pool.clear());
    stage.advance(600 * SECOND);
    assert_eq!((pool.size(), control.made()), (0, 3));
    pool.resume();
    stage.settle();
    assert_eq!(pool.freesize(), 3);
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_suspended_pool_can_be_closed_in_each_way() {
    Stage::each_virtual(|stage| {
        for way in 0..4 {
            let (builder, control) = stage.pool(2);
            let pool = stage.run(builder.minsize(1).build()).unwrap();
            pool.suspend();
            let mut waiting = Probe::polled(pool.acquire());
            match way {
                0 => pool.close(),
                1 => pool.terminate(),
                2 => assert!(stage.run(pool.shutdown(SECOND)).is_clean()),
                _ => {
                    pool.resume();
                    pool.suspend();
                    pool.close();
                }
            }
            assert!(waiting.poll_until_stalled(stage), "HANG");
            assert!(matches!(waiting.take(), Err(Error::Closed)));
            assert!(!pool.is_suspended(), "it is closed");
            pool.resume();
            pool.suspend();
            assert!(matches!(pool.try_acquire(), Err(Error::Closed)));
            drop(waiting);
            closed_for_good(stage, pool, &control);
        }
    });
}

#[test]
fn a_waiter_that_gives_up_in_a_suspended_pool_costs_nothing() {
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(maxsize);
            let pool = stage.run(builder.minsize(1).build()).unwrap();
            pool.suspend();
            for _ in 0..3 {
                drop(Probe::polled(pool.acquire()));
            }
            assert_eq!(pool.status().waiting(), 0);
            let held = Probe::polled(pool.acquire());
            pool.resume();
            // It was woken for a connection that it never takes.
            drop(held);
            drop(hold(acquire_now(stage, &pool)));
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn readiness_says_that_it_does_not_serve() {
    let stage = Stage::spawning();
    let (builder, _control) = stage.pool(2);
    let pool = stage.run(builder.minsize(1).build()).unwrap();
    pool.suspend();
    assert!(!pool.readiness().is_serving());
    assert!(pool.readiness().to_string().contains("suspended"));
    pool.resume();
    assert!(pool.readiness().is_serving());
}
