//! Many more tasks than connections: the throughput, the waiting times, and whether every task gets its share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use crate::arithmetic::{jain, least_over_most};
use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all};
use crate::effort::Effort;
use crate::executors::{drive, two_workers};
use crate::fake::{SMALL, Server, yield_once};
use crate::histogram::Histogram;
use crate::workload::{Cell, Column, Sample, Workload, less, more};

const POOL: usize = 8;
/// How long to wait for the tasks to end. After this time a task counts as hung.
const END_LIMIT: Duration = Duration::from_secs(3);

const COLUMNS: &[Column] = &[
    more("cycles/s"),
    more("Jain"),
    more("slowest/fastest"),
    less("wait p50 us"),
    less("p99 us"),
    less("p99.9 us"),
    less("max us"),
    less("hung tasks"),
];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    let workload = |id, tasks| Workload {
        id,
        title: format!("{tasks} tasks on a pool of {POOL}, each holding over one suspension"),
        columns: COLUMNS,
        baseline: OURS,
        needs_quiet: true,
        rounds: effort.pick(5, 3),
        cells: run_for_all::<SMALL, _>(&Run {
            tasks,
            time: effort.millis(600, 150),
        })
        .into_iter()
        .flatten()
        .collect(),
    };
    vec![workload("crowd-64", 64), workload("crowd-1000", 1000)]
}

struct Run {
    tasks: usize,
    time: Duration,
}

impl ContenderTask for Run {
    type Output = Option<Cell>;

    fn run<C: Contender>(&self) -> Option<Cell> {
        let (tasks, time) = (self.tasks, self.time);
        C::WAITS.then(|| Cell {
            contender: C::NAME,
            measure: Box::new(move || drive(two_workers(), measure::<C>(tasks, time))),
        })
    }
}

/// What the tasks do now. Nothing is counted until all tasks run.
struct Phase(AtomicU8);

const WARM_UP: u8 = 0;
const COUNT: u8 = 1;
const STOP: u8 = 2;

async fn measure<C: Contender>(tasks: usize, time: Duration) -> Sample {
    let pool = Arc::new(C::open(Server::new(), POOL).await);
    fill(&*pool, POOL).await;
    let phase = Arc::new(Phase(AtomicU8::new(WARM_UP)));
    let running: Vec<_> = (0..tasks)
        .map(|_| tokio::spawn(task(Arc::clone(&pool), Arc::clone(&phase))))
        .collect();
    tokio::time::sleep(Duration::from_millis(30)).await;
    phase.0.store(COUNT, Ordering::Relaxed);
    let start = Instant::now();
    tokio::time::sleep(time).await;
    phase.0.store(STOP, Ordering::Relaxed);
    let elapsed = start.elapsed();
    let end = tokio::time::Instant::now() + END_LIMIT;
    let mut waits = Histogram::new();
    let mut shares = Vec::with_capacity(tasks);
    let mut hung = 0_u32;
    for task in running {
        match timeout_at(end, task).await {
            Ok(done) => {
                let (cycles, histogram) = done.expect("a task that ends");
                shares.push(cycles);
                waits.merge(&histogram);
            }
            Err(_) => {
                // The number of its cycles is unknown. It counts as 0.
                shares.push(0);
                hung += 1;
            }
        }
    }
    let cycles: u64 = shares.iter().sum();
    Sample::of([
        ("cycles/s", cycles as f64 / elapsed.as_secs_f64()),
        ("Jain", jain(&shares)),
        ("slowest/fastest", least_over_most(&shares)),
        ("wait p50 us", waits.quantile(0.5) / 1e3),
        ("p99 us", waits.quantile(0.99) / 1e3),
        ("p99.9 us", waits.quantile(0.999) / 1e3),
        ("max us", waits.longest() / 1e3),
        ("hung tasks", f64::from(hung)),
    ])
    .note_if(hung > 0, || {
        "HANGS: tasks never got a connection".to_owned()
    })
    .note_if(least_over_most(&shares) < 0.3, || {
        "STARVES: some task got less than a third of what another got".to_owned()
    })
}

async fn task<C: Contender>(pool: Arc<C>, phase: Arc<Phase>) -> (u64, Histogram) {
    let mut waits = Histogram::new();
    let mut cycles = 0;
    loop {
        let phase = phase.0.load(Ordering::Relaxed);
        if phase == STOP {
            return (cycles, waits);
        }
        let start = Instant::now();
        let guard = pool.acquire().await;
        if phase == COUNT {
            waits.add(start.elapsed());
            cycles += 1;
        }
        yield_once().await;
        drop(guard);
    }
}
