//! The parity tests on the fake manager, with and without a spawner.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use pool_core::{CheckPolicy, Error, Phase, Pool, PooledConnection};
use support::invariants::{acquire_now, all_is_well, closed_for_good, counts_true};
use support::{
    FakeBackend, FakeManager, Gate, Mode, Probe, Stage, Step, Verb, hold, on_every_runtime,
    settle_until,
};

use super::bodies::{self, for_every_body};

/// Runs a body on each stage with a virtual clock.
fn on_the_fake(body: impl AsyncFn(&FakeBackend<'_>)) {
    Stage::each_virtual(|stage| {
        let backend = FakeBackend::new(stage);
        stage.clock().block_on(body(&backend));
        stage.settle();
        assert_eq!(backend.control().live(), 0, "the body closed its pool");
    });
}

macro_rules! parity {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            on_the_fake(async |backend| bodies::$name(backend).await);
        }
    )*};
}

for_every_body!(parity);

#[test]
fn maxsize_zero_unbounded() {
    on_the_fake(async |backend| bodies::maxsize_zero_unbounded(backend, 200).await);
}

// aiomysql's test_context_manager; here the scope is left by a panic. The connection is discarded, because its state is
// unknown.
#[test]
fn guard_scope_left_by_a_panic() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(10);
        let pool = stage
            .run(builder.minsize(10).upkeep(false).build())
            .unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let _conn = hold(acquire_now(stage, &pool));
            panic!("scripted: the user panics");
        }));
        assert!(panic.is_err());
        stage.settle();
        assert_eq!((pool.size(), pool.freesize(), pool.used()), (9, 9, 0));
        counts_true(&pool, &control, 0);
        all_is_well(stage, pool, &control);
    });
}

// aiomysql's test_default_event_loop; this pool needs no event loop.
#[test]
fn a_pool_works_on_every_runtime() {
    on_every_runtime(|_| async {
        let manager = FakeManager::bounded(2);
        let control = manager.control();
        let pool = Pool::builder(manager).maxsize(2).build().await.unwrap();
        let mut conn = pool.acquire().await.unwrap();
        conn.begin();
        assert_eq!(conn.query(), Ok(1));
        drop(conn);
        settle_until(&pool, (1, 0), || (pool.freesize(), pool.used())).await;
        let conn = pool.acquire().await.unwrap();
        assert_eq!((conn.id(), conn.in_transaction()), (1, false));
        pool.close();
        drop(conn);
        pool.wait_closed().await.unwrap();
        assert_eq!(control.live(), 0);
    });
}

// aiomysql's test_echo
#[test]
fn echo_reaches_each_connection() {
    for on in [false, true] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(3);
            let pool = stage.run(builder.minsize(1).echo(on).build()).unwrap();
            assert_eq!(pool.echo(), on);
            assert_eq!(control.echo(), Some(on));
            let guards = [(); 3].map(|()| acquire_now(stage, &pool));
            for conn in &guards {
                assert_eq!(conn.echo(), on, "connection {}", conn.id());
            }
        });
    }
}

// aiomysql's test_terminate_with_acquired_connections
#[test]
fn terminate_kills_in_use() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        control.give_abort_handles();
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        pool.terminate();
        assert!(conn.marks().is_aborted());
        stage.run(pool.wait_closed()).unwrap();
        assert!(pool.is_closed());
        assert_eq!((pool.size(), pool.freesize(), pool.used()), (0, 0, 0));
        assert!(conn.query().is_err(), "its next use fails");
        let marks = conn.marks().clone();
        drop(conn);
        stage.settle();
        assert!(marks.is_dropped());
        assert_eq!((pool.size(), pool.used()), (0, 0), "nothing wraps");
        closed_for_good(stage, pool, &control);
    });
}

// aiomysql's test_drop_connection_if_timedout; the server closes all three idle connections.
#[test]
fn server_idle_timeout_invisible() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(3);
        let idle = CheckPolicy::IdleFor(Duration::from_secs(1));
        let builder = builder.minsize(3).upkeep(false).check_policy(idle);
        let pool = stage.run(builder.build()).unwrap();
        control.break_all();
        stage.advance(Duration::from_secs(3));
        let guards = [(); 3].map(|()| hold(acquire_now(stage, &pool)));
        assert!(guards.iter().all(|conn| conn.query() == Ok(1)));
        drop(guards);
        assert_eq!(control.made(), 6);
        all_is_well(stage, pool, &control);
    });
}

// aiomysql has no such time-out.
#[test]
fn connect_timeout_strikes() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let limit = Duration::from_secs(2);
        let pool = builder.connect_timeout(limit).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Pend);
        match stage.clock().block_on(pool.acquire()) {
            Err(Error::Timeout { phase, after, .. }) => {
                assert_eq!((phase, after), (Phase::Connect, limit));
            }
            other => panic!("it must be a Timeout: {:?}", other.err()),
        }
        all_is_well(stage, pool, &control);
    });
}

// aiomysql's test_cancelled_connection; the user's query is dropped before it ends, so the connection cannot be used
// again.
#[test]
fn cancelled_query_never_leaks() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let mut user = Probe::pending(async {
            let mut conn = hold(pool.acquire().await.unwrap());
            conn.scribble("the answer to a query that nobody read");
            conn.close();
            std::future::pending::<()>().await;
        });
        assert!(!user.poll_until_stalled(stage));
        assert_eq!(control.live(), 1);
        user.cancel();
        drop(user);
        let conn = hold(acquire_now(stage, &pool));
        assert_eq!((conn.id(), conn.query()), (2, Ok(1)));
        drop(conn);
        all_is_well(stage, pool, &control);
    });
}

// aiomysql's test_pool_with_connection_recycling; the expired connection stays until the next acquire.
#[test]
fn recycle_is_lazy_and_transparent() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.minsize(1).upkeep(false);
        let pool = stage
            .run(builder.pool_recycle(Duration::from_secs(3)).build())
            .unwrap();
        let conn = acquire_now(stage, &pool);
        let id = PooledConnection::id(&conn);
        drop(conn);
        stage.advance(Duration::from_secs(2));
        let conn = acquire_now(stage, &pool);
        assert_eq!(
            PooledConnection::id(&conn),
            id,
            "idle for two seconds of three"
        );
        drop(conn);
        stage.advance(Duration::from_secs(2));
        let conn = acquire_now(stage, &pool);
        assert_eq!(
            PooledConnection::id(&conn),
            id,
            "it counts from the last use"
        );
        drop(conn);
        stage.advance(Duration::from_secs(5));
        assert_eq!((pool.freesize(), control.made()), (1, 1), "lazy");
        let conn = acquire_now(stage, &pool);
        assert_ne!(PooledConnection::id(&conn), id);
        assert_eq!(conn.query(), Ok(1));
        drop(conn);
        assert_eq!((control.made(), control.live()), (2, 1));
        all_is_well(stage, pool, &control);
    });
}

// aiomysql does the same: without upkeep an idle pool keeps expired connections for ever.
#[test]
fn an_idle_pool_without_upkeep_keeps_expired_connections() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(4);
        let builder = builder.minsize(4).upkeep(false);
        let pool = stage
            .run(builder.pool_recycle(Duration::from_secs(3)).build())
            .unwrap();
        stage.advance(Duration::from_secs(86_400));
        assert_eq!((pool.size(), pool.freesize()), (4, 4));
        assert_eq!((control.made(), control.closed()), (4, 0));
    });
}

// aiomysql does the same: after clear the next acquire opens minsize connections, not one.
#[test]
fn the_acquire_after_clear_opens_minsize_connections() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(5);
        let pool = stage.run(builder.minsize(3).upkeep(false).build()).unwrap();
        stage.run(pool.clear());
        assert_eq!((pool.size(), pool.freesize(), control.live()), (0, 0, 0));
        stage.advance(Duration::from_secs(86_400));
        assert_eq!(control.made(), 3, "lazy: nobody asked");
        let conn = acquire_now(stage, &pool);
        stage.settle();
        let status = pool.status();
        assert_eq!((status.size(), status.held()), (3, 1));
        assert_eq!(status.freesize() + status.connecting(), 2);
        drop(conn);
        all_is_well(stage, pool, &control);
    });
}

// aiomysql opens them one after the other. This pool opens them in parallel, and the acquire does not wait for all.
#[test]
fn the_acquire_after_clear_does_not_wait_for_all_connects() {
    let ready_when_opened = |stage: &Stage, open: usize| {
        let (builder, control) = stage.pool(5);
        let pool = stage.run(builder.minsize(3).upkeep(false).build()).unwrap();
        stage.run(pool.clear());
        let gates = [(); 3].map(|()| Gate::new());
        for gate in &gates {
            control.next(Verb::Connect, Step::gate(gate));
        }
        let mut acquire = Probe::new(pool.acquire());
        assert!(!acquire.poll_until_stalled(stage));
        assert_eq!(control.in_connect(), 3, "all that are missing, in parallel");
        gates[open].open();
        let ready = acquire.poll_until_stalled(stage);
        gates.iter().for_each(Gate::open);
        assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(acquire);
        all_is_well(stage, pool, &control);
        ready
    };
    for mode in Mode::ALL {
        let ready = [0, 1, 2].map(|open| ready_when_opened(&Stage::new(mode), open));
        assert!(
            ready.contains(&true),
            "{mode:?}: it waits for more than its own"
        );
    }
}
