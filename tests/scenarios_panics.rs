//! Panics in the user's code, in the manager's, and in wakers: what broke in other pools.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pool_core::{CheckPolicy, Error, Phase, PooledConnection, Verdict};
use support::invariants::{acquire_now, all_is_well, at_rest};
use support::probe::{panicking_waker, poll_with};
use support::{FakeControl, FakePool, Probe, Stage, Step, Verb, hold};

fn unwinds<T>(body: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(body)).is_err()
}

/// A hundred requests that crash do not make a dead pool; their connections are not handed out again.
#[test]
fn users_that_panic_lose_no_place() {
    const MAXSIZE: usize = 3;
    Stage::each(|stage| {
        let (builder, control) = stage.pool(MAXSIZE);
        let pool = builder.build_lazy().unwrap();
        for round in 1..=10 * MAXSIZE {
            let crashed = unwinds(|| {
                let mut held = hold(acquire_now(stage, &pool));
                held.scribble("half a message");
                panic!("scripted: the user panics");
            });
            assert!(crashed);
            stage.settle();
            assert_eq!(
                (control.made(), control.live()),
                (round, 0),
                "it is not kept"
            );
        }
        assert_eq!(control.calls(Verb::OnRelease), 0, "nobody asks about them");
        all_is_well(stage, pool, &control);
    });
}

/// Somebody waits for the connection of the task that crashes.
#[test]
fn a_user_that_panics_frees_its_place_for_a_waiter() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let mut waiter = None;
        let crashed = unwinds(|| {
            let _held = hold(acquire_now(stage, &pool));
            waiter = Some(Probe::pending(pool.acquire()));
            panic!("scripted: the user panics");
        });
        assert!(crashed);
        let mut waiter = waiter.unwrap();
        assert!(waiter.poll_until_stalled(stage), "HANG: {}", pool.status());
        let held = hold(waiter.take().unwrap());
        assert_eq!(held.id(), 2);
        drop(held);
        drop(waiter);
        all_is_well(stage, pool, &control);
    });
}

/// A panic in connect or in check reaches the acquirer as an error that says so, with the panic's words.
#[test]
fn a_panic_in_connect_or_check_is_returned_to_the_waiter() {
    for (verb, wanted) in [(Verb::Connect, Phase::Connect), (Verb::Check, Phase::Check)] {
        for step in [Step::Panic, Step::PanicInCall] {
            Stage::each(|stage| {
                println!("{verb:?}");
                let (builder, control) = stage.pool(1);
                let builder = builder.check_policy(CheckPolicy::Always);
                let pool = builder.build_lazy().unwrap();
                if verb == Verb::Check {
                    let conn = acquire_now(stage, &pool);
                    stage.run(PooledConnection::release(conn)).unwrap();
                }
                control.next(verb, step.clone());
                let outcome = stage.run(pool.acquire());
                match outcome {
                    Err(Error::Panicked { phase, message, .. }) => {
                        assert_eq!(phase, wanted);
                        assert!(message.contains("scripted"), "{message}");
                    }
                    other => panic!("it must be Panicked: {:?}", other.err()),
                }
                stage.settle();
                assert_eq!((pool.size(), control.live()), (0, 0));
                all_is_well(stage, pool, &control);
            });
        }
    }
}

/// A panic in connect fails the first waiter and no other.
#[test]
fn a_panic_in_connect_costs_one_waiter() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        control.next(Verb::Connect, Step::Panic);
        let mut waiters: Vec<_> = (0..3)
            .map(|_| {
                let pool = &pool;
                Probe::polled(async move { pool.acquire().await.map(hold).map(drop) })
            })
            .collect();
        assert!(stage.drive(&mut waiters), "HANG: {}", pool.status());
        let outcomes: Vec<bool> = waiters
            .iter_mut()
            .map(|waiter| waiter.take().is_ok())
            .collect();
        assert_eq!(outcomes, [false, true, true]);
        drop(waiters);
        all_is_well(stage, pool, &control);
    });
}

/// A panic in recycle discards the connection; an awaited release returns an error.
#[test]
fn a_panic_in_recycle_discards_the_connection() {
    for step in [Step::Panic, Step::PanicInCall] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(1);
            let pool = builder.build_lazy().unwrap();
            control.next(Verb::Recycle, step.clone());
            let conn = acquire_now(stage, &pool);
            match stage.run(PooledConnection::release(conn)) {
                Err(Error::Panicked { phase, .. }) => assert_eq!(phase, Phase::Recycle),
                other => panic!("it must be Panicked: {other:?}"),
            }
            stage.settle();
            assert_eq!(control.live(), 0);
            control.next(Verb::Recycle, step.clone());
            drop(acquire_now(stage, &pool));
            let next = hold(acquire_now(stage, &pool));
            assert_eq!(next.id(), 3, "it is not handed out");
            drop(next);
            all_is_well(stage, pool, &control);
        });
    }
}

type Provoke = fn(&Stage, &FakePool, &FakeControl);

/// Every other method of the manager, and the drop of a connection.
#[test]
fn a_panic_anywhere_in_the_manager_costs_nothing() {
    let provocations: [(Verb, Provoke); 7] = [
        (Verb::Close, |stage, pool, _| {
            PooledConnection::discard(acquire_now(stage, pool))
        }),
        (Verb::Close, |stage, pool, _| {
            let conn = acquire_now(stage, pool);
            stage.run(PooledConnection::release(conn)).unwrap();
            stage.run(pool.clear());
        }),
        (Verb::OnRelease, |stage, pool, _| {
            drop(acquire_now(stage, pool))
        }),
        (Verb::OnRelease, |stage, pool, _| {
            let release = PooledConnection::release(acquire_now(stage, pool));
            assert!(stage.run(release).is_err());
        }),
        (Verb::AbortHandle, |stage, pool, _| {
            drop(acquire_now(stage, pool))
        }),
        (Verb::Classify, |stage, pool, control| {
            stage.run(pool.clear());
            control.next(Verb::Connect, Step::Err);
            assert!(matches!(stage.run(pool.acquire()), Err(Error::Connect(_))));
        }),
        (Verb::Drop, |stage, pool, control| {
            control.next_verdict(Verdict::Discard);
            drop(acquire_now(stage, pool));
        }),
    ];
    for (verb, provoke) in provocations {
        for step in [Step::Panic, Step::PanicInCall] {
            Stage::each(|stage| {
                println!("{verb:?}");
                let (builder, control) = stage.pool(2);
                let pool = builder.build_lazy().unwrap();
                for _ in 0..5 {
                    control.next(verb, step.clone());
                    let escaped = unwinds(|| {
                        provoke(stage, &pool, &control);
                        stage.settle();
                    });
                    assert!(!escaped, "the panic escaped");
                    control.all_goes_well();
                    at_rest(stage, &pool, &control);
                }
                all_is_well(stage, pool, &control);
            });
        }
    }
}

/// An abort that panics does not keep terminate from the others.
#[test]
fn an_abort_that_panics_does_not_spare_the_others() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        control.give_abort_handles();
        let pool = builder.build_lazy().unwrap();
        let guards = [(); 3].map(|()| acquire_now(stage, &pool));
        control.always(Verb::Abort, Step::Panic);
        assert!(!unwinds(|| pool.terminate()), "the panic escaped");
        assert!(guards.iter().all(|guard| guard.marks().is_aborted()));
        stage.run(pool.wait_closed()).unwrap();
        drop(guards);
        stage.settle();
        assert_eq!((pool.size(), control.live()), (0, 0));
    });
}

/// Panics while the pool closes its connections do not keep it from its end.
#[test]
fn closes_that_panic_do_not_keep_the_pool_from_its_end() {
    for verb in [Verb::Close, Verb::Drop] {
        Stage::each(|stage| {
            let (builder, control) = stage.pool(3);
            let pool = stage.run(builder.minsize(3).build()).unwrap();
            let conn = acquire_now(stage, &pool);
            control.always(verb, Step::Panic);
            assert!(!unwinds(|| pool.close()));
            assert!(!unwinds(|| drop(conn)));
            stage.run(pool.wait_closed()).unwrap();
            assert_eq!((pool.size(), control.live()), (0, 0));
            control.all_goes_well();
        });
    }
}

/// A waker that panics is somebody else's; neither the release nor the next in line suffers.
#[test]
fn a_waker_that_panics_costs_nobody_else_anything() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut cursed = pool.acquire();
        assert!(poll_with(&mut cursed, &panicking_waker()).is_pending());
        let mut next = Probe::pending(pool.acquire());
        let escaped = unwinds(|| {
            drop(conn);
            stage.settle();
        });
        assert!(!escaped, "the panic escaped");
        drop(cursed);
        assert!(next.poll_until_stalled(stage), "HANG: {}", pool.status());
        drop(hold(next.take().unwrap()));
        drop(next);
        all_is_well(stage, pool, &control);
    });
}

/// Close wakes all who wait, though the first of their wakers panics.
#[test]
fn close_wakes_all_waiters_although_a_waker_panics() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.build_lazy().unwrap();
        let conn = acquire_now(stage, &pool);
        let mut cursed = pool.acquire();
        assert!(poll_with(&mut cursed, &panicking_waker()).is_pending());
        let mut waiters = [(); 2].map(|()| Probe::pending(pool.acquire()));
        assert!(!unwinds(|| pool.close()), "the panic escaped");
        assert!(stage.drive(&mut waiters), "HANG: {}", pool.status());
        for waiter in &mut waiters {
            assert!(matches!(waiter.take(), Err(Error::Closed)));
        }
        drop(cursed);
        drop(conn);
        stage.run(pool.wait_closed()).unwrap();
        drop(waiters);
        drop(pool);
        stage.settle();
        assert_eq!(control.live(), 0);
    });
}

/// A panic while the pool is built: the others are closed, and the error says so.
#[test]
fn a_panic_in_a_connect_of_build_closes_the_others() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(3);
        control.next_times(Verb::Connect, 2, Step::Ok);
        control.next(Verb::Connect, Step::Panic);
        let outcome = stage.run(builder.minsize(3).build());
        assert!(matches!(
            outcome,
            Err(Error::Panicked {
                phase: Phase::Connect,
                ..
            })
        ));
        assert_eq!((control.live(), control.in_connect()), (0, 0));
        stage.settle();
        assert!(!control.manager_is_alive());
        assert_eq!(stage.tasks(), 0);
    });
}
