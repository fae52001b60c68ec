//! Interceptors that hang or panic.

use pool_core::{ConnectionInfo, Error, Interceptor, Phase, PooledConnection};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeManager, Probe, Stage, Step, Verb};

use crate::{MAXSIZES, SECOND, scripted};

/// What becomes of an acquire at one of whose points the interceptor hangs or panics.
fn acquire_with(
    stage: &Stage,
    verb: Verb,
    step: Step,
    judge: impl Fn(Result<u64, Error<support::FakeError>>),
) {
    let (builder, control) = scripted(stage, 1);
    let pool = builder
        .connect_timeout(SECOND)
        .check_timeout(SECOND)
        .recycle_timeout(SECOND)
        .build_lazy()
        .unwrap();
    if verb == Verb::BeforeAcquire {
        stage
            .run(PooledConnection::release(acquire_now(stage, &pool)))
            .unwrap();
    }
    control.next(verb, step);
    let mut acquire = Probe::polled(pool.acquire());
    stage.advance(SECOND);
    assert!(acquire.poll_until_stalled(stage), "HANG");
    let result = acquire.take();
    judge(result.map(|conn| PooledConnection::id(&conn)));
    drop(acquire);
    all_is_well(stage, pool, &control);
}

#[test]
fn each_method_is_under_the_deadline_of_its_step() {
    Stage::each_virtual(|stage| {
        for verb in [Verb::BeforeConnect, Verb::AfterConnect] {
            acquire_with(stage, verb, Step::Pend, |result| {
                let is_right = matches!(
                    result,
                    Err(Error::Timeout {
                        phase: Phase::Connect,
                        after: SECOND,
                        ..
                    })
                );
                assert!(is_right, "{verb:?}: {result:?}");
            });
        }
        acquire_with(stage, Verb::BeforeAcquire, Step::Pend, |result| {
            assert!(matches!(result, Ok(2)), "the next one: {result:?}");
        });
    });
}

#[test]
fn the_panic_of_a_method_reaches_the_caller_of_its_step() {
    Stage::each_virtual(|stage| {
        for step in [Step::Panic, Step::PanicInCall] {
            for verb in [Verb::BeforeConnect, Verb::AfterConnect, Verb::BeforeAcquire] {
                acquire_with(stage, verb, step.clone(), |result| {
                    let is_right = matches!(result, Err(Error::Panicked { .. }));
                    assert!(is_right, "{verb:?}: {result:?}");
                });
            }
        }
    });
}

/// The future of a method panics when it is dropped, and so does the interceptor itself.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("scripted");
        }
    }
}

struct Bomb(#[expect(dead_code, reason = "it is only dropped")] Option<PanicsInDrop>);

impl Interceptor<FakeManager> for Bomb {
    async fn before_acquire(
        &self,
        _: &mut support::FakeConnection,
        info: &ConnectionInfo,
    ) -> Result<(), support::FakeError> {
        let _bomb = (info.uses() == 1).then(|| PanicsInDrop);
        Ok(())
    }
}

#[test]
fn the_panic_of_a_drop_costs_no_place() {
    Stage::each(|stage| {
        for maxsize in MAXSIZES {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder
                .upkeep(false)
                .interceptor(Bomb(Some(PanicsInDrop)))
                .build_lazy()
                .unwrap();
            stage
                .run(PooledConnection::release(acquire_now(stage, &pool)))
                .unwrap();
            let result = stage.run(pool.acquire());
            assert!(matches!(result, Err(Error::Panicked { .. })), "{result:?}");
            assert_eq!(pool.size(), 0);
            let guards: Vec<_> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
            guards.into_iter().for_each(PooledConnection::discard);
            stage.settle();
            assert_eq!(pool.size(), 0);
            drop(pool);
            stage.settle();
            assert!(!control.manager_is_alive());
        }
    });
}

#[test]
fn a_method_that_hangs_after_its_acquire_was_dropped_keeps_no_place() {
    Stage::each(|stage| {
        for maxsize in MAXSIZES {
            let (builder, control) = scripted(stage, maxsize);
            let pool = builder.build_lazy().unwrap();
            stage
                .run(PooledConnection::release(acquire_now(stage, &pool)))
                .unwrap();
            control.next(Verb::BeforeAcquire, Step::Pend);
            drop(Probe::pending(pool.acquire()));
            stage.settle();
            all_is_well(stage, pool, &control);
        }
    });
}
