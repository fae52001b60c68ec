//! Deadlines beside waiters that are dropped or never polled again, and timers that strike early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pool_core::{BoxFuture, Error, NoSpawner, Phase, PooledConnection, Runtime, Verdict};
use support::invariants::{acquire_now, all_is_well};
use support::{Gate, Probe, Stage, Step, Verb, hold};

use super::{SECOND, timed_out};

#[test]
fn the_next_deadline_is_not_lost_with_the_waiter_who_was_to_see_to_it() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.upkeep(false).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut waiters = [1, 2, 3, 4].map(|s| Probe::pending(pool.acquire().timeout(s * SECOND)));
        stage.advance(SECOND);
        waiters[0].poll_until_stalled(stage);
        assert_eq!(timed_out(waiters[0].take()), (Phase::Wait, SECOND));
        // Woken or not, it is not polled again.
        waiters[1].cancel();
        stage.advance(2 * SECOND);
        assert!(
            waiters[2].poll_until_stalled(stage),
            "HANG: {}",
            pool.status()
        );
        assert_eq!(timed_out(waiters[2].take()), (Phase::Wait, 3 * SECOND));
        stage.advance(SECOND);
        assert!(
            waiters[3].poll_until_stalled(stage),
            "HANG: {}",
            pool.status()
        );
        assert_eq!(timed_out(waiters[3].take()), (Phase::Wait, 4 * SECOND));
        drop(conn);
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_waiter_that_is_never_polled_again_costs_nobody_else_a_deadline() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.upkeep(false).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut first = Probe::pending(pool.acquire().timeout(SECOND));
        let neglected = Probe::pending(pool.acquire().timeout(2 * SECOND));
        let mut third = Probe::pending(pool.acquire().timeout(3 * SECOND));
        for _ in 0..3 {
            stage.advance(SECOND);
            first.poll_until_stalled(stage);
            third.poll_until_stalled(stage);
        }
        assert_eq!(timed_out(first.take()), (Phase::Wait, SECOND));
        assert!(third.is_ready(), "HANG: {}", pool.status());
        assert_eq!(timed_out(third.take()), (Phase::Wait, 3 * SECOND));
        drop(conn);
        drop((first, neglected, third));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn an_expired_waiter_that_is_never_polled_again_leaves_its_connect_to_the_next() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.upkeep(false).build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let neglected = Probe::pending(pool.acquire().timeout(SECOND));
        let mut next = Probe::pending(pool.acquire());
        stage.settle();
        stage.advance(2 * SECOND);
        next.poll_until_stalled(stage);
        gate.open();
        assert!(next.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(next.take().unwrap()));
        drop((neglected, next));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_waiter_that_was_served_otherwise_and_is_slow_leaves_its_connect_to_the_next() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let gates = [(); 2].map(|()| Gate::new());
        for gate in &gates {
            control.next(Verb::Connect, Step::gate(gate));
        }
        let mut slow = Probe::pending(pool.acquire());
        let mut next = Probe::pending(pool.acquire());
        stage.settle();
        // The second connect is ready first: it goes to who came first, and the other one to who came second.
        gates[1].open();
        next.poll_until_stalled(stage);
        gates[0].open();
        assert!(next.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(next.take().unwrap()));
        assert!(slow.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(slow.take().unwrap()));
        drop((slow, next));
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn a_waiter_whose_deadline_is_over_is_told_so_though_it_comes_late() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut late = Probe::pending(pool.acquire().timeout(SECOND));
        stage.advance(60 * SECOND);
        stage.run(PooledConnection::release(conn)).unwrap();
        assert!(late.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert_eq!(timed_out(late.take()), (Phase::Wait, 60 * SECOND));
        drop(late);
        all_is_well(stage, pool, &control);
    });
}

/// A clock whose first timer is a little fast, as timers of a coarse resolution are.
struct Hasty {
    runtime: Arc<dyn Runtime>,
    early: AtomicBool,
}

impl Runtime for Hasty {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        self.runtime.spawn(task)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let early = self.early.swap(false, Ordering::SeqCst);
        let at = match early {
            true => at
                .checked_sub(SECOND / 10)
                .expect("the clock began long ago"),
            false => at,
        };
        self.runtime.sleep_until(at)
    }
    fn now(&self) -> Instant {
        self.runtime.now()
    }
}

#[test]
fn a_timer_that_strikes_early_costs_nobody_a_turn_or_a_deadline() {
    // The places of those who have a deadline, among three who wait.
    for timed in [
        [true, false, false],
        [false, true, false],
        [true, true, true],
    ] {
        Stage::each_virtual(|stage| {
            let (manager, control) = stage.fake(1);
            let hasty = Hasty {
                runtime: stage.runtime(),
                early: AtomicBool::new(true),
            };
            let builder = pool_core::Pool::builder(manager).runtime(hasty);
            let builder = builder.minsize(0).maxsize(1).upkeep(false);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            let mut waiters = timed.map(|timed| {
                let limit: Option<Duration> = timed.then_some(SECOND);
                Probe::pending(pool.acquire().timeout(limit))
            });
            stage.advance(SECOND * 95 / 100);
            assert!(!stage.drive(&mut waiters), "too early");
            drop(conn);
            for place in 0..waiters.len() {
                stage.drive(&mut waiters);
                let ready: Vec<bool> = waiters.iter().map(Probe::is_ready).collect();
                let expected: Vec<bool> = (0..3).map(|other| other == place).collect();
                assert_eq!(ready, expected, "{timed:?}: in the old order");
                let held = hold(waiters[place].take().unwrap());
                waiters[place].cancel();
                drop(held);
            }
            drop(waiters);
            all_is_well(stage, pool, &control);
        });
    }
}

#[test]
fn a_deadline_after_an_early_timer_strikes_at_its_time() {
    Stage::each_virtual(|stage| {
        let (manager, control) = stage.fake(1);
        let hasty = Hasty {
            runtime: stage.runtime(),
            early: AtomicBool::new(true),
        };
        let builder = pool_core::Pool::builder(manager).runtime(hasty);
        let builder = builder.minsize(0).maxsize(1).upkeep(false);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut waiter = Probe::pending(pool.acquire().timeout(SECOND));
        stage.advance(SECOND * 95 / 100);
        assert!(!waiter.poll_until_stalled(stage), "too early");
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        stage.advance(SECOND);
        assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert_eq!(timed_out(waiter.take()).0, Phase::Wait);
        drop(conn);
        drop(waiter);
        all_is_well(stage, pool, &control);
    });
}

/// Counts the timers that are set, and cannot set one while it strikes.
struct Counting {
    runtime: Arc<dyn Runtime>,
    timers: Arc<AtomicUsize>,
}

impl Runtime for Counting {
    fn spawn(&self, _: BoxFuture<'static, ()>) -> Result<(), NoSpawner> {
        Err(NoSpawner)
    }
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        self.timers.fetch_add(1, Ordering::SeqCst);
        self.runtime.sleep_until(at)
    }
    fn now(&self) -> Instant {
        self.runtime.now()
    }
}

#[test]
fn a_time_out_of_zero_sets_no_timer() {
    Stage::each_virtual(|stage| {
        let (manager, control) = stage.fake(1);
        let timers = Arc::new(AtomicUsize::new(0));
        let builder = pool_core::Pool::builder(manager).runtime(Counting {
            runtime: stage.runtime(),
            timers: Arc::clone(&timers),
        });
        let builder = builder.minsize(0).maxsize(1).upkeep(false);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let patient = Probe::pending(pool.acquire().timeout(None));
        for _ in 0..100 {
            let mut hasty = Probe::new(pool.acquire().timeout(Duration::ZERO));
            assert!(hasty.poll_until_stalled(stage));
            assert_eq!(timed_out(hasty.take()), (Phase::Wait, Duration::ZERO));
        }
        assert_eq!(timers.load(Ordering::SeqCst), 0);
        drop(conn);
        drop(patient);
        all_is_well(stage, pool, &control);
    });
}

#[test]
fn one_who_was_served_and_does_not_come_costs_nobody_else_a_deadline() {
    Stage::each_virtual(|stage| {
        let (manager, control) = stage.fake(1);
        let builder = pool_core::Pool::builder(manager).runtime(Counting {
            runtime: stage.runtime(),
            timers: Arc::default(),
        });
        let builder = builder.minsize(0).maxsize(1).upkeep(false);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        control.next_verdict(Verdict::Reuse);
        let limits = [10, 5, 1].map(|tenths| tenths * SECOND / 10);
        let [mut gone, served, mut first] =
            limits.map(|limit| Probe::pending(pool.acquire().timeout(limit)));
        gone.cancel();
        first.cancel();
        drop(conn);
        let mut last = Probe::pending(pool.acquire().timeout(2 * SECOND));
        stage.advance(SECOND / 10);
        stage.advance(2 * SECOND);
        assert!(last.poll_until_stalled(stage), "HANG: {}", pool.status());
        assert_eq!(timed_out(last.take()).0, Phase::Wait);
        drop((gone, served, first, last));
        all_is_well(stage, pool, &control);
    });
}
