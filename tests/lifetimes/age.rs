//! `max_lifetime` and `max_uses`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pool_core::{CheckPolicy, Event, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, at_rest, counts_true};
use support::{Gate, Probe, Stage, Step, Told, Verb, hold};

use super::{MINUTE, SECOND};

#[test]
fn an_idle_connection_is_replaced_before_it_goes() {
    let stage = Stage::spawning();
    for (minsize, maxsize) in [(1, 2), (2, 5)] {
        let (builder, control) = stage.pool(maxsize);
        let builder = builder.minsize(minsize).max_lifetime(MINUTE);
        let (builder, told) = Told::by(builder.max_lifetime_jitter(SECOND));
        let pool = stage.run(builder.build()).unwrap();
        stage.advance(58 * SECOND);
        told.take();
        let gate = Gate::new();
        control.always(Verb::Connect, Step::gate(&gate));
        stage.advance(3 * SECOND / 2);
        // Those that are due can be used until the new ones stand.
        let due = control.in_connect();
        assert!(due > 0 && pool.freesize() == minsize, "{}", pool.status());
        gate.open();
        stage.advance(MINUTE / 60);
        stage.settle();
        assert_eq!(pool.freesize(), minsize);
        assert_eq!(control.closed(), minsize);
        let closed = told.take_with("max_lifetime allows");
        assert_eq!(closed.len(), minsize, "{closed:?}");
        control.all_goes_well();
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn the_pool_is_never_smaller_than_minsize_although_all_its_connections_are_replaced_again_and_again()
 {
    for jitter in [Duration::ZERO, SECOND, 20 * SECOND] {
        let stage = Stage::spawning();
        let (builder, control) = stage.pool(4);
        let builder = builder.minsize(2).max_lifetime(MINUTE);
        let least = Arc::new(Mutex::new(usize::MAX));
        let noted = Arc::clone(&least);
        let watched = control.clone();
        control.on_call(Verb::Close, move || {
            let mut least = noted.lock().unwrap();
            // The one that is being closed is still open.
            *least = (*least).min(watched.live() - 1);
        });
        let pool = stage
            .run(builder.max_lifetime_jitter(jitter).build())
            .unwrap();
        for _ in 0..1_000 {
            stage.advance(SECOND);
            assert!(pool.freesize() >= 2, "{}", pool.status());
        }
        let made = control.made();
        assert!((30..=60).contains(&made), "{made} connects");
        assert!(*least.lock().unwrap() >= 2, "the old one went first");
        control.no_hook(Verb::Close);
        all_is_well(&stage, pool, &control);
    }
}

#[test]
fn where_there_is_no_room_for_its_replacement_it_goes_first() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(2);
    let builder = builder.minsize(2).max_lifetime(MINUTE);
    let pool = stage.run(builder.build()).unwrap();
    stage.advance(MINUTE);
    assert_eq!((pool.size(), pool.freesize()), (2, 2));
    assert_eq!((control.made(), control.closed()), (4, 2));
    all_is_well(&stage, pool, &control);
}

#[test]
fn while_nothing_can_be_opened_a_connection_is_kept_as_long_as_it_may_live() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let builder = builder.minsize(1).max_lifetime(MINUTE);
    let builder = builder.connect_retry(10 * SECOND);
    let pool = stage
        .run(builder.max_lifetime_jitter(MINUTE).build())
        .unwrap();
    control.always(Verb::Connect, Step::Fail(pool_core::ErrorClass::Transient));
    stage.advance(59 * SECOND);
    let conn = acquire_now(&stage, &pool);
    assert_eq!(conn.id(), 1);
    drop(conn);
    control.all_goes_well();
    stage.advance(MINUTE);
    assert_ne!(acquire_now(&stage, &pool).id(), 1);
    all_is_well(&stage, pool, &control);
}

#[test]
fn nobody_gets_a_connection_that_is_too_old() {
    Stage::each_virtual(|stage| {
        for policy in [
            CheckPolicy::Never,
            CheckPolicy::Always,
            CheckPolicy::default(),
        ] {
            for upkeep in [true, false] {
                let (builder, control) = stage.pool(2);
                let builder = builder.max_lifetime(MINUTE).check_policy(policy);
                let builder = builder.max_lifetime_jitter(Duration::ZERO).upkeep(upkeep);
                let pool = builder.build_lazy().unwrap();
                control.always_verdict(Verdict::Reuse);
                // In steady use, and never idle for long.
                for second in 0..60 {
                    let conn = acquire_now(stage, &pool);
                    assert_eq!(conn.id(), 1, "after {second} s");
                    drop(conn);
                    stage.advance(SECOND);
                }
                assert_eq!(acquire_now(stage, &pool).id(), 2);
                assert_eq!(pool.try_acquire().unwrap().id(), 2);
                stage.advance(MINUTE);
                assert!(!matches!(pool.try_acquire(), Ok(conn) if conn.id() == 2));
                all_is_well(stage, pool, &control);
            }
        }
    });
}

#[test]
fn one_in_use_is_left_alone_and_goes_when_it_comes_back() {
    Stage::each_virtual(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            for maxsize in [1, 2, 5] {
                let (builder, control) = stage.pool(maxsize);
                let (builder, told) = Told::by(builder.max_lifetime(MINUTE));
                let pool = builder.build_lazy().unwrap();
                control.always_verdict(verdict);
                let held: Vec<_> = (0..maxsize)
                    .map(|_| hold(acquire_now(stage, &pool)))
                    .collect();
                stage.advance(2 * MINUTE);
                assert!(held.iter().all(|conn| conn.query() == Ok(1)));
                counts_true(&pool, &control, maxsize);
                drop(held);
                stage.settle();
                assert_eq!((pool.size(), control.recycles()), (0, 0));
                assert_eq!(
                    told.take_with("max_lifetime allows").len(),
                    maxsize,
                    "{verdict:?}"
                );
                all_is_well(stage, pool, &control);
            }
        }
    });
}

#[test]
fn an_awaited_release_says_that_it_was_not_kept() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.max_lifetime(MINUTE).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        stage.advance(MINUTE);
        let released = stage.run(PooledConnection::release(conn));
        assert!(matches!(released, Err(pool_core::Error::Discarded)));
        assert_eq!((control.recycles(), control.close_calls()), (0, 1));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn those_who_wait_get_what_is_opened_in_its_place() {
    Stage::each_virtual(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            let (builder, control) = stage.pool(1);
            let pool = builder.max_lifetime(MINUTE).build_lazy().unwrap();
            control.always_verdict(verdict);
            let held = hold(acquire_now(stage, &pool));
            let mut waiting: Vec<_> = (0..3).map(|_| Probe::polled(pool.acquire())).collect();
            stage.advance(MINUTE);
            drop(held);
            for waiter in &mut waiting {
                assert!(waiter.poll_until_stalled(stage), "HANG");
                let conn = hold(waiter.take().unwrap());
                assert_eq!(conn.id(), 2);
            }
            drop(waiting);
            at_rest(stage, &pool, &control);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn ten_thousand_that_were_opened_together_do_not_go_together() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(0);
    let builder = builder.minsize(10_000).max_lifetime(30 * MINUTE);
    let pool = stage.run(builder.build()).unwrap();
    stage.advance((27 * 60 - 1) * SECOND);
    assert_eq!(control.closed(), 0);
    let mut most = 0;
    for _ in 0..=181 {
        let before = control.closed();
        stage.advance(SECOND);
        most = most.max(control.closed() - before);
        assert!(pool.freesize() >= 10_000);
    }
    assert_eq!(control.closed(), 10_000);
    // On average it is 56 in each of the 180 seconds.
    assert!(most < 112, "{most} in one second");
    pool.close();
    stage.run(pool.wait_closed()).unwrap();
}

#[test]
fn the_shortest_life_is_good_for_one_use_and_does_not_connect_without_pause() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let nanosecond = SECOND / 1_000_000_000;
        let builder = builder.minsize(1).max_lifetime(nanosecond);
        let pool = stage.run(builder.build()).unwrap();
        for _ in 0..10 {
            stage.advance(nanosecond);
            drop(hold(acquire_now(stage, &pool)));
        }
        let before = control.made();
        stage.advance(MINUTE);
        let made = control.made() - before;
        assert!(made <= 601, "{made} connects in a minute");
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn the_longest_life_never_ends() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.minsize(1).max_lifetime(Duration::MAX);
        let pool = stage.run(builder.build()).unwrap();
        stage.advance(1_000_000 * MINUTE);
        assert_eq!(acquire_now(stage, &pool).id(), 1);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_connection_is_handed_out_as_often_as_max_uses_says() {
    Stage::each_virtual(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            for maxsize in [1, 2, 5] {
                let (builder, control) = stage.pool(maxsize);
                let (builder, told) = Told::by(builder.max_uses(3));
                let pool = builder.build_lazy().unwrap();
                control.always_verdict(verdict);
                for number in 0..9 {
                    let conn = hold(acquire_now(stage, &pool));
                    assert_eq!(conn.id(), number / 3 + 1);
                    drop(conn);
                    stage.settle();
                }
                assert_eq!((pool.size(), control.made(), control.closed()), (0, 3, 3));
                assert_eq!(told.take_with("max_uses allows").len(), 3);
                all_is_well(stage, pool, &control);
            }
        }
    });
}

#[test]
fn the_replacement_of_a_used_up_connection_is_opened_before_it_goes() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(2);
    let pool = stage.run(builder.minsize(1).max_uses(1).build()).unwrap();
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    drop(hold(acquire_now(&stage, &pool)));
    stage.settle();
    assert_eq!((control.in_connect(), control.closed()), (1, 0));
    gate.open();
    stage.settle();
    assert_eq!((control.made(), control.closed()), (2, 1));
    assert_eq!((pool.size(), pool.freesize()), (1, 1));
    all_is_well(&stage, pool, &control);
}

#[test]
fn with_interceptors_a_new_connection_is_handed_out_however_short_its_life_is() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let builder = builder.max_lifetime(SECOND / 1_000_000_000);
        let pool = builder.interceptor(control.interceptor());
        let pool = pool.build_lazy().unwrap();
        for id in 1..5 {
            assert_eq!(acquire_now(stage, &pool).id(), id);
            stage.advance(SECOND);
        }
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn the_events_of_a_replacement_are_in_order() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(2);
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let builder = builder.minsize(1).max_lifetime(MINUTE);
    let builder = builder.observer(move |event: &Event<'_>| {
        if let Event::Connected { .. } | Event::Closed { .. } = event {
            told.lock().unwrap().push(event.to_string());
        }
    });
    let pool = stage.run(builder.build()).unwrap();
    stage.advance(MINUTE);
    let told = std::mem::take(&mut *events.lock().unwrap());
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[1].contains("connection 2"), "{told:#?}");
    assert!(told[2].contains("connection 1"), "{told:#?}");
    all_is_well(&stage, pool, &control);
}
