//! What happens to those who wait while the pool closes, or is cleared.

use pool_core::{Error, PooledConnection};
use support::invariants::{acquire_now, all_is_well};
use support::{Gate, Probe, Stage, Step, Verb};

#[test]
fn a_wait_closed_that_is_dropped_leaves_its_closes_to_the_background() {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    drop(acquire_now(stage, &pool));
    stage.settle();
    let gate = Gate::new();
    control.next(Verb::Close, Step::gate(&gate));
    pool.close();
    let mut waits = Probe::pending(pool.wait_closed());
    stage.settle();
    waits.cancel();
    gate.open();
    stage.settle();
    assert!(pool.is_closed(), "{}", pool.status());
    assert_eq!(control.live(), 0);
}

/// An awaited release whose recycle is under way when this happens.
fn released_while(happens: impl FnOnce(&Stage, &support::FakePool)) -> String {
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    let gate = Gate::new();
    control.next(Verb::Recycle, Step::gate(&gate));
    let conn = acquire_now(stage, &pool);
    let mut release = Probe::pending(PooledConnection::release(conn));
    happens(stage, &pool);
    gate.open();
    assert!(release.poll_until_stalled(stage), "HANG: {}", pool.status());
    let error = release.take().expect_err("the connection is not kept");
    drop(release);
    let is_closed = pool.is_closing();
    match is_closed {
        true => support::invariants::closed_for_good(stage, pool, &control),
        false => all_is_well(stage, pool, &control),
    }
    assert_eq!(matches!(error, Error::Closed), is_closed);
    error.to_string()
}

#[test]
fn an_awaited_release_says_whether_the_pool_was_cleared_or_closed_meanwhile() {
    let cleared = released_while(|stage, pool| stage.run(pool.clear()));
    assert!(cleared.contains("the pool was cleared"), "{cleared}");
    let closed = released_while(|_, pool| pool.close());
    assert_eq!(closed, "the pool is closed");
}
