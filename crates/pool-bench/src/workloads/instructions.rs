//! Instructions of one uncontended cycle, counted by callgrind. Unlike times, they are the same in each run.
//!
//! The program runs itself twice under callgrind, with different numbers of cycles. The difference of the two counts is the cost of
//! the additional cycles.

use std::env;
use std::process::{Command, Stdio};

use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all};
use crate::effort::Effort;
use crate::executors::current_thread;
use crate::fake::{BIG, SMALL, Server};
use crate::workload::{Cell, Column, Sample, Workload, less};
use crate::workloads::uncontended::cycles;

/// With this argument the program only runs some cycles.
pub(crate) const ARGUMENT: &str = "--only-cycles";
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
                let few = collected(C::NAME, size, FEW)?;
                let many = collected(C::NAME, size, MANY)?;
                let cycle = (many - few) / f64::from(MANY - FEW);
                Ok(Sample::of([("instructions", cycle)]))
            }),
        }
    }
}

/// Runs this program under callgrind and returns the number of instructions.
fn collected(contender: &str, size: &str, cycles: u32) -> Result<f64, String> {
    let program =
        env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([ARGUMENT, contender, size, &cycles.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    // `==123== Collected : 4567`
    let counted = text
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, count)| count.trim().parse().ok());
    counted
        .filter(|_| output.status.success())
        .ok_or_else(|| format!("the program failed under valgrind ({})", output.status))
}

/// The part of the program that runs under valgrind.
pub(crate) fn run_cycles(contender: &str, size: &str, count: u32) -> Result<(), String> {
    let run = Run {
        contender: contender.to_owned(),
        count,
    };
    let ran = match size {
        "small" => run_for_all::<SMALL, _>(&run),
        "big" => run_for_all::<BIG, _>(&run),
        _ => return Err(format!("there is no size `{size}`")),
    };
    match ran.contains(&true) {
        true => Ok(()),
        false => Err(format!("there is no contender `{contender}`")),
    }
}

struct Run {
    contender: String,
    count: u32,
}

impl ContenderTask for Run {
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
