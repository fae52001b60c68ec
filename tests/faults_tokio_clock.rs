//! Fault tests: a pool that is built on tokio's paused clock follows that clock, also after it was advanced.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use futures_lite::future::block_on;
use pool_core::{
    Builder, CheckPolicy, Error, Phase, Pool, PooledConnection, TokioRuntime, Verdict,
};
use support::watchdog::MINUTE as WATCHDOG;
use support::{FakeControl, FakeError, FakeManager, Step, Verb, settle_until, within};
use tokio::time::{advance, pause, resume, sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

/// What was done to the clock before the pool is built.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// It stands still at the instant when the runtime began.
    Paused,
    /// It stands still, and was moved ahead of the real clock.
    Advanced,
    /// It was moved ahead, ran, and stands still again.
    AdvancedResumedPaused,
}

impl Clock {
    /// A tokio runtime with this clock.
    fn runtime(self) -> tokio::runtime::Runtime {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("tokio starts");
        runtime.block_on(async {
            match self {
                Self::Paused => {}
                Self::Advanced => advance(24 * HOUR).await,
                Self::AdvancedResumedPaused => {
                    advance(24 * HOUR).await;
                    resume();
                    pause();
                }
            }
        });
        runtime
    }
}

/// The call timed out in this phase; returns after how long.
#[track_caller]
fn assert_timed_out<T: Debug>(result: &Result<T, Error<FakeError>>, expected: Phase) -> Duration {
    match result {
        Err(Error::Timeout { phase, after, .. }) if *phase == expected => *after,
        other => panic!("no time-out of {expected}: {other:?}"),
    }
}

/// Runs the body on a tokio runtime whose clock a test moves.
///
/// tokio moves a paused clock to the next timer by itself when nothing else is to be done. So a call that waits for the
/// real clock instead shows as a `timeout` of the test, and not as a hang.
fn on_every_clock<F: Future<Output = ()>>(body: impl Fn(Builder<FakeManager>, FakeControl) -> F) {
    for clock in [Clock::Paused, Clock::Advanced, Clock::AdvancedResumedPaused] {
        println!("{clock:?}");
        clock.runtime().block_on(async {
            let manager = FakeManager::bounded(1);
            let control = manager.control();
            let builder = Pool::builder(manager)
                .runtime(TokioRuntime::current())
                .minsize(0)
                .maxsize(1)
                .upkeep(false);
            body(builder, control).await;
        });
    }
}

#[test]
fn an_acquire_times_out_by_the_paused_clock() {
    on_every_clock(|builder, _| async move {
        let pool = builder.acquire_timeout(HOUR).build_lazy().unwrap();
        let held = pool.acquire().await.unwrap();
        let waited = timeout(2 * HOUR, pool.acquire()).await;
        let waited = waited.expect("the pool waits for another clock");
        let after = assert_timed_out(&waited, Phase::Wait);
        assert!(after >= HOUR, "{after:?}");
        drop(held);
    });
}

#[test]
fn a_connect_times_out_by_the_paused_clock() {
    on_every_clock(|builder, control| async move {
        control.next(Verb::Connect, Step::Pend);
        let pool = builder.connect_timeout(HOUR).build_lazy().unwrap();
        let waited = timeout(2 * HOUR, pool.acquire()).await;
        let waited = waited.expect("the pool waits for another clock");
        assert_timed_out(&waited, Phase::Connect);
    });
}

#[test]
fn a_recycle_times_out_by_the_paused_clock() {
    on_every_clock(|builder, control| async move {
        control.next(Verb::Recycle, Step::Pend);
        let pool = builder.recycle_timeout(HOUR).build_lazy().unwrap();
        let held = pool.acquire().await.unwrap();
        let waited = timeout(2 * HOUR, PooledConnection::release(held)).await;
        let waited = waited.expect("the pool waits for another clock");
        assert_timed_out(&waited, Phase::Recycle);
    });
}

#[test]
fn the_check_policy_measures_idle_time_by_the_paused_clock() {
    on_every_clock(|builder, control| async move {
        control.always_verdict(Verdict::Reuse);
        let policy = CheckPolicy::IdleFor(HOUR);
        let pool = builder.check_policy(policy).build_lazy().unwrap();
        // Twice, so that the idle clock of the pool is wound up before the return that counts.
        for _ in 0..2 {
            drop(pool.acquire().await.unwrap());
        }
        advance(MINUTE).await;
        drop(pool.acquire().await.unwrap());
        assert_eq!(control.checks(), 0, "it was idle for a minute");
        advance(HOUR).await;
        drop(pool.acquire().await.unwrap());
        assert_eq!(control.checks(), 1, "it was idle for an hour");
    });
}

#[test]
fn pool_recycle_measures_idle_time_by_the_paused_clock() {
    on_every_clock(|builder, control| async move {
        control.always_verdict(Verdict::Reuse);
        let builder = builder.check_policy(CheckPolicy::Never);
        let pool = builder.pool_recycle(HOUR).build_lazy().unwrap();
        for _ in 0..2 {
            drop(pool.acquire().await.unwrap());
        }
        advance(MINUTE).await;
        drop(pool.acquire().await.unwrap());
        assert_eq!(control.made(), 1, "it was idle for a minute");
        advance(HOUR).await;
        drop(pool.acquire().await.unwrap());
        assert_eq!(control.made(), 2, "it was idle for an hour");
    });
}

#[test]
fn upkeep_closes_what_expired_by_the_paused_clock() {
    // Where upkeep takes one clock for the other, it never ends its poll.
    within(WATCHDOG, "upkeep", || {
        on_every_clock(|builder, control| async move {
            control.always_verdict(Verdict::Reuse);
            let builder = builder.check_policy(CheckPolicy::Never);
            let builder = builder.pool_recycle(HOUR).upkeep(true);
            let pool = builder.build_lazy().unwrap();
            drop(pool.acquire().await.unwrap());
            sleep(2 * HOUR).await;
            settle_until(&pool, 0, || control.live()).await;
        });
    });
}

#[test]
fn after_the_runtime_is_gone_its_clock_runs_on_in_real_time() {
    for clock in [Clock::Paused, Clock::Advanced, Clock::AdvancedResumedPaused] {
        println!("{clock:?}");
        within(WATCHDOG, "the runtime is gone", move || {
            let tokio = clock.runtime();
            let manager = FakeManager::bounded(1);
            let control = manager.control();
            let pool = Pool::builder(manager)
                .runtime(TokioRuntime::new(tokio.handle().clone()))
                .minsize(0)
                .maxsize(1)
                .upkeep(false)
                .acquire_timeout(SHORT)
                .connect_timeout(SHORT)
                .build_lazy()
                .unwrap();
            let held = block_on(pool.acquire()).unwrap();
            drop(tokio);
            for _ in 0..2 {
                let waited = block_on(pool.acquire());
                let after = assert_timed_out(&waited, Phase::Wait);
                assert!(after >= SHORT, "{after:?}");
            }
            drop(PooledConnection::detach(held));
            control.next(Verb::Connect, Step::Pend);
            let waited = block_on(pool.acquire().timeout(None));
            assert_timed_out(&waited, Phase::Connect);
        });
    }
}
