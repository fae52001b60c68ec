//! Scenarios with an interceptor whose method is slow, fails, panics, hangs or calls the pool, at each of its points.

use std::sync::Mutex;

use pool_core::{CheckPolicy, PooledConnection};
use support::invariants::acquire_now;
use support::{FakeControl, FakeGuard, FakePool, Gate, Stage, Step, Verb};

use crate::play::Play;
use crate::scenarios::{SECOND, Scenario, any, opens, passes, timed};

pub(crate) const SCENARIOS: &[Scenario] = &[
    any("before_connect that is slow", |s, m| {
        at_point(s, m, Verb::BeforeConnect, Step::Ok)
    }),
    any("before_connect that fails", |s, m| {
        at_point(s, m, Verb::BeforeConnect, Step::Err)
    }),
    any("before_connect that panics", |s, m| {
        at_point(s, m, Verb::BeforeConnect, Step::Panic)
    }),
    any("before_connect that panics in the call", |s, m| {
        panics_in_call(s, m, Verb::BeforeConnect)
    }),
    timed("before_connect that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::BeforeConnect)
    }),
    any("after_connect that is slow", |s, m| {
        at_point(s, m, Verb::AfterConnect, Step::Ok)
    }),
    any("after_connect that fails", |s, m| {
        at_point(s, m, Verb::AfterConnect, Step::Err)
    }),
    any("after_connect that panics", |s, m| {
        at_point(s, m, Verb::AfterConnect, Step::Panic)
    }),
    any("after_connect that panics in the call", |s, m| {
        panics_in_call(s, m, Verb::AfterConnect)
    }),
    timed("after_connect that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::AfterConnect)
    }),
    any("before_acquire that is slow", |s, m| {
        at_point(s, m, Verb::BeforeAcquire, Step::Ok)
    }),
    any("before_acquire that fails", |s, m| {
        at_point(s, m, Verb::BeforeAcquire, Step::Err)
    }),
    any("before_acquire that panics", |s, m| {
        at_point(s, m, Verb::BeforeAcquire, Step::Panic)
    }),
    any("before_acquire that panics in the call", |s, m| {
        panics_in_call(s, m, Verb::BeforeAcquire)
    }),
    timed("before_acquire that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::BeforeAcquire)
    }),
    any("after_release that is slow", |s, m| {
        at_point(s, m, Verb::AfterRelease, Step::Ok)
    }),
    any("after_release that fails", |s, m| {
        at_point(s, m, Verb::AfterRelease, Step::Err)
    }),
    any("after_release that panics", |s, m| {
        at_point(s, m, Verb::AfterRelease, Step::Panic)
    }),
    any("after_release that panics in the call", |s, m| {
        panics_in_call(s, m, Verb::AfterRelease)
    }),
    timed("after_release that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::AfterRelease)
    }),
    any("before_close that is slow", |s, m| {
        at_point(s, m, Verb::BeforeClose, Step::Ok)
    }),
    any("before_close that fails", |s, m| {
        at_point(s, m, Verb::BeforeClose, Step::Err)
    }),
    any("before_close that panics", |s, m| {
        at_point(s, m, Verb::BeforeClose, Step::Panic)
    }),
    any("before_close that panics in the call", |s, m| {
        panics_in_call(s, m, Verb::BeforeClose)
    }),
    timed("before_close that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::BeforeClose)
    }),
    any(
        "before_acquire that refuses a new connection",
        refuses_a_new_one,
    ),
    any("interceptors that call the pool", calls_the_pool),
];

/// A pool with a scripted interceptor and `idle` clean connections.
fn pool(stage: &Stage, maxsize: usize, idle: usize, limited: bool) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(maxsize);
    let limit = limited.then_some(SECOND);
    let pool = builder
        .upkeep(false)
        .check_policy(CheckPolicy::Never)
        .connect_timeout(limit)
        .check_timeout(limit)
        .recycle_timeout(limit)
        .close_timeout(limit)
        .interceptor(control.interceptor())
        .interceptor(control.interceptor().wanting(false, false))
        .build_lazy()
        .expect("the settings are right");
    let guards: Vec<FakeGuard> = (0..idle).map(|_| acquire_now(stage, &pool)).collect();
    for guard in guards {
        stage
            .run(PooledConnection::release(guard))
            .expect("it is kept");
    }
    (pool, control)
}

/// The victim acquires, and the interceptor does `then` at this point of its connection.
fn around(pool: FakePool, control: FakeControl, verb: Verb, stage: &Stage, maxsize: usize) -> Play {
    let mut guards: Vec<FakeGuard> = Vec::new();
    match verb {
        Verb::AfterRelease => drop(acquire_now(stage, &pool)),
        Verb::BeforeClose => {
            guards.extend((0..maxsize).map(|_| acquire_now(stage, &pool)));
        }
        _ => {}
    }
    let discarded = guards.pop();
    Play::of_acquire(&pool, control)
        .event(move || discarded.into_iter().for_each(PooledConnection::discard))
        .events(guards)
}

fn failures(verb: Verb, then: &Step) -> usize {
    let fails = matches!(then, Step::Err | Step::Panic | Step::Pend);
    let hears = match verb {
        Verb::BeforeConnect | Verb::AfterConnect => fails,
        // The panic of a check is for the caller to hear.
        Verb::BeforeAcquire => matches!(then, Step::Panic),
        _ => false,
    };
    usize::from(hears)
}

/// The method waits at a gate, and does `then`.
pub(crate) fn at_point(stage: &Stage, maxsize: usize, verb: Verb, then: Step) -> Play {
    let idle = usize::from(verb == Verb::BeforeAcquire);
    let (pool, control) = pool(stage, maxsize, idle, false);
    let gate = Gate::new();
    control.next(verb, Step::gate(&gate).then(then.clone()));
    around(pool, control, verb, stage, maxsize)
        .event(opens(&gate))
        .may_fail(failures(verb, &then))
}

/// The method panics before there is a future.
pub(crate) fn panics_in_call(stage: &Stage, maxsize: usize, verb: Verb) -> Play {
    let idle = usize::from(verb == Verb::BeforeAcquire);
    let (pool, control) = pool(stage, maxsize, idle, false);
    control.next(verb, Step::PanicInCall);
    around(pool, control, verb, stage, maxsize).may_fail(failures(verb, &Step::Panic))
}

/// The method hangs in its next call, and everything has a deadline.
pub(crate) fn hangs(stage: &Stage, maxsize: usize, verb: Verb) -> Play {
    let idle = usize::from(verb == Verb::BeforeAcquire);
    let (pool, control) = pool(stage, maxsize, idle, true);
    control.next(verb, Step::Pend);
    around(pool, control, verb, stage, maxsize)
        .event(passes(stage, SECOND))
        .event(passes(stage, SECOND))
        .may_fail(failures(verb, &Step::Pend))
}

/// A connection that was opened for the waiters is refused: one of them fails.
pub(crate) fn refuses_a_new_one(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 0, false);
    let gate = Gate::new();
    control.next(Verb::BeforeAcquire, Step::gate(&gate).then(Step::Err));
    Play::of_acquire(&pool, control)
        .event(opens(&gate))
        .may_fail(1)
}

/// Each method calls the pool.
pub(crate) fn calls_the_pool(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 1, false);
    let gate = Gate::new();
    control.next(Verb::BeforeAcquire, Step::gate(&gate));
    for verb in POINTS {
        let once = Mutex::new(Some(pool.clone()));
        control.on_call(verb, move || call_from_inside(&once));
    }
    Play::of_acquire(&pool, control.clone())
        .event(opens(&gate))
        .event(move || {
            // Otherwise the manager would keep its own pool.
            POINTS.iter().for_each(|verb| control.no_hook(*verb));
        })
}

pub(crate) const POINTS: [Verb; 5] = [
    Verb::BeforeConnect,
    Verb::AfterConnect,
    Verb::BeforeAcquire,
    Verb::AfterRelease,
    Verb::BeforeClose,
];

/// Calls the pool, the first time.
fn call_from_inside(once: &Mutex<Option<FakePool>>) {
    let pool = once.lock().expect("no panic under this lock").take();
    if let Some(pool) = pool {
        let status = pool.status();
        assert!(status.size() <= status.maxsize(), "{status}");
        drop(pool.try_acquire());
    }
}
