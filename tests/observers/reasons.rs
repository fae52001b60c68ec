//! The sentences of rare events and of rare ends.

use pool_core::{CheckPolicy, PooledConnection};
use support::invariants::acquire_now;
use support::{Probe, Stage, Step, Told, Verb};

use super::{SECOND, reason};

#[test]
fn each_rare_end_has_a_reason_that_a_person_reads() {
    let why = reason(|stage, pool, _| {
        drop(acquire_now(stage, pool));
        stage.settle();
        assert_eq!(pool.retain(|_| false), 1);
    });
    assert_eq!(why, "retain did not keep it");
    let why = reason(|stage, pool, _| {
        pool.resize(2).unwrap();
        let both = [acquire_now(stage, pool), acquire_now(stage, pool)];
        pool.resize(1).unwrap();
        drop(both);
    });
    assert_eq!(why, "the pool was made smaller");
    let why = reason(|stage, pool, control| {
        drop(acquire_now(stage, pool));
        stage.settle();
        pool.reconfigure(|knobs| {
            knobs.check_policy(CheckPolicy::Always);
        })
        .unwrap();
        control.next(Verb::Check, Step::Pend);
        drop(Probe::pending(pool.acquire()));
    });
    assert_eq!(
        why,
        "its acquire or ping was dropped during a step that no time-out would have ended"
    );
}

#[test]
fn what_an_operator_or_the_program_does_is_told() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let (builder, told) = Told::by(builder);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        told.take();
        pool.suspend();
        pool.resume();
        pool.resize(0).unwrap();
        stage.advance(SECOND);
        let outside = PooledConnection::detach(held);
        assert!(pool.add(outside).is_ok());
        let counts = "(free 0, held 1, checking 0, recycling 0, closing 0, connecting 0), waiting 0, maxsize 2";
        let told = told.take();
        assert_eq!(
            told[..5],
            [
                format!("the pool is suspended; size 1 {counts}, suspended"),
                format!("the pool is resumed; size 1 {counts}"),
                "maxsize was 2, and is unlimited".to_owned(),
                "connection 1 was detached after 1s".to_owned(),
                "connection 2 was added from outside".to_owned(),
            ]
        );
        pool.close();
        stage.settle();
        drop(pool);
        control.all_goes_well();
    });
}
