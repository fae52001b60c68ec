//! Close, shut-down, clear and terminate: what broke in other pools.

use std::time::Duration;

use pool_core::{CheckPolicy, Error, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, closed_for_good, counts_true};
use support::{FakeConnection, FakeGuard, Gate, Probe, Stage, Step, Verb, hold};

#[path = "scenarios_close/clear.rs"]
mod clear;
#[path = "scenarios_close/inside.rs"]
mod inside;
#[path = "scenarios_close/meanwhile.rs"]
mod meanwhile;
#[path = "scenarios_close/terminate.rs"]
mod terminate;

const SECOND: Duration = Duration::from_secs(1);

/// The pool is closed while one or more connects are in flight; nothing is added to a closed pool.
#[test]
fn a_pool_closed_under_its_connects_keeps_none_of_them() {
    const MAXSIZE: usize = 4;
    for connects in 1..=MAXSIZE {
        for terminate in [false, true] {
            Stage::each(|stage| {
                let (builder, control) = stage.pool(MAXSIZE);
                let pool = builder.build_lazy().unwrap();
                let gate = Gate::new();
                control.always(Verb::Connect, Step::gate(&gate));
                let mut acquires: Vec<_> = (0..connects)
                    .map(|_| Probe::pending(pool.acquire()))
                    .collect();
                stage.settle();
                assert_eq!(control.in_connect(), connects);
                if terminate {
                    pool.terminate();
                } else {
                    pool.close();
                }
                assert!(stage.drive(&mut acquires), "HANG: {}", pool.status());
                for acquire in &mut acquires {
                    assert!(matches!(acquire.take(), Err(Error::Closed)));
                }
                drop(acquires);
                gate.open();
                closed_for_good(stage, pool, &control);
            });
        }
    }
}

/// When wait_closed returns, everything is closed, now and not soon.
#[test]
fn wait_closed_returns_when_everything_is_closed_and_not_before() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(4);
        let pool = stage.run(builder.minsize(4).build()).unwrap();
        let guards = [(); 2].map(|()| acquire_now(stage, &pool));
        let gate = Gate::new();
        control.always(Verb::Close, Step::gate(&gate));
        pool.close();
        let mut closed = Probe::new(pool.wait_closed());
        assert!(
            !closed.poll_until_stalled(stage),
            "two are out, two are closing"
        );
        drop(guards);
        assert!(!closed.poll_until_stalled(stage), "some are closing");
        assert!(control.live() > 0 && !pool.is_closed());
        gate.open();
        assert!(closed.poll_until_stalled(stage), "HANG: {}", pool.status());
        closed.take().unwrap();
        assert_eq!((control.live(), pool.size()), (0, 0));
        assert_eq!(control.close_calls(), 4, "each was closed");
        drop(closed);
        closed_for_good(stage, pool, &control);
    });
}

/// A task that acquires again and again does not keep the pool from closing, and learns of it.
#[test]
fn a_task_that_acquires_in_a_loop_stops_when_the_pool_is_closed() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = hold(acquire_now(stage, &pool));
        let mut looping = {
            let pool = &pool;
            Probe::pending(async move {
                loop {
                    match pool.acquire().await {
                        Ok(guard) => drop(hold(guard)),
                        Err(Error::Closed) => return,
                        Err(error) => panic!("it must be Closed: {error:?}"),
                    }
                }
            })
        };
        pool.close();
        assert!(looping.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(conn);
        drop(looping);
        closed_for_good(stage, pool, &control);
    });
}

/// Close can be said twice, and terminate after it, and close after that.
#[test]
fn close_and_terminate_may_be_repeated() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        control.give_abort_handles();
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        pool.close();
        pool.close();
        assert!(
            !conn.marks().is_aborted(),
            "close leaves a used connection alone"
        );
        assert_eq!(conn.query(), Ok(1));
        pool.terminate();
        pool.terminate();
        pool.close();
        assert!(conn.marks().is_aborted());
        drop(conn);
        closed_for_good(stage, pool, &control);
    });
}

/// Any number of callers may wait for the end; all of them learn of it, also those who come late.
#[test]
fn many_callers_of_wait_closed_return_together() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let guards = [(); 2].map(|()| acquire_now(stage, &pool));
        pool.close();
        let mut callers: Vec<_> = (0..5).map(|_| Probe::pending(pool.wait_closed())).collect();
        callers[0].cancel();
        callers.remove(0);
        drop(guards);
        assert!(stage.drive(&mut callers), "HANG: {}", pool.status());
        assert!(callers.iter_mut().all(|caller| caller.take().is_ok()));
        drop(callers);
        closed_for_good(stage, pool, &control);
    });
}

/// The caller of `wait_closed` that drives the closes is dropped; another caller drives them from then on.
#[test]
fn the_other_callers_of_wait_closed_go_on_when_one_is_dropped() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = stage.run(builder.minsize(3).build()).unwrap();
        let gates = [(); 3].map(|()| Gate::new());
        for gate in &gates {
            control.next(Verb::Close, Step::gate(gate));
        }
        pool.close();
        let mut first = Probe::pending(pool.wait_closed());
        let mut second = Probe::pending(pool.wait_closed());
        stage.settle();
        gates[1].open();
        first.cancel();
        gates[0].open();
        gates[2].open();
        assert!(second.poll_until_stalled(stage), "HANG: {}", pool.status());
        second.take().unwrap();
        drop((first, second));
        closed_for_good(stage, pool, &control);
    });
}

/// A close that hangs is cut off at its deadline.
#[test]
fn wait_closed_is_not_kept_by_a_close_that_hangs() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.minsize(2).close_timeout(SECOND);
        let pool = stage.run(builder.build()).unwrap();
        control.always(Verb::Close, Step::Pend);
        pool.close();
        let mut closed = Probe::pending(pool.wait_closed());
        stage.advance(SECOND / 2);
        assert!(!closed.poll_until_stalled(stage));
        assert_eq!(
            (pool.size(), control.live()),
            (2, 2),
            "it counts until it is gone"
        );
        stage.advance(SECOND / 2);
        assert!(closed.poll_until_stalled(stage), "HANG: {}", pool.status());
        closed.take().unwrap();
        drop(closed);
        closed_for_good(stage, pool, &control);
    });
}

/// A connection that comes back to a closing pool is closed, not kept, not recycled.
#[test]
fn a_connection_that_comes_back_after_close_is_closed() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let [one, two, three] = [(); 3].map(|()| acquire_now(stage, &pool));
        pool.close();
        drop(one);
        let kept = stage.run(PooledConnection::release(two));
        assert!(kept.is_err(), "it was not kept");
        let detached: FakeConnection = PooledConnection::detach(three);
        stage.run(pool.wait_closed()).unwrap();
        assert_eq!((control.recycles(), pool.size(), control.live()), (0, 0, 1));
        assert_eq!(detached.query(), Ok(1), "what was detached is its holder's");
        drop(detached);
        closed_for_good(stage, pool, &control);
    });
}

/// After terminate, wait_closed does not wait for guards; one without an abort handle works until it is dropped.
#[test]
fn terminate_leaves_guards_behind() {
    Stage::each(|stage| {
        for handles in [false, true] {
            let (builder, control) = stage.pool(3);
            if handles {
                control.give_abort_handles();
            }
            let pool = builder.build_lazy().unwrap();
            let guards = [(); 2].map(|()| hold(acquire_now(stage, &pool)));
            drop(acquire_now(stage, &pool));
            stage.settle();
            let mut waiter = Probe::new(pool.acquire());
            pool.terminate();
            assert_eq!(
                pool.used(),
                pool.status().closing(),
                "held connections are not counted any more"
            );
            stage.run(pool.wait_closed()).unwrap();
            assert_eq!((pool.size(), control.live()), (0, 2));
            for held in &guards {
                assert_eq!(held.query().is_err(), handles);
                assert_eq!(held.marks().is_aborted(), handles);
            }
            assert!(waiter.poll_until_stalled(stage));
            assert!(matches!(waiter.take(), Err(Error::Closed)));
            drop(guards);
            stage.settle();
            assert_eq!((pool.size(), pool.used(), control.live()), (0, 0, 0));
            drop(waiter);
            closed_for_good(stage, pool, &control);
        }
    });
}

/// Terminate aborts what is under way: a step that hangs does not keep the pool.
#[test]
fn terminate_does_not_wait_for_steps_under_way() {
    for verb in [Verb::Connect, Verb::Check, Verb::Recycle] {
        Stage::each(|stage| {
            println!("{verb:?}");
            let (builder, control) = stage.pool(1);
            let builder = builder.check_policy(CheckPolicy::Always);
            let pool = builder.build_lazy().unwrap();
            if verb != Verb::Connect {
                let conn = acquire_now(stage, &pool);
                stage.run(PooledConnection::release(conn)).unwrap();
            }
            if verb == Verb::Recycle {
                let conn = acquire_now(stage, &pool);
                control.next(verb, Step::Pend);
                drop(conn);
            } else {
                control.next(verb, Step::Pend);
            }
            let mut acquire = Probe::new(pool.acquire());
            assert!(!acquire.poll_until_stalled(stage));
            pool.terminate();
            assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
            assert!(matches!(acquire.take(), Err(Error::Closed)));
            drop(acquire);
            closed_for_good(stage, pool, &control);
        });
    }
}

/// The last `Pool` goes: that is a close without waiting; guards stay valid.
#[test]
fn dropping_the_last_pool_closes_it_and_guards_stay_valid() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = stage.run(builder.minsize(3).build()).unwrap();
        let conn = hold(acquire_now(stage, &pool));
        let clone = pool.clone();
        drop(pool);
        stage.settle();
        assert_eq!(control.live(), 3, "a clone is a pool");
        drop(clone);
        stage.settle();
        assert_eq!(control.live(), 1, "the idle ones are closed");
        assert_eq!(conn.query(), Ok(1));
        drop(conn);
        stage.settle();
        assert_eq!(control.live(), 0);
        assert!(!control.manager_is_alive());
        assert_eq!(stage.tasks(), 0);
    });
}

/// A guard that outlives its pool can be released with waiting, detached and discarded.
#[test]
fn a_guard_that_outlives_its_pool_can_leave_in_every_way() {
    type Leave = fn(&Stage, FakeGuard);
    let ways: [Leave; 4] = [
        |_, guard| drop(guard),
        |stage, guard| {
            let kept = stage.run(PooledConnection::release(guard));
            assert!(kept.is_err(), "nobody is there to keep it");
        },
        |_, guard| drop(PooledConnection::detach(guard)),
        |_, guard| PooledConnection::discard(guard),
    ];
    for leave in ways {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let guard = acquire_now(stage, &pool);
            drop(pool);
            leave(stage, guard);
            stage.settle();
            assert_eq!(control.live(), 0);
            assert!(!control.manager_is_alive());
            assert_eq!(stage.tasks(), 0);
        });
    }
}
