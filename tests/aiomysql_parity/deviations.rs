//! Where aiomysql does something that we do otherwise on purpose: one test for each difference.

use std::time::Duration;

use pool_core::{Error, Pool, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, closed_for_good, counts_true};
use support::{FakeManager, Gate, Probe, Stage, Step, Verb, hold};

/// In aiomysql, a release of a closed connection, or of one inside a transaction, wakes no waiter: it hangs.
#[test]
fn a_release_that_closes_the_connection_wakes_the_waiter() {
    for in_transaction in [false, true] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let mut conn = acquire_now(stage, &pool);
            let mut waiter = Probe::pending(pool.acquire());
            if in_transaction {
                conn.begin();
                control.next_verdict(Verdict::Discard);
            } else {
                conn.close();
            }
            drop(conn);
            assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
            let conn = hold(waiter.take().unwrap());
            assert_eq!(conn.id(), 2, "a new connection");
            drop(conn);
            drop(waiter);
            all_is_well(stage, pool, &control);
        });
    }
}

/// In aiomysql, one and the same text tells of a negative maxsize and of minsize above maxsize.
#[test]
fn the_error_of_a_bad_setting_names_the_setting() {
    let named = |result: Result<Pool<FakeManager>, Error<_>>| match result {
        Err(Error::Config(error)) => (error.field().to_owned(), error.to_string()),
        _ => panic!("it must be a ConfigError"),
    };
    let builder = || Pool::builder(FakeManager::new());
    let zero = Duration::ZERO;
    let errors = [
        named(builder().minsize(5).maxsize(2).build_lazy()),
        named(builder().acquire_timeout(zero).build_lazy()),
        named(builder().connect_timeout(zero).build_lazy()),
        named(builder().pool_recycle(zero).build_lazy()),
    ];
    for (number, (field, text)) in errors.iter().enumerate() {
        assert!(text.contains(field.as_str()), "{text}");
        assert!(
            errors[..number].iter().all(|(_, other)| other != text),
            "two mistakes, one text: {text}"
        );
    }
}

/// In aiomysql, close leaves the queue waiting, and serves it later with new connections of the closing pool.
#[test]
fn close_fails_every_waiter_at_once() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let guards = [(); 2].map(|()| acquire_now(stage, &pool));
        let mut waiters = [(); 3].map(|()| Probe::pending(pool.acquire()));
        pool.close();
        assert!(stage.drive(&mut waiters), "HANG: {}", pool.status());
        for waiter in &mut waiters {
            assert!(matches!(waiter.take(), Err(Error::Closed)));
        }
        drop(guards);
        drop(waiters);
        assert_eq!(control.made(), 2, "a closing pool opens nothing");
        closed_for_good(stage, pool, &control);
    });
}

/// In aiomysql, an acquire that is connecting while the pool is closed comes back with a connection.
#[test]
fn a_connect_that_finishes_after_close_is_closed() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut acquire = Probe::pending(pool.acquire());
        stage.settle();
        pool.close();
        assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert!(matches!(acquire.take(), Err(Error::Closed)));
        gate.open();
        drop(acquire);
        closed_for_good(stage, pool, &control);
    });
}

/// In aiomysql, terminate does not wake a wait_closed that waits already: it hangs.
#[test]
fn terminate_wakes_a_caller_of_wait_closed() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        pool.close();
        let mut closed = Probe::pending(pool.wait_closed());
        assert!(!closed.poll_until_stalled(stage), "a connection is out");
        pool.terminate();
        assert!(closed.poll_until_stalled(stage), "HANG: {}", pool.status());
        closed.take().unwrap();
        drop(closed);
        drop(conn);
        closed_for_good(stage, pool, &control);
    });
}

/// In aiomysql, connecting holds the pool's lock: one connect that hangs blocks every acquire and every wake-up.
#[test]
fn a_connect_that_hangs_blocks_nobody() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut waiter = Probe::pending(pool.acquire());
        stage.settle();
        assert_eq!(pool.status().connecting(), 1);
        drop(conn);
        assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
        let conn = hold(waiter.take().unwrap());
        assert_eq!(conn.id(), 1, "what came back serves the waiter");
        drop(conn);
        stage.settle();
        assert_eq!((pool.freesize(), pool.status().connecting()), (1, 1));
        drop(hold(acquire_now(stage, &pool)));
        gate.open();
        drop(waiter);
        all_is_well(stage, pool, &control);
    });
}

/// In aiomysql, a newcomer can take the lock before the waiter that was notified.
#[test]
fn an_acquire_does_not_overtake_a_waiter() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut first = Probe::pending(pool.acquire());
        drop(conn);
        stage.settle();
        let mut newcomer = Probe::new(pool.acquire());
        assert!(!newcomer.poll_until_stalled(stage), "the newcomer overtook");
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        assert!(first.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(first.take().unwrap()));
        assert!(
            newcomer.poll_until_stalled(stage),
            "HANG: {}",
            pool.status()
        );
        drop(hold(newcomer.take().unwrap()));
        drop((first, newcomer));
        all_is_well(stage, pool, &control);
    });
}

/// In aiomysql, a connection that is released to a pool it does not come from fails an assertion, if assertions are on.
#[test]
fn a_guard_returns_to_its_own_pool() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let elsewhere = Stage::new(stage.mode());
        let (builder, other_control) = elsewhere.pool(1);
        let other = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let id = PooledConnection::id(&conn);
        other.release(conn);
        stage.settle();
        counts_true(&pool, &control, 0);
        assert_eq!((pool.freesize(), other.size()), (1, 0));
        let again = acquire_now(stage, &pool);
        assert_eq!(PooledConnection::id(&again), id);
        drop(again);
        all_is_well(stage, pool, &control);
        all_is_well(&elsewhere, other, &other_control);
    });
}

/// In aiomysql, a pool whose third connect fails leaves the first two sessions open.
#[test]
fn a_build_that_fails_closes_what_it_opened() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        control.next(Verb::Connect, Step::Ok);
        control.next(Verb::Connect, Step::Ok);
        control.next(Verb::Connect, Step::Err);
        let outcome = stage.run(builder.minsize(3).build());
        assert!(matches!(outcome, Err(Error::Connect(_))));
        assert_eq!(control.live(), 0, "closed before the error is returned");
        assert_eq!(control.in_connect(), 0);
        stage.settle();
        assert!(!control.manager_is_alive());
        assert_eq!(stage.tasks(), 0);
    });
}
