//! Scenarios whose victim is another verb than acquire: wait_closed, fill, build, ping.

use pool_core::CheckPolicy;
use support::invariants::acquire_now;
use support::{Gate, Stage, Step, Verb};

use crate::play::Play;
use crate::scenarios::{exhausted, opens, pool};

pub(crate) fn wait_closed(stage: &Stage, maxsize: usize) -> Play {
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
    .of_a_closing_pool();
    gates
        .iter()
        .fold(play, |play, gate| play.event(opens(gate)))
}

pub(crate) fn wait_closed_after_terminate(stage: &Stage, maxsize: usize) -> Play {
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
    .of_a_closing_pool()
}

pub(crate) fn fill(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.minsize(maxsize).upkeep(false);
    let pool = builder.build_lazy().expect("the settings are right");
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

pub(crate) fn build(stage: &Stage, maxsize: usize, last: Step) -> Play {
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

/// A ping that has to wait for its connection, and then for the server.
pub(crate) fn ping(stage: &Stage, maxsize: usize, then: Step) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let gate = Gate::new();
    control.next(Verb::Check, Step::gate(&gate).then(then));
    let own = pool.clone();
    Play::new(&pool, control, async move { drop(own.ping().await) })
        .events(guards)
        .event(opens(&gate))
}
