//! Instructions of one uncontended cycle, counted by callgrind. Unlike times, they are the same in each run.

use crate::callgrind::{extra_instructions, number};
use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all};
use crate::effort::Effort;
use crate::executors::current_thread;
use crate::fake::{BIG, SMALL, Server};
use crate::workload::{Cell, Column, Sample, Workload, less};
use crate::workloads::uncontended::cycles;

/// With this argument the program only runs some cycles.
const ARGUMENT: &str = "--only-cycles";
const FEW: u32 = 1_000;
const MANY: u32 = 3_000;

const COLUMNS: &[Column] = &[less("instructions")];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    let title = |size| format!("Instructions of an uncontended cycle, a connection of {size}");
    let mut workloads = vec![Workload {
        id: "instructions",
        title: title("8 bytes"),
        columns: COLUMNS,
        baseline: OURS,
        needs_quiet: false,
        rounds: 1,
        cells: run_for_all::<SMALL, _>(&Count { size: "small" }),
    }];
    if effort == Effort::Full {
        workloads.push(Workload {
            id: "instructions-1k",
            title: title("1 KiB"),
            columns: COLUMNS,
            baseline: OURS,
            needs_quiet: false,
            rounds: 1,
            cells: run_for_all::<BIG, _>(&Count { size: "big" }),
        });
    }
    workloads
}

struct Count {
    size: &'static str,
}

impl ContenderTask for Count {
    type Output = Cell;

    fn run<C: Contender>(&self) -> Cell {
        let size = self.size;
        Cell {
            contender: C::NAME,
            measure: Box::new(move || {
                let words =
                    |count: u32| [ARGUMENT, C::NAME, size, &count.to_string()].map(str::to_owned);
                let cycle = extra_instructions(words, FEW, MANY)?;
                Ok(Sample::of([("instructions", cycle)]))
            }),
        }
    }
}

/// The part of the program that runs under valgrind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cycles {
    contender: String,
    size: String,
    count: u32,
}

impl Cycles {
    /// Reads the arguments of the program; `None` where they ask for something else.
    pub(crate) fn read(words: &[&str]) -> Option<Result<Self, String>> {
        let &[ARGUMENT, contender, size, count] = words else {
            return None;
        };
        Some(number(count).map(|count| Self {
            contender: contender.to_owned(),
            size: size.to_owned(),
            count,
        }))
    }

    pub(crate) fn run(&self) -> Result<(), String> {
        let ran = match self.size.as_str() {
            "small" => run_for_all::<SMALL, _>(self),
            "big" => run_for_all::<BIG, _>(self),
            other => return Err(format!("there is no size `{other}`")),
        };
        match ran.contains(&true) {
            true => Ok(()),
            false => Err(format!("there is no contender `{}`", self.contender)),
        }
    }
}

impl ContenderTask for Cycles {
    type Output = bool;

    fn run<C: Contender>(&self) -> bool {
        if C::NAME != self.contender {
            return false;
        }
        current_thread().block_on(async {
            let pool = C::open(Server::new(), 10).await;
            fill(&pool, 10).await;
            cycles(&pool, 200).await;
            cycles(&pool, self.count).await;
        });
        true
    }
}
