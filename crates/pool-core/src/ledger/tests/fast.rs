//! The fast cases do what the general ones do.
//!
//! Two worlds live through the same random steps. One tries the fast case of each verb first; the other always takes the
//! general way. After each step nothing may tell them apart.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use super::dice::Dice;
use super::world::World;
use crate::config::Config;
use crate::ledger::{ClockReading, Poller};
use crate::{CheckPolicy, IdleOrder, Status, Verdict};

const SECOND: Duration = Duration::from_secs(1);

/// How two worlds begin.
struct Setup {
    config: Config,
    can_spawn: bool,
    /// The shortest idle limit of the settings. Without one nothing depends on the idle time.
    shortest: Option<Duration>,
    /// The idle clock ticks; otherwise returns are stamped.
    ticks: bool,
    /// Nobody joins the queue while more than this many wait.
    crowd: usize,
}

impl Setup {
    fn roll(dice: &mut Dice) -> Self {
        // 0 is without limit.
        let maxsize = dice.roll(6);
        let minsize = dice.roll(maxsize + 1);
        let idle_order = [IdleOrder::Fifo, IdleOrder::Lifo][dice.roll(2)];
        let check_policy = match dice.roll(4) {
            0 => CheckPolicy::Always,
            1 => CheckPolicy::Never,
            _ => CheckPolicy::IdleFor(SECOND),
        };
        let pool_recycle = (dice.roll(2) > 0).then_some(2 * SECOND);
        let config = Config {
            minsize,
            maxsize,
            idle_order,
            check_policy,
            pool_recycle,
            ..Config::default()
        };
        let shortest = config.shortest_idle_limit();
        Self {
            config,
            can_spawn: dice.roll(2) > 0,
            shortest,
            ticks: dice.roll(2) > 0 && shortest.is_some(),
            crowd: [0, 0, 1, 3][dice.roll(4)],
        }
    }

    fn world(&self, start: ClockReading) -> World {
        let mut world = World::with(&self.config, start);
        if !self.can_spawn {
            world.ledger.cannot_spawn();
        }
        if let Some(shortest) = self.shortest.filter(|_| self.ticks) {
            world.ledger.allow_idle_ticks(Some(shortest));
        }
        world
    }

    /// Whether the fast case of a return is given the time: where returns are stamped, not where the clock ticks. Where
    /// nothing depends on the idle time it makes no difference, so that is rolled.
    fn return_has_now(&self, rolled: bool) -> bool {
        match self.shortest {
            Some(_) => !self.ticks,
            None => rolled,
        }
    }
}

/// One step of both worlds.
#[derive(Clone, Copy)]
struct Step {
    action: usize,
    /// Chooses one of several waiters, tasks or jobs.
    which: usize,
    /// The job that is polled ends, and how.
    end: bool,
    well: bool,
    verdict: Verdict,
    has_deadline: bool,
    acquire_has_now: bool,
    return_has_now: bool,
}

impl Step {
    fn roll(dice: &mut Dice) -> Self {
        let verdicts = [
            Verdict::Reuse,
            Verdict::Reuse,
            Verdict::Reuse,
            Verdict::Recycle,
            Verdict::Recycle,
            Verdict::Discard,
        ];
        Self {
            action: dice.roll(1000),
            which: dice.roll(1000),
            end: dice.roll(3) > 0,
            well: dice.roll(4) > 0,
            verdict: verdicts[dice.roll(verdicts.len())],
            has_deadline: dice.roll(2) > 0,
            acquire_has_now: dice.roll(3) > 0,
            return_has_now: dice.roll(2) > 0,
        }
    }

    fn take(self, world: &mut World, setup: &Setup) {
        let Self {
            which, end, well, ..
        } = self;
        match self.action {
            0..260 if world.waiting.len() <= setup.crowd => {
                let now = self.acquire_has_now.then_some(world.now);
                let deadline = self.has_deadline.then_some(world.now + 3600 * SECOND);
                world.acquire_fast(now, deadline);
            }
            260..520 => {
                let has_now = setup.return_has_now(self.return_has_now);
                world.release_at(self.verdict, has_now.then_some(world.now));
            }
            0..260 | 520..680 => {
                if let Some(ticket) = pick(&world.waiting, which) {
                    world.look(ticket, end, well);
                }
            }
            680..780 if !world.tasks.is_empty() => {
                world.run_task(which % world.tasks.len(), end, well);
            }
            780..820 => {
                if let Some(ticket) = pick(&world.waiting, which) {
                    world.leave(ticket);
                }
            }
            820..860 if world.ledger.background.can_spawn() => world.recycle_in_background(),
            860..900 => {
                if let Some(key) = pick(&world.ledger.undriven(), which) {
                    let head = world.ledger.queue.head();
                    world.poll_as(Poller::Helper(head), key, end, well);
                }
            }
            900..920 => {
                world.change(|ledger, effects| ledger.upkeep_round(effects));
            }
            920..923 => world.change(|ledger, effects| ledger.suspend(effects)),
            923..926 => world.change(|ledger, effects| ledger.end_suspension(effects)),
            926..930 => world.change(|ledger, effects| {
                let config = Config {
                    maxsize: which % 6,
                    ..setup.config.clone()
                };
                if config.validate(true).is_ok() {
                    ledger.reconfigure(config, setup.ticks, effects);
                }
            }),
            930..950 => {
                for key in world.change(|ledger, effects| ledger.clear(effects)) {
                    let owner = Poller::Owner;
                    world.change(|ledger, effects| ledger.caller_dropped(key, owner, effects));
                }
            }
            950..970 => {
                // Long enough for the idle clock to come to rest, and for all limits.
                for _ in 0..8 {
                    world.now += SECOND / 3;
                    world.strike_timer();
                }
            }
            970..974 => world.ledger.timer_is_not_set(),
            974..978 if !world.tasks.is_empty() => {
                let (key, task) = world.tasks.swap_remove(which % world.tasks.len());
                world.change(|ledger, effects| ledger.task_dropped(key, task, effects));
            }
            978 => world.change(|ledger, effects| ledger.close(effects)),
            979 => world.change(|ledger, effects| ledger.terminate(effects)),
            980 if self.verdict == Verdict::Discard => {
                world.change(|ledger, effects| ledger.last_handle_dropped(effects))
            }
            981..1000 => {
                if let Some(key) = pick(&world.ledger.jobs_for_close(), which) {
                    if !world.ledger.lifecycle.is_open() {
                        world.poll_as(Poller::WaitClosed, key, end, well);
                    }
                }
            }
            _ => {}
        }
    }
}

fn pick<T: Copy>(all: &[T], which: usize) -> Option<T> {
    all.get(which % all.len().max(1)).copied()
}

/// All that can be seen of a world.
#[derive(Debug, PartialEq)]
struct Seen {
    status: Status,
    size: usize,
    /// The connections in guards, and since when they were idle where a setting depends on it.
    guards: Vec<(u64, Option<Option<Instant>>)>,
    waiters_have_answers: Vec<bool>,
    undriven: usize,
    tasks: usize,
    wakes: usize,
    last_joined: Option<(bool, bool)>,
    timer_at: Option<Instant>,
    clock_rests: bool,
}

impl Seen {
    fn of(world: &World, setup: &Setup) -> Self {
        let guards = world.guards.iter();
        let waiting = world.waiting.iter();
        Self {
            status: world.ledger.status(),
            size: world.ledger.size(),
            guards: guards
                .map(|entry| (entry.0.id, setup.shortest.map(|_| entry.1)))
                .collect(),
            waiters_have_answers: waiting
                .map(|ticket| world.ledger.queue.is_answered(*ticket))
                .collect(),
            undriven: world.ledger.undriven().len(),
            tasks: world.tasks.len(),
            wakes: world.wakes.0.load(Ordering::Relaxed),
            last_joined: world.last_joined,
            timer_at: world.ledger.timer_at(),
            clock_rests: world.ledger.idle_clock_rests(),
        }
    }
}

#[test]
fn the_fast_cases_do_what_the_general_ones_do() {
    for seed in 1..=2000_u64 {
        let mut dice = Dice::new(seed);
        let setup = Setup::roll(&mut dice);
        let start = ClockReading {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        let [mut fast, mut general] = [(); 2].map(|()| setup.world(start));
        general.tries_fast = false;
        for number in 0..200 {
            let step = Step::roll(&mut dice);
            let pause = dice.millis(400);
            let is_late = dice.roll(4) == 0;
            for world in [&mut fast, &mut general] {
                step.take(world, &setup);
                world.now += pause;
                if !is_late {
                    world.strike_timer();
                }
            }
            assert_eq!(
                Seen::of(&fast, &setup),
                Seen::of(&general, &setup),
                "seed {seed} step {number} action {}: fast on the left",
                step.action
            );
        }
    }
}
