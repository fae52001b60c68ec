//! Scripts from a seed.

use fastrand::Rng;

use crate::script::{Op, Outcome, Script, Settings, Spawner, Verb};

/// The most operations of a script.
const OPS: usize = 200;

/// The most verbs that are under way at once, roughly.
const TASKS: u16 = 16;

/// How often each verb is chosen, of all of them together.
const WEIGHTS: &[(Verb, u32)] = &[
    (Verb::Acquire, 130),
    (Verb::AcquireHigh, 15),
    (Verb::AcquireLow, 15),
    (Verb::Poll, 260),
    (Verb::PollAny, 30),
    (Verb::Background, 110),
    (Verb::DropGuard, 70),
    (Verb::Drop, 70),
    (Verb::OpenGate, 40),
    (Verb::Advance, 40),
    (Verb::Strike, 40),
    (Verb::Inline, 15),
    (Verb::BackgroundAny, 25),
    (Verb::InlineBackground, 12),
    (Verb::TryAcquire, 20),
    (Verb::AwaitRelease, 25),
    (Verb::Release, 20),
    (Verb::Discard, 15),
    (Verb::Detach, 10),
    (Verb::Unwind, 8),
    (Verb::Break, 20),
    (Verb::Ping, 15),
    (Verb::Fill, 10),
    (Verb::Clear, 12),
    (Verb::ClearAll, 6),
    (Verb::RecycleAll, 6),
    (Verb::Settle, 20),
    (Verb::Outlast, 5),
    (Verb::DropBackground, 6),
    (Verb::CloneHandle, 4),
    (Verb::DropHandle, 4),
    (Verb::WaitClosed, 4),
    (Verb::Closing, 4),
    (Verb::Suspend, 5),
    (Verb::Resume, 10),
    (Verb::Resize, 10),
    (Verb::Reconfigure, 10),
    (Verb::Run, 15),
    (Verb::Retain, 6),
    (Verb::Add, 8),
];

/// How often verbs come that end a run early, of a thousand.
const ENDS: &[(Verb, u32)] = &[
    (Verb::Close, 3),
    (Verb::Terminate, 2),
    (Verb::Shutdown, 3),
    (Verb::Die, 2),
];

/// Makes a script of up to 200 operations. The same seed always makes the same.
pub fn generate(seed: u64) -> Script {
    let mut rng = Rng::with_seed(seed);
    let settings = settings(&mut rng);
    // Some runs have no faults, others many.
    let faults = [0, 5, 15, 40][rng.usize(..4)];
    let mut tape = |length: usize| -> Vec<Outcome> {
        let calls = rng.usize(..=length);
        (0..calls).map(|_| outcome(&mut rng, faults)).collect()
    };
    let (connect, check, recycle, close) = (tape(30), tape(30), tape(40), tape(20));
    let intercept = tape(80);
    let on_release = (0..rng.usize(..40)).map(|_| verdict(&mut rng, faults));
    let on_release = on_release.collect();
    let dropping = match rng.u8(..6) {
        0 => (0..20).map(|_| outcome(&mut rng, faults)).collect(),
        _ => Vec::new(),
    };
    let length = rng.usize(10..=OPS);
    let ops = (0..length).map(|_| op(&mut rng)).collect();
    Script {
        settings,
        connect,
        check,
        recycle,
        close,
        dropping,
        on_release,
        intercept,
        ops,
    }
}

fn settings(rng: &mut Rng) -> Settings {
    let maxsize = [1, 1, 2, 3, 5, 0][rng.usize(..6)];
    let most = if maxsize == 0 { 3 } else { maxsize };
    let mut sometimes = |values: &[u16]| match rng.u8(..3) {
        0 => values[rng.usize(..values.len())],
        _ => 0,
    };
    let (pool_recycle, idle_limit) = (sometimes(&[50, 400]), sometimes(&[30, 300]));
    let acquire_timeout = sometimes(&[1, 100, 1000]);
    let (connect_timeout, check_timeout) = (sometimes(&[20, 200]), sometimes(&[20, 200]));
    let (recycle_timeout, close_timeout) = (sometimes(&[20, 200]), sometimes(&[20, 200]));
    let spawner = match rng.u8(..10) {
        0..=5 => Spawner::Runs,
        6 | 7 => Spawner::None,
        _ => Spawner::RefusesAfter(rng.u16(..6)),
    };
    Settings {
        spawner,
        minsize: rng.u16(..=most),
        maxsize,
        pool_recycle,
        lazy: u16::from(rng.u8(..4) != 0),
        acquire_timeout,
        connect_timeout,
        check_timeout,
        recycle_timeout,
        close_timeout,
        lifo: rng.u16(..2),
        check_policy: [0, 1, 40, 1000][rng.usize(..4)],
        upkeep: u16::from(rng.u8(..4) != 0),
        idle_limit,
        abort_handles: rng.u16(..3),
        reenter: u16::from(rng.u8(..5) == 0),
        one_lock: u16::from(rng.u8(..4) == 0),
        order: rng.u16(..2),
        polls_per_waker: [1, 1, 2, 3, 1000][rng.usize(..5)],
        boxed: u16::from(rng.u8(..4) == 0),
        observed: rng.u16(..3),
        slow_acquire_after: threshold(rng),
        leak_warning_after: threshold(rng),
        labels: [0, 0, 1, 2][rng.usize(..4)],
        max_connecting: [0, 0, 1, 2][rng.usize(..4)],
        connect_retry: [0, 0, 10, 300][rng.usize(..4)],
        start_policy: [0, 0, 1, 2][rng.usize(..4)],
        interceptors: [0, 0, 0, 1, 2, 3][rng.usize(..6)],
        max_waiters: [0, 0, 0, 1, 2, 4][rng.usize(..6)],
        reserved: [0, 0, 0, 1, 2][rng.usize(..5)],
        shedding: [0, 0, 0, 1, 50][rng.usize(..5)],
        dry_run: rng.u16(..2),
        max_lifetime: [0, 0, 0, 1, 70, 600][rng.usize(..6)],
        jitter: rng.u16(..3),
        max_uses: [0, 0, 0, 1, 2, 5][rng.usize(..6)],
        idle_timeout: [0, 0, 0, 20, 300][rng.usize(..5)],
        min_idle: [0, 0, 0, 1, 2][rng.usize(..5)],
        max_idle: [0, 0, 0, 1, 2, 3][rng.usize(..6)],
        keepalive: [0, 0, 0, 15, 200][rng.usize(..5)],
    }
}

/// When something is told that takes long.
fn threshold(rng: &mut Rng) -> u16 {
    match rng.u8(..4) {
        0 => time(rng).max(1),
        _ => 0,
    }
}

fn outcome(rng: &mut Rng, faults: u8) -> Outcome {
    if rng.u8(..100) >= faults {
        return match rng.u8(..10) {
            0..=4 => Outcome::Ok,
            5 | 6 => Outcome::Pend(rng.u16(1..3)),
            7 => Outcome::Delay(time(rng)),
            _ => Outcome::Gate,
        };
    }
    match rng.u8(..8) {
        0..=2 => Outcome::Err,
        3 => Outcome::Panic,
        4 => Outcome::PanicInCall,
        5 | 6 => Outcome::GateErr,
        _ => Outcome::GatePanic,
    }
}

fn verdict(rng: &mut Rng, faults: u8) -> Outcome {
    if rng.u8(..100) >= faults {
        return [Outcome::Ok, Outcome::Reuse][rng.usize(..2)];
    }
    [Outcome::Discard, Outcome::Discard, Outcome::Panic][rng.usize(..3)]
}

fn time(rng: &mut Rng) -> u16 {
    [1, 10, 60, 500, 5000][rng.usize(..5)]
}

fn op(rng: &mut Rng) -> Op {
    let verb = chosen(rng, ENDS, 1000).or_else(|| chosen(rng, WEIGHTS, total()));
    let verb = verb.unwrap_or(Verb::Settle);
    let number = match verb {
        Verb::Advance | Verb::Shutdown | Verb::RecycleAll => time(rng),
        Verb::Reconfigure => rng.u16(..128),
        Verb::Acquire | Verb::AcquireHigh | Verb::AcquireLow => match rng.u8(..4) {
            0 => time(rng),
            _ => 0,
        },
        _ => rng.u16(..TASKS),
    };
    Op { verb, number }
}

fn total() -> u32 {
    WEIGHTS.iter().map(|(_, weight)| weight).sum()
}

fn chosen(rng: &mut Rng, of: &[(Verb, u32)], total: u32) -> Option<Verb> {
    let mut number = rng.u32(..total);
    for (verb, weight) in of {
        match number.checked_sub(*weight) {
            None => return Some(*verb),
            Some(rest) => number = rest,
        }
    }
    None
}
