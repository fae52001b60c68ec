//! 2 workers, 8 tasks, 16 connections: the tasks share the pool, but nobody waits.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all};
use crate::effort::Effort;
use crate::executors::{drive, two_workers};
use crate::fake::{BIG, SMALL, Server, yield_once};
use crate::workload::{Cell, Column, Sample, Workload, more};

const POOL: usize = 16;
const TASKS: usize = 8;

const COLUMNS: &[Column] = &[more("cycles/s")];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    let run = Run {
        time: effort.millis(300, 100),
    };
    let title = |size| {
        format!(
            "Contended, nobody waits: 2 workers, {TASKS} tasks, pool of {POOL}, a connection of {size}"
        )
    };
    let rounds = effort.pick(7, 3);
    let mut workloads = vec![Workload {
        id: "no-wait",
        title: title("8 bytes"),
        columns: COLUMNS,
        baseline: OURS,
        needs_quiet: true,
        rounds,
        cells: run_for_all::<SMALL, _>(&run),
    }];
    if effort == Effort::Full {
        workloads.push(Workload {
            id: "no-wait-1k",
            title: title("1 KiB"),
            columns: COLUMNS,
            baseline: OURS,
            needs_quiet: true,
            rounds,
            cells: run_for_all::<BIG, _>(&run),
        });
    }
    workloads
}

struct Run {
    time: Duration,
}

impl ContenderTask for Run {
    type Output = Cell;

    fn run<C: Contender>(&self) -> Cell {
        let time = self.time;
        Cell {
            contender: C::NAME,
            measure: Box::new(move || drive(two_workers(), measure::<C>(time))),
        }
    }
}

async fn measure<C: Contender>(time: Duration) -> Sample {
    let pool = Arc::new(C::open(Server::new(), POOL).await);
    fill(&*pool, POOL).await;
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(task(Arc::clone(&pool), Arc::clone(&stop))))
        .collect();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let elapsed = start.elapsed();
    let mut cycles = 0;
    for task in tasks {
        cycles += task.await.expect("a task that ends");
    }
    Sample::of([("cycles/s", cycles as f64 / elapsed.as_secs_f64())])
}

async fn task<C: Contender>(pool: Arc<C>, stop: Arc<AtomicBool>) -> u64 {
    let mut cycles = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..64 {
            let guard = pool.acquire().await;
            black_box(&guard);
        }
        cycles += 64;
        yield_once().await;
    }
    cycles
}
