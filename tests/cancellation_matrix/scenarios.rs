//! The scenarios of the matrix.

use std::time::Duration;

use pool_core::{CheckPolicy, PooledConnection, Verdict};
use support::invariants::acquire_now;
use support::{FakeControl, FakeGuard, FakePool, Gate, Mode, Stage, Step, Verb};

use crate::play::Play;
use crate::timed::{deadline_at_capacity, deadline_on_connect, expired, hangs};
use crate::verbs::{build, fill, ping, wait_closed, wait_closed_after_terminate};

/// A state of the pool, a victim, and what happens around it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Needs a clock that the test moves.
    virtual_time: bool,
    pub(crate) set: fn(&Stage, usize) -> Play,
}

impl Scenario {
    pub(crate) fn plays_on(&self, mode: Mode) -> bool {
        !self.virtual_time || Mode::VIRTUAL.contains(&mode)
    }
}

pub(crate) const fn any(name: &'static str, set: fn(&Stage, usize) -> Play) -> Scenario {
    Scenario {
        name,
        virtual_time: false,
        set,
    }
}

pub(crate) const fn timed(name: &'static str, set: fn(&Stage, usize) -> Play) -> Scenario {
    Scenario {
        name,
        virtual_time: true,
        set,
    }
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    any("idle hand-out", idle_hand_out),
    any("check", |s, m| check(s, m, Step::Ok, 0)),
    any("check that fails", |s, m| check(s, m, Step::Err, 0)),
    any("check that panics", |s, m| check(s, m, Step::Panic, 1)),
    any(
        "check that fails before a slow close and a slow connect",
        check_close_connect,
    ),
    any("recycle before the hand-out", |s, m| {
        recycle(s, m, Step::Ok)
    }),
    any("recycle that fails before the hand-out", |s, m| {
        recycle(s, m, Step::Err)
    }),
    any("recycle that panics before the hand-out", |s, m| {
        recycle(s, m, Step::Panic)
    }),
    any("connect", |s, m| connect(s, m, Step::Ok, 0)),
    any("connect that fails", |s, m| connect(s, m, Step::Err, 1)),
    any("connect that panics", |s, m| connect(s, m, Step::Panic, 1)),
    any("every connect slow", every_connect_slow),
    any("wait at capacity", wait_at_capacity),
    any(
        "wait for a place whose connection was broken",
        wait_for_broken,
    ),
    any(
        "wait for a place whose connection was detached",
        wait_for_detached,
    ),
    any(
        "wait for a place whose connection closes slowly",
        wait_for_slow_close,
    ),
    any("awaited release", |s, m| awaited_release(s, m, Step::Ok)),
    any("awaited release that fails", |s, m| {
        awaited_release(s, m, Step::Err)
    }),
    any("awaited release that panics", |s, m| {
        awaited_release(s, m, Step::Panic)
    }),
    any(
        "awaited release that is refused, with a slow close",
        refused_release,
    ),
    any("clear", |s, m| clear(s, m, Step::Ok)),
    any("clear whose closes panic", |s, m| clear(s, m, Step::Panic)),
    any("acquire after clear", acquire_after_clear),
    any("acquire beside upkeep", acquire_beside_upkeep),
    any(
        "detach in the middle of a wait",
        wait_for_detached_beside_a_connect,
    ),
    any("wait_closed", wait_closed),
    any("wait_closed after terminate", wait_closed_after_terminate),
    any("fill", |s, m| fill(s, m, Step::Ok)),
    any("fill whose connects fail", |s, m| fill(s, m, Step::Err)),
    any("ping", |s, m| ping(s, m, Step::Ok)),
    any("ping whose check fails", |s, m| ping(s, m, Step::Err)),
    any("ping whose check panics", |s, m| ping(s, m, Step::Panic)),
    any("build", |s, m| build(s, m, Step::Ok)),
    any("build whose last connect fails", |s, m| {
        build(s, m, Step::Err)
    }),
    any("build whose last connect panics", |s, m| {
        build(s, m, Step::Panic)
    }),
    timed("acquire with a deadline at capacity", deadline_at_capacity),
    timed(
        "acquire with a deadline on a connect that hangs",
        deadline_on_connect,
    ),
    timed("check that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::Check)
    }),
    timed("recycle that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::Recycle)
    }),
    timed("connect that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::Connect)
    }),
    timed("close that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::Close)
    }),
    timed("expired idle connections", expired),
];

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A pool with upkeep off, `idle` free connections and nothing else.
pub(crate) fn pool(
    stage: &Stage,
    maxsize: usize,
    idle: usize,
    policy: CheckPolicy,
) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.upkeep(false).check_policy(policy);
    let pool = builder.build_lazy().expect("the settings are right");
    let guards: Vec<FakeGuard> = (0..idle).map(|_| acquire_now(stage, &pool)).collect();
    drop(guards);
    stage.settle();
    // Where nothing can be spawned they are recycled in the next acquire: let that be over.
    let guards: Vec<FakeGuard> = (0..idle).map(|_| acquire_now(stage, &pool)).collect();
    for guard in guards {
        stage
            .run(PooledConnection::release(guard))
            .expect("it is kept");
    }
    assert_eq!(pool.freesize(), idle);
    (pool, control)
}

/// A pool whose connections are all in somebody's hands.
pub(crate) fn exhausted(stage: &Stage, maxsize: usize) -> (FakePool, FakeControl, Vec<FakeGuard>) {
    let (pool, control) = pool(stage, maxsize, 0, CheckPolicy::Never);
    let guards = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    (pool, control, guards)
}

/// Opens a gate when its turn comes.
pub(crate) fn opens(gate: &Gate) -> impl FnOnce() + 'static {
    let gate = gate.clone();
    move || gate.open()
}

/// Moves the virtual clock when its turn comes.
pub(crate) fn passes(stage: &Stage, time: Duration) -> impl FnOnce() + 'static {
    let clock = stage.clock().clone();
    move || clock.advance(time)
}

fn idle_hand_out(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 1, CheckPolicy::Never);
    Play::of_acquire(&pool, control)
}

fn check(stage: &Stage, maxsize: usize, then: Step, failures: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 1, CheckPolicy::Always);
    let gate = Gate::new();
    control.next(Verb::Check, Step::gate(&gate).then(then));
    Play::of_acquire(&pool, control)
        .event(opens(&gate))
        .may_fail(failures)
}

fn check_close_connect(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, maxsize, CheckPolicy::Always);
    let gates = [(); 3].map(|()| Gate::new());
    control.next(Verb::Check, Step::gate(&gates[0]).then(Step::Err));
    control.always(Verb::Check, Step::Err);
    control.next(Verb::Close, Step::gate(&gates[1]));
    control.next(Verb::Connect, Step::gate(&gates[2]));
    gates
        .iter()
        .fold(Play::of_acquire(&pool, control), |play, gate| {
            play.event(opens(gate))
        })
}

fn recycle(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next(Verb::Recycle, Step::gate(&gate).then(then));
    drop(guards.pop());
    Play::of_acquire(&pool, control)
        .event(opens(&gate))
        .events(guards)
}

fn connect(stage: &Stage, maxsize: usize, then: Step, failures: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 0, CheckPolicy::Never);
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate).then(then));
    Play::of_acquire(&pool, control)
        .event(opens(&gate))
        .may_fail(failures)
}

fn every_connect_slow(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 0, CheckPolicy::Never);
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(Verb::Connect, Step::gate(gate));
    }
    // The last connect is ready first.
    gates
        .iter()
        .rev()
        .fold(Play::of_acquire(&pool, control), |play, gate| {
            play.event(opens(gate))
        })
}

fn wait_at_capacity(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    Play::of_acquire(&pool, control).events(guards)
}

fn wait_for_broken(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let mut broken = guards.pop().expect("one is out");
    broken.close();
    Play::of_acquire(&pool, control)
        .event(move || drop(broken))
        .event(opens(&gate))
        .events(guards)
}

fn wait_for_detached(stage: &Stage, maxsize: usize) -> Play {
    // What is detached lives on beside maxsize others: the bound is watched by the counts alone.
    let (manager, control) = stage.fake(0);
    let builder = stage.builder(manager).minsize(0).maxsize(maxsize);
    let pool = builder
        .upkeep(false)
        .build_lazy()
        .expect("the settings are right");
    let mut guards: Vec<FakeGuard> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    let detached = guards.pop().expect("one is out");
    Play::of_acquire(&pool, control)
        .event(move || drop(PooledConnection::detach(detached)))
        .events(guards)
}

fn wait_for_slow_close(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next(Verb::Close, Step::gate(&gate));
    let discarded = guards.pop().expect("one is out");
    Play::of_acquire(&pool, control)
        .event(move || PooledConnection::discard(discarded))
        .event(opens(&gate))
        .events(guards)
}

fn awaited_release(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next(Verb::Recycle, Step::gate(&gate).then(then));
    let returned = guards.pop().expect("one is out");
    Play::new(&pool, control, async move {
        drop(PooledConnection::release(returned).await);
    })
    .event(opens(&gate))
    .events(guards)
}

fn refused_release(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, mut guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next_verdict(Verdict::Discard);
    control.next(Verb::Close, Step::gate(&gate));
    let returned = guards.pop().expect("one is out");
    Play::new(&pool, control, async move {
        drop(PooledConnection::release(returned).await);
    })
    .event(opens(&gate))
    .events(guards)
}

fn clear(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let (pool, control) = pool(stage, maxsize, maxsize, CheckPolicy::Never);
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(Verb::Close, Step::gate(gate).then(then.clone()));
    }
    let own = pool.clone();
    let play = Play::new(&pool, control, async move { own.clear().await });
    gates
        .iter()
        .fold(play, |play, gate| play.event(opens(gate)))
}

fn acquire_after_clear(stage: &Stage, maxsize: usize) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.minsize(maxsize).upkeep(false);
    let pool = stage.run(builder.build()).expect("all goes well");
    stage.run(pool.clear());
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(Verb::Connect, Step::gate(gate));
    }
    gates
        .iter()
        .fold(Play::of_acquire(&pool, control), |play, gate| {
            play.event(opens(gate))
        })
}

fn acquire_beside_upkeep(stage: &Stage, maxsize: usize) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.minsize(maxsize).check_policy(CheckPolicy::Always);
    let pool = stage.run(builder.build()).expect("all goes well");
    control.break_all();
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(Verb::Connect, Step::gate(gate));
    }
    gates
        .iter()
        .fold(Play::of_acquire(&pool, control), |play, gate| {
            play.event(opens(gate))
        })
}

fn wait_for_detached_beside_a_connect(stage: &Stage, maxsize: usize) -> Play {
    let (manager, control) = stage.fake(0);
    let builder = stage.builder(manager).minsize(0).maxsize(maxsize);
    let pool = builder
        .upkeep(false)
        .build_lazy()
        .expect("the settings are right");
    let guard = acquire_now(stage, &pool);
    let gate = Gate::new();
    control.always(Verb::Connect, Step::gate(&gate));
    Play::of_acquire(&pool, control)
        .event(move || drop(PooledConnection::detach(guard)))
        .event(opens(&gate))
}
