//! Terminate: whom it aborts and whom it does not.

use std::time::Duration;

use pool_core::{CheckPolicy, PooledConnection, Verdict};
use support::invariants::{acquire_now, closed_for_good};
use support::{FakeControl, FakePool, Stage, Step, Verb, hold};

const SECOND: Duration = Duration::from_secs(1);

type Leave = fn(&Stage, &FakePool, &FakeControl);

/// What has left the pool, in whichever way, is not its business any more.
#[test]
fn terminate_aborts_those_in_use_and_nobody_who_left() {
    let ways: [(&str, Leave); 9] = [
        ("nobody left", |_, _, _| {}),
        ("discarded", |stage, pool, _| {
            PooledConnection::discard(acquire_now(stage, pool));
        }),
        ("detached", |stage, pool, _| {
            drop(PooledConnection::detach(acquire_now(stage, pool)));
        }),
        ("refused", |stage, pool, control| {
            control.next_verdict(Verdict::Discard);
            drop(acquire_now(stage, pool));
        }),
        ("check fails", |stage, pool, control| {
            let conn = acquire_now(stage, pool);
            stage.run(PooledConnection::release(conn)).unwrap();
            control.next(Verb::Check, Step::Err);
            drop(acquire_now(stage, pool));
        }),
        ("check hangs", |stage, pool, control| {
            let conn = acquire_now(stage, pool);
            stage.run(PooledConnection::release(conn)).unwrap();
            control.next(Verb::Check, Step::Pend);
            drop(stage.clock().block_on(pool.acquire()).unwrap());
        }),
        ("recycle fails", |stage, pool, control| {
            control.next(Verb::Recycle, Step::Err);
            drop(acquire_now(stage, pool));
        }),
        ("recycle panics", |stage, pool, control| {
            control.next(Verb::Recycle, Step::Panic);
            let conn = acquire_now(stage, pool);
            assert!(stage.run(PooledConnection::release(conn)).is_err());
        }),
        ("cleared", |stage, pool, _| {
            let conn = acquire_now(stage, pool);
            stage.run(PooledConnection::release(conn)).unwrap();
            stage.run(pool.clear());
        }),
    ];
    for (way, leave) in ways {
        Stage::each_virtual(|stage| {
            println!("{way}");
            let (manager, control) = stage.fake(0);
            control.give_abort_handles();
            let builder = stage.builder(manager).minsize(0).maxsize(3);
            let builder = builder.check_policy(CheckPolicy::Always);
            let pool = builder.check_timeout(SECOND).build_lazy().unwrap();
            leave(stage, &pool, &control);
            stage.settle();
            let guards = [(); 2].map(|()| hold(acquire_now(stage, &pool)));
            drop(acquire_now(stage, &pool));
            stage.settle();
            pool.terminate();
            assert!(guards.iter().all(|held| held.marks().is_aborted()));
            assert_eq!(
                control.calls(Verb::Abort),
                2,
                "the idle one is closed, not aborted"
            );
            drop(guards);
            closed_for_good(stage, pool, &control);
            assert_eq!(control.calls(Verb::Abort), 2);
        });
    }
}
