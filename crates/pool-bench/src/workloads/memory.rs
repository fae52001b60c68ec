//! The heap memory of a pool with idle connections of 8 bytes.

use crate::contender::{Contender, ContenderTask, fill};
use crate::contenders::{OURS, run_for_all};
use crate::effort::Effort;
use crate::executors::{LIMIT, current_thread, hangs};
use crate::fake::{Connection, SMALL, Server};
use crate::workload::{Cell, Column, Sample, Workload, less};

const COLUMNS: &[Column] = &[
    less("bytes/slot"),
    less("bytes beside the connection"),
    less("empty pool of 10"),
    less("full pool of 10"),
];

pub(crate) fn workloads(_: Effort) -> Vec<Workload> {
    vec![Workload {
        id: "memory",
        title: "Heap bytes at rest; a slot is the slope from a full pool of 10 to one of 1,000"
            .to_owned(),
        columns: COLUMNS,
        baseline: OURS,
        needs_quiet: false,
        rounds: 1,
        cells: run_for_all::<SMALL, _>(&Run)
            .into_iter()
            .flatten()
            .collect(),
    }]
}

struct Run;

impl ContenderTask for Run {
    type Output = Option<Cell>;

    fn run<C: Contender>(&self) -> Option<Cell> {
        C::WAITS.then(|| Cell {
            contender: C::NAME,
            measure: Box::new(move || {
                let small = bytes::<C>(10, true)?;
                let slope = (bytes::<C>(1_000, true)? - small) / 990.0;
                Ok(Sample::of([
                    ("bytes/slot", slope),
                    (
                        "bytes beside the connection",
                        slope - size_of::<Connection<SMALL>>() as f64,
                    ),
                    ("empty pool of 10", bytes::<C>(10, false)?),
                    ("full pool of 10", small),
                ]))
            }),
        })
    }
}

/// The bytes on the heap after the pool has finished its work.
fn bytes<C: Contender>(size: usize, full: bool) -> Result<f64, String> {
    let runtime = current_thread();
    // The runtime allocates for its first task. This must not be counted for the pool.
    runtime
        .block_on(async { tokio::spawn(async {}).await })
        .expect("it ends");
    let server = Server::new();
    let mut pool = None;
    let counted = allocation_counter::measure(|| {
        let open = async {
            let pool = C::open(server.clone(), size).await;
            if full {
                fill(&pool, size).await;
                // Some pools release in a task. All these tasks run now.
                for _ in 0..size {
                    tokio::task::yield_now().await;
                }
            }
            pool
        };
        pool = runtime
            .block_on(async { tokio::time::timeout(LIMIT, open).await })
            .ok();
    });
    pool.ok_or_else(hangs)?;
    Ok(counted.bytes_current as f64)
}
