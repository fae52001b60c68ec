//! A manager says for how long its connections may be idle.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pool_core::{CheckPolicy, Manager, Pool, Verdict, VirtualRuntime};

const SECOND: Duration = Duration::from_secs(1);

/// Numbers; the first may be idle for ten seconds, the others for as many more.
#[derive(Clone, Default)]
struct Numbered {
    made: Arc<AtomicU32>,
    closed: Arc<AtomicU32>,
}

impl Manager for Numbered {
    type Connection = u32;
    type Error = Infallible;

    async fn connect(&self) -> Result<u32, Infallible> {
        Ok(self.made.fetch_add(1, Ordering::SeqCst) + 1)
    }
    async fn check(&self, _: &mut u32) -> Result<(), Infallible> {
        Ok(())
    }
    async fn recycle(&self, _: &mut u32) -> Result<(), Infallible> {
        Ok(())
    }
    fn on_release(&self, _: &mut u32) -> Verdict {
        Verdict::Reuse
    }
    async fn close(&self, _: u32) {
        self.closed.fetch_add(1, Ordering::SeqCst);
    }
    fn idle_limit(&self, conn: &u32) -> Option<Duration> {
        Some(*conn * 10 * SECOND)
    }
}

/// The limit of a manager is of effect under each of them.
const POLICIES: [CheckPolicy; 3] = [
    CheckPolicy::Never,
    CheckPolicy::Always,
    CheckPolicy::IdleFor(SECOND),
];

fn pool(manager: &Numbered, runtime: &VirtualRuntime, recycle: Option<Duration>) -> Pool<Numbered> {
    pool_under(POLICIES[2], manager, runtime, recycle)
}

fn pool_under(
    policy: CheckPolicy,
    manager: &Numbered,
    runtime: &VirtualRuntime,
    recycle: Option<Duration>,
) -> Pool<Numbered> {
    Pool::builder(manager.clone())
        .minsize(0)
        .pool_recycle(recycle)
        .check_policy(policy)
        .runtime(runtime.clone())
        .build_lazy()
        .expect("a good pool")
}

#[test]
fn the_end_of_a_connection_that_was_idle_for_too_long_is_told() {
    let (manager, runtime) = (Numbered::default(), VirtualRuntime::new());
    let (builder, told) = support::Told::by(Pool::builder(manager.clone()));
    let pool = builder.minsize(0).runtime(runtime.clone()).build_lazy();
    let pool = pool.expect("a good pool");
    two_idle(&pool, &runtime);
    runtime.advance(11 * SECOND);
    runtime.run_until_stalled();
    let why = "connection 1 was closed: it was idle for as long as its server allows";
    assert_eq!(told.take_with("was closed"), [why]);
}

/// Two connections that came back now.
fn two_idle(pool: &Pool<Numbered>, runtime: &VirtualRuntime) {
    let one = runtime.block_on(pool.acquire()).expect("a number");
    let two = runtime.block_on(pool.acquire()).expect("a number");
    drop((one, two));
    runtime.run_until_stalled();
}

fn advance(runtime: &VirtualRuntime, time: Duration) {
    runtime.advance(time);
    runtime.run_until_stalled();
}

#[test]
fn upkeep_closes_each_connection_at_its_own_limit() {
    POLICIES.into_iter().for_each(each_goes_at_its_own_limit);
}

fn each_goes_at_its_own_limit(policy: CheckPolicy) {
    let (manager, runtime) = (Numbered::default(), VirtualRuntime::new());
    let pool = pool_under(policy, &manager, &runtime, None);
    two_idle(&pool, &runtime);
    advance(&runtime, 9 * SECOND);
    assert_eq!((pool.size(), manager.closed.load(Ordering::SeqCst)), (2, 0));
    advance(&runtime, SECOND);
    assert_eq!((pool.size(), manager.closed.load(Ordering::SeqCst)), (1, 1));
    // A use begins the time anew.
    advance(&runtime, 9 * SECOND);
    drop(runtime.block_on(pool.acquire()));
    advance(&runtime, 19 * SECOND);
    assert_eq!(pool.size(), 1);
    advance(&runtime, SECOND);
    assert_eq!((pool.size(), manager.closed.load(Ordering::SeqCst)), (0, 2));
    // And the pool goes on.
    let third = runtime.block_on(pool.acquire()).expect("a number");
    assert_eq!(*third, 3);
}

#[test]
fn one_that_is_held_does_not_expire() {
    let (manager, runtime) = (Numbered::default(), VirtualRuntime::new());
    let pool = pool(&manager, &runtime, None);
    let held = runtime.block_on(pool.acquire()).expect("a number");
    advance(&runtime, 1000 * SECOND);
    assert_eq!(pool.size(), 1);
    drop(held);
    advance(&runtime, 9 * SECOND);
    assert_eq!(pool.freesize(), 1);
    advance(&runtime, SECOND);
    assert_eq!(pool.size(), 0);
}

#[test]
fn the_shorter_of_it_and_pool_recycle_rules() {
    let (manager, runtime) = (Numbered::default(), VirtualRuntime::new());
    let pool = pool(&manager, &runtime, Some(15 * SECOND));
    two_idle(&pool, &runtime);
    advance(&runtime, 10 * SECOND);
    assert_eq!(pool.size(), 1);
    advance(&runtime, 5 * SECOND);
    assert_eq!(pool.size(), 0);
}

#[test]
fn without_a_spawner_it_is_not_handed_out() {
    for policy in POLICIES {
        let (manager, runtime) = (Numbered::default(), VirtualRuntime::new().without_spawner());
        let pool = pool_under(policy, &manager, &runtime, None);
        two_idle(&pool, &runtime);
        advance(&runtime, 10 * SECOND);
        let conn = runtime.block_on(pool.acquire()).expect("a number");
        assert_eq!(*conn, 2, "{policy:?}");
    }
}
