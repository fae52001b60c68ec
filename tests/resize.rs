//! `resize`: a larger pool serves those who wait at once; a smaller one lets go of what is idle now and of the rest when it
//! comes back.

use std::sync::{Arc, Mutex};

use pool_core::{Error, Event, PooledConnection, Verdict};
use support::invariants::{acquire_now, at_rest, closed_for_good, counts_add_up};
use support::{FakeControl, FakeGuard, FakePool, Gate, Probe, Stage, Step, Verb, hold};

/// A pool whose manager watches another bound than maxsize, because that changes.
fn pool(stage: &Stage, maxsize: usize, most: usize) -> (FakePool, FakeControl) {
    let (manager, control) = stage.fake(most);
    let builder = stage.builder(manager).minsize(0).maxsize(maxsize);
    (builder.build_lazy().unwrap(), control)
}

#[test]
fn a_larger_pool_serves_those_who_wait_at_once() {
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            let (pool, control) = pool(stage, maxsize, maxsize + 3);
            let held: Vec<FakeGuard> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
            let mut waiting: Vec<_> = (0..4).map(|_| Probe::polled(pool.acquire())).collect();
            pool.resize(maxsize + 3).unwrap();
            assert!(!stage.drive(&mut waiting), "three of four are served");
            assert!(waiting[..3].iter().all(Probe::is_ready));
            assert_eq!((pool.maxsize(), pool.size()), (maxsize + 3, maxsize + 3));
            drop(held);
            assert!(stage.drive(&mut waiting), "HANG");
            drop(waiting);
            at_rest(stage, &pool, &control);
            closed_for_good(stage, pool, &control);
        }
    });
}

#[test]
fn a_smaller_pool_closes_idle_connections_those_that_came_back_first() {
    Stage::each(|stage| {
        let (pool, control) = pool(stage, 5, 5);
        control.always_verdict(Verdict::Reuse);
        let guards: Vec<FakeGuard> = (0..5).map(|_| acquire_now(stage, &pool)).collect();
        let ids: Vec<u64> = guards.iter().map(|guard| guard.id()).collect();
        drop(guards);
        pool.resize(2).unwrap();
        stage.settle();
        assert_eq!((pool.size(), pool.freesize()), (2, 2));
        assert_eq!(control.open_connections(), ids[3..]);
        at_rest(stage, &pool, &control);
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn what_is_in_use_is_let_go_when_it_comes_back_until_the_pool_fits() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            let (pool, control) = pool(stage, 5, 5);
            control.always_verdict(verdict);
            let mut guards: Vec<_> = (0..5).map(|_| hold(acquire_now(stage, &pool))).collect();
            let mut waiting = Probe::polled(pool.acquire());
            pool.resize(2).unwrap();
            assert_eq!((pool.size(), pool.maxsize()), (5, 2));
            for left in [4, 3, 2] {
                drop(guards.pop());
                assert!(!waiting.poll_until_stalled(stage), "there is no place");
                assert_eq!(pool.size(), left, "{}", pool.status());
            }
            drop(guards.pop());
            assert!(waiting.poll_until_stalled(stage), "HANG: {}", pool.status());
            assert_eq!((pool.size(), control.made()), (2, 5));
            drop((guards, waiting));
            let closed = pool.stats();
            let resized = closed.closes_by_reason().find(|(why, _)| *why == "resized");
            assert_eq!(resized, Some(("resized", 3)));
            at_rest(stage, &pool, &control);
            closed_for_good(stage, pool, &control);
        }
    });
}

#[test]
fn an_awaited_release_of_what_is_too_much_says_that_it_was_discarded() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            let (pool, control) = pool(stage, 2, 2);
            control.always_verdict(verdict);
            let [one, two] = [(); 2].map(|()| acquire_now(stage, &pool));
            pool.resize(1).unwrap();
            let released = stage.run(PooledConnection::release(one));
            assert!(matches!(released, Err(Error::Discarded)), "{released:?}");
            assert!(stage.run(PooledConnection::release(two)).is_ok());
            assert_eq!((pool.size(), pool.freesize()), (1, 1));
            at_rest(stage, &pool, &control);
            closed_for_good(stage, pool, &control);
        }
    });
}

#[test]
fn a_smaller_pool_gives_up_connects_that_have_not_begun() {
    Stage::each(|stage| {
        let (pool, control) = pool(stage, 3, 3);
        let held = [(); 3].map(|()| acquire_now(stage, &pool));
        let mut waiting: Vec<_> = (0..3).map(|_| Probe::polled(pool.acquire())).collect();
        // Each of them is to connect, and none has been polled.
        drop(held.map(PooledConnection::detach));
        assert_eq!((pool.status().connecting(), control.connects()), (3, 3));
        pool.resize(1).unwrap();
        stage.drive(&mut waiting);
        assert_eq!((pool.size(), control.connects()), (1, 4));
        for acquire in &mut waiting {
            assert!(acquire.poll_until_stalled(stage), "HANG");
            drop(acquire.take());
        }
        drop(waiting);
        at_rest(stage, &pool, &control);
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn a_connect_that_runs_ends_and_is_let_go_if_it_is_too_much() {
    Stage::each(|stage| {
        let (pool, control) = pool(stage, 2, 2);
        let held = acquire_now(stage, &pool);
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut waiting = Probe::polled(pool.acquire());
        pool.resize(1).unwrap();
        gate.open();
        assert!(!waiting.poll_until_stalled(stage), "{}", pool.status());
        assert_eq!((pool.size(), control.live()), (1, 1));
        drop(held);
        assert!(waiting.poll_until_stalled(stage), "HANG");
        drop(waiting);
        counts_add_up(&pool);
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn no_connect_begins_beside_a_close_that_has_not_ended() {
    let stage = Stage::spawning();
    let (pool, control) = pool(&stage, 3, 3);
    let gate = Gate::new();
    control.always(Verb::Close, Step::gate(&gate));
    let guards: Vec<FakeGuard> = (0..3).map(|_| acquire_now(&stage, &pool)).collect();
    pool.resize(1).unwrap();
    drop(guards);
    stage.settle();
    assert_eq!(pool.size(), 3, "two are being closed");
    let held = acquire_now(&stage, &pool);
    let mut waiting = Probe::polled(pool.acquire());
    assert!(!waiting.poll_until_stalled(&stage));
    assert_eq!(control.connects(), 3);
    PooledConnection::detach(held);
    assert!(
        !waiting.poll_until_stalled(&stage),
        "the closes have its place"
    );
    gate.open();
    assert!(waiting.poll_until_stalled(&stage), "HANG");
    drop(waiting);
    at_rest(&stage, &pool, &control);
    closed_for_good(&stage, pool, &control);
}

#[test]
fn zero_is_unlimited_and_a_maxsize_below_minsize_is_refused() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(0);
        let pool = stage.run(builder.minsize(2).maxsize(2).build()).unwrap();
        let Err(Error::Config(error)) = pool.resize(1) else {
            panic!("minsize is 2");
        };
        assert_eq!((error.field(), pool.maxsize()), ("minsize", 2));
        pool.resize(0).unwrap();
        let guards: Vec<FakeGuard> = (0..20).map(|_| acquire_now(stage, &pool)).collect();
        assert_eq!((pool.maxsize(), pool.size()), (0, 20));
        drop(guards);
        pool.resize(3).unwrap();
        stage.settle();
        assert_eq!(pool.size(), 3);
        at_rest(stage, &pool, &control);
        pool.close();
        assert!(matches!(pool.resize(5), Err(Error::Closed)));
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn observers_hear_of_it() {
    let stage = Stage::spawning();
    let (builder, _control) = stage.pool(2);
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&told);
    let builder = builder.observer(move |event: &Event<'_>| {
        if let Event::Resized { from, to, .. } = event {
            let line = format!("{event} ({from}, {to})");
            heard.lock().unwrap().push(line);
        }
    });
    let pool = builder.build_lazy().unwrap();
    pool.resize(0).unwrap();
    pool.resize(0).unwrap();
    let expected = "pool \"pool\": maxsize was 2, and is unlimited (2, 0)";
    assert_eq!(*told.lock().unwrap(), [expected]);
}
