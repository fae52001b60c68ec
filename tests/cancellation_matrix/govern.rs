//! Scenarios whose victim is a verb that governs the pool, or waits while one is called.

use std::time::Duration;

use pool_core::CheckPolicy;
use support::{FakeError, Gate, Stage, Step, Verb, yield_now};

use crate::play::Play;
use crate::scenarios::{exhausted, opens, pool};

/// A shutdown that waits for a guard and for slow closes. Its time is never over.
pub(crate) fn shutdown(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control) = pool(stage, maxsize, maxsize, CheckPolicy::Never);
    let gate = Gate::new();
    control.always(Verb::Close, Step::gate(&gate));
    let guard = support::invariants::acquire_now(stage, &pool);
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
pub(crate) fn suspended(stage: &Stage, maxsize: usize) -> Play {
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
pub(crate) fn resized(stage: &Stage, maxsize: usize) -> Play {
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
pub(crate) fn run(stage: &Stage, maxsize: usize) -> Play {
    let (pool, control, guards) = exhausted(stage, maxsize);
    let own = pool.clone();
    Play::new(&pool, control, async move {
        let work = async |conn: &mut support::FakeGuard| {
            yield_now().await;
            let answer = conn.query();
            yield_now().await;
            answer.map_err(|_| pool_core::Error::<FakeError>::Exhausted)
        };
        drop(own.run(work).await);
    })
    .events(guards)
}

/// A connection beside a pool that has no place.
pub(crate) fn dedicated(stage: &Stage, maxsize: usize) -> Play {
    let (manager, control) = stage.fake(maxsize + 1);
    let builder = stage.builder(manager).minsize(0).maxsize(maxsize);
    let pool = builder.build_lazy().expect("the settings are right");
    let gate = Gate::new();
    control.next(Verb::Connect, Step::gate(&gate));
    let own = pool.clone();
    Play::new(&pool, control, async move { drop(own.dedicated().await) }).event(opens(&gate))
}
