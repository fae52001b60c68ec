//! Scenarios whose victim is a verb that governs the pool, or waits while one is called.

use std::cell::Cell;
use std::time::Duration;

use pool_core::{CheckPolicy, IdleOrder, PooledConnection, Priority, Shedding, StartPolicy};
use support::invariants::acquire_now;
use support::{FakeError, Gate, Stage, Step, Verb, hold, yield_now};

use crate::play::Play;
use crate::scenarios::{SECOND, Scenario, any, exhausted, opens, passes, pool, timed};

type Failure = pool_core::Error<FakeError>;

pub(crate) const SCENARIOS: &[Scenario] = &[
    any("shutdown", shutdown),
    any("wait for a pool to close", closing),
    any("wait in a suspended pool", suspended),
    any("wait beside a resize", resized),
    any("wait beside changes of the settings", reconfigured),
    any("wait beside a retain", retained),
    any("wait beside an add", added),
    any("run", run),
    any("run that is tried again", run_again),
    any("dedicated", dedicated),
    any("build that starts all the same", degraded),
    timed("wait in a queue that is shed", shed),
    any("wait where a place is reserved for others", reserved),
];

/// A shutdown that waits for a guard and for slow closes. Its time is never over.
fn shutdown(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, maxsize, CheckPolicy::Never);
    let gate = Gate::new();
    control.always(Verb::Close, Step::gate(&gate));
    let guard = acquire_now(stage, &pool);
    pool.close();
    let own = pool.clone();
    Play::new(&pool, control, async move {
        let report = own.shutdown(Duration::from_secs(3600)).await;
        assert!(report.is_clean(), "{report}");
    })
    .event(move || drop(guard))
    .event(opens(&gate))
    .of_a_closing_pool()
}

/// An acquire that waits in a pool that is suspended, resumed, suspended and resumed.
fn suspended(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    pool.suspend();
    let change = |suspends: bool| {
        let pool = pool.clone();
        move || match suspends {
            true => pool.suspend(),
            false => pool.resume(),
        }
    };
    Play::of_acquire(&pool, control)
        .events(guards)
        .event(change(false))
        .event(change(true))
        .event(change(false))
}

/// An acquire that waits while maxsize becomes 1 and large again.
fn resized(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let (small, large) = (pool.clone(), pool.clone());
    let last = guards.pop();
    Play::of_acquire(&pool, control)
        .event(move || small.resize(1).expect("minsize is 0"))
        .events(guards)
        .event(move || drop(last))
        .event(move || large.resize(maxsize).expect("minsize is 0"))
}

/// A run whose work takes a while, and whose connection has to be waited for.
fn run(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let own = pool.clone();
    Play::new(&pool, control, async move {
        let work = async |conn: &mut support::FakeGuard| {
            yield_now().await;
            let answer = conn.query();
            yield_now().await;
            answer.map_err(|_| Failure::Exhausted)
        };
        drop(own.run(work).await);
    })
    .events(guards)
}

/// A connection beside a pool that has no place.
fn dedicated(stage: &Stage, maxsize: usize) -> Play {
    let (manager, control) = stage.fake(maxsize + 1);
    let builder = stage.builder(manager).minsize(0).maxsize(maxsize);
    let pool = builder.build_lazy().expect("the settings are right");
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let own = pool.clone();
    Play::new(&pool, control, async move { drop(own.dedicated().await) }).event(opens(&gate))
}

/// Somebody who waits until the pool begins to close.
fn closing(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let (own, closed) = (pool.clone(), pool.clone());
    Play::new(&pool, control, async move { own.closing().await })
        .event(move || closed.close())
        .events(guards)
        .of_a_closing_pool()
}

/// An acquire that waits while the settings change, and what comes back is needed for it.
fn reconfigured(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let (first, second) = (pool.clone(), pool.clone());
    let last = guards.pop();
    Play::of_acquire(&pool, control)
        .event(move || {
            let changed = first.reconfigure(|knobs| {
                knobs.max_connecting(1);
                knobs.max_uses(1);
                knobs.check_policy(CheckPolicy::Always);
                knobs.idle_order(IdleOrder::Lifo);
            });
            changed.expect("the settings are right");
        })
        .events(guards)
        .event(move || {
            let changed = second.reconfigure(|knobs| {
                knobs.max_connecting(None);
                knobs.max_uses(None);
            });
            changed.expect("the settings are right");
        })
        .event(move || drop(last))
}

/// An acquire that waits while all that is idle is closed.
fn retained(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.always(Verb::Close, Step::gate(&gate));
    let play = guards
        .into_iter()
        .fold(Play::of_acquire(&pool, control), |play, guard| {
            let pool = pool.clone();
            play.event(move || drop(guard)).event(move || {
                pool.retain(|_| false);
            })
        });
    play.event(opens(&gate))
}

/// An acquire that waits while a connection leaves the pool and comes back in.
fn added(stage: &Stage, maxsize: usize) -> Play {
    let (manager, control) = stage.fake(0);
    let builder = stage.builder(manager).minsize(0).maxsize(maxsize);
    let pool = builder.upkeep(false).build_lazy();
    let pool = pool.expect("the settings are right");
    let mut guards: Vec<_> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let (moved, own) = (guards.pop().expect("one is out"), pool.clone());
    Play::of_acquire(&pool, control)
        .event(move || {
            // The waiter may have taken the place meanwhile.
            drop(own.add(PooledConnection::detach(moved)));
        })
        .event(opens(&gate))
        .events(guards)
}

/// A run whose first connection turns out to be dead, and whose second one is being opened.
fn run_again(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let own = pool.clone();
    let is_second = Cell::new(false);
    Play::new(&pool, control, async move {
        let work = async |conn: &mut support::FakeGuard| {
            yield_now().await;
            if !is_second.replace(true) {
                conn.close();
            }
            let answer = conn.query().map_err(|_| Failure::Exhausted);
            yield_now().await;
            answer
        };
        drop(own.run(work).await);
    })
    .events(guards)
    .event(opens(&gate))
}

/// A build whose first connect fails, so that it returns before the others.
fn degraded(stage: &Stage, maxsize: usize) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(Verb::Connect, Step::gate(gate).then(Step::Err));
    }
    let builder = builder.minsize(maxsize).start_policy(StartPolicy::Degraded);
    let play = Play::without_pool(control, async move { drop(builder.build().await) });
    let gates = gates.iter();
    gates.fold(play, |play, gate| play.event(opens(gate)))
}

/// An acquire that waits in a queue that becomes too slow.
fn shed(stage: &Stage, maxsize: usize) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder
        .upkeep(false)
        .shedding(Shedding::new(SECOND, SECOND));
    let pool = builder.build_lazy().expect("the settings are right");
    let guards = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    Play::of_acquire(&pool, control)
        .event(passes(stage, 2 * SECOND))
        .event(passes(stage, 2 * SECOND))
        .events(guards)
        .may_fail(4)
}

/// An acquire of high priority in a pool whose last place is only for such, and others behind it.
fn reserved(stage: &Stage, maxsize: usize) -> Play {
    let (manager, control) = stage.fake(maxsize + 1);
    let builder = stage.builder(manager).minsize(0).maxsize(maxsize + 1);
    let builder = builder.upkeep(false).reserved(1);
    let pool = builder.build_lazy().expect("the settings are right");
    let guards = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let own = pool.clone();
    Play::new(&pool, control, async move {
        let guard = own.acquire().priority(Priority::High).await;
        drop(guard.map(hold));
    })
    .event(opens(&gate))
    .events(guards)
    // The last place is not for the acquires that look whether all is well.
    .of_a_closing_pool()
}
