//! One task only: the cost of acquire and release alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::arithmetic::median;
use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all, run_for_watched};
use crate::effort::Effort;
use crate::executors::Executor;
use crate::fake::{BIG, SMALL, Server};
use crate::workload::{Cell, Column, Sample, Workload, less};

const POOL: usize = 10;
/// The number of cycles in a chunk. Most chunks are so short that nothing interrupts them.
const CHUNK: u32 = 256;

const COLUMNS: &[Column] = &[less("ns"), less("allocations")];

pub(crate) fn workloads(effort: Effort) -> Vec<Workload> {
    let time = effort.millis(100, 40);
    let rounds = effort.pick(7, 3);
    let title = |size, on| format!("Uncontended, pool of {POOL}, a connection of {size}, on {on}");
    let run = |executor| Uncontended { executor, time };
    vec![
        Workload {
            id: "uncontended",
            title: title("8 bytes", "tokio's current-thread executor"),
            columns: COLUMNS,
            baseline: OURS,
            needs_quiet: false,
            rounds,
            cells: run_for_all::<SMALL, _>(&run(Executor::Tokio)),
        },
        Workload {
            id: "uncontended-1k",
            title: title("1 KiB", "tokio's current-thread executor"),
            columns: COLUMNS,
            baseline: OURS,
            needs_quiet: false,
            rounds,
            cells: run_for_all::<BIG, _>(&run(Executor::Tokio)),
        },
        Workload {
            id: "uncontended-smol",
            title: title("8 bytes", "smol::block_on"),
            columns: COLUMNS,
            baseline: OURS,
            needs_quiet: false,
            rounds,
            cells: run_for_all::<SMALL, _>(&run(Executor::Smol)),
        },
        Workload {
            id: "uncontended-smol-1k",
            title: title("1 KiB", "smol::block_on"),
            columns: COLUMNS,
            baseline: OURS,
            needs_quiet: false,
            rounds,
            cells: run_for_all::<BIG, _>(&run(Executor::Smol)),
        },
        Workload {
            id: "watched",
            title: format!(
                "Uncontended, with what an operator can turn on, pool of {POOL}, on tokio's current-thread executor"
            ),
            columns: COLUMNS,
            baseline: OURS,
            needs_quiet: false,
            rounds,
            cells: run_for_watched(&run(Executor::Tokio)),
        },
    ]
}

struct Uncontended {
    executor: Executor,
    time: Duration,
}

impl ContenderTask for Uncontended {
    type Output = Cell;

    fn run<C: Contender>(&self) -> Cell {
        let (executor, time) = (self.executor, self.time);
        Cell {
            contender: C::NAME,
            measure: Box::new(move || match C::NEEDS_TOKIO {
                Some(why) if executor == Executor::Smol => Err(why.to_owned()),
                _ => executor.drive(measure::<C>(time)),
            }),
        }
    }
}

async fn measure<C: Contender>(time: Duration) -> Sample {
    let pool = C::open(Server::new(), POOL).await;
    fill(&pool, POOL).await;
    cycles(&pool, 4 * CHUNK).await;
    let mut chunks = Vec::with_capacity(1 << 16);
    let end = Instant::now() + time;
    loop {
        let start = Instant::now();
        cycles(&pool, CHUNK).await;
        let now = Instant::now();
        chunks.push((now - start).as_nanos() as f64 / f64::from(CHUNK));
        if now > end {
            break;
        }
    }
    let allocations = allocations(&pool).await;
    Sample::of([
        ("ns", median(&chunks).unwrap_or_default()),
        ("allocations", allocations),
    ])
}

/// Acquires and releases `count` times.
pub(crate) async fn cycles<C: Contender>(pool: &C, count: u32) {
    for _ in 0..count {
        let guard = pool.acquire().await;
        black_box(&guard);
    }
}

/// The allocations of one cycle on this thread.
async fn allocations<C: Contender>(pool: &C) -> f64 {
    const CYCLES: u32 = 1000;
    let mut running = std::pin::pin!(cycles(pool, CYCLES));
    let mut count = 0;
    std::future::poll_fn(|cx| {
        let mut poll = std::task::Poll::Pending;
        let counted = allocation_counter::measure(|| poll = running.as_mut().poll(cx));
        count += counted.count_total;
        poll
    })
    .await;
    count as f64 / f64::from(CYCLES)
}
