//! The scenarios of the matrix.

use std::time::Duration;

use pool_core::{CheckPolicy, PooledConnection, Verdict};
use support::invariants::acquire_now;
use support::{FakeControl, FakeGuard, FakePool, Gate, Mode, Stage, Step, Verb};

use crate::play::Play;

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

const fn any(name: &'static str, set: fn(&Stage, usize) -> Play) -> Scenario {
    Scenario {
        name,
        virtual_time: false,
        set,
    }
}

const fn timed(name: &'static str, set: fn(&Stage, usize) -> Play) -> Scenario {
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
        "check that fails before a slow goodbye and a slow connect",
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
        "wait for a place whose connection says goodbye slowly",
        wait_for_slow_goodbye,
    ),
    any("awaited release", |s, m| awaited_release(s, m, Step::Ok)),
    any("awaited release that fails", |s, m| {
        awaited_release(s, m, Step::Err)
    }),
    any("awaited release that panics", |s, m| {
        awaited_release(s, m, Step::Panic)
    }),
    any(
        "awaited release that is refused, with a slow goodbye",
        refused_release,
    ),
    any("clear", |s, m| clear(s, m, Step::Ok)),
    any("clear whose goodbyes panic", |s, m| {
        clear(s, m, Step::Panic)
    }),
    any("acquire after clear", acquire_after_clear),
    any("wait_closed", wait_closed),
    any("wait_closed after terminate", wait_closed_after_terminate),
    any("fill", |s, m| fill(s, m, Step::Ok)),
    any("fill whose connects fail", |s, m| fill(s, m, Step::Err)),
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
    timed("goodbye that hangs until its deadline", |s, m| {
        hangs(s, m, Verb::Close)
    }),
    timed("expired idle connections", expired),
];

const SECOND: Duration = Duration::from_secs(1);

/// A pool with upkeep off, `idle` free connections and nothing else.
fn pool(
    stage: &Stage,
    maxsize: usize,
    idle: usize,
    policy: CheckPolicy,
) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.upkeep(false).check_policy(policy);
    let pool = builder.build_lazy().expect("the knobs are right");
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
fn exhausted(stage: &Stage, maxsize: usize) -> (FakePool, FakeControl, Vec<FakeGuard>) {
    let (pool, control) = pool(stage, maxsize, 0, CheckPolicy::Never);
    let guards = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    (pool, control, guards)
}

/// Opens a gate when its turn comes.
fn opens(gate: &Gate) -> impl FnOnce() + 'static {
    let gate = gate.clone();
    move || gate.open()
}

/// Moves the virtual clock when its turn comes.
fn passes(stage: &Stage, time: Duration) -> impl FnOnce() + 'static {
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
        .expect("the knobs are right");
    let mut guards: Vec<FakeGuard> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
    let detached = guards.pop().expect("one is out");
    Play::of_acquire(&pool, control)
        .event(move || drop(PooledConnection::detach(detached)))
        .events(guards)
}

fn wait_for_slow_goodbye(stage: &Stage, maxsize: usize) -> Play {
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

fn wait_closed(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, maxsize, CheckPolicy::Never);
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(Verb::Close, Step::gate(gate));
    }
    let guard = acquire_now(stage, &pool);
    pool.close();
    let own = pool.clone();
    let play = Play::new(&pool, control, async move {
        own.wait_closed().await.expect("the pool is closing");
    })
    .event(move || drop(guard))
    .is_closing();
    gates
        .iter()
        .fold(play, |play, gate| play.event(opens(gate)))
}

fn wait_closed_after_terminate(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, maxsize, CheckPolicy::Never);
    control.give_abort_handles();
    let gate = Gate::new();
    control.always(Verb::Close, Step::gate(&gate));
    let guard = acquire_now(stage, &pool);
    pool.terminate();
    let own = pool.clone();
    Play::new(&pool, control, async move {
        own.wait_closed().await.expect("the pool is closing");
    })
    .event(opens(&gate))
    .event(move || drop(guard))
    .is_closing()
}

fn fill(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.minsize(maxsize).upkeep(false);
    let pool = builder.build_lazy().expect("the knobs are right");
    let failures = if matches!(then, Step::Ok) { 0 } else { maxsize };
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for gate in &gates {
        control.next(Verb::Connect, Step::gate(gate).then(then.clone()));
    }
    let own = pool.clone();
    let play = Play::new(&pool, control, async move { drop(own.fill().await) }).may_fail(failures);
    gates
        .iter()
        .fold(play, |play, gate| play.event(opens(gate)))
}

fn build(stage: &Stage, maxsize: usize, last: Step) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let gates: Vec<Gate> = (0..maxsize).map(|_| Gate::new()).collect();
    for (number, gate) in gates.iter().enumerate() {
        let then = if number + 1 == maxsize {
            last.clone()
        } else {
            Step::Ok
        };
        control.next(Verb::Connect, Step::gate(gate).then(then));
    }
    let builder = builder.minsize(maxsize);
    let play = Play::without_pool(control, async move { drop(builder.build().await) });
    gates
        .iter()
        .fold(play, |play, gate| play.event(opens(gate)))
}

fn deadline_at_capacity(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let own = pool.clone();
    Play::new(&pool, control, async move {
        drop(own.acquire().timeout(SECOND).await);
    })
    .event(passes(stage, 2 * SECOND))
    .events(guards)
}

fn deadline_on_connect(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, 0, CheckPolicy::Never);
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let own = pool.clone();
    Play::new(&pool, control, async move {
        drop(own.acquire().timeout(SECOND).await);
    })
    .event(passes(stage, 2 * SECOND))
    .event(opens(&gate))
}

/// One method hangs in its next call, and everything has a deadline.
fn hangs(stage: &Stage, maxsize: usize, verb: Verb) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let pool = builder
        .upkeep(false)
        .check_policy(CheckPolicy::Always)
        .connect_timeout(SECOND)
        .check_timeout(SECOND)
        .recycle_timeout(SECOND)
        .close_timeout(SECOND)
        .build_lazy()
        .expect("the knobs are right");
    let mut failures = 0;
    if verb == Verb::Connect {
        failures = 1;
    } else {
        let guard = acquire_now(stage, &pool);
        stage
            .run(PooledConnection::release(guard))
            .expect("it is kept");
    }
    control.next(verb, Step::Pend);
    let mut guards = Vec::new();
    match verb {
        Verb::Recycle => drop(acquire_now(stage, &pool)),
        Verb::Close => guards.push(acquire_now(stage, &pool)),
        _ => {}
    }
    Play::of_acquire(&pool, control)
        .event(move || guards.into_iter().for_each(PooledConnection::discard))
        .event(passes(stage, SECOND))
        .event(passes(stage, SECOND))
        .may_fail(failures)
}

fn expired(stage: &Stage, maxsize: usize) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.minsize(maxsize).upkeep(false).pool_recycle(SECOND);
    let pool = stage.run(builder.build()).expect("all goes well");
    stage.advance(2 * SECOND);
    let gates = [(); 2].map(|()| Gate::new());
    control.next(Verb::Close, Step::gate(&gates[0]));
    control.next(Verb::Connect, Step::gate(&gates[1]));
    gates
        .iter()
        .fold(Play::of_acquire(&pool, control), |play, gate| {
            play.event(opens(gate))
        })
}
