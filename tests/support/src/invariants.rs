//! The invariants as checks that every test can use. A test calls them when no task of the pool can run and all gates
//! are open.
//!
//! This file checks: maxsize is not exceeded (the fake manager checks that at every connect, too), the counts are
//! right, no acquire waits while a connection or a place is free, the capacity is full, and nothing is left after the
//! end. The other invariants are checked where they could break:
//!
//! - one holder at a time, no broken connection is handed out, and no state of the last user: by the fake connection,
//!   whenever it is handed out (`fake/connection.rs`)
//! - order of arrival: `scenarios_fairness.rs`
//! - no panic escapes: `scenarios_panics.rs`, and for `Drop` `scenarios_drop.rs`
//! - every deadline strikes: `timeouts.rs`
//! - a failed connect fails nobody else: `scenarios_connect_errors.rs`

use pool_core::{Error, Manager, Pool};

use crate::{FakeControl, FakeGuard, FakePool, Probe, Stage, hold};

/// The counts are right: they add up, agree with the accessors, and equal what the manager sees.
///
/// `held` is the number of guards that the test holds.
///
/// # Panics
///
/// When they are not.
#[track_caller]
pub fn counts_true(pool: &FakePool, control: &FakeControl, held: usize) {
    control.assert_no_violation();
    let status = pool.status();
    counts_add_up(pool);
    assert_eq!(status.held(), held, "guards that the test holds; {status}");
    assert_eq!(
        status.size() - status.connecting(),
        control.live() - control.in_after_connect(),
        "all but the connecting ones are those that are open; {status}"
    );
    assert_eq!(
        status.connecting(),
        control.in_connect() + control.in_after_connect(),
        "connects in flight; {status}"
    );
}

/// The part of `counts_true` that holds at every instant: no count wraps, the parts add up, maxsize is not exceeded.
///
/// # Panics
///
/// When it does not.
#[track_caller]
pub fn counts_add_up<M: Manager>(pool: &Pool<M>) {
    let status = pool.status();
    let parts = [
        status.freesize(),
        status.held(),
        status.checking(),
        status.recycling(),
        status.closing(),
        status.connecting(),
    ];
    let sum = parts
        .iter()
        .try_fold(0_usize, |sum, part| sum.checked_add(*part));
    assert_eq!(
        sum,
        Some(status.size()),
        "the parts make the whole; {status}"
    );
    assert_eq!(
        status.used(),
        status.held() + status.checking() + status.recycling() + status.closing(),
        "the parts of used; {status}"
    );
    assert_eq!(status.maxsize(), pool.maxsize());
    assert_eq!(status.minsize(), pool.minsize());
    if pool.maxsize() != 0 {
        assert!(
            status.size() <= pool.maxsize(),
            "size exceeds maxsize; {status}"
        );
    }
}

/// No acquire waits while a connection or a place is free.
///
/// # Panics
///
/// When somebody does.
#[track_caller]
pub fn no_parked_waiter_while_free<M: Manager>(pool: &Pool<M>) {
    let status = pool.status();
    let room = pool.maxsize() == 0 || status.size() < pool.maxsize();
    assert!(
        status.waiting() == 0 || (status.freesize() == 0 && !room),
        "an acquire waits while a connection or a place is free; {status}"
    );
}

/// Exactly maxsize fresh acquires succeed without anybody's help, and all of them work; for an unlimited pool
/// twenty.
///
/// # Panics
///
/// When a place is lost or one too many is there.
#[track_caller]
pub fn full_capacity(stage: &Stage, pool: &FakePool, control: &FakeControl) {
    let places = match pool.maxsize() {
        0 => 20,
        n => n,
    };
    let mut held = Vec::new();
    for number in 1..=places {
        let mut acquire = Probe::new(pool.acquire());
        assert!(
            acquire.poll_until_stalled(stage),
            "HANG: fresh acquire {number} of {places}; {}",
            pool.status()
        );
        match acquire.take() {
            Ok(guard) => held.push(hold(guard)),
            Err(error) => panic!("fresh acquire {number} of {places}: {error:?}"),
        }
    }
    if pool.maxsize() != 0 {
        let mut one_more = Probe::new(pool.acquire());
        assert!(
            !one_more.poll_until_stalled(stage),
            "one more than maxsize was had; {}",
            pool.status()
        );
        drop(one_more);
    }
    stage.settle();
    counts_true(pool, control, places);
    drop(held);
    stage.settle();
    counts_true(pool, control, 0);
}

/// The counts are right, no acquire waits, and the capacity is full in a pool of which no connection is in use.
///
/// Where nothing can be spawned, a step that has started may stay unfinished until the next acquire needs it.
///
/// # Panics
///
/// When one of them does not hold.
#[track_caller]
pub fn at_rest(stage: &Stage, pool: &FakePool, control: &FakeControl) {
    stage.settle();
    control.assert_no_violation();
    no_parked_waiter_while_free(pool);
    let status = pool.status();
    assert_eq!(status.waiting(), 0, "nobody waits at rest; {status}");
    if stage.spawns() {
        let under_way = status.used() - status.held() + status.connecting();
        assert_eq!(under_way, 0, "at rest nothing is under way; {status}");
    }
    counts_true(pool, control, 0);
    full_capacity(stage, pool, control);
}

/// Closes the pool, waits until it is closed, and nothing is left: no connection, no count, no waiter, and when
/// the last handle goes, no manager.
///
/// # Panics
///
/// When something is left.
#[track_caller]
pub fn closed_for_good(stage: &Stage, pool: FakePool, control: &FakeControl) {
    pool.close();
    let outcome = stage.run(pool.wait_closed());
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(
        control.live(),
        0,
        "wait_closed returned while connections are open"
    );
    assert_eq!(
        control.in_connect(),
        0,
        "wait_closed returned while connecting"
    );
    let status = pool.status();
    assert_eq!((status.size(), status.waiting()), (0, 0), "{status}");
    assert!(
        pool.is_closing() && pool.is_closed(),
        "it says that it is closed"
    );
    assert!(
        matches!(stage.run(pool.acquire()), Err(Error::Closed)),
        "a closed pool serves nobody"
    );
    drop(pool);
    stage.settle();
    assert!(
        stage.soon(|| !control.manager_is_alive()),
        "something of the pool outlives its last handle"
    );
    assert_eq!(stage.tasks(), 0, "a task outlives its pool");
    control.assert_no_violation();
}

/// The end of a test in which one acquire more than maxsize would be refused: the guards, which were all that can be had,
/// go back, and nothing is left after the close.
///
/// # Panics
///
/// When a place is lost or something is left.
#[track_caller]
pub fn full_and_closed(stage: &Stage, pool: FakePool, control: &FakeControl, all: Vec<FakeGuard>) {
    counts_true(&pool, control, pool.maxsize());
    drop(all);
    stage.settle();
    counts_true(&pool, control, 0);
    closed_for_good(stage, pool, control);
}

/// All checks for the end of a test: [`at_rest`] and [`closed_for_good`].
///
/// # Panics
///
/// When one of them does not hold.
#[track_caller]
pub fn all_is_well(stage: &Stage, pool: FakePool, control: &FakeControl) {
    at_rest(stage, &pool, control);
    closed_for_good(stage, pool, control);
}

/// An acquire that must succeed although no other task of the test runs.
///
/// # Panics
///
/// When it does not.
#[track_caller]
pub fn acquire_now(stage: &Stage, pool: &FakePool) -> FakeGuard {
    let mut acquire = Probe::new(pool.acquire());
    assert!(
        acquire.poll_until_stalled(stage),
        "HANG: this acquire gets no connection; {}",
        pool.status()
    );
    match acquire.take() {
        Ok(guard) => guard,
        Err(error) => panic!("the acquire ought to succeed: {error:?}"),
    }
}
