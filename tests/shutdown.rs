//! `shutdown` ends in time whatever happens, and says who was left; `closing` tells holders that the pool closes.

use std::time::Duration;

use pool_core::{Error, Manager, Pool, PooledConnection, ShutdownReport};
use support::invariants::acquire_now;
use support::{FakeGuard, Gate, Probe, Stage, Step, Verb};

const SECOND: Duration = Duration::from_secs(1);

/// Polls a shutdown until it has returned, while time goes on by seconds.
fn shut_down<M: Manager>(stage: &Stage, pool: &Pool<M>, seconds: u32) -> ShutdownReport {
    let mut shutdown = Probe::new(pool.shutdown(seconds * SECOND));
    for _ in 0..=seconds {
        if shutdown.poll_until_stalled(stage) {
            return shutdown.take();
        }
        stage.advance(SECOND);
    }
    panic!("HANG: the shutdown is late; {}", pool.status());
}

#[test]
fn a_pool_that_is_not_used_is_closed_at_once() {
    Stage::each_virtual(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(maxsize);
            let pool = stage.run(builder.minsize(maxsize).build()).unwrap();
            let report = shut_down(stage, &pool, 0);
            assert!(report.is_clean() && report.left().is_empty());
            assert_eq!((report.closed(), report.cut_off()), (maxsize, 0));
            assert_eq!(control.close_calls(), maxsize, "each was closed properly");
            assert!(pool.is_closed());
        }
    });
}

#[test]
fn a_holder_who_gives_back_in_time_is_waited_for() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = stage.run(builder.build()).unwrap();
        let held = acquire_now(stage, &pool);
        let mut shutdown = Probe::new(pool.shutdown(10 * SECOND));
        assert!(!shutdown.poll_until_stalled(stage));
        stage.advance(3 * SECOND);
        drop(held);
        assert!(shutdown.poll_until_stalled(stage), "HANG");
        let report = shutdown.take();
        assert!(report.is_clean());
        assert_eq!((report.took(), report.closed()), (3 * SECOND, 1));
        assert_eq!(report.to_string(), "1 of 1 connections were closed in 3s");
        control.assert_no_violation();
    });
}

#[test]
fn a_holder_who_never_gives_back_is_aborted_and_named_with_the_place_of_the_acquire() {
    Stage::each_virtual(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(maxsize);
            control.give_abort_handles();
            let pool = stage.run(builder.build()).unwrap();
            let line = line!() + 1;
            let acquire = pool.acquire().label("a report");
            let held = stage.run(acquire).unwrap();
            let idle: Vec<FakeGuard> = (1..maxsize).map(|_| acquire_now(stage, &pool)).collect();
            drop(idle);
            let report = shut_down(stage, &pool, 5);
            assert_eq!(report.took(), 5 * SECOND);
            assert_eq!(report.closed(), maxsize - 1);
            let [left] = report.left() else {
                panic!("one is left: {report}");
            };
            assert_eq!(left.id(), PooledConnection::id(&held));
            assert_eq!((left.label(), left.age()), (Some("a report"), 5 * SECOND));
            assert_eq!(left.place().line(), line);
            let words = format!("shutdown.rs:{line} (a report)");
            assert!(report.to_string().contains(&words), "{report}");
            assert!(held.query().is_err(), "it was aborted");
            assert!(pool.is_closed());
            drop(held);
            assert_eq!(control.live(), 0);
        }
    });
}

#[test]
fn steps_that_hang_do_not_make_it_late_and_are_dropped() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = stage.run(builder.minsize(1).build()).unwrap();
        control.always(Verb::Close, Step::Pend);
        control.always(Verb::Connect, Step::Pend);
        let held = acquire_now(stage, &pool);
        let mut connecting = Probe::polled(pool.acquire());
        PooledConnection::discard(held);
        connecting.poll();
        stage.settle();
        let report = shut_down(stage, &pool, 2);
        assert!(!report.is_clean() && report.left().is_empty());
        assert!(report.cut_off() > 0, "{report}");
        assert!(pool.is_closed(), "{}", pool.status());
        drop(connecting);
        assert_eq!((control.live(), control.in_connect()), (0, 0));
    });
}

#[test]
fn those_who_wait_are_refused_at_once_and_nobody_is_served_any_more() {
    Stage::each_virtual(|stage| {
        let (builder, _control) = stage.pool(1);
        let pool = stage.run(builder.build()).unwrap();
        let held = acquire_now(stage, &pool);
        let mut waiting = Probe::polled(pool.acquire());
        let mut shutdown = Probe::polled(pool.shutdown(SECOND));
        assert!(waiting.poll_until_stalled(stage), "HANG");
        assert!(matches!(waiting.take(), Err(Error::Closed)));
        assert!(matches!(stage.run(pool.acquire()), Err(Error::Closed)));
        drop(held);
        assert!(shutdown.poll_until_stalled(stage), "HANG");
    });
}

#[test]
fn a_shutdown_that_is_dropped_leaves_the_pool_closing_and_not_terminated() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        control.give_abort_handles();
        let pool = stage.run(builder.build()).unwrap();
        let held = acquire_now(stage, &pool);
        drop(pool.shutdown(SECOND));
        assert!(!pool.is_closing(), "nothing happens before its first poll");
        drop(Probe::polled(pool.shutdown(SECOND)));
        stage.advance(10 * SECOND);
        assert!(pool.is_closing() && held.query().is_ok());
        drop(held);
        assert!(stage.run(pool.wait_closed()).is_ok());
    });
}

#[test]
fn two_shutdowns_and_a_wait_closed_end_together() {
    Stage::each_virtual(|stage| {
        let (builder, _control) = stage.pool(2);
        let pool = stage.run(builder.build()).unwrap();
        let held = acquire_now(stage, &pool);
        let mut long = Probe::polled(pool.shutdown(100 * SECOND));
        let mut short = Probe::polled(pool.shutdown(SECOND));
        let mut closed = Probe::polled(pool.wait_closed());
        stage.advance(SECOND);
        assert!(short.poll_until_stalled(stage), "HANG");
        assert_eq!(short.take().left().len(), 1);
        assert!(long.poll_until_stalled(stage) && closed.poll_until_stalled(stage));
        let report = long.take();
        assert!(report.left().is_empty(), "the other one has told it");
        assert_eq!(report.took(), SECOND);
        drop(held);
    });
}

#[test]
fn a_close_of_the_manager_that_is_slow_but_in_time_is_waited_for() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = stage.run(builder.minsize(2).build()).unwrap();
        let gate = Gate::new();
        control.always(Verb::Close, Step::gate(&gate));
        let mut shutdown = Probe::new(pool.shutdown(SECOND));
        assert!(!shutdown.poll_until_stalled(stage));
        gate.open();
        assert!(shutdown.poll_until_stalled(stage), "HANG");
        assert_eq!(shutdown.take().closed(), 2);
    });
}

#[test]
fn on_the_built_in_timer_it_ends_although_nobody_drives_anything_else() {
    let stage = Stage::new(support::Mode::BuiltIn);
    let (builder, control) = stage.pool(1);
    let pool = stage.run(builder.build()).unwrap();
    let held = acquire_now(&stage, &pool);
    let shutdown = pool.shutdown(Duration::from_millis(1));
    let report = futures_lite::future::block_on(shutdown);
    assert_eq!(report.left().len(), 1);
    assert!(pool.is_closed());
    drop(held);
    assert_eq!(control.live(), 0);
}

#[test]
fn closing_is_ready_as_soon_as_the_pool_begins_to_close_in_each_way() {
    type Way = fn(Pool<support::FakeManager>);
    let ways: [Way; 3] = [|pool| pool.close(), |pool| pool.terminate(), drop];
    Stage::each_virtual(|stage| {
        for way in ways {
            let (builder, _control) = stage.pool(1);
            let pool = stage.run(builder.build()).unwrap();
            let held = acquire_now(stage, &pool);
            let mut by_guard = Probe::polled(PooledConnection::closing(&held));
            let mut by_pool = Probe::polled(pool.closing());
            let late = PooledConnection::closing(&held);
            assert!(by_guard.is_parked() && by_pool.is_parked());
            way(pool);
            assert!(by_guard.is_woken() && by_pool.is_woken());
            assert!(by_guard.poll() && by_pool.poll());
            assert!(Probe::new(late).poll(), "it is ready at once");
            drop(held);
        }
    });
}

#[test]
fn a_closing_that_is_dropped_or_moved_to_another_task_is_not_forgotten() {
    let stage = Stage::spawning();
    let (builder, _control) = stage.pool(1);
    let pool = stage.run(builder.build()).unwrap();
    let mut first = pool.closing();
    let gone = support::CountingWaker::new();
    assert!(support::probe::poll_with(&mut first, &gone.waker()).is_pending());
    let now = support::CountingWaker::new();
    assert!(support::probe::poll_with(&mut first, &now.waker()).is_pending());
    let mut other = pool.closing();
    let dropped = support::CountingWaker::new();
    assert!(support::probe::poll_with(&mut other, &dropped.waker()).is_pending());
    drop(other);
    pool.close();
    assert_eq!((gone.wakes(), now.wakes(), dropped.wakes()), (0, 1, 0));
}
