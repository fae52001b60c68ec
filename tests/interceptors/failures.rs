//! Deadlines, panics and refusals of interceptors, and what they are told.

use super::*;

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

#[test]
fn a_waiter_whose_connection_is_refused_keeps_its_turn() {
    Stage::each(|stage| {
        let (builder, control) = scripted(stage, 1);
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        let mut waiters: Vec<_> = (0..3).map(|_| Probe::pending(pool.acquire())).collect();
        control.next(Verb::BeforeAcquire, Step::Err);
        drop(held);
        for turn in 0..3 {
            assert!(waiters[turn].poll_until_stalled(stage), "HANG: {turn}");
            for later in &mut waiters[turn + 1..] {
                assert!(!later.poll_until_stalled(stage), "it was overtaken");
            }
            drop(waiters[turn].take().unwrap());
        }
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn try_acquire_passes_the_interceptor_too() {
    Stage::each(|stage| {
        let (builder, control) = scripted(stage, 1);
        let pool = builder.build_lazy().unwrap();
        stage
            .run(PooledConnection::release(acquire_now(stage, &pool)))
            .unwrap();
        drop(pool.try_acquire().unwrap());
        assert_eq!(control.calls(Verb::BeforeAcquire), 2);
        stage.settle();
        let gate = Gate::new();
        control.next(Verb::BeforeAcquire, Step::gate(&gate));
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        gate.open();
        stage.settle();
        drop(acquire_now(stage, &pool));
        all_is_well(stage, pool, &control);
    });
}

/// What a hook sees of a connection.
struct Infos(Arc<std::sync::Mutex<Vec<(u64, Duration, Duration, u64)>>>);

impl Interceptor<FakeManager> for Infos {
    async fn before_acquire(
        &self,
        _: &mut support::FakeConnection,
        info: &ConnectionInfo,
    ) -> Result<(), support::FakeError> {
        let seen = (info.id(), info.age(), info.idle_for(), info.uses());
        self.0.lock().unwrap().push(seen);
        Ok(())
    }
}

#[test]
fn an_interceptor_is_told_which_connection_it_has() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let seen = Arc::default();
        let pool = builder
            .upkeep(false)
            .interceptor(Infos(Arc::clone(&seen)))
            .build_lazy()
            .unwrap();
        let conn = acquire_now(stage, &pool);
        stage.advance(3 * SECOND);
        stage.run(PooledConnection::release(conn)).unwrap();
        stage.advance(2 * SECOND);
        drop(acquire_now(stage, &pool));
        let none = Duration::ZERO;
        assert_eq!(
            *seen.lock().unwrap(),
            [(1, none, none, 0), (1, 5 * SECOND, 2 * SECOND, 1)]
        );
        all_is_well(stage, pool, &control);
    });
}

/// An interceptor for a manager in a box.
struct Boxed;

impl Interceptor<BoxManager<support::FakeConnection>> for Boxed {
    async fn before_acquire(
        &self,
        _: &mut support::FakeConnection,
        _: &ConnectionInfo,
    ) -> Result<(), BoxError> {
        Err(BoxError::new(support::FakeError::Broken(7)))
    }
}

#[test]
fn a_pool_of_a_boxed_manager_has_interceptors_too() {
    let stage = &Stage::spawning();
    let (manager, _control) = stage.fake(1);
    let pool = stage
        .builder(BoxManager::new(manager))
        .minsize(0)
        .maxsize(1)
        .interceptor(Boxed)
        .build_lazy()
        .unwrap();
    match stage.run(pool.acquire()) {
        Err(Error::Check(error)) => assert_eq!(error.to_string(), "connection 7 is broken"),
        other => panic!("{other:?}"),
    }
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

struct Bomb(Option<PanicsInDrop>);

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

const _: fn() = || {
    fn is_interceptor<T: Interceptor<FakeManager>>() {}
    is_interceptor::<FakeInterceptor>();
};
