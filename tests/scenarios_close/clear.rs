//! Clearing a pool, and verbs on a closed one.

use super::*;

/// Clear closes the idle connections and those that are being recycled. Connections in use are left alone.
#[test]
fn clear_closes_idle_connections_and_those_being_recycled() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.upkeep(false).build_lazy().unwrap();
        let [one, two, three] = [(); 3].map(|()| acquire_now(stage, &pool));
        stage.run(PooledConnection::release(one)).unwrap();
        let gate = Gate::new();
        control.next(Verb::Recycle, Step::gate(&gate));
        drop(two);
        stage.settle();
        stage.run(pool.clear());
        gate.open();
        stage.settle();
        assert_eq!(pool.freesize(), 0, "{}", pool.status());
        counts_true(&pool, &control, 1);
        assert_eq!(control.live(), 1, "the used one is left alone");
        assert_eq!(three.query(), Ok(1));
        drop(three);
        stage.settle();
        assert_eq!(pool.freesize(), 1, "it is idle again");
        all_is_well(stage, pool, &control);
    });
}

/// Clear waits for the closes; callers that acquire meanwhile are served.
#[test]
fn acquires_are_served_while_clear_closes() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = stage.run(builder.minsize(2).upkeep(false).build()).unwrap();
        let gate = Gate::new();
        control.always(Verb::Close, Step::gate(&gate));
        let mut clear = Probe::pending(pool.clear());
        assert!(!clear.poll_until_stalled(stage));
        assert_eq!(
            pool.freesize(),
            0,
            "they are out of the pool from the first poll on"
        );
        let conn = hold(acquire_now(stage, &pool));
        assert_eq!(conn.id(), 3);
        gate.open();
        assert!(clear.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert_eq!(control.live(), 1);
        drop(conn);
        drop(clear);
        control.all_goes_well();
        all_is_well(stage, pool, &control);
    });
}

/// With a spawner, close closes the idle connections at once, without anybody waiting for it.
#[test]
fn close_closes_idle_connections_at_once_where_tasks_can_be_spawned() {
    let stage = Stage::spawning();
    let (builder, control) = stage.pool(3);
    let pool = stage.run(builder.minsize(3).build()).unwrap();
    pool.close();
    stage.settle();
    assert_eq!((control.close_calls(), control.live()), (3, 0));
    assert!(pool.is_closed());
    closed_for_good(&stage, pool, &control);
}

/// Nobody gets a connection from a closed pool, whichever way it is asked for, and nothing is filled.
#[test]
fn a_closed_pool_refuses_every_verb_that_takes() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = stage.run(builder.minsize(1).build()).unwrap();
        pool.close();
        assert!(matches!(pool.try_acquire(), Err(Error::Closed)));
        assert!(matches!(stage.run(pool.acquire()), Err(Error::Closed)));
        assert!(matches!(stage.run(pool.fill()), Err(Error::Closed)));
        stage.run(pool.clear());
        closed_for_good(stage, pool, &control);
        assert_eq!(control.made(), 1);
    });
}

/// A connection that returns to a closing pool is closed, whatever verdict the manager gives.
#[test]
fn verdicts_do_not_matter_to_a_closing_pool() {
    for verdict in [Verdict::Reuse, Verdict::Recycle, Verdict::Discard] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            control.always_verdict(verdict);
            let conn = acquire_now(stage, &pool);
            pool.close();
            drop(conn);
            closed_for_good(stage, pool, &control);
        });
    }
}
