//! Double hand-out, starvation and barging: what broke in other pools, and the order of arrival.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pool_core::{CheckPolicy, Error, IdleOrder, PooledConnection};
use support::invariants::{acquire_now, all_is_well};
use support::watchdog::MINUTE;
use support::{FakeManager, FakePool, Gate, Probe, Stage, Step, Verb, hold, within, yield_now};

#[path = "scenarios_fairness/idle_order.rs"]
mod idle_order;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A user who notes its number when it is served, holds the connection for a turn, and goes.
fn user(pool: &FakePool, number: usize, served: &Rc<RefCell<Vec<usize>>>) -> Probe<'static, ()> {
    let (pool, served) = (pool.clone(), Rc::clone(served));
    Probe::pending(async move {
        let held = hold(pool.acquire().await.unwrap());
        served.borrow_mut().push(number);
        yield_now().await;
        drop(held);
    })
}

/// A connection has one holder at a time, on threads too.
#[test]
fn a_connection_never_has_two_holders() {
    within(2 * MINUTE, "two holders", || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let manager = FakeManager::bounded(3);
            let control = manager.control();
            let builder = pool_core::Pool::builder(manager).maxsize(3);
            let builder = builder.check_policy(CheckPolicy::Always);
            let pool = builder.build_lazy().unwrap();
            let tasks: Vec<_> = (0..24)
                .map(|task| {
                    let pool = pool.clone();
                    tokio::spawn(async move {
                        for round in 0..100 {
                            let mut held = hold(pool.acquire().await.unwrap());
                            held.scribble("mine");
                            if (task + round) % 5 == 0 {
                                yield_now().await;
                            }
                            assert_eq!(held.scribbles(), ["mine"]);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            control.assert_no_violation();
            assert!(control.made() <= 3);
        });
    });
}

/// The connection comes back; a newcomer is polled before the woken waiter; it must wait.
#[test]
fn a_newcomer_never_overtakes_a_woken_waiter() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut waiter = Probe::pending(pool.acquire());
        stage.run(PooledConnection::release(conn)).unwrap();
        assert!(waiter.is_woken());
        let mut newcomers = [(); 3].map(|()| Probe::new(pool.acquire()));
        assert!(!stage.drive(&mut newcomers), "somebody overtook");
        assert!(newcomers.iter().all(|newcomer| !newcomer.is_ready()));
        assert!(matches!(pool.try_acquire(), Err(Error::Exhausted)));
        assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(waiter.take().unwrap()));
        for newcomer in &mut newcomers {
            assert!(
                newcomer.poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            drop(hold(newcomer.take().unwrap()));
        }
        drop((waiter, newcomers));
        all_is_well(stage, pool, &control);
    });
}

/// Hand-outs come in the order of arrival, however the executor polls those who are awake.
#[test]
fn waiters_are_served_in_the_order_of_their_arrival() {
    for maxsize in [1, 2, 5] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(maxsize);
            let pool = builder.build_lazy().unwrap();
            let guards: Vec<_> = (0..maxsize).map(|_| acquire_now(stage, &pool)).collect();
            let arrivals: Vec<_> = (0..4 * maxsize)
                .map(|_| Probe::pending(pool.acquire()))
                .collect();
            let mut waiters = arrivals;
            for (first, guard) in guards.into_iter().enumerate() {
                drop(guard);
                stage.settle();
                assert!(
                    waiters[first].is_woken(),
                    "waiter {first}; {}",
                    pool.status()
                );
                assert!(
                    waiters[first + 1..].iter().all(|waiter| !waiter.is_woken()),
                    "one connection woke more than one"
                );
            }
            for place in 0..waiters.len() {
                // The woken ones are polled in the wrong order on purpose; each gets what is its own.
                let last = (place + maxsize).min(waiters.len());
                for waiter in waiters[place..last].iter_mut().rev() {
                    waiter.poll_until_stalled(stage);
                }
                drop(hold(waiters[place].take().unwrap()));
            }
            drop(waiters);
            all_is_well(stage, pool, &control);
        });
    }
}

/// With cancellation: those who stay keep their order.
#[test]
fn the_remaining_waiters_keep_their_order_when_others_are_dropped() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(2);
        let pool = builder.build_lazy().unwrap();
        let guards = [(); 2].map(|()| acquire_now(stage, &pool));
        let served = Rc::new(RefCell::new(Vec::new()));
        let mut users: Vec<_> = (0..20).map(|number| user(&pool, number, &served)).collect();
        for number in (0..20).filter(|number| number % 3 == 0) {
            users[number].cancel();
        }
        users = users.into_iter().filter(Probe::is_parked).collect();
        drop(guards);
        assert!(stage.drive(&mut users), "HANG: {}", pool.status());
        let expected: Vec<usize> = (0..20).filter(|number| number % 3 != 0).collect();
        assert_eq!(*served.borrow(), expected);
        drop(users);
        all_is_well(stage, pool, &control);
    });
}

/// A waiter whose connection fails its check keeps its turn.
#[test]
fn a_waiter_whose_connection_fails_its_check_keeps_its_turn() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let builder = builder.check_policy(CheckPolicy::Always);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        stage.run(PooledConnection::release(conn)).unwrap();
        let gate = Gate::new();
        control.next(Verb::Check, Step::gate(&gate).then(Step::Err));
        let mut first = Probe::pending(pool.acquire());
        let mut second = Probe::pending(pool.acquire());
        stage.settle();
        gate.open();
        let mut newcomer = Probe::pending(pool.acquire());
        assert!(!newcomer.poll_until_stalled(stage), "the newcomer overtook");
        assert!(
            !second.poll_until_stalled(stage),
            "the second overtook the first"
        );
        assert!(first.poll_until_stalled(stage), "HANG: {}", pool.status());
        let held = hold(first.take().unwrap());
        assert_eq!(held.id(), 2);
        drop(held);
        for waiter in [&mut second, &mut newcomer] {
            assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
            drop(hold(waiter.take().unwrap()));
        }
        drop((first, second, newcomer));
        all_is_well(stage, pool, &control);
    });
}

/// Waiters whose deadline has struck are skipped.
#[test]
fn expired_waiters_are_skipped() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut impatient: Vec<_> = (0..50)
            .map(|_| Probe::pending(pool.acquire().timeout(SECOND)))
            .collect();
        let mut patient = Probe::pending(pool.acquire());
        stage.advance(2 * SECOND);
        // None of them has been polled since: they lie in the queue, dead.
        drop(conn);
        assert!(patient.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(patient.take().unwrap()));
        assert!(stage.drive(&mut impatient), "HANG: {}", pool.status());
        for acquire in &mut impatient {
            assert!(matches!(acquire.take(), Err(Error::Timeout { .. })));
        }
        drop((impatient, patient));
        all_is_well(stage, pool, &control);
    });
}

/// A hundred users share ten connections evenly.
#[test]
fn nobody_is_starved() {
    const USERS: usize = 100;
    const ROUNDS: usize = 5_000;
    Stage::each(|stage| {
        let (builder, control) = stage.pool(10);
        let pool = builder.build_lazy().unwrap();
        let total = Rc::new(Cell::new(0));
        let counts: Vec<Rc<Cell<usize>>> = (0..USERS).map(|_| Rc::default()).collect();
        let mut users: Vec<Probe<'_, ()>> = counts
            .iter()
            .map(|count| {
                let (pool, total, count) = (&pool, Rc::clone(&total), Rc::clone(count));
                Probe::new(async move {
                    while total.get() < ROUNDS {
                        let held = hold(pool.acquire().await.unwrap());
                        total.set(total.get() + 1);
                        count.set(count.get() + 1);
                        yield_now().await;
                        drop(held);
                    }
                })
            })
            .collect();
        assert!(stage.drive(&mut users), "HANG: {}", pool.status());
        let most = counts.iter().map(|count| count.get()).max().unwrap();
        let least = counts.iter().map(|count| count.get()).min().unwrap();
        assert!(
            5 * most <= 6 * least,
            "one was served {least} times, another {most} times"
        );
        drop(users);
        all_is_well(stage, pool, &control);
    });
}

/// A thousand parked waiters cost nothing while nothing happens, and one release wakes one of them.
#[test]
fn one_release_wakes_one_of_a_thousand_waiters() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let mut conn = Some(hold(acquire_now(stage, &pool)));
        let mut waiters: Vec<_> = (0..1_000).map(|_| Probe::pending(pool.acquire())).collect();
        stage.advance(3_600 * SECOND);
        assert!(
            waiters.iter().all(|waiter| waiter.wakes() == 0),
            "somebody spins"
        );
        for place in 0..10 {
            drop(conn.take());
            stage.settle();
            let woken = waiters.iter().filter(|waiter| waiter.is_woken()).count();
            assert_eq!(woken, 1, "a thundering herd");
            assert!(
                waiters[place].poll_until_stalled(stage),
                "HANG: {}",
                pool.status()
            );
            assert!(
                waiters[place].polls() <= 3,
                "{} polls",
                waiters[place].polls()
            );
            conn = Some(hold(waiters[place].take().unwrap()));
        }
        drop(waiters);
        drop(conn);
        all_is_well(stage, pool, &control);
    });
}

/// A thousand waiters do not wake each other when one of their deadlines strikes.
#[test]
fn one_deadline_wakes_few_of_a_thousand_waiters() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut waiters: Vec<_> = (1..=1_000_u32)
            .map(|number| Probe::pending(pool.acquire().timeout(SECOND + number * MS)))
            .collect();
        stage.advance(SECOND + MS);
        let woken = waiters.iter().filter(|waiter| waiter.is_woken()).count();
        // The waiter whose deadline it was, and at most one more, which sets the timer for the next deadline.
        assert!((1..=2).contains(&woken), "{woken} were woken");
        stage.drive(&mut waiters);
        let ready = waiters.iter().filter(|waiter| waiter.is_ready()).count();
        assert_eq!(ready, 1);
        assert!(matches!(waiters[0].take(), Err(Error::Timeout { .. })));
        drop(waiters);
        drop(conn);
        all_is_well(stage, pool, &control);
    });
}
