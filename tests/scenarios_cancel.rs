//! Cancellation, lost permits and lost places: what broke in other pools.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use pool_core::{CheckPolicy, Error, Manager, Phase, Pool, PooledConnection, ThreadTimer, Verdict};
use support::invariants::{acquire_now, all_is_well, at_rest, closed_for_good, full_capacity};
use support::{
    FakeManager, Flavour, Gate, Mode, Probe, Stage, Step, Verb, hold, on_every_runtime, poll_once,
};

#[path = "scenarios_cancel/crowds.rs"]
mod crowds;

const SECOND: Duration = Duration::from_secs(1);

/// What the holder does with its connection, so that the waiter has something to wait for.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    AConnection,
    AFreePlace,
}

/// The waiter that was woken is dropped before its poll; what it was given goes to the next one.
#[test]
fn a_woken_waiter_that_is_dropped_before_its_poll_passes_on_what_it_was_given() {
    for leaves in [Leaves::AConnection, Leaves::AFreePlace] {
        Stage::each(|stage| {
            println!("{leaves:?}");
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            let mut first = Probe::pending(pool.acquire());
            let mut second = Probe::pending(pool.acquire());
            match leaves {
                Leaves::AConnection => drop(conn),
                Leaves::AFreePlace => PooledConnection::discard(conn),
            }
            stage.settle();
            assert!(first.is_woken(), "the head waiter is woken");
            first.cancel();
            assert!(second.poll_until_stalled(stage), "HANG: {}", pool.status());
            drop(hold(second.take().unwrap()));
            drop(hold(acquire_now(stage, &pool)));
            drop((first, second));
            all_is_well(stage, pool, &control);
        });
    }
}

/// The head of three waiters is dropped before the wake, after it, and with its output untouched.
#[test]
fn a_dropped_head_waiter_never_blocks_those_behind_it() {
    enum When {
        BeforeTheWake,
        BetweenWakeAndPoll,
        WithItsOutput,
    }
    for when in [
        When::BeforeTheWake,
        When::BetweenWakeAndPoll,
        When::WithItsOutput,
    ] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            let mut waiters = [(); 3].map(|()| Probe::pending(pool.acquire()));
            if matches!(when, When::BeforeTheWake) {
                waiters[0].cancel();
            }
            drop(conn);
            stage.settle();
            match when {
                When::BeforeTheWake => {}
                When::BetweenWakeAndPoll => assert!(waiters[0].is_woken()),
                When::WithItsOutput => assert!(waiters[0].poll_until_stalled(stage)),
            }
            waiters[0].cancel();
            assert!(
                waiters[1].poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            assert!(
                !waiters[2].poll_until_stalled(stage),
                "one connection, one holder"
            );
            drop(hold(waiters[1].take().unwrap()));
            assert!(
                waiters[2].poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            drop(hold(waiters[2].take().unwrap()));
            drop(waiters);
            all_is_well(stage, pool, &control);
        });
    }
}

/// A waiter in the middle is dropped; the order of the others stays.
#[test]
fn a_waiter_dropped_in_the_middle_leaves_no_gap() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut waiters = [(); 5].map(|()| Probe::pending(pool.acquire()));
        waiters[1].cancel();
        waiters[3].cancel();
        assert_eq!(pool.status().waiting(), 3);
        drop(conn);
        for place in [0, 2, 4] {
            assert!(
                waiters[place].poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            drop(hold(waiters[place].take().unwrap()));
        }
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

/// A check is cancelled; the connection is closed or idle again, never neither.
#[test]
fn a_cancelled_check_costs_no_place() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        stage.run(PooledConnection::release(conn)).unwrap();
        for _ in 0..3 {
            control.next(Verb::Check, Step::Pend);
            let mut acquire = Probe::new(pool.acquire());
            assert!(!acquire.poll_until_stalled(stage));
            assert_eq!(pool.status().checking(), 1);
            acquire.cancel();
            stage.settle();
            assert_eq!(control.live(), pool.freesize(), "closed or idle");
            drop(acquire);
            at_rest(stage, &pool, &control);
        }
        all_is_well(stage, pool, &control);
    });
}

/// An acquire with a deadline was cancelled; close still comes to its end.
#[test]
fn wait_closed_returns_after_a_timed_acquire_was_cancelled() {
    Stage::each_virtual(|stage| {
        for step in [Step::Ok, Step::Pend] {
            let (builder, control) = stage.pool(1);
            let pool = builder.connect_timeout(SECOND).build_lazy().unwrap();
            control.next(Verb::Connect, step);
            let mut acquire = Probe::new(pool.acquire().timeout(3600 * SECOND));
            acquire.poll();
            acquire.cancel();
            drop(acquire);
            pool.close();
            stage.clock().block_on(pool.wait_closed()).unwrap();
            closed_for_good(stage, pool, &control);
        }
    });
}

/// Ten times maxsize cancelled acquires, at each of their awaits, with an idle connection there.
#[test]
fn no_number_of_cancelled_acquires_lowers_the_capacity() {
    const MAXSIZE: usize = 3;
    Stage::each(|stage| {
        let (builder, control) = stage.pool(MAXSIZE);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        full_capacity(stage, &pool, &control);
        let mut gates = Vec::new();
        for round in 0..10 * MAXSIZE {
            let gate = Gate::new();
            gates.push(gate.clone());
            control.next(Verb::Check, Step::gate(&gate));
            let mut acquire = Probe::new(pool.acquire());
            for _ in 0..round % 3 {
                acquire.poll();
                stage.settle();
            }
            if round % 2 == 0 {
                gate.open();
            }
            acquire.cancel();
            control.all_goes_well();
            stage.settle();
        }
        gates.iter().for_each(Gate::open);
        all_is_well(stage, pool, &control);
    });
}

/// A recycle hangs (a dead network). Its place is free after its deadline, and maxsize is not exceeded until then.
#[test]
fn a_recycle_that_hangs_frees_its_place_at_its_deadline() {
    for verb in [Verb::Recycle, Verb::Close] {
        Stage::each_virtual(|stage| {
            let (builder, control) = stage.pool(1);
            let builder = builder.recycle_timeout(SECOND).close_timeout(SECOND);
            let pool = builder.build_lazy().unwrap();
            let conn = acquire_now(stage, &pool);
            control.next(verb, Step::Pend);
            if verb == Verb::Close {
                control.next_verdict(Verdict::Discard);
            }
            drop(conn);
            let mut next = Probe::new(pool.acquire());
            if !next.poll_until_stalled(stage) {
                stage.advance(SECOND * 99 / 100);
                assert!(
                    !next.poll_until_stalled(stage),
                    "the stuck one still counts"
                );
                assert_eq!(control.live(), 1);
                stage.advance(SECOND / 100);
                assert!(next.poll_until_stalled(stage), "HANG: {}", pool.status());
            } else {
                // Without a spawner a departure is not waited for: it is dropped without a close.
                assert!(verb == Verb::Close && !stage.spawns());
            }
            let conn = hold(next.take().unwrap());
            assert_eq!((conn.id(), control.live()), (2, 1));
            drop(conn);
            drop(next);
            control.all_goes_well();
            all_is_well(stage, pool, &control);
        });
    }
}

/// An awaited release returns within its deadline and says what happened.
#[test]
fn an_awaited_release_returns_within_its_deadline() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.recycle_timeout(SECOND).build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        control.next(Verb::Recycle, Step::Pend);
        let mut release = Probe::new(PooledConnection::release(conn));
        assert!(!release.poll_until_stalled(stage));
        stage.advance(SECOND);
        assert!(release.poll_until_stalled(stage), "HANG: {}", pool.status());
        match release.take() {
            Err(Error::Timeout { phase, after, .. }) => {
                assert_eq!((phase, after), (Phase::Recycle, SECOND));
            }
            other => panic!("it must be a Timeout: {other:?}"),
        }
        drop(release);
        all_is_well(stage, pool, &control);
    });
}

/// A wait_closed that is dropped while connections are closing strands none of them.
#[test]
fn a_cancelled_wait_closed_strands_no_connection() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        let pool = stage.run(builder.minsize(3).build()).unwrap();
        let gate = Gate::new();
        control.always(Verb::Close, Step::gate(&gate));
        pool.close();
        for _ in 0..3 {
            let mut closed = Probe::new(pool.wait_closed());
            closed.poll_until_stalled(stage);
            closed.cancel();
        }
        gate.open();
        closed_for_good(stage, pool, &control);
    });
}

/// A connect whose waiter has left is kept for the next one, not thrown away.
#[test]
fn a_connect_whose_waiter_left_serves_the_next() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let gate = Gate::new();
        control.next(Verb::Connect, Step::gate(&gate));
        let mut leaves = Probe::pending(pool.acquire());
        stage.settle();
        leaves.cancel();
        assert_eq!(control.in_connect(), 1, "the connect belongs to the pool");
        gate.open();
        stage.settle();
        let conn = hold(acquire_now(stage, &pool));
        assert_eq!((conn.id(), control.connects()), (1, 1));
        drop(conn);
        drop(leaves);
        all_is_well(stage, pool, &control);
    });
}

/// Amplifier (e): a step that gives way because tokio's budget is used up is an await like any other.
#[test]
fn a_check_that_pends_on_an_exhausted_budget_is_cancelled_without_loss() {
    /// A manager whose steps take part in tokio's cooperative scheduling.
    struct Cooperative(AtomicUsize);
    impl Manager for Cooperative {
        type Connection = usize;
        type Error = Infallible;
        async fn connect(&self) -> Result<usize, Infallible> {
            tokio::task::consume_budget().await;
            Ok(self.0.fetch_add(1, Ordering::SeqCst))
        }
        async fn check(&self, _: &mut usize) -> Result<(), Infallible> {
            tokio::task::consume_budget().await;
            Ok(())
        }
        async fn recycle(&self, _: &mut usize) -> Result<(), Infallible> {
            tokio::task::consume_budget().await;
            Ok(())
        }
    }
    async fn exhaust_budget_then<T>(then: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let mut then = Some(then);
        poll_fn(|cx| {
            // Its budget is used up within this very poll: the next that asks for some must give way.
            while poll_once(&mut Box::pin(tokio::task::consume_budget())).is_ready() {}
            Poll::Ready(then.take().expect("it is polled once")(cx))
        })
        .await
    }
    on_every_runtime(|flavour| async move {
        if !matches!(flavour, Flavour::TokioThreads | Flavour::TokioCurrent) {
            return;
        }
        let builder = Pool::builder(Cooperative(AtomicUsize::new(0)));
        let builder = builder.maxsize(1).check_policy(CheckPolicy::Always);
        let pool = builder.build().await.unwrap();
        for _ in 0..10 {
            let conn = pool.acquire().await.unwrap();
            PooledConnection::release(conn).await.unwrap();
            let pending = exhaust_budget_then(|cx| {
                let mut acquire = pool.acquire();
                Pin::new(&mut acquire).poll(cx).is_pending()
            })
            .await;
            assert!(pending, "the budget was used up");
        }
        let conn = pool.acquire().await.unwrap();
        assert_eq!((pool.size(), pool.status().held()), (1, 1));
        drop(conn);
        pool.close();
        pool.wait_closed().await.unwrap();
    });
}

/// A waiter may be dropped on a thread on which it never ran, before and after its wake.
#[test]
fn a_waiter_may_be_dropped_on_another_thread() {
    for woken in [false, true] {
        let manager = FakeManager::bounded(1);
        let control = manager.control();
        let builder = Pool::builder(manager).maxsize(1).minsize(0);
        let pool = builder.runtime(ThreadTimer::new()).build_lazy().unwrap();
        let stage = Stage::new(Mode::BuiltIn);
        let mut conn = Some(acquire_now(&stage, &pool));
        let mut leaves = pool.acquire();
        assert!(poll_once(&mut leaves).is_pending());
        let mut next = Probe::pending(pool.acquire());
        if woken {
            conn = None;
        }
        std::thread::scope(|threads| {
            threads.spawn(move || drop(leaves));
        });
        drop(conn);
        assert!(next.poll_until_stalled(&stage), "HANG: {}", pool.status());
        drop(hold(next.take().unwrap()));
        drop(next);
        all_is_well(&stage, pool, &control);
    }
}
