//! The ways to connect and to give back beside acquire and release pass the interceptors too.

use pool_core::{Error, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{Stage, Step, Verb};

use super::{calls, scripted};

#[test]
fn a_connection_that_comes_back_from_a_failed_run_or_from_outside_passes_the_interceptor() {
    Stage::each(|stage| {
        let (builder, control) = scripted(stage, 1);
        control.always_verdict(Verdict::Reuse);
        let pool = builder.build_lazy().unwrap();
        let mut seen = 0;
        let failed = stage.run(pool.run(async |_| Err::<(), _>(Error::Exhausted)));
        assert!(matches!(failed, Err(Error::Exhausted)), "{failed:?}");
        let conn = acquire_now(stage, &pool);
        let called = calls(&control, &mut seen);
        assert_eq!(called[4..], [Verb::AfterRelease, Verb::BeforeAcquire]);
        let mut own = PooledConnection::detach(conn);
        own.bring_from_outside();
        assert!(pool.add(own).is_ok());
        drop(acquire_now(stage, &pool));
        let called = calls(&control, &mut seen);
        assert_eq!(called[..2], [Verb::AfterRelease, Verb::BeforeAcquire]);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_dedicated_connection_is_connected_as_those_of_the_pool() {
    Stage::each(|stage| {
        let (builder, control) = scripted(stage, 1);
        let pool = builder.build_lazy().unwrap();
        let mut seen = 0;
        let own = stage.run(pool.dedicated()).unwrap();
        let connected = [Verb::BeforeConnect, Verb::Connect, Verb::AfterConnect];
        assert_eq!(calls(&control, &mut seen), connected);
        drop(own);
        for verb in [Verb::BeforeConnect, Verb::AfterConnect] {
            control.next(verb, Step::Err);
            let refused = stage.run(pool.dedicated()).err();
            assert!(matches!(refused, Some(Error::Connect(_))), "{refused:?}");
            assert_eq!(control.live(), 0);
        }
        all_is_well(stage, pool, &control);
    });
}
