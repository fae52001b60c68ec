//! Fault tests: a future that was polled once and is then kept without a poll holds up nobody else.

use pool_core::{PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, closed_for_good};
use support::probe::Probe;
use support::{FakeControl, FakeGuard, FakePool, Gate, Stage, Step, Verb, hold};

/// Something that somebody else waits for, driven until it is done or sleeps; the kept futures are not polled.
#[track_caller]
fn must_finish<T>(stage: &Stage, pool: &FakePool, mut other: Probe<'_, T>, what: &str) -> T {
    stage.settle();
    assert!(
        other.poll_until_stalled(stage),
        "HANG: {what} waits for a future that nobody polls; {}",
        pool.status()
    );
    other.take()
}

/// A pool of one idle connection.
fn one_idle(stage: &Stage) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    let guard = acquire_now(stage, &pool);
    control.next_verdict(Verdict::Reuse);
    drop(guard);
    stage.settle();
    (pool, control)
}

/// The kept future goes in the end, and the pool is whole.
fn well_in_the_end<T>(stage: &Stage, kept: Probe<'_, T>, pool: FakePool, control: &FakeControl) {
    drop(kept);
    stage.settle();
    closed_for_good(stage, pool, control);
}

/// A `wait_closed` that was polled once; it keeps a handle of its own.
fn kept_wait_closed(pool: &FakePool) -> Probe<'static, ()> {
    let pool = pool.clone();
    Probe::pending(async move { drop(pool.wait_closed().await) })
}

/// What a closing pool still has to do when the first `wait_closed` comes.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Close,
    Recycle,
    Connect,
}

impl Pending {
    const ALL: [Self; 3] = [Self::Close, Self::Recycle, Self::Connect];

    /// A pool that was closed while this step is under way, and the gate before which the step stands.
    fn begin(self, stage: &Stage) -> (FakePool, FakeControl, Gate) {
        let gate = Gate::new();
        let (pool, control) = one_idle(stage);
        match self {
            Self::Close => {
                control.next(Verb::Close, Step::gate(&gate));
            }
            Self::Recycle => {
                control.next(Verb::Recycle, Step::gate(&gate));
                let guard = acquire_now(stage, &pool);
                drop(Probe::pending(PooledConnection::release(guard)));
            }
            Self::Connect => {
                PooledConnection::discard(acquire_now(stage, &pool));
                stage.settle();
                control.next(Verb::Connect, Step::gate(&gate));
                drop(Probe::pending(pool.acquire()));
            }
        }
        stage.settle();
        pool.close();
        (pool, control, gate)
    }
}

/// Does a test for each step that can be under way when a pool is closed.
fn each_pending(test: impl Fn(&Stage, FakePool, &FakeControl, &Gate)) {
    for pending in Pending::ALL {
        Stage::each(|stage| {
            println!("{pending:?}");
            let (pool, control, gate) = pending.begin(stage);
            test(stage, pool, &control, &gate);
        });
    }
}

#[test]
fn a_wait_closed_that_came_first_and_is_kept_does_not_hold_up_another() {
    each_pending(|stage, pool, control, gate| {
        let kept = kept_wait_closed(&pool);
        let other = Probe::pending(pool.wait_closed());
        gate.open();
        must_finish(stage, &pool, other, "wait_closed").unwrap();
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_wait_closed_that_came_last_and_is_kept_does_not_hold_up_another() {
    each_pending(|stage, pool, control, gate| {
        let other = Probe::pending(pool.wait_closed());
        let kept = kept_wait_closed(&pool);
        gate.open();
        must_finish(stage, &pool, other, "wait_closed").unwrap();
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_wait_closed_that_is_kept_does_not_hold_up_one_that_comes_later() {
    each_pending(|stage, pool, control, gate| {
        let kept = kept_wait_closed(&pool);
        gate.open();
        let other = Probe::new(pool.wait_closed());
        must_finish(stage, &pool, other, "wait_closed").unwrap();
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_wait_closed_that_is_kept_does_not_hold_up_the_return_of_the_last_guard() {
    Stage::each(|stage| {
        let (pool, control) = one_idle(stage);
        let guard = acquire_now(stage, &pool);
        pool.close();
        let kept = kept_wait_closed(&pool);
        drop(guard);
        let other = Probe::new(pool.wait_closed());
        must_finish(stage, &pool, other, "wait_closed").unwrap();
        well_in_the_end(stage, kept, pool, &control);
    });
}

#[test]
fn a_wait_closed_that_is_kept_does_not_hold_up_a_release() {
    Stage::each(|stage| {
        let gate = Gate::new();
        let (pool, control) = one_idle(stage);
        let guard = acquire_now(stage, &pool);
        pool.close();
        control.next(Verb::Close, Step::gate(&gate));
        let release = Probe::pending(PooledConnection::release(guard));
        let kept = kept_wait_closed(&pool);
        gate.open();
        let released = must_finish(stage, &pool, release, "release");
        assert!(released.is_err(), "it was closed instead");
        well_in_the_end(stage, kept, pool, &control);
    });
}

/// A verb that drives a step, polled once; the step stands before the gate. Its answer is whether it went well.
type Drives = (
    &'static str,
    fn(&Stage, FakePool, &FakeControl, &Gate) -> Probe<'static, bool>,
);

const VERBS: [Drives; 4] = [
    ("clear", |_, pool, control, gate| {
        control.next(Verb::Close, Step::gate(gate));
        Probe::pending(async move {
            pool.clear().await;
            true
        })
    }),
    ("a release that recycles", |stage, pool, control, gate| {
        let guard = acquire_now(stage, &pool);
        control.next(Verb::Recycle, Step::gate(gate));
        kept_release(guard)
    }),
    ("a release that closes", |stage, pool, control, gate| {
        let guard = acquire_now(stage, &pool);
        control.next_verdict(Verdict::Discard);
        control.next(Verb::Close, Step::gate(gate));
        kept_release(guard)
    }),
    ("fill", |stage, pool, control, gate| {
        PooledConnection::discard(acquire_now(stage, &pool));
        stage.settle();
        control.next(Verb::Connect, Step::gate(gate));
        Probe::pending(async move { pool.fill().await.is_ok() })
    }),
];

fn kept_release(guard: FakeGuard) -> Probe<'static, bool> {
    Probe::pending(async { PooledConnection::release(guard).await.is_ok() })
}

/// A pool whose minsize is restored by `fill` and by nothing else.
fn one_idle_of_minsize_one(stage: &Stage) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(1);
    let pool = builder.minsize(1).upkeep(false).build_lazy().unwrap();
    let guard = acquire_now(stage, &pool);
    control.next_verdict(Verdict::Reuse);
    drop(guard);
    stage.settle();
    (pool, control)
}

/// Does a test for each verb, on a pool of one idle connection.
fn each_verb(test: impl Fn(&Stage, FakePool, &FakeControl, &Gate, Drives)) {
    for verb in VERBS {
        Stage::each(|stage| {
            println!("{}", verb.0);
            let (pool, control) = one_idle_of_minsize_one(stage);
            test(stage, pool, &control, &Gate::new(), verb);
        });
    }
}

#[test]
fn a_verb_that_is_kept_does_not_hold_up_an_acquire_that_comes_before_its_step_ends() {
    each_verb(|stage, pool, control, gate, (name, drives)| {
        let kept = drives(stage, pool.clone(), control, gate);
        let other = Probe::pending(pool.acquire());
        gate.open();
        drop(hold(must_finish(stage, &pool, other, name).unwrap()));
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_release_that_is_kept_does_not_hold_up_an_acquire_that_was_there_before() {
    for (verdict, verb) in [
        (Verdict::Recycle, Verb::Recycle),
        (Verdict::Discard, Verb::Close),
    ] {
        Stage::each(|stage| {
            println!("{verdict:?}");
            let (pool, control) = one_idle_of_minsize_one(stage);
            let gate = Gate::new();
            let guard = acquire_now(stage, &pool);
            let other = Probe::pending(pool.acquire());
            control.next_verdict(verdict);
            control.next(verb, Step::gate(&gate));
            let kept = kept_release(guard);
            gate.open();
            drop(hold(must_finish(stage, &pool, other, "acquire").unwrap()));
            well_in_the_end(stage, kept, pool, &control);
        });
    }
}

#[test]
fn a_verb_that_is_kept_does_not_hold_up_an_acquire_that_comes_after_its_step_could_end() {
    each_verb(|stage, pool, control, gate, (name, drives)| {
        let kept = drives(stage, pool.clone(), control, gate);
        gate.open();
        let other = Probe::new(pool.acquire());
        drop(hold(must_finish(stage, &pool, other, name).unwrap()));
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_verb_that_is_kept_does_not_hold_up_wait_closed() {
    each_verb(|stage, pool, control, gate, (name, drives)| {
        let kept = drives(stage, pool.clone(), control, gate);
        pool.close();
        let other = Probe::pending(pool.wait_closed());
        gate.open();
        must_finish(stage, &pool, other, name).unwrap();
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_fill_that_is_kept_does_not_hold_up_an_acquire_for_which_another_place_is_free() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.minsize(2).upkeep(false).build_lazy().unwrap();
        let gate = Gate::new();
        control.always(Verb::Connect, Step::gate(&gate));
        let handle = pool.clone();
        let kept = Probe::pending(async move { drop(handle.fill().await) });
        let other = Probe::pending(pool.acquire());
        gate.open();
        drop(hold(must_finish(stage, &pool, other, "acquire").unwrap()));
        well_in_the_end(stage, kept, pool, &control);
    });
}

#[test]
fn a_verb_still_hears_how_its_step_ended_when_another_took_it_over() {
    each_verb(|stage, pool, control, gate, (name, drives)| {
        let mut verb = [drives(stage, pool.clone(), control, gate)];
        let other = Probe::pending(pool.acquire());
        gate.open();
        let guard = must_finish(stage, &pool, other, name).unwrap();
        assert!(stage.drive(&mut verb), "HANG: {name} is never told");
        let went_well = name != "a release that closes";
        assert_eq!(verb[0].take(), went_well, "{name}");
        drop(hold(guard));
        stage.settle();
        drop(verb);
        closed_for_good(stage, pool, control);
    });
}

#[test]
fn an_acquire_that_is_kept_does_not_hold_up_the_next_where_there_are_places_for_both() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.always(Verb::Connect, Step::gate(&gate));
        let handle = pool.clone();
        let kept = Probe::pending(async move { drop(handle.acquire().await) });
        let other = Probe::pending(pool.acquire());
        gate.open();
        drop(hold(must_finish(stage, &pool, other, "acquire").unwrap()));
        well_in_the_end(stage, kept, pool, &control);
    });
}

#[test]
fn an_acquire_that_is_kept_does_not_hold_up_a_verb_whose_step_it_needs() {
    each_verb(|stage, pool, control, gate, (name, drives)| {
        let verb = drives(stage, pool.clone(), control, gate);
        let handle = pool.clone();
        let kept = Probe::pending(async move { drop(handle.acquire().await) });
        gate.open();
        let went_well = name != "a release that closes";
        assert_eq!(must_finish(stage, &pool, verb, name), went_well, "{name}");
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_wait_closed_that_was_polled_last_and_is_kept_does_not_hold_up_another() {
    each_pending(|stage, pool, control, gate| {
        let mut kept = kept_wait_closed(&pool);
        let other = Probe::pending(pool.wait_closed());
        // A poll without a wake-up, as when something else in the same task was woken.
        assert!(!kept.poll(), "the step has not ended");
        gate.open();
        must_finish(stage, &pool, other, "wait_closed").unwrap();
        well_in_the_end(stage, kept, pool, control);
    });
}

#[test]
fn a_release_that_is_kept_does_not_hold_up_a_wait_closed_that_was_there_before() {
    Stage::each(|stage| {
        let gate = Gate::new();
        let (pool, control) = one_idle(stage);
        let guard = acquire_now(stage, &pool);
        pool.close();
        let other = Probe::pending(pool.wait_closed());
        control.next(Verb::Close, Step::gate(&gate));
        let kept = kept_release(guard);
        gate.open();
        must_finish(stage, &pool, other, "wait_closed").unwrap();
        well_in_the_end(stage, kept, pool, &control);
    });
}

/// What is missing for minsize is opened in the background or by the next acquire, and does not count before.
#[test]
fn a_connect_that_has_not_begun_does_not_count_when_its_acquire_is_dropped() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.minsize(1).upkeep(false);
        let pool = stage.run(builder.build()).unwrap();
        let guard = acquire_now(stage, &pool);
        let waiter = Probe::polled(pool.acquire());
        drop(PooledConnection::detach(guard));
        assert_eq!(waiter.wakes(), 1, "a place is free");
        drop(waiter);
        stage.settle();
        let status = pool.status();
        assert_eq!(status.connecting(), 0, "{status}");
        assert_eq!(status.size(), status.freesize(), "{status}");
        all_is_well(stage, pool, &control);
    });
}
