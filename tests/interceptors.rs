//! Interceptors: when each method runs, what its failure does, and that it costs nobody a place or a turn.

use std::sync::Arc;
use std::time::Duration;

use pool_core::{BoxError, BoxManager, CheckPolicy, ConnectionInfo, Error, Interceptor};
use pool_core::{Builder, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{FakeControl, FakeInterceptor, FakeManager, Gate, Probe, Stage, Step, Told, Verb};

#[path = "interceptors/faults.rs"]
mod faults;

#[path = "interceptors/other_ways.rs"]
mod other_ways;

const SECOND: Duration = Duration::from_secs(1);

const MAXSIZES: [usize; 3] = [1, 2, 5];

/// A pool whose connections need no check, with a scripted interceptor.
fn scripted(stage: &Stage, maxsize: usize) -> (Builder<FakeManager>, FakeControl) {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.upkeep(false).check_policy(CheckPolicy::Never);
    (builder.interceptor(control.interceptor()), control)
}

/// The calls since the last time, without those that only ask.
fn calls(control: &FakeControl, seen: &mut usize) -> Vec<Verb> {
    let log = control.log();
    let new = log[*seen..].iter().map(|(verb, _)| *verb);
    *seen = log.len();
    let asks = [Verb::AbortHandle, Verb::OnRelease, Verb::Classify];
    new.filter(|verb| !asks.contains(verb)).collect()
}

#[test]
fn each_method_runs_around_its_step() {
    Stage::each(|stage| {
        let (builder, control) = scripted(stage, 1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        let mut seen = 0;
        let conn = acquire_now(stage, &pool);
        let connected = [Verb::BeforeConnect, Verb::Connect, Verb::AfterConnect];
        let handed_out = [Verb::Check, Verb::BeforeAcquire];
        assert_eq!(
            calls(&control, &mut seen),
            [&connected[..], &handed_out].concat()
        );
        stage.run(PooledConnection::release(conn)).unwrap();
        assert_eq!(
            calls(&control, &mut seen),
            [Verb::Recycle, Verb::AfterRelease]
        );
        let conn = acquire_now(stage, &pool);
        assert_eq!(calls(&control, &mut seen), handed_out);
        control.next_verdict(Verdict::Reuse);
        stage.run(PooledConnection::release(conn)).unwrap();
        assert_eq!(calls(&control, &mut seen), [Verb::AfterRelease]);
        stage.run(pool.clear());
        assert_eq!(
            calls(&control, &mut seen),
            [Verb::BeforeClose, Verb::Close, Verb::Drop]
        );
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn without_a_check_only_the_interceptor_runs_before_a_hand_out() {
    Stage::each(|stage| {
        for maxsize in MAXSIZES {
            let (builder, control) = scripted(stage, maxsize);
            let pool = builder.build_lazy().unwrap();
            control.always_verdict(Verdict::Reuse);
            for _ in 0..3 {
                let guards: Vec<_> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
                drop(guards);
                stage.settle();
            }
            assert_eq!((control.checks(), control.recycles()), (0, 0));
            // Where the next acquire recycles, it may begin with a second connection beside the first.
            let calls = control.calls(Verb::BeforeAcquire);
            assert!(calls == 3 * maxsize || (maxsize > 1 && calls > 3 * maxsize));
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_hand_over_from_one_to_the_next_passes_the_interceptor() {
    Stage::each(|stage| {
        let (builder, control) = scripted(stage, 1);
        let pool = builder.build_lazy().unwrap();
        control.always_verdict(Verdict::Reuse);
        let held = acquire_now(stage, &pool);
        let mut waiter = Probe::pending(pool.acquire());
        drop(held);
        assert!(waiter.poll_until_stalled(stage));
        assert_eq!(control.calls(Verb::BeforeAcquire), 2);
        drop(waiter.take().unwrap());
        drop(waiter);
        all_is_well(stage, pool, &control);
    });
}

/// An interceptor of the given manager that has only the methods that do nothing.
struct Nothing;

impl Interceptor<FakeManager> for Nothing {
    fn wants_before_acquire(&self) -> bool {
        false
    }
    fn wants_after_release(&self) -> bool {
        false
    }
}

#[test]
fn an_interceptor_that_does_not_want_a_point_is_not_called_there() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.upkeep(false).check_policy(CheckPolicy::Never);
        let pool = builder
            .interceptor(control.interceptor().wanting(false, false))
            .interceptor(Nothing)
            .build_lazy()
            .unwrap();
        control.always_verdict(Verdict::Reuse);
        drop(acquire_now(stage, &pool));
        // The fast case: the first poll has it.
        assert!(Probe::polled(pool.acquire()).is_ready());
        assert_eq!(control.calls(Verb::BeforeAcquire), 0);
        assert_eq!(control.calls(Verb::AfterRelease), 0);
        assert_eq!(control.calls(Verb::AfterConnect), 1);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn several_run_in_the_order_in_which_they_were_added_and_the_first_error_ends_it() {
    struct Named(&'static str, Arc<std::sync::Mutex<Vec<&'static str>>>);
    impl Interceptor<FakeManager> for Named {
        async fn before_connect(&self) -> Result<(), support::FakeError> {
            self.1.lock().unwrap().push(self.0);
            match self.0 {
                "second" => Err(support::FakeError::Broken(0)),
                _ => Ok(()),
            }
        }
    }
    let stage = &Stage::spawning();
    let (builder, control) = stage.pool(1);
    let log = Arc::default();
    let mut builder = builder.upkeep(false);
    for name in ["first", "second", "third"] {
        builder = builder.interceptor(Named(name, Arc::clone(&log)));
    }
    let pool = builder.build_lazy().unwrap();
    let result = stage.run(pool.acquire());
    assert!(matches!(result, Err(Error::Connect(_))), "{result:?}");
    assert_eq!(*log.lock().unwrap(), ["first", "second"]);
    assert_eq!(control.connects(), 0);
}

#[test]
fn a_refused_connect_is_a_failed_connect() {
    Stage::each(|stage| {
        for (verb, opened) in [(Verb::BeforeConnect, 0), (Verb::AfterConnect, 1)] {
            let (builder, control) = scripted(stage, 1);
            let (builder, told) = Told::by(builder);
            let pool = builder.build_lazy().unwrap();
            control.next(verb, Step::Err);
            let result = stage.run(pool.acquire());
            assert!(matches!(result, Err(Error::Connect(_))), "{result:?}");
            assert_eq!((control.made(), control.live()), (opened, 0));
            assert_eq!(told.take_with("connecting number 1 failed").len(), 1);
            assert_eq!(pool.stats().connect_failures(), 1);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn after_a_refusal_before_the_hand_out_the_caller_gets_the_next_one() {
    Stage::each(|stage| {
        for maxsize in MAXSIZES {
            let (builder, control) = scripted(stage, maxsize);
            let (builder, told) = Told::by(builder);
            let pool = builder.build_lazy().unwrap();
            stage
                .run(PooledConnection::release(acquire_now(stage, &pool)))
                .unwrap();
            control.next(Verb::BeforeAcquire, Step::Err);
            let conn = acquire_now(stage, &pool);
            assert_eq!(PooledConnection::id(&conn), 2);
            stage.settle();
            let closed = told.take_with("connection 1 was closed");
            let words = "connection 1 was closed: an interceptor refused it; scripted failure";
            assert!(closed[0].starts_with(words), "{closed:?}");
            assert_eq!(pool.stats().check_time().count(), 0, "it was not checked");
            let mut closes = pool.stats();
            let counted = closes_by(&mut closes, "intercepted");
            assert_eq!(counted, 1);
            drop(conn);
            all_is_well(stage, pool, &control);
        }
    });
}

fn closes_by(stats: &mut pool_core::Stats, reason: &str) -> u64 {
    let mut all = stats.closes_by_reason();
    all.find(|(name, _)| *name == reason)
        .map_or(0, |(_, count)| count)
}

/// Otherwise the pool would connect for ever.
#[test]
fn an_interceptor_that_refuses_every_connection_fails_each_acquire_after_one_connect() {
    Stage::each(|stage| {
        for maxsize in MAXSIZES {
            let (builder, control) = scripted(stage, maxsize);
            let pool = builder.build_lazy().unwrap();
            control.always(Verb::BeforeAcquire, Step::Err);
            for attempts in 1..=3 {
                let result = stage.run(pool.acquire());
                assert!(matches!(result, Err(Error::Check(_))), "{result:?}");
                stage.settle();
                assert_eq!(control.connects(), attempts);
            }
            control.all_goes_well();
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_refusal_on_the_way_back_closes_the_connection_and_the_release_says_why() {
    Stage::each(|stage| {
        for verdict in [Verdict::Recycle, Verdict::Reuse] {
            let (builder, control) = scripted(stage, 1);
            let (builder, told) = Told::by(builder);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            control.next_verdict(verdict);
            control.next(Verb::AfterRelease, Step::Err);
            let result = stage.run(PooledConnection::release(conn));
            assert!(matches!(result, Err(Error::Recycle(_))), "{result:?}");
            assert_eq!(control.close_calls(), 1);
            let closed = told.take_with("an interceptor refused it; scripted failure");
            assert_eq!(closed.len(), 1);
            all_is_well(stage, pool, &control);
        }
    });
}

#[test]
fn a_close_goes_on_whatever_the_interceptor_says_and_the_error_is_told() {
    Stage::each(|stage| {
        let (builder, control) = scripted(stage, 1);
        let (builder, told) = Told::by(builder);
        let pool = builder.build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        stage.settle();
        control.next(Verb::BeforeClose, Step::Err);
        stage
            .run(PooledConnection::release(acquire_now(stage, &pool)))
            .unwrap();
        stage.run(pool.clear());
        assert_eq!(control.close_calls(), 1);
        let closed = told.take_with("the pool was cleared; scripted failure of BeforeClose");
        assert_eq!(closed.len(), 1);
        all_is_well(stage, pool, &control);
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
struct Infos(Arc<std::sync::Mutex<Vec<Info>>>);

/// Its number, its age, how long it was idle, and its uses.
type Info = (u64, Duration, Duration, u64);

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

const _: fn() = || {
    fn is_interceptor<T: Interceptor<FakeManager>>() {}
    is_interceptor::<FakeInterceptor>();
};
