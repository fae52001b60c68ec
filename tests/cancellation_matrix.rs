//! The cancellation matrix: every scenario × every await × dropped {at once, before the wake, after the wake, when
//! ready} × maxsize {1, 2, 5} × {0, 1, 3} waiters behind × {a spawner, none, the built-in timer}. After each case the
//! invariants hold: the bound, true counts, nobody waits in vain, full capacity, nothing left at the end. The number of
//! cases is printed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use support::{Mode, Moment, Probe, Stage, Surroundings};

#[path = "cancellation_matrix/govern.rs"]
mod govern;
#[path = "cancellation_matrix/interceptors.rs"]
mod interceptors;
#[path = "cancellation_matrix/lifetimes.rs"]
mod lifetimes;
#[path = "cancellation_matrix/play.rs"]
mod play;
#[path = "cancellation_matrix/queue.rs"]
mod queue;
#[path = "cancellation_matrix/scenarios.rs"]
mod scenarios;
#[path = "cancellation_matrix/timed.rs"]
mod timed;
#[path = "cancellation_matrix/verbs.rs"]
mod verbs;

use play::Play;
use scenarios::{SCENARIOS, Scenario};

const MAXSIZES: [usize; 3] = [1, 2, 5];
const BEHIND: [usize; 3] = [0, 1, 3];
/// More awaits than any scenario has.
const END: usize = 40;

/// What happens around the victim: first the waiters queue up behind it, then the scenario's events come one by one,
/// then the waiters behind go on.
struct Around<'a> {
    play: &'a mut Play,
    behind: usize,
}

impl Surroundings for Around<'_> {
    fn after_first_poll(&mut self) {
        self.play.queue_up(self.behind);
    }

    fn poll_others(&mut self) -> bool {
        self.play.next_event() || self.play.step_behind()
    }
}

/// Plays one case; says whether the place at which the victim is to be dropped exists.
fn case(
    scenario: &Scenario,
    stage: &Stage,
    (maxsize, behind): (usize, usize),
    (number, moment): (usize, Moment),
) -> bool {
    let mut play = (scenario.set)(stage, maxsize);
    let mut victim: Probe<'static, ()> = play.take_victim();
    let mut around = Around {
        play: &mut play,
        behind,
    };
    let reached = victim.cancel_at(stage, number, moment, &mut around);
    drop(victim);
    if reached {
        play.finish(stage);
        play.judge(stage);
    }
    reached
}

#[derive(Default)]
struct Tally {
    cases: usize,
    awaits: usize,
    failures: Vec<String>,
}

fn run(scenario: &Scenario, mode: Mode, tally: &mut Tally) {
    for maxsize in MAXSIZES {
        for behind in BEHIND {
            for number in 0..=END {
                assert!(number < END, "{}: it never comes to an end", scenario.name);
                let mut exists = false;
                for moment in Moment::ALL {
                    // Without tasks of the pool's nothing happens between the two.
                    if moment == Moment::BeforeWake && mode != Mode::Spawner {
                        continue;
                    }
                    let outcome = catch_unwind(AssertUnwindSafe(|| {
                        let stage = Stage::new(mode);
                        case(scenario, &stage, (maxsize, behind), (number, moment))
                    }));
                    let label = || {
                        format!(
                            "{}, {mode:?}, maxsize {maxsize}, {behind} behind, await {number}, {moment:?}",
                            scenario.name
                        )
                    };
                    match outcome {
                        Ok(false) => continue,
                        Ok(true) => {}
                        Err(panic) => {
                            let text = panic
                                .downcast_ref::<String>()
                                .cloned()
                                .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                            tally.failures.push(format!("{}: {text:?}", label()));
                        }
                    }
                    exists = true;
                    tally.cases += 1;
                }
                if !exists {
                    break;
                }
                tally.awaits = tally.awaits.max(number);
            }
        }
    }
}

fn matrix(mode: Mode) {
    let mut all = Tally::default();
    let scenarios = SCENARIOS
        .iter()
        .chain(govern::SCENARIOS)
        .chain(interceptors::SCENARIOS)
        .chain(lifetimes::SCENARIOS)
        .chain(queue::SCENARIOS);
    for scenario in scenarios.filter(|scenario| scenario.plays_on(mode)) {
        let mut tally = Tally::default();
        run(scenario, mode, &mut tally);
        println!(
            "{mode:?}: {}: {} cases, up to {} awaits",
            scenario.name, tally.cases, tally.awaits
        );
        assert!(
            tally.cases >= MAXSIZES.len() * BEHIND.len() * 2,
            "{}: it was not played",
            scenario.name
        );
        all.cases += tally.cases;
        all.failures.append(&mut tally.failures);
    }
    println!("cancellation matrix on {mode:?}: {} cases", all.cases);
    assert!(
        all.failures.is_empty(),
        "{} of {} cases fail:\n{}",
        all.failures.len(),
        all.cases,
        all.failures.join("\n")
    );
}

#[test]
fn a_future_dropped_anywhere_costs_nothing_with_a_spawner() {
    matrix(Mode::Spawner);
}

#[test]
fn a_future_dropped_anywhere_costs_nothing_without_a_spawner() {
    matrix(Mode::NoSpawner);
}

#[test]
fn a_future_dropped_anywhere_costs_nothing_on_the_built_in_timer() {
    matrix(Mode::BuiltIn);
}
