//! `retain`, `add`, `dedicated`, `WeakPool` and the extensions of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pool_core::{CloseReason, Error, Phase, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, closed_for_good};
use support::{FakeGuard, Probe, Stage, Step, Verb, hold};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn retain_closes_the_idle_connections_that_are_not_wanted_and_no_others() {
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder.build_lazy().unwrap();
            let guards: Vec<FakeGuard> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
            let mut guards = guards.into_iter();
            let held = guards.next().unwrap();
            drop(guards);
            stage.settle();
            let mut seen = Vec::new();
            let closed = pool.retain(|conn| {
                // It may call its pool: no lock is held.
                assert_eq!(pool.size(), maxsize);
                assert_eq!(conn.uses(), 1);
                seen.push(conn.id());
                conn.id() == 2
            });
            stage.settle();
            seen.sort_unstable();
            assert_eq!(seen.len(), maxsize - 1, "what is held is not asked for");
            assert_eq!(closed, maxsize.saturating_sub(2));
            assert_eq!(pool.size(), maxsize - closed);
            let reason = CloseReason::Evicted.as_str();
            let stats = pool.stats();
            let evicted = stats.closes_by_reason().find(|(why, _)| *why == reason);
            assert_eq!(evicted.map_or(0, |(_, number)| number), closed as u64);
            drop(held);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn what_is_handed_out_while_retain_asks_stays() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(2);
    let pool = builder.build_lazy().unwrap();
    drop(acquire_now(&stage, &pool));
    stage.settle();
    let mut held = None;
    let closed = pool.retain(|_| {
        held = Some(pool.try_acquire().unwrap());
        false
    });
    assert_eq!((closed, pool.size()), (0, 1));
    drop(held);
    stage.settle();
    // It is idle again, and has been used since.
    let closed = pool.retain(|conn| {
        drop(pool.try_acquire());
        stage.settle();
        conn.uses() == 0
    });
    assert_eq!(closed, 0);
    all_is_well(&stage, pool, &control);
}

#[test]
fn retain_tells_the_age_and_the_idle_time() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let guard = acquire_now(stage, &pool);
        stage.advance(2 * SECOND);
        drop(guard);
        stage.settle();
        stage.advance(3 * SECOND);
        pool.retain(|conn| {
            assert_eq!((conn.age(), conn.idle_for()), (5 * SECOND, 3 * SECOND));
            true
        });
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_retain_that_panics_closes_nothing() {
    let stage = Stage::bare();
    let (builder, control) = stage.pool(2);
    let pool = stage.run(builder.minsize(2).build()).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pool.retain(|_| panic!("scripted"))
    }));
    assert!(panicked.is_err());
    assert_eq!(pool.freesize(), 2);
    all_is_well(&stage, pool, &control);
}

#[test]
fn a_connection_that_is_added_serves_whoever_waits() {
    Stage::each(|stage| {
        for verdict in [Verdict::Reuse, Verdict::Recycle] {
            let (builder, control) = stage.pool(2);
            control.always_verdict(verdict);
            let pool = builder.build_lazy().unwrap();
            let own = stage.run(pool.dedicated()).unwrap();
            assert_eq!(pool.size(), 0, "it is none of the pool's");
            control.next(Verb::Connect, Step::Pend);
            let mut waiting = Probe::polled(pool.acquire());
            assert!(pool.add(own).is_ok());
            assert!(waiting.poll_until_stalled(stage), "HANG");
            let guard = waiting.take().unwrap();
            assert_eq!((guard.id(), pool.stats().added()), (1, 1));
            drop(hold(guard));
        }
    });
}

#[test]
fn add_gives_back_what_has_no_place() {
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(0);
            let pool = builder.maxsize(maxsize).build_lazy().unwrap();
            let own = stage.run(pool.dedicated()).unwrap();
            let guards: Vec<FakeGuard> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
            let own = pool.add(own).expect_err("every place is taken");
            drop(guards);
            pool.close();
            assert!(pool.add(own).is_err(), "the pool is closed");
            closed_for_good(stage, pool, &control);
        }
    });
}

#[test]
fn an_added_connection_is_closed_if_its_manager_does_not_want_it() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    let mut own = stage.run(pool.dedicated()).unwrap();
    own.close();
    assert!(pool.add(own).is_ok());
    stage.settle();
    assert_eq!((pool.size(), control.live()), (0, 0));
    all_is_well(&stage, pool, &control);
}

#[test]
fn dedicated_is_under_the_connect_timeout_and_takes_no_place() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(0);
        let pool = builder
            .maxsize(1)
            .connect_timeout(SECOND)
            .build_lazy()
            .unwrap();
        let held = acquire_now(stage, &pool);
        let own = stage.run(pool.dedicated()).unwrap();
        assert_eq!((pool.size(), control.live()), (1, 2));
        drop(own);
        control.next(Verb::Connect, Step::Pend);
        let mut late = Probe::polled(pool.dedicated());
        stage.advance(SECOND);
        assert!(late.poll_until_stalled(stage), "HANG");
        let error = late.take().err();
        let phase = match error {
            Some(Error::Timeout { phase, .. }) => phase,
            other => panic!("its connect hangs: {other:?}"),
        };
        assert_eq!(phase, Phase::Connect);
        drop(late);
        control.next(Verb::Connect, Step::Err);
        assert!(matches!(
            stage.run(pool.dedicated()),
            Err(Error::Connect(_))
        ));
        control.next(Verb::Connect, Step::Panic);
        let panicked = stage.run(pool.dedicated());
        assert!(matches!(panicked, Err(Error::Panicked { .. })));
        control.next(Verb::Connect, Step::Pend);
        drop(Probe::polled(pool.dedicated()));
        drop(held);
        pool.close();
        assert!(matches!(stage.run(pool.dedicated()), Err(Error::Closed)));
        closed_for_good(stage, pool, &control);
    });
}

#[test]
fn a_weak_handle_does_not_keep_the_pool_open() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = stage.run(builder.minsize(1).build()).unwrap();
    let weak = pool.downgrade();
    let again = weak.upgrade().expect("the pool is there");
    drop(pool);
    assert!(!again.is_closing(), "a handle is left");
    drop(again);
    stage.settle();
    assert!(weak.upgrade().is_none());
    assert!(!control.manager_is_alive());
}

/// Counts how many of it were dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("scripted: the drop of a value panics");
    }
}

#[test]
fn extensions_live_and_end_with_their_connection() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let dropped = Arc::new(AtomicUsize::new(0));
        for round in 1..=3 {
            let mut guard = acquire_now(stage, &pool);
            assert!(PooledConnection::extensions(&guard).is_empty());
            let extensions = PooledConnection::extensions_mut(&mut guard);
            extensions.insert(Counted(Arc::clone(&dropped)));
            extensions.insert("a text");
            drop(guard);
            stage.settle();
            let guard = acquire_now(stage, &pool);
            let stored = PooledConnection::extensions(&guard).get::<&str>();
            assert_eq!(stored, Some(&"a text"), "the next holder finds it");
            assert_eq!(dropped.load(Ordering::SeqCst), round - 1);
            match round {
                1 => drop(PooledConnection::detach(guard)),
                2 => PooledConnection::discard(guard),
                _ => {
                    control.break_all();
                    drop(guard);
                }
            }
            stage.settle();
            assert_eq!(dropped.load(Ordering::SeqCst), round);
        }
        all_is_well(stage, pool, &control);
    });
}
