//! Scenarios in which connections have lived long enough, or the pool has too many or too few of them.

use std::time::Duration;

use pool_core::{Builder, CheckPolicy, PooledConnection};
use support::invariants::acquire_now;
use support::{FakeControl, FakeGuard, FakeManager, FakePool, Gate, Probe, Stage, Step, Verb};

use crate::play::Play;
use crate::scenarios::{SECOND, Scenario, any, exhausted, opens, passes, pool, timed};

pub(crate) const SCENARIOS: &[Scenario] = &[
    any("clear_all", |s, m| clear_all(s, m, Step::Ok)),
    any("clear_all whose closes panic", |s, m| {
        clear_all(s, m, Step::Panic)
    }),
    any("wait beside a clear_all", wait_beside_clear_all),
    any("connect beside a clear_all", connect_beside_clear_all),
    any("wait beside a recycle_all", wait_beside_recycle_all),
    any("wait for one that was used up", wait_for_used_up),
    any("awaited release of one that was used up", release_used_up),
    any("wait with max_idle 0", wait_with_max_idle),
    any("awaited release with max_idle 0", release_with_max_idle),
    any("acquire beside min_idle", |s, m| {
        beside_min_idle(s, m, Step::Ok, 0)
    }),
    any("acquire beside min_idle that cannot be had", |s, m| {
        beside_min_idle(s, m, Step::Err, m)
    }),
    any("check of a suspect sibling", |s, m| suspect(s, m, Step::Ok)),
    any("check of a suspect sibling that fails", |s, m| {
        suspect(s, m, Step::Err)
    }),
    timed("idle ones that are too old", too_old),
    timed("wait while those in use become too old", wait_for_old),
    timed("acquire beside replacements", beside_replacements),
    timed("idle ones that nobody has needed", |s, m| {
        unneeded(s, m, false)
    }),
    timed("acquire beside idle_timeout", |s, m| unneeded(s, m, true)),
    timed("check for keepalive", |s, m| {
        keepalive(s, m, false, Step::Ok)
    }),
    timed("acquire beside keepalive", |s, m| {
        keepalive(s, m, true, Step::Ok)
    }),
    timed("acquire beside a keepalive that fails", |s, m| {
        keepalive(s, m, true, Step::Err)
    }),
    timed("acquire with every limit", every_limit),
];

/// A pool with these settings whose connections are all in somebody's hands.
fn all_in_use(
    stage: &Stage,
    maxsize: usize,
    set: impl FnOnce(Builder<FakeManager>) -> Builder<FakeManager>,
) -> (FakePool, FakeControl, Vec<FakeGuard>) {
    let (builder, control) = stage.pool(maxsize);
    let builder = set(builder.check_policy(CheckPolicy::Never));
    let pool = builder.build_lazy().expect("the settings are right");
    let guards = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    (pool, control, guards)
}

/// As many gates, each at the next call of this method.
fn gates(control: &FakeControl, verb: Verb, number: usize, then: &Step) -> Vec<Gate> {
    let gates: Vec<Gate> = (0..number).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(verb, Step::gate(gate).then(then.clone()));
    }
    gates
}

/// The gates open one after the other.
fn opening(play: Play, gates: &[Gate]) -> Play {
    let events = gates.iter();
    events.fold(play, |play, gate| play.event(opens(gate)))
}

/// Gives all of them back, kept and ready.
fn give_back(stage: &Stage, guards: Vec<FakeGuard>) {
    for guard in guards {
        let released = stage.run(PooledConnection::release(guard));
        released.expect("it is kept");
    }
}

/// A `clear_all` that is polled once and dropped.
fn clears_all(pool: &FakePool) -> impl FnOnce() + 'static {
    let pool = pool.clone();
    move || drop(Probe::polled(pool.clear_all()))
}

/// One is in use, the others are idle.
fn clear_all(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let (pool, control) = pool(stage, maxsize, maxsize, CheckPolicy::Never);
    let gates = gates(&control, Verb::Close, maxsize, &then);
    let held = acquire_now(stage, &pool);
    let own = pool.clone();
    let play = Play::new(&pool, control, async move { own.clear_all().await });
    opening(play.event(move || drop(held)), &gates)
}

fn wait_beside_clear_all(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let connects = gates(&control, Verb::Connect, 1, &Step::Ok);
    let play = Play::of_acquire(&pool, control)
        .event(clears_all(&pool))
        .events(guards);
    opening(opening(play, &closes), &connects)
}

/// What connects during a `clear_all` is not kept.
fn connect_beside_clear_all(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 0, CheckPolicy::Never);
    let connects = gates(&control, Verb::Connect, maxsize + 1, &Step::Ok);
    let play = Play::of_acquire(&pool, control).event(clears_all(&pool));
    opening(play, &connects)
}

fn wait_beside_recycle_all(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let own = pool.clone();
    let play = Play::of_acquire(&pool, control)
        .event(move || own.recycle_all(Duration::ZERO))
        .events(guards);
    opening(play, &closes)
}

fn wait_for_used_up(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| b.minsize(1).max_uses(1));
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let connects = gates(&control, Verb::Connect, 1, &Step::Ok);
    let play = Play::of_acquire(&pool, control).events(guards);
    opening(opening(play, &closes), &connects)
}

fn release_used_up(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| b.minsize(1).max_uses(1));
    of_release(&pool, control, guards)
}

fn wait_with_max_idle(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| b.max_idle(0));
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let play = Play::of_acquire(&pool, control).events(guards);
    opening(play, &closes)
}

fn release_with_max_idle(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| b.max_idle(0));
    of_release(&pool, control, guards)
}

/// A play whose victim gives one back, with a slow recycle and a slow close.
fn of_release(pool: &FakePool, control: FakeControl, mut guards: Vec<FakeGuard>) -> Play {
    let recycles = gates(&control, Verb::Recycle, 1, &Step::Ok);
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let returned = guards.pop().expect("one is out");
    let play = Play::new(pool, control, async move {
        drop(PooledConnection::release(returned).await);
    });
    opening(opening(play, &recycles), &closes).events(guards)
}

/// The connect of the one that is to be idle is slow.
fn beside_min_idle(stage: &Stage, maxsize: usize, then: Step, failures: usize) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.min_idle(1).check_policy(CheckPolicy::Never);
    let connects = gates(&control, Verb::Connect, maxsize, &then);
    let pool = builder.build_lazy().expect("the settings are right");
    opening(Play::of_acquire(&pool, control), &connects).may_fail(failures)
}

/// One of those in use is lost while the others are idle.
fn suspect(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let policy = CheckPolicy::IdleFor(60 * SECOND);
    let (pool, control) = pool(stage, maxsize, maxsize, policy);
    let checks = gates(&control, Verb::Check, 1, &then);
    let lost = acquire_now(stage, &pool);
    control.connection(lost.id()).break_it();
    drop(lost);
    opening(Play::of_acquire(&pool, control), &checks)
}

fn too_old(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| {
        b.minsize(maxsize).upkeep(false).max_lifetime(SECOND)
    });
    give_back(stage, guards);
    stage.advance(2 * SECOND);
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let connects = gates(&control, Verb::Connect, 1, &Step::Ok);
    let play = Play::of_acquire(&pool, control);
    opening(opening(play, &closes), &connects)
}

fn wait_for_old(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| {
        b.minsize(1)
            .max_lifetime(SECOND)
            .max_lifetime_jitter(SECOND)
    });
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let play = Play::of_acquire(&pool, control)
        .event(passes(stage, SECOND / 2))
        .event(passes(stage, SECOND))
        .events(guards);
    opening(play, &closes)
}

/// With upkeep, the connects of the replacements are under way when the acquire comes, or begin behind it.
fn beside_replacements(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| {
        b.minsize(1)
            .max_lifetime(SECOND)
            .max_lifetime_jitter(SECOND / 4)
    });
    give_back(stage, guards);
    let connects = gates(&control, Verb::Connect, maxsize, &Step::Ok);
    stage.advance(SECOND / 8 * 7);
    let play = Play::of_acquire(&pool, control).event(passes(stage, SECOND));
    opening(play, &connects)
}

fn unneeded(stage: &Stage, maxsize: usize, upkeep: bool) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| {
        b.upkeep(upkeep).idle_timeout(SECOND).min_idle(1)
    });
    give_back(stage, guards);
    let closes = gates(&control, Verb::Close, maxsize, &Step::Ok);
    stage.advance(2 * SECOND);
    let play = Play::of_acquire(&pool, control).event(passes(stage, 2 * SECOND));
    opening(play, &closes)
}

/// With upkeep, the check is under way when the acquire comes.
fn keepalive(stage: &Stage, maxsize: usize, upkeep: bool, then: Step) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| {
        b.check_policy(CheckPolicy::default())
            .upkeep(upkeep)
            .keepalive(SECOND)
    });
    give_back(stage, guards);
    let checks = gates(&control, Verb::Check, 1, &then);
    stage.advance(2 * SECOND);
    opening(Play::of_acquire(&pool, control), &checks)
}

/// All at once, and time goes on.
fn every_limit(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = all_in_use(stage, maxsize, |b| {
        b.max_lifetime(3 * SECOND)
            .max_uses(2)
            .idle_timeout(SECOND)
            .min_idle(1)
            .max_idle(1)
            .keepalive(SECOND / 2)
    });
    give_back_or_lose(stage, guards);
    let connects = gates(&control, Verb::Connect, 1, &Step::Ok);
    let closes = gates(&control, Verb::Close, 1, &Step::Ok);
    let checks = gates(&control, Verb::Check, 1, &Step::Ok);
    stage.advance(SECOND);
    let play = Play::of_acquire(&pool, control).event(passes(stage, SECOND));
    let play = opening(opening(play, &checks), &closes).event(passes(stage, 2 * SECOND));
    opening(play, &connects)
}

/// Gives all of them back; those of which there are too many are closed.
fn give_back_or_lose(stage: &Stage, guards: Vec<FakeGuard>) {
    for guard in guards {
        drop(stage.run(PooledConnection::release(guard)));
    }
}
