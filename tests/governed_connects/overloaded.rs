//! Class Overloaded: the server has no room for more, so the waiters wait for what is in use.

use pool_core::{Error, ErrorClass};
use support::invariants::{acquire_now, all_is_well};
use support::{Probe, Stage, Step, Verb, hold};

use crate::{MILLI, SECOND, callers, pass, recovers};

#[test]
fn five_callers_share_the_two_connections_that_the_server_has_room_for() {
    for retries in [false, true] {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(5);
            let retry = retries.then_some(SECOND);
            let pool = builder.connect_retry(retry).build_lazy().unwrap();
            // All five connects are under way before the first two of them succeed.
            control.next_times(Verb::Connect, 2, Step::Delay(10 * MILLI));
            let refused = Step::Delay(5 * MILLI).then(Step::Fail(ErrorClass::Overloaded));
            control.always(Verb::Connect, refused);
            let mut waiting = callers(&pool, 5);
            let mut served = 0;
            for _ in 0..10 {
                pass(stage, &mut waiting, 10 * MILLI, 20);
                for one in waiting.iter_mut().filter(|one| one.is_ready()) {
                    drop(hold(one.take().expect("nobody fails while two are in use")));
                    served += 1;
                }
                waiting.retain(|one| !one.is_ready());
            }
            assert_eq!((served, control.made()), (5, 2), "{}", pool.status());
            drop(waiting);
            recovers(stage, &pool, &control);
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn the_last_connection_in_use_is_lost_and_the_waiters_try_or_fail() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let mut guard = acquire_now(stage, &pool);
        control.always(Verb::Connect, Step::Fail(ErrorClass::Overloaded));
        let mut waiting = callers(&pool, 3);
        pass(stage, &mut waiting, 10 * MILLI, 20);
        assert!(waiting.iter().all(|one| !one.is_ready()), "one is in use");
        guard.close();
        drop(guard);
        assert!(stage.drive(&mut waiting), "HANG: {}", pool.status());
        assert!(
            waiting
                .iter_mut()
                .all(|one| matches!(one.take(), Err(Error::Connect(_))))
        );
        drop(waiting);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_place_that_comes_free_is_tried_at_once() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let mut guards = vec![acquire_now(stage, &pool), acquire_now(stage, &pool)];
        control.always(Verb::Connect, Step::Fail(ErrorClass::Overloaded));
        let mut waiting = vec![Probe::polled(pool.acquire())];
        stage.drive(&mut waiting);
        control.all_goes_well();
        let mut broken = guards.pop().unwrap();
        broken.close();
        drop(broken);
        assert!(stage.drive(&mut waiting), "HANG: {}", pool.status());
        drop(hold(waiting[0].take().unwrap()));
        drop((guards, waiting));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn the_server_has_room_again_and_is_found_soon() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let held = hold(acquire_now(stage, &pool));
        control.always(Verb::Connect, Step::Fail(ErrorClass::Overloaded));
        let mut waiting = callers(&pool, 1);
        pass(stage, &mut waiting, 10 * MILLI, 100);
        let connects = control.connects();
        assert!((15..120).contains(&connects), "{connects} in a second");
        control.all_goes_well();
        pass(stage, &mut waiting, MILLI, 51);
        drop(hold(waiting[0].take().unwrap()));
        drop((held, waiting));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_deadline_ends_the_wait_for_a_return() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.acquire_timeout(SECOND).build_lazy().unwrap();
        let held = hold(acquire_now(stage, &pool));
        control.always(Verb::Connect, Step::Fail(ErrorClass::Overloaded));
        let mut waiting = callers(&pool, 2);
        pass(stage, &mut waiting, 10 * MILLI, 101);
        assert!(
            waiting
                .iter_mut()
                .all(|one| matches!(one.take(), Err(Error::Timeout { .. })))
        );
        drop((held, waiting));
        control.all_goes_well();
        stage.advance(SECOND);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn an_attempt_that_fails_in_another_way_fails_its_waiter_and_not_those_who_wait_for_a_return() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.build_lazy().unwrap();
        let held = hold(acquire_now(stage, &pool));
        control.next_times(Verb::Connect, 2, Step::Fail(ErrorClass::Overloaded));
        control.next(Verb::Connect, Step::Err);
        control.always(Verb::Connect, Step::Pend);
        let mut waiting = callers(&pool, 3);
        pass(stage, &mut waiting, MILLI, 200);
        let failed = waiting.iter().filter(|one| one.is_ready()).count();
        assert_eq!(failed, 1, "{}", pool.status());
        assert!(matches!(waiting[0].take(), Err(Error::Connect(_))));
        drop(held);
        for one in &mut waiting[1..] {
            stage.drive(std::slice::from_mut(one));
            drop(hold(one.take().unwrap()));
        }
        drop(waiting);
        pool.terminate();
        stage.run(pool.wait_closed()).unwrap();
        assert_eq!((control.live(), control.in_connect()), (0, 0));
    });
}
