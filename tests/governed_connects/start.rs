//! The start policies.

use pool_core::{Error, ErrorClass, StartPolicy};
use support::invariants::all_is_well;
use support::{Stage, Step, Verb};

use crate::SECOND;

#[test]
fn degraded_starts_although_connects_fail_and_goes_on_trying() {
    for class in [
        ErrorClass::Transient,
        ErrorClass::Auth,
        ErrorClass::Overloaded,
    ] {
        for most in [None, Some(1), Some(2)] {
            Stage::each_virtual(|stage| {
                let (builder, control) = stage.pool(3);
                control.always(Verb::Connect, Step::Fail(class));
                let builder = builder.minsize(3).max_connecting(most);
                let pool = stage.run(builder.start_policy(StartPolicy::Degraded).build());
                let pool = pool.expect("it starts all the same");
                assert!(control.connects() >= 1);
                assert!(!pool.readiness().is_serving());
                control.all_goes_well();
                stage.advance(20 * SECOND);
                if stage.spawns() {
                    assert_eq!(pool.freesize(), 3, "{}", pool.status());
                }
                all_is_well(stage, pool, &control);
            });
        }
    }
}

#[test]
fn degraded_opens_minsize_where_it_can() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let builder = builder.minsize(3).start_policy(StartPolicy::Degraded);
        let pool = stage.run(builder.build()).unwrap();
        assert_eq!(pool.freesize(), 3);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn lazy_connects_nothing_and_fail_fast_fails() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        control.always(Verb::Connect, Step::Err);
        let builder = builder.minsize(3).upkeep(false);
        let pool = stage
            .run(builder.start_policy(StartPolicy::Lazy).build())
            .unwrap();
        assert_eq!((pool.size(), control.connects()), (0, 0));
        control.all_goes_well();
        all_is_well(stage, pool, &control);

        let (builder, control) = stage.pool(3);
        control.always(Verb::Connect, Step::Err);
        let builder = builder.minsize(3).start_policy(StartPolicy::FailFast);
        assert!(matches!(stage.run(builder.build()), Err(Error::Connect(_))));
        stage.settle();
        assert!(!control.manager_is_alive());
    });
}
