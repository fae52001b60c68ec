//! Deadlines, on a clock that the test moves.

use std::error::Error as _;
use std::time::Duration;

use pool_core::{CheckPolicy, Error, Phase, PooledConnection};
use support::invariants::{acquire_now, all_is_well, at_rest};
use support::{FakeError, FakeGuard, Gate, Probe, Stage, Step, Verb, hold};

#[path = "timeouts/neglected.rs"]
mod neglected;
#[path = "timeouts/steps.rs"]
mod steps;

const SECOND: Duration = Duration::from_secs(1);

/// What a time-out says of itself.
#[track_caller]
fn timed_out(result: Result<FakeGuard, Error<FakeError>>) -> (Phase, Duration) {
    match result {
        Err(Error::Timeout { phase, after, .. }) => (phase, after),
        Err(other) => panic!("it must be a Timeout: {other:?}"),
        Ok(_) => panic!("it must be a Timeout, not a connection"),
    }
}

#[test]
fn an_acquire_gives_up_when_its_time_is_over_and_not_before() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.acquire_timeout(3 * SECOND).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut acquire = Probe::pending(pool.acquire());
        stage.advance(Duration::from_nanos(2_999_999_999));
        assert!(!acquire.poll_until_stalled(stage), "too early");
        stage.advance(Duration::from_nanos(1));
        assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert_eq!(timed_out(acquire.take()), (Phase::Wait, 3 * SECOND));
        assert_eq!(pool.status().waiting(), 0);
        drop(conn);
        drop(acquire);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_time_out_says_what_the_pool_looked_like() {
    Stage::each_virtual(|stage| {
        let (builder, _control) = stage.pool(2);
        let pool = builder.acquire_timeout(SECOND).build_lazy().unwrap();
        let _guards = [(); 2].map(|()| acquire_now(stage, &pool));
        let error = stage
            .clock()
            .block_on(pool.acquire())
            .expect_err("no place");
        let text = error.to_string();
        let Error::Timeout {
            status,
            last_connect,
            ..
        } = &error
        else {
            panic!("it must be a Timeout: {error:?}");
        };
        assert_eq!((status.size(), status.held(), status.maxsize()), (2, 2, 2));
        assert!(last_connect.is_none(), "no connect has failed");
        assert!(error.source().is_none());
        assert!(text.contains("1s") && text.contains("held 2"), "{text}");
    });
}

#[test]
fn a_time_out_carries_the_last_connect_error_as_its_source() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.acquire_timeout(SECOND).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Err);
        assert!(stage.run(pool.acquire()).is_err());
        control.next(Verb::Connect, Step::Pend);
        let error = stage
            .clock()
            .block_on(pool.acquire())
            .expect_err("it hangs");
        assert!(matches!(
            error,
            Error::Timeout {
                last_connect: Some(_),
                ..
            }
        ));
        let source = error.source().expect("the cause survives");
        assert!(source.is::<FakeError>());
        // The line alone tells the cause, so that a log of `{error}` is enough.
        assert!(error.to_string().ends_with(&source.to_string()));
    });
}

#[test]
fn a_connect_that_succeeds_clears_the_last_error() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.acquire_timeout(SECOND).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Err);
        assert!(stage.run(pool.acquire()).is_err());
        let _conn = acquire_now(stage, &pool);
        let error = stage
            .clock()
            .block_on(pool.acquire())
            .expect_err("no place");
        assert!(
            matches!(
                error,
                Error::Timeout {
                    last_connect: None,
                    ..
                }
            ),
            "{error:?}"
        );
    });
}

#[test]
fn the_time_out_of_an_acquire_replaces_that_of_the_pool() {
    Stage::each_virtual(|stage| {
        let (builder, _control) = stage.pool(1);
        let pool = builder.acquire_timeout(10 * SECOND).build_lazy().unwrap();
        let _conn = acquire_now(stage, &pool);
        let clock = stage.clock();
        let shorter = clock.block_on(pool.acquire().timeout(SECOND));
        assert_eq!(timed_out(shorter), (Phase::Wait, SECOND));
        let longer = clock.block_on(pool.acquire().timeout(Some(60 * SECOND)));
        assert_eq!(timed_out(longer), (Phase::Wait, 60 * SECOND));
        let mut never = Probe::pending(pool.acquire().timeout(None));
        stage.advance(86_400 * SECOND);
        assert!(!never.poll_until_stalled(stage));
    });
}

#[test]
fn an_acquire_can_have_a_time_out_where_the_pool_has_none() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let outcome = stage.clock().block_on(pool.acquire().timeout(SECOND));
        assert_eq!(timed_out(outcome), (Phase::Wait, SECOND));
        drop(conn);
        let in_time = stage.clock().block_on(pool.acquire().timeout(SECOND));
        drop(hold(in_time.unwrap()));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn an_acquire_keeps_its_time_whatever_hangs() {
    let cases = [
        (Verb::Connect, Phase::Connect),
        (Verb::Check, Phase::Check),
        (Verb::Recycle, Phase::Recycle),
    ];
    for (verb, phase) in cases {
        Stage::each_virtual(|stage| {
            println!("{verb:?}");
            let (builder, control) = stage.pool(1);
            let pool = builder
                .check_policy(CheckPolicy::Always)
                .acquire_timeout(SECOND)
                .build_lazy()
                .unwrap();
            if verb != Verb::Connect {
                let conn = acquire_now(stage, &pool);
                stage.run(PooledConnection::release(conn)).unwrap();
            }
            let conn = (verb == Verb::Recycle).then(|| acquire_now(stage, &pool));
            control.next(verb, Step::Pend);
            drop(conn);
            let (found, after) = timed_out(stage.clock().block_on(pool.acquire()));
            assert_eq!(after, SECOND, "the deadline of the step");
            // With a spawner it is the background that hangs, and the acquire that waits for it.
            assert!(
                found == phase || (stage.spawns() && found == Phase::Wait),
                "{found:?}"
            );
            pool.terminate();
            stage.run(pool.wait_closed()).unwrap();
            assert_eq!((control.live(), control.in_connect()), (0, 0));
        });
    }
}

#[test]
fn many_deadlines_strike_each_at_its_own_time() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        // Neither in the order of arrival nor in its reverse.
        let times = [5, 1, 4, 2, 3, 1].map(|seconds| seconds * SECOND);
        let mut acquires = times.map(|time| Probe::pending(pool.acquire().timeout(time)));
        for second in 1..=5 {
            stage.advance(SECOND);
            stage.drive(&mut acquires);
            for (acquire, time) in acquires.iter().zip(times) {
                let due = time <= second * SECOND;
                assert_eq!(acquire.is_ready(), due, "{time:?} after {second} s");
            }
        }
        for (acquire, time) in acquires.iter_mut().zip(times) {
            assert_eq!(timed_out(acquire.take()), (Phase::Wait, time));
        }
        drop(conn);
        drop(acquires);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn deadlines_strike_when_only_the_timer_runs() {
    // The waiter with the longest time-out is polled once, and then only at its own deadline.
    Stage::each_virtual(|stage| {
        let (builder, _control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let _conn = acquire_now(stage, &pool);
        let mut long = Probe::pending(pool.acquire().timeout(10 * SECOND));
        let mut short = Probe::pending(pool.acquire().timeout(SECOND));
        short.cancel();
        stage.advance(5 * SECOND);
        long.poll_until_stalled(stage);
        assert!(!long.is_ready());
        stage.advance(5 * SECOND);
        assert!(long.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert_eq!(timed_out(long.take()), (Phase::Wait, 10 * SECOND));
    });
}

#[test]
fn a_connection_that_comes_back_in_the_last_moment_is_taken() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut acquire = Probe::pending(pool.acquire().timeout(SECOND));
        stage.run(PooledConnection::release(conn)).unwrap();
        stage.advance(2 * SECOND);
        assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(
            acquire
                .take()
                .expect("it was handed over before the deadline"),
        ));
        drop(acquire);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_time_out_in_the_middle_of_a_connect_keeps_the_connect() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let outcome = stage.clock().block_on(pool.acquire().timeout(SECOND));
        assert_eq!(timed_out(outcome).1, SECOND);
        assert_eq!(control.in_connect(), 1, "it belongs to the pool");
        gate.open();
        stage.settle();
        let held = hold(acquire_now(stage, &pool));
        assert_eq!((held.id(), control.connects()), (1, 1));
        drop(held);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn ten_thousand_time_outs_leave_nobody_in_the_queue() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        for _ in 0..100 {
            let mut acquires: Vec<_> = (0..100)
                .map(|_| Probe::pending(pool.acquire().timeout(SECOND)))
                .collect();
            stage.advance(SECOND);
            assert!(stage.drive(&mut acquires), "HANG: {}", pool.status());
        }
        assert_eq!(pool.status().waiting(), 0);
        drop(conn);
        at_rest(stage, &pool, &control);
        all_is_well(stage, pool, &control);
    });
}

/// A time-out of nothing takes what can be had at the first poll: what is ready, what is clean at once, what checks at
/// once.
#[test]
fn a_time_out_of_zero_takes_what_can_be_had_at_once() {
    for limit in [Duration::ZERO, Duration::from_nanos(1)] {
        for policy in [CheckPolicy::Never, CheckPolicy::Always] {
            Stage::each(|stage| {
                let (builder, control) = stage.pool(1);
                let pool = builder.check_policy(policy).build_lazy().unwrap();
                // Nothing is there: a connect that is ready at once is had at once.
                drop(hold(stage.run(pool.acquire().timeout(limit)).unwrap()));
                // Dirty, or recycled meanwhile; with the policy it is checked as well.
                for _ in 0..3 {
                    drop(hold(stage.run(pool.acquire().timeout(limit)).unwrap()));
                    stage.settle();
                    drop(hold(stage.run(pool.acquire().timeout(limit)).unwrap()));
                }
                let held = acquire_now(stage, &pool);
                if limit.is_zero() {
                    let refused = stage.run(pool.acquire().timeout(limit));
                    assert!(matches!(refused, Err(Error::Timeout { .. })));
                }
                drop(held);
                all_is_well(stage, pool, &control);
            });
        }
    }
}
