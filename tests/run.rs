//! `run`: acquires, works, releases, and tries once more where the server cannot have seen anything.

use std::cell::RefCell;

use pool_core::{Error, PooledConnection};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeError, FakePool, Gate, Probe, Stage, Step, Verb, yield_now};

type Failure = Error<FakeError>;

/// Which connections a run works with, if its work asks a question.
fn ask(stage: &Stage, pool: &FakePool) -> (Vec<u64>, Result<i64, Failure>) {
    let seen = RefCell::new(Vec::new());
    let result = stage.run(pool.run(async |conn| {
        seen.borrow_mut().push(conn.id());
        conn.query().map_err(|_| Error::Exhausted)
    }));
    (seen.into_inner(), result)
}

/// A clean connection is idle, and some time has gone by since its connect.
fn be_idle(stage: &Stage, pool: &FakePool) {
    let guard = acquire_now(stage, pool);
    stage.run(PooledConnection::release(guard)).unwrap();
    stage.tick();
}

#[test]
fn the_connection_goes_back_after_the_work() {
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder.build_lazy().unwrap();
            let answer = stage.run(pool.run(async |conn| {
                yield_now().await;
                Ok::<_, Failure>(conn.query().unwrap())
            }));
            assert_eq!(answer.unwrap(), 1);
            assert_eq!((pool.status().held(), control.made()), (0, 1));
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_connection_that_died_while_it_was_idle_is_replaced_once() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.check_policy(pool_core::CheckPolicy::Never);
        let pool = pool.build_lazy().unwrap();
        be_idle(stage, &pool);
        control.break_all();
        let (seen, result) = ask(stage, &pool);
        assert_eq!((seen, result.unwrap()), (vec![1, 2], 1));
        assert_eq!(control.live(), 1, "the dead one is gone");
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn it_is_tried_again_only_once() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = builder.check_policy(pool_core::CheckPolicy::Never);
        let pool = stage.run(pool.minsize(3).build()).unwrap();
        stage.tick();
        control.break_all();
        let (seen, result) = ask(stage, &pool);
        assert!(matches!(result, Err(Error::Exhausted)));
        assert_eq!(seen.len(), 2);
    });
}

#[test]
fn nothing_is_repeated_after_something_was_sent_or_with_a_fresh_or_whole_connection() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.check_policy(pool_core::CheckPolicy::Never);
        let pool = pool.build_lazy().unwrap();
        let attempts = RefCell::new(0);
        let fail = |breaks: bool, sends: bool| {
            *attempts.borrow_mut() = 0;
            let work = async |conn: &mut support::FakeGuard| {
                *attempts.borrow_mut() += 1;
                if sends {
                    conn.query().unwrap();
                }
                if breaks {
                    conn.close();
                }
                Err::<(), Failure>(Error::Exhausted)
            };
            assert!(stage.run(pool.run(work)).is_err());
            *attempts.borrow()
        };
        assert_eq!(fail(true, false), 1, "it came fresh from its connect");
        be_idle(stage, &pool);
        assert_eq!(fail(false, false), 1, "the connection is whole");
        be_idle(stage, &pool);
        assert_eq!(fail(true, true), 1, "the server has seen something");
        be_idle(stage, &pool);
        assert_eq!(fail(true, false), 2);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_run_that_is_dropped_anywhere_costs_nothing() {
    Stage::each(|stage| {
        for maxsize in [1, 2, 5] {
            for polls in 0..4 {
                let (builder, control) = stage.pool(maxsize);
                let pool = builder.build_lazy().unwrap();
                let gate = Gate::new();
                control.next(Verb::Connect, Step::gate(&gate));
                let mut run = Probe::new(pool.run(async |_| {
                    yield_now().await;
                    yield_now().await;
                    Ok::<_, Failure>(())
                }));
                for number in 0..polls {
                    run.poll();
                    if number == 0 {
                        gate.open();
                    }
                }
                drop(run);
                gate.open();
                all_is_well(stage, pool, &control);
            }
        }
    });
}

#[test]
fn the_error_of_the_acquire_becomes_the_error_of_the_work() {
    let stage = Stage::bare();
    let (builder, _control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    pool.close();
    let result = stage.run(pool.run(async |_| Ok::<_, Failure>(())));
    assert!(matches!(result, Err(Error::Closed)));
}

#[test]
fn the_place_of_a_run_is_that_of_its_caller() {
    let stage = Stage::bare();
    let (builder, _control) = stage.pool(1);
    let pool = builder.build_lazy().unwrap();
    let work = async |_: &mut support::FakeGuard| Ok::<_, Failure>(pool.borrowed()[0].place());
    let line = line!() + 1;
    let place = stage.run(pool.run(work)).unwrap();
    assert_eq!((place.file(), place.line()), (file!(), line));
}
