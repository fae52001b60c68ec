//! Scenarios in which acquires have priorities, places are reserved, or few may wait.

use pool_core::{PooledConnection, Priority};
use support::invariants::acquire_now;
use support::{FakeControl, FakeGuard, FakePool, Gate, Stage, Step, Verb, hold};

use crate::play::Play;
use crate::scenarios::{SECOND, Scenario, any, exhausted, opens, passes, timed};

pub(crate) const SCENARIOS: &[Scenario] = &[
    any("wait with a high priority", |s, m| {
        at_capacity(s, m, Priority::High)
    }),
    any("wait with a low priority", |s, m| {
        at_capacity(s, m, Priority::Low)
    }),
    any("connect with a high priority behind others", |s, m| {
        connect(s, m, Priority::High, Step::Ok, 0)
    }),
    any("connect with a low priority that fails", |s, m| {
        connect(s, m, Priority::Low, Step::Err, 1)
    }),
    timed("deadline with a high priority", |s, m| {
        deadline(s, m, Priority::High)
    }),
    timed("deadline with a low priority", |s, m| {
        deadline(s, m, Priority::Low)
    }),
    any("wait in a queue that is nearly full", nearly_full),
];

/// A play whose victim acquires with this priority.
fn of_acquire(pool: &FakePool, control: FakeControl, priority: Priority) -> Play {
    let own = pool.clone();
    Play::new(pool, control, async move {
        drop(own.acquire().priority(priority).await.map(hold));
    })
}

fn at_capacity(stage: &Stage, maxsize: usize, priority: Priority) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    of_acquire(&pool, control, priority).events(guards)
}

fn connect(stage: &Stage, maxsize: usize, priority: Priority, then: Step, failures: usize) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate).then(then));
    let discarded: Option<FakeGuard> = guards.pop();
    of_acquire(&pool, control, priority)
        .event(move || discarded.into_iter().for_each(PooledConnection::discard))
        .event(opens(&gate))
        .events(guards)
        .may_fail(failures)
}

fn deadline(stage: &Stage, maxsize: usize, priority: Priority) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let own = pool.clone();
    Play::new(&pool, control, async move {
        drop(own.acquire().priority(priority).timeout(SECOND).await);
    })
    .event(passes(stage, 2 * SECOND))
    .events(guards)
}

/// The victim and three behind it may wait, and not one more.
fn nearly_full(stage: &Stage, maxsize: usize) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.upkeep(false).max_waiters(4);
    let pool = builder.build_lazy().expect("the settings are right");
    let guards = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    Play::of_acquire(&pool, control).events(guards)
}
