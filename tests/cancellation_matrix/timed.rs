//! Scenarios that need a clock which the test moves.

use pool_core::{CheckPolicy, PooledConnection};
use support::invariants::acquire_now;
use support::{Gate, Stage, Step, Verb};

use crate::play::Play;
use crate::scenarios::{SECOND, exhausted, opens, passes, pool};

pub(crate) fn deadline_at_capacity(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let own = pool.clone();
    Play::new(&pool, control, async move {
        drop(own.acquire().timeout(SECOND).await);
    })
    .event(passes(stage, 2 * SECOND))
    .events(guards)
}

pub(crate) fn deadline_on_connect(stage: &Stage, maxsize: usize) -> Play {
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
pub(crate) fn hangs(stage: &Stage, maxsize: usize, verb: Verb) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let pool = builder
        .upkeep(false)
        .check_policy(CheckPolicy::Always)
        .connect_timeout(SECOND)
        .check_timeout(SECOND)
        .recycle_timeout(SECOND)
        .close_timeout(SECOND)
        .build_lazy()
        .expect("the settings are right");
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

pub(crate) fn expired(stage: &Stage, maxsize: usize) -> Play {
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
