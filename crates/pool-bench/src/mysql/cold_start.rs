//! 16 queries at once on an empty pool.

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;

use crate::effort::Effort;
use crate::executors::{drive, two_workers};
use crate::mysql::client::{Client, ClientTask, Failed};
use crate::mysql::clients::{Raw, run_for_all};
use crate::mysql::target::{Target, Transport};
use crate::workload::{Cell, Column, Sample, Workload, less};

const QUERIES: usize = 16;

const COLUMNS: &[Column] = &[less("ms")];

pub(crate) fn workload(effort: Effort, transport: Transport, target: &Target) -> Workload {
    Workload {
        id: transport.pick("mysql-cold-tcp", "mysql-cold-unix"),
        title: format!(
            "Cold start over {}: {QUERIES} queries on an empty pool of {QUERIES}",
            transport.words()
        ),
        columns: COLUMNS,
        baseline: Raw::NAME,
        rounds: effort.pick(15, 5),
        needs_quiet: false,
        cells: run_for_all(&Run {
            target: target.clone(),
        }),
    }
}

struct Run {
    target: Target,
}

impl ClientTask for Run {
    type Output = Cell;

    fn run<C: Client>(&self) -> Cell {
        let target = self.target.clone();
        Cell {
            contender: C::NAME,
            measure: Box::new(move || {
                let measured = drive(two_workers(), measure::<C>(&target));
                measured?.map_err(|error| format!("FAILED: {error}"))
            }),
        }
    }
}

async fn measure<C: Client>(target: &Target) -> Result<Sample, Failed> {
    // This wakes the workers before the measurement begins.
    join_all((0..4).map(|_| tokio::spawn(async {}))).await;
    let start = Instant::now();
    let client = Arc::new(C::open(target, QUERIES).await?);
    let tasks = (0..QUERIES).map(|_| {
        let client = Arc::clone(&client);
        tokio::spawn(async move {
            let mut lane = client.lane().await?;
            C::query(&mut lane).await?;
            // The lane is returned, so that its connection is closed after the measurement.
            Ok::<_, Failed>(lane)
        })
    });
    let lanes = join_all(tasks).await;
    let elapsed = start.elapsed();
    for lane in lanes {
        drop(lane??);
    }
    if let Some(client) = Arc::into_inner(client) {
        client.close().await;
    }
    Ok(Sample::of([("ms", elapsed.as_secs_f64() * 1e3)]))
}
