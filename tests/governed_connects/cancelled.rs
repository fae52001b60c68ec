//! The cancellation matrix of governed connects: each of several victims is dropped at each await, at once, before the
//! wake and after it, with 0, 1 or 3 waiters behind.

use std::time::Duration;

use pool_core::ErrorClass;
use support::invariants::{acquire_now, all_is_well};
use support::{FakeControl, FakePool, Mode, Moment, Probe, Stage, Step, Surroundings, Verb};

use crate::{Acquired, MILLI, SECOND, callers, pass};

/// A pool in some state.
type Set = fn(&Stage, usize) -> (FakePool, FakeControl);

const STATES: &[(&str, Set)] = &[
    ("one connect at a time", |stage, maxsize| {
        let (builder, control) = stage.pool(maxsize);
        let builder = builder.minsize(maxsize).upkeep(false).max_connecting(1);
        control.always(Verb::Connect, Step::Delay(30 * MILLI));
        (builder.build_lazy().unwrap(), control)
    }),
    ("an outage that connect_retry covers", |stage, maxsize| {
        outage(stage, maxsize, ErrorClass::Transient)
    }),
    ("a full server and connect_retry", |stage, maxsize| {
        outage(stage, maxsize, ErrorClass::Overloaded)
    }),
    ("a wrong password", |stage, maxsize| {
        let (builder, control) = stage.pool(maxsize);
        let refused = Step::Delay(30 * MILLI).then(Step::Fail(ErrorClass::Auth));
        control.always(Verb::Connect, refused);
        (builder.build_lazy().unwrap(), control)
    }),
    ("a full server", |stage, maxsize| {
        let (builder, control) = stage.pool(maxsize);
        let pool = builder.upkeep(false).build_lazy().unwrap();
        drop(acquire_now(stage, &pool));
        let refused = Step::Delay(30 * MILLI).then(Step::Fail(ErrorClass::Overloaded));
        control.always(Verb::Connect, refused);
        (pool, control)
    }),
];

fn outage(stage: &Stage, maxsize: usize, class: ErrorClass) -> (FakePool, FakeControl) {
    let (builder, control) = stage.pool(maxsize);
    let builder = builder.minsize(1).upkeep(false).max_connecting(2);
    control.next_times(
        Verb::Connect,
        4,
        Step::Delay(30 * MILLI).then(Step::Fail(class)),
    );
    (builder.connect_retry(SECOND).build_lazy().unwrap(), control)
}

/// The victim of a case.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Acquire,
    Fill,
}

impl Victim {
    fn start(self, pool: &FakePool) -> Probe<'static, ()> {
        let pool = pool.clone();
        match self {
            Self::Acquire => Probe::new(async move { drop(pool.acquire().await) }),
            Self::Fill => Probe::new(async move { drop(pool.fill().await) }),
        }
    }
}

struct Around<'a> {
    stage: &'a Stage,
    pool: &'a FakePool,
    behind: usize,
    waiters: Vec<Probe<'a, Acquired>>,
    left: Duration,
}

impl Surroundings for Around<'_> {
    fn after_first_poll(&mut self) {
        self.waiters = callers(self.pool, self.behind);
    }

    fn poll_others(&mut self) -> bool {
        if let Some(waiter) = self.waiters.iter_mut().find(|one| one.wants_poll()) {
            waiter.poll();
            return true;
        }
        self.left = self.left.saturating_sub(10 * MILLI);
        self.stage.advance(10 * MILLI);
        !self.left.is_zero()
    }
}

/// Drops the victim; those behind come to an end. Says whether the place at which it is to be dropped exists.
fn is_dropped(
    stage: &Stage,
    pool: &FakePool,
    control: &FakeControl,
    (victim, behind): (Victim, usize),
    (number, moment): (usize, Moment),
) -> bool {
    let mut probe = victim.start(pool);
    let mut around = Around {
        stage,
        pool,
        behind,
        waiters: Vec::new(),
        left: SECOND / 2,
    };
    let reached = probe.cancel_at(stage, number, moment, &mut around);
    drop(probe);
    let mut waiters = around.waiters;
    control.all_goes_well();
    pass(stage, &mut waiters, 10 * MILLI, 150);
    for waiter in waiters.iter_mut().filter(|_| reached) {
        if !waiter.is_ready() {
            pass(stage, std::slice::from_mut(waiter), 10 * MILLI, 100);
        }
        assert!(waiter.is_ready(), "HANG: {}", pool.status());
        drop(waiter.take());
        stage.settle();
    }
    reached
}

/// Plays one case; says whether the place at which the victim is to be dropped exists.
fn case(
    stage: &Stage,
    set: Set,
    victim: Victim,
    sizes: (usize, usize),
    at: (usize, Moment),
) -> bool {
    let (maxsize, behind) = sizes;
    let (pool, control) = set(stage, maxsize);
    if !is_dropped(stage, &pool, &control, (victim, behind), at) {
        return false;
    }
    stage.advance(12 * SECOND);
    // Without a spawner, what was begun and has failed since is heard of by the next acquire.
    for _ in 0..maxsize + 2 {
        let mut next = callers(&pool, 1);
        pass(stage, &mut next, 10 * MILLI, 100);
        assert!(next[0].is_ready(), "HANG: {}", pool.status());
        drop(next);
        stage.advance(12 * SECOND);
    }
    crate::recovers(stage, &pool, &control);
    all_is_well(stage, pool, &control);
    true
}

#[test]
fn a_victim_dropped_anywhere_strands_nobody_and_costs_no_place() {
    let mut cases = 0;
    for (name, set) in STATES {
        for victim in [Victim::Acquire, Victim::Fill] {
            for maxsize in [1, 2, 5] {
                for behind in [0, 1, 3] {
                    for number in 0.. {
                        let mut exists = false;
                        for moment in Moment::ALL {
                            for mode in Mode::VIRTUAL {
                                // Shown when the case fails.
                                println!(
                                    "{name}, {victim:?}, {mode:?}, maxsize {maxsize}, {behind} behind, await {number}, {moment:?}"
                                );
                                let stage = Stage::new(mode);
                                let is_reached =
                                    case(&stage, *set, victim, (maxsize, behind), (number, moment));
                                exists |= is_reached;
                                cases += usize::from(is_reached);
                            }
                        }
                        if !exists {
                            break;
                        }
                        assert!(number < 60, "it never comes to an end");
                    }
                }
            }
        }
    }
    assert!(cases > 1000, "{cases} cases");
}

#[test]
fn an_attempt_that_never_began_is_not_counted() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(1);
        let pool = builder.connect_retry(SECOND).build_lazy().unwrap();
        control.next(Verb::Connect, Step::Err);
        let mut waiting = callers(&pool, 1);
        assert!(!stage.drive(&mut waiting));
        // The timer starts the next attempt for the waiter, which is gone before it is polled.
        stage.advance(SECOND);
        drop(waiting);
        let stats = pool.stats();
        assert_eq!((control.connects(), stats.connect_retries()), (1, 0));
        drop(acquire_now(stage, &pool));
        let stats = pool.stats();
        assert_eq!((control.connects(), stats.connect_retries()), (2, 1));
        all_is_well(stage, pool, &control);
    });
}
