//! The pool is closed, terminated or cleared in the very middle of a step, while the manager is being called.

use std::sync::Mutex;

use pool_core::{CheckPolicy, Error, PooledConnection};
use support::invariants::{acquire_now, all_is_well, closed_for_good};
use support::{FakeControl, FakePool, Gate, Probe, Stage, Step, Verb, hold};

/// Does something once, in the next call of this method.
fn in_the_middle_of(control: &FakeControl, verb: Verb, act: impl FnOnce() + Send + 'static) {
    let act = Mutex::new(Some(act));
    control.on_call(verb, move || {
        let act = act.lock().unwrap().take();
        if let Some(act) = act {
            act();
        }
    });
}

/// A pool whose next acquire calls this method.
fn about_to_call(stage: &Stage, verb: Verb) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(1);
    let builder = builder.check_policy(CheckPolicy::Always);
    let pool = builder.build_lazy().unwrap();
    if verb == Verb::Check {
        let conn = acquire_now(stage, &pool);
        stage.run(PooledConnection::release(conn)).unwrap();
    }
    (pool, control)
}

#[test]
fn a_pool_may_be_closed_in_the_middle_of_a_step() {
    for terminate in [false, true] {
        for verb in [Verb::Connect, Verb::Check, Verb::Recycle] {
            for gated in [false, true] {
                for then in [Step::Ok, Step::Err, Step::Panic] {
                    Stage::each(|stage| {
                        println!("{verb:?}, terminate: {terminate}, gated: {gated}");
                        let (pool, control) = about_to_call(stage, verb);
                        let conn = (verb == Verb::Recycle).then(|| acquire_now(stage, &pool));
                        let own = pool.clone();
                        in_the_middle_of(&control, verb, move || {
                            if terminate {
                                own.terminate();
                            } else {
                                own.close();
                            }
                        });
                        let gate = Gate::new();
                        let step = match gated {
                            true => Step::gate(&gate).then(then.clone()),
                            false => then.clone(),
                        };
                        control.next(verb, step);
                        let mut acquire = Probe::polled(pool.acquire());
                        drop(conn);
                        assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
                        let outcome = acquire.take();
                        assert!(
                            matches!(outcome, Err(Error::Closed | Error::Panicked { .. })),
                            "{outcome:?}"
                        );
                        assert!(pool.is_closing());
                        gate.open();
                        control.no_hook(verb);
                        drop((outcome, acquire));
                        closed_for_good(stage, pool, &control);
                    });
                }
            }
        }
    }
}

#[test]
fn terminate_in_the_middle_of_a_step_that_hangs_drops_it() {
    for verb in [Verb::Connect, Verb::Check, Verb::Recycle] {
        Stage::each(|stage| {
            println!("{verb:?}");
            let (pool, control) = about_to_call(stage, verb);
            let conn = (verb == Verb::Recycle).then(|| acquire_now(stage, &pool));
            let own = pool.clone();
            in_the_middle_of(&control, verb, move || own.terminate());
            control.next(verb, Step::Pend);
            let mut acquire = Probe::polled(pool.acquire());
            drop(conn);
            assert!(acquire.poll_until_stalled(stage), "HANG: {}", pool.status());
            assert!(matches!(acquire.take(), Err(Error::Closed)));
            stage.settle();
            assert_eq!((control.live(), control.in_connect()), (0, 0));
            control.no_hook(verb);
            drop(acquire);
            closed_for_good(stage, pool, &control);
        });
    }
}

#[test]
fn a_pool_may_be_cleared_in_the_middle_of_a_step() {
    for verb in [Verb::Connect, Verb::Check, Verb::Recycle] {
        Stage::each(|stage| {
            println!("{verb:?}");
            let (pool, control) = about_to_call(stage, verb);
            let conn = (verb == Verb::Recycle).then(|| acquire_now(stage, &pool));
            let own = pool.clone();
            in_the_middle_of(&control, verb, move || {
                let mut clear = Probe::new(own.clear());
                clear.poll();
            });
            drop(conn);
            let held = hold(acquire_now(stage, &pool));
            // A connection that was being recycled when the pool was cleared is not handed out again.
            assert_eq!(held.id(), if verb == Verb::Recycle { 2 } else { 1 });
            control.no_hook(verb);
            drop(held);
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn a_close_may_close_and_terminate_its_own_pool() {
    for terminate in [false, true] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(2);
            let pool = stage.run(builder.minsize(2).upkeep(false).build()).unwrap();
            let own = pool.clone();
            in_the_middle_of(&control, Verb::Close, move || {
                if terminate {
                    own.terminate();
                } else {
                    own.close();
                }
            });
            stage.run(pool.clear());
            assert!(pool.is_closing());
            control.no_hook(Verb::Close);
            closed_for_good(stage, pool, &control);
        });
    }
}
